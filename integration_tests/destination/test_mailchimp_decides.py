"""What was read earlier chooses the call; what becomes of a contact is decided by Mailchimp, at the time of the call."""

from __future__ import annotations

from typing import Any

import pytest

from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.patience import Patience


def signs_up(runner: Any, email: str, write_mode: str) -> dict[str, Any]:
    """The rule of the emulator by which somebody signs up after the last look at the audience, and before the first write."""
    command = {"command": "act", "list_id": runner.list_id, "email": email, "action": "subscribe"}
    look = {"path": "/members$", "query": {"status": "archived"}} if write_mode == "bulk" else {"path": "/merge-fields$"}
    return {"kind": "run", "method": "GET", "when": "after", "times": 1, "commands": [command], **look}


SIGNED_UP = [
    ({"is_deleted": True}, {}, "archived", "updated"),
    ({"is_deleted": True}, {"on_delete": "unsubscribe"}, "unsubscribed", "updated"),
    ({"status": "archived"}, {"apply_status": "always"}, "archived", "updated"),
    ({"status": "cleaned", "first_name": "New"}, {}, "subscribed", "updated"),
]


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize(("columns", "options", "status", "kind"), SIGNED_UP)
def test_who_signs_up_after_the_look_is_still_written(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any, record: Any, write_mode: str, columns: Any, options: Any, status: str, kind: str
) -> None:
    """A record about somebody whom no listing had takes effect when they are there by the time of the call."""
    runner = make_runner(contacts=5)
    runner.mailchimp.faults([signs_up(runner, "late@contacts.example", write_mode)])
    result = runner.write([record({"email": "late@contacts.example", **columns})], write_mode=write_mode, **options)
    assert result.error is None
    member = runner.members()["late@contacts.example"]
    assert member["status"] == status
    assert result.counts()[kind] == 1
    if "first_name" in columns:
        assert member["merge_fields"]["FNAME"] == "New"


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_an_update_only_stream_updates_who_signs_up_after_the_look(make_runner: Any, record: Any, catalog: Any, write_mode: str) -> None:
    """With the mode update nobody is created, and contacts that exist at the time of the call are updated."""
    runner = make_runner(contacts=5)
    late = "late@contacts.example"
    runner.mailchimp.faults([signs_up(runner, late, write_mode)])
    messages = [record({"email": email, "first_name": "New"}) for email in (late, "nobody@contacts.example")]
    result = runner.write(messages, catalog({"name": "people", "destination_sync_mode": "update"}), write_mode=write_mode)
    assert result.counts() == {"created": 0, "updated": 1, "unchanged": 0, "skipped": 1, "rejected": 0}
    assert runner.members()[late]["merge_fields"]["FNAME"] == "New"
    assert "nobody@contacts.example" not in runner.members()


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_a_deletion_of_somebody_who_came_back_archives_them(make_runner: Any, record: Any, write_mode: str) -> None:
    """A contact that the listing had as archived and that signed up again since is archived again, not taken for done."""
    runner = make_runner(contacts=6, statuses={"subscribed": 5, "archived": 1})
    [gone] = [email for email, member in runner.members().items() if member["status"] == "archived"]
    runner.mailchimp.faults([signs_up(runner, gone, write_mode)])
    runner.write([record({"email": gone, "is_deleted": True})], write_mode=write_mode)
    assert runner.members()[gone]["status"] == "archived"


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_a_tag_that_appeared_after_the_look_is_taken_away(make_runner: Any, record: Any, write_mode: str) -> None:
    """A tag that was made and given since the tags were read is taken away like any other."""
    runner = make_runner(contacts=5)
    email = next(iter(runner.members()))
    command = {"command": "act", "list_id": runner.list_id, "email": email, "action": "add_tag", "more": {"tag": "fresh"}}
    query = {"query": {"status": "archived"}} if write_mode == "bulk" else {}
    path = "/members$" if write_mode == "bulk" else "/segments$"
    runner.mailchimp.faults([{"kind": "run", "path": path, "when": "after", "times": 1, "commands": [command], **query}])
    result = runner.write([record({"email": email, "tags_to_remove": ["fresh"]})], write_mode=write_mode)
    assert runner.members()[email]["tags"] == []
    assert result.counts()["updated"] == 1


