"""The control plane: clock, seed, churn, people, flags, processes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from mailchimp_emulator import DEFAULT_API_KEY, ControlError, Emulator, EmulatorProcess
from mailchimp_emulator.faults import KINDS

STATUSES = {"subscribed": 0.5, "unsubscribed": 0.2, "cleaned": 0.1, "archived": 0.2}
BIG = {
    "id": "bbbbbbbbbb",
    "contacts": 1000,
    "statuses": STATUSES,
    "tags": ["One", "Two", "Three"],
    "tags_per_contact": 2,
    "contacts_with_many_tags": {"count": 2, "tags": 60},
    "merge_fields": [{"tag": "LTV", "type": "number"}, {"tag": "SIZE", "type": "dropdown", "choices": ["S", "L"]}],
    "changed_from": "2026-01-01T00:00:00Z",
    "changed_to": "2026-02-01T00:00:00Z",
    "ties": {"groups": [1, 90]},
}


def test_clock(api: Any, mailchimp: Any) -> None:
    """The clock can be set, advanced, frozen and let go, and every timestamp follows it."""
    assert mailchimp.clock() == {"now": 1777896000.0, "iso": "2026-05-04T12:00:00+00:00", "frozen": True}
    assert mailchimp.clock(advance=1.5)["now"] == 1777896001.5
    mailchimp.clock(set="2030-01-01T00:00:00Z", tick_per_request=2)
    assert api.call("GET", "/ping").headers["Date"] == "Tue, 01 Jan 2030 00:00:02 GMT"
    assert api.add("ada")["last_changed"] == "2030-01-01T00:00:04+00:00"
    assert mailchimp.clock(freeze=False)["frozen"] is False
    assert mailchimp.clock()["now"] < 1893456000 + 3600
    with pytest.raises(ControlError):
        mailchimp.clock(set="tomorrow")


def test_seed_is_deterministic(mailchimp: Any) -> None:
    """The same number gives the same contacts, another number others."""
    seen = []
    for number in (1, 1, 2):
        mailchimp.reset()
        mailchimp.clock(freeze=True, set="2026-05-04T12:00:00Z")
        mailchimp.seed(BIG, seed=number)
        seen.append(mailchimp.members("bbbbbbbbbb"))
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_seeded_list(mailchimp: Any) -> None:
    """Shares, tags, values and times are what the description says."""
    assert mailchimp.seed(BIG) == ["bbbbbbbbbb"]
    members = mailchimp.members("bbbbbbbbbb")
    assert Counter(member["status"] for member in members) == {
        "subscribed": 500, "unsubscribed": 200, "cleaned": 100, "archived": 200,
    }  # fmt: skip
    assert sorted({len(member["tags"]) for member in members}) == [2, 60]
    assert all(isinstance(member["merge_fields"]["LTV"], (int, float)) for member in members)
    seconds = Counter(member["last_changed"] for member in members)
    assert (min(seconds), max(seconds)) == (1767225600, 1769904000)
    assert 1 < max(seconds.values()) <= 90
    left = {member["unsubscribed_by"] for member in members if member["status"] == "unsubscribed"}
    assert left == {"self", "admin"}


@pytest.mark.parametrize("wrong", [{"contact": 3}, {"changed_from": "x", "contacts": 1}])
def test_wrong_descriptions_are_refused(mailchimp: Any, wrong: dict[str, Any]) -> None:
    """A key that means nothing is an error."""
    with pytest.raises(ControlError):
        mailchimp.seed(wrong)


def test_demo_account(api: Any, mailchimp: Any) -> None:
    """The demo has three audiences, every status, every type of merge field and contacts with many tags."""
    ids = mailchimp.seed_demo()
    assert [found["contacts"] for found in mailchimp.lists()][1:] == [5000, 1200, 150]
    members = mailchimp.members(ids[0])
    assert len({member["status"] for member in members}) == 6
    assert max(len(member["tags"]) for member in members) > 50
    fields = api.get(f"/lists/{ids[0]}/merge-fields", count=100)["merge_fields"]
    assert len({field["type"] for field in fields}) == 11
    assert all(members[5]["merge_fields"].get(field["tag"]) for field in fields)


def test_churn_per_request(api: Any, mailchimp: Any) -> None:
    """So many edits are made before each answer, the same ones for the same seed."""
    seen = []
    for _ in range(2):
        mailchimp.reset()
        mailchimp.clock(freeze=True, set="2026-05-04T12:00:00Z", tick_per_edit=1)
        mailchimp.seed(BIG)
        mailchimp.churn(edits_per_request=20, list_id="bbbbbbbbbb", seed=5)
        for _ in range(5):
            api.call("GET", "/ping")
        seen.append(mailchimp.members("bbbbbbbbbb"))
        assert mailchimp.stats()["churn_edits"] == 100
    assert seen[0] == seen[1]
    changed = [member for member in seen[0] if member["last_changed"] > 1777896000]
    assert 60 < len(changed) <= 100
    mailchimp.stop_churn()
    api.call("GET", "/ping")
    assert mailchimp.members("bbbbbbbbbb") == seen[0]


def test_churn_in_the_background(mailchimp: Any) -> None:
    """Edits are made all the time, until churn is stopped."""
    mailchimp.seed(BIG)
    mix = {"edit": 1, "archive": 1, "unarchive": 1, "add": 1, "tag": 1, "unsubscribe": 1, "forget": 1}
    mailchimp.churn(edits_per_second=5000, mix=mix)
    for _ in range(3000):
        if mailchimp.stats()["churn_edits"] > 300:
            break
    mailchimp.stop_churn()
    assert mailchimp.stats()["churn_edits"] > 300
    with pytest.raises(ControlError):
        mailchimp.churn(edits_per_request=1, mix={"explode": 1})


def test_listings_keep_up_with_churn(api: Any, mailchimp: Any) -> None:
    """After a thousand edits every listing still has exactly who belongs there, in order of last_changed."""
    mailchimp.clock(tick_per_edit=0.3)
    mailchimp.seed({**BIG, "statuses": {"subscribed": 0.7, "archived": 0.3}})
    mix = {"edit": 3, "archive": 2, "unarchive": 2, "add": 1, "tag": 1, "unsubscribe": 1, "forget": 1}
    mailchimp.churn(edits_per_request=1000, list_id="bbbbbbbbbb", mix=mix)
    api.call("GET", "/ping")
    mailchimp.stop_churn()
    truth = mailchimp.members("bbbbbbbbbb")
    for status in ("", "subscribed", "unsubscribed", "archived"):
        expected = {member["id"] for member in truth if (member["status"] == status if status else member["status"] != "archived")}
        pages = [
            api.get("/lists/bbbbbbbbbb/members", status=status, sort_field="last_changed", count=1000, offset=offset)
            for offset in (0, 1000)
        ]
        listed = [member for page in pages for member in page["members"]]
        assert [member["last_changed"] for member in listed] == sorted(member["last_changed"] for member in listed)
        assert {member["id"] for member in listed} == expected
        assert len(listed) == len(expected) == pages[0]["total_items"]


@pytest.mark.parametrize(
    ("action", "more", "key", "expected"),
    [
        ("unsubscribe_self", {}, "unsubscribed_by", "self"),
        ("unsubscribe_admin", {}, "unsubscribed_by", "admin"),
        ("clean", {}, "status", "cleaned"),
        ("archive", {}, "status", "archived"),
        ("pending", {}, "status", "pending"),
        ("transactional", {}, "status", "transactional"),
        ("change_merge_field", {"tag": "FNAME", "value": "Eve"}, "merge_fields", {"FNAME": "Eve"}),
        ("change_email", {"new_email": "eve@shop.test"}, "email_address", "eve@shop.test"),
        ("add_tag", {"tag": "New"}, "tags", ["VIP", "New"]),
        ("remove_tag", {"tag": "vip"}, "tags", []),
    ],
)
def test_people_act(api: Any, mailchimp: Any, action: str, more: dict[str, Any], key: str, expected: Any) -> None:
    """People and administrators change contacts outside the API, and last_changed follows."""
    api.add("ada", tags=["VIP"])
    mailchimp.clock(advance=60)
    after = mailchimp.act(api.list_id, "ada@shop.test", action, **more)
    assert after[key] == expected
    assert after["last_changed"] == 1777896060


def test_people_forget_and_sign_up(api: Any, mailchimp: Any) -> None:
    """A forgotten person is gone until they sign up themselves."""
    api.add("ada")
    assert mailchimp.act(api.list_id, "ada@shop.test", "forget") is None
    assert mailchimp.member(api.list_id, "ada@shop.test") is None
    assert mailchimp.act(api.list_id, "ada@shop.test", "subscribe")["status"] == "subscribed"
    for wrong in (("ada@shop.test", "dance"), ("nobody@shop.test", "archive")):
        with pytest.raises(ControlError):
            mailchimp.act(api.list_id, *wrong)


def test_lists_and_tags_change_hands(api: Any, mailchimp: Any) -> None:
    """Lists and tags are renamed and deleted outside the API."""
    api.add("ada", tags=["VIP", "Old"])
    mailchimp.rename_list(api.list_id, "Renamed")
    mailchimp.rename_tag(api.list_id, "vip", "Gold")
    mailchimp.delete_tag(api.list_id, "old")
    assert api.get()["name"] == "Renamed"
    assert [tag["name"] for tag in api.get("members/ada@shop.test")["tags"]] == ["Gold"]
    with pytest.raises(ControlError):
        mailchimp.delete_tag(api.list_id, "old")
    mailchimp.delete_list(api.list_id)
    assert mailchimp.lists() == []


def test_a_contact_is_placed(api: Any, mailchimp: Any) -> None:
    """A contact is put in a state as of another day, whether it was there or not, and reads show it so."""
    state = {"merge_fields": {"FNAME": "Ada"}, "tags": ["VIP"], "last_changed": "2022-02-23T19:31:54+00:00"}
    placed = mailchimp.place(api.list_id, "ada@shop.test", "archived", **state)
    assert placed["status"] == "archived"
    shown = api.get("members/ada@shop.test")
    assert (shown["last_changed"], shown["merge_fields"]["FNAME"], shown["tags"][0]["name"]) == (state["last_changed"], "Ada", "VIP")
    assert api.emails() == []
    mailchimp.place(api.list_id, "ada@shop.test", "subscribed", last_changed="2022-02-24T00:00:00+00:00")
    assert api.get("members/ada@shop.test")["tags"] == []
    assert api.emails() == ["ada"]


def test_answers_are_kept_when_asked_for() -> None:
    """The journal keeps the bodies of answers with an option, and says None otherwise."""
    for kept, answer in ((True, {"health_status": "Everything's Chimpy!"}), (False, None)):
        with Emulator(capture_answers=kept) as mailchimp:
            requests.get(f"{mailchimp.url}/3.0/ping", auth=("any", DEFAULT_API_KEY), timeout=10)
            assert mailchimp.journal()[0]["answer"] == answer


def test_unknown_flags_are_refused(mailchimp: Any) -> None:
    """A flag that does not exist is an error, and flags go back with a reset."""
    with pytest.raises(ControlError, match="unknown behavior flags: nonsense"):
        mailchimp.behavior(nonsense=True)
    mailchimp.behavior(refuse_fake_domains=True)
    mailchimp.reset()
    assert mailchimp.behavior()["refuse_fake_domains"] is False


def test_readme_names_every_flag(mailchimp: Any) -> None:
    """The README explains every behavior flag, every control command and every kind of fault."""
    readme = (Path(__file__).resolve().parents[2] / "mailchimp_emulator" / "README.md").read_text()
    assert [flag for flag in mailchimp.behavior() if f"`{flag}`" not in readme] == []
    known = requests.get(mailchimp.url + "/_control/", timeout=10).json()["error"].split("known: ")[1].split(", ")
    assert [name for name in (*known, *KINDS) if f"`{name}`" not in readme] == []


def test_process() -> None:
    """The emulator in a process of its own takes the same options and the same commands."""
    with EmulatorProcess(demo=True, behavior={"refuse_fake_domains": True}) as mailchimp:
        assert len(mailchimp.lists()) == 3
        assert mailchimp.behavior()["refuse_fake_domains"] is True
        assert mailchimp.pid > 0
        mailchimp.reset()
        assert len(mailchimp.lists()) == 3