THROTTLED = Patience(first_back_off=0.05, longest_back_off=0.1, total=30)


@pytest.mark.parametrize("kind", ["429", "500", "reset", "403_html"])
def test_a_batch_that_waited_too_long_is_planned_again(
    make_runner: Any, record: Any, state: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A contact who leaves while a batch waits for its next try is not in it when it is sent, where no status meant a subscription."""
    monkeypatch.setattr("destination_mailchimp_unified.audience.listing.FRESH_SECONDS", 0.4)
    runner = make_runner(contacts=300)
    runner.mailchimp.behavior(bulk_without_status="subscribed")
    emails = list(runner.members())
    leaving = emails[:100]
    commands = [{"command": "act", "list_id": runner.list_id, "email": email, "action": "unsubscribe_admin"} for email in leaving]
    runner.mailchimp.faults(
        [
            {"kind": "run", "method": "POST", "path": "/lists/[^/]*$", "times": 1, "commands": commands},
            {"kind": kind, "method": "POST", "path": "/lists/[^/]*$", "times": 12},
        ]
    )
    messages = [record({"email": email, "first_name": "New"}) for email in emails]
    result = runner.write([*messages, state(1)], write_mode="bulk", patience=THROTTLED)
    assert result.error is None, result.error
    after = runner.members()
    assert [after[email]["status"] for email in leaving] == ["unsubscribed"] * 100
    assert all(member["merge_fields"]["FNAME"] == "New" for member in after.values())
    assert result.counts()["updated"] == 300


ODD_LISTINGS = [
    [{"kind": "empty_object_200", "path": "/members$", "times": 1}],
    [{"kind": "empty_object_200", "path": "/members$", "times": 2}],
    [{"kind": "null_records", "path": "/members$", "times": 1}],
    [{"kind": "no_records", "path": "/members$", "times": 2}],
    [{"kind": "no_records_key", "path": "/members$", "times": 1}],
    [{"kind": "clamp", "path": "/members$", "rows": 100, "times": 3}],
    [{"kind": "clamp", "path": "/members$", "rows": 250}],
    [{"kind": "clamp", "path": "/members$", "rows": 0, "times": 4}],
]


@pytest.mark.parametrize("rules", ODD_LISTINGS)
@pytest.mark.parametrize("write_mode", ["bulk", "auto"])
def test_a_listing_that_is_not_whole_is_not_believed(make_runner: Any, record: Any, write_mode: str, rules: list[Any]) -> None:
    """Statuses that answer {}, nothing, or a part never make people who left into new contacts."""
    runner = make_runner(contacts=700, statuses={"subscribed": 100, "archived": 300, "unsubscribed": 300})
    before = {email: member["status"] for email, member in runner.members().items()}
    runner.mailchimp.behavior(bulk_without_status="subscribed", bulk_new_without_status="subscribed")
    runner.mailchimp.faults(rules, seed=3)
    result = runner.write([record({"email": email, "first_name": "New"}) for email in before], write_mode=write_mode)
    assert result.error is None, result.error
    assert {email: member["status"] for email, member in runner.members().items()} == before


def test_a_count_that_stays_too_high_creates_nobody_in_bulk(make_runner: Any, record: Any) -> None:
    """Where Mailchimp counts more contacts than it lists, for good, new contacts go one by one, and nobody who left comes back."""
    runner = make_runner(contacts=40, statuses={"subscribed": 20, "archived": 20})
    before = {email: member["status"] for email, member in runner.members().items()}
    hidden = [email for email, status in before.items() if status == "archived"][-5:]
    rules = [{"kind": "drop_items", "path": "/members$", "where": {"id": subscriber_hash(email)}} for email in hidden]
    runner.mailchimp.faults(rules)
    new = [record({"email": f"n{n}@contacts.example"}) for n in range(10)]
    result = runner.write([*(record({"email": email, "first_name": "New"}) for email in before), *new], write_mode="bulk")
    assert result.error is None, result.error
    assert result.counts()["created"] == 10
    after = runner.members()
    assert {email: after[email]["status"] for email in before} == before
    rows = [row for entry in runner.writes() if entry["method"] == "POST" for row in entry["body"].get("members", [])]
    assert not [row for row in rows if row.get("status")]


def steps_of_one_contact(runner: Any, record: Any, many_tags: bool) -> list[Any]:
    """A record about one contact that takes several calls."""
    tags = [f"T{n}" for n in range(60)] if many_tags else ["One"]
    return [record({"email": "gone@contacts.example", "first_name": "A", "tags": tags, "tags_to_remove": ["Old"]})]


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("many_tags", [False, True])
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("action", ["forget", "archive"])
def test_a_contact_that_vanishes_between_two_calls_ends_nothing(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any, record: Any, state: Any, write_mode: str, many_tags: bool, there: bool, action: str
) -> None:
    """If a contact vanishes between any two calls about it, its record has an outcome and the others land."""
    place = 0
    while True:
        runner = make_runner(contacts=0, tags=["Old"])
        runner.mailchimp.reset()
        runner = make_runner(contacts=0)
        if there:
            runner.mailchimp.act(runner.list_id, "gone@contacts.example", "subscribe")
            for tag in ["Old", *(f"O{n}" for n in range(60 if many_tags else 1))]:
                runner.mailchimp.act(runner.list_id, "gone@contacts.example", "add_tag", tag=tag)
        messages = [*steps_of_one_contact(runner, record, many_tags), record({"email": "good@contacts.example"}), state(1)]
        command = {"command": "act", "list_id": runner.list_id, "email": "gone@contacts.example", "action": action}
        rule = {"kind": "run", "path": "/lists/", "after": place, "times": 1, "when": "after", "commands": [command]}
        runner.mailchimp.faults([rule])
        result = runner.write(messages, write_mode=write_mode, num_workers=1)
        assert result.error is None, (place, result.error.message)
        assert result.ids == [1]
        assert sum(result.counts().values()) == 2
        assert runner.members()["good@contacts.example"]["status"] == "subscribed"
        if not runner.mailchimp.fault_counts()[0]["hits"]:
            break
        place += 1
    assert place > 3


@pytest.mark.parametrize("patch", [404, 405])
@pytest.mark.parametrize("wanted", ["unsubscribed", "cleaned", "subscribed", "transactional"])
@pytest.mark.parametrize("apply_status", ["opt_outs", "always"])
def test_who_is_archived_between_two_calls_is_no_reject(make_runner: Any, record: Any, patch: int, wanted: str, apply_status: str) -> None:
    """If a contact is archived between any two calls about it, its record is written all the same, and its status is that of an archived one."""
    place = 0
    while True:
        runner = make_runner(contacts=0)
        runner.mailchimp.reset()
        runner = make_runner(contacts=0)
        runner.mailchimp.behavior(patch_archived_status=patch)
        runner.mailchimp.act(runner.list_id, "a@contacts.example", "subscribe")
        command = {"command": "act", "list_id": runner.list_id, "email": "a@contacts.example", "action": "archive"}
        runner.mailchimp.faults([{"kind": "run", "path": "/members/", "after": place, "times": 1, "when": "after", "commands": [command]}])
        row = {"email": "a@contacts.example", "first_name": "New", "status": wanted}
        result = runner.write([record(row), record({"email": "b@contacts.example"})], apply_status=apply_status, num_workers=1)
        member = runner.members()["a@contacts.example"]
        assert (result.error, result.counts()["rejected"], result.counts()["skipped"]) == (None, 0, 0)
        assert member["merge_fields"]["FNAME"] == "New"
        if not runner.mailchimp.fault_counts()[0]["hits"]:
            break
        assert member["status"] in ({"archived"} if (apply_status, wanted) == ("opt_outs", "subscribed") else {"archived", wanted})
        place += 1
    assert place > 0
