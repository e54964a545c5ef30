"""Points on which public texts leave several readings open: each is a flag, and each of its values does what it says."""

from __future__ import annotations

from typing import Any

import pytest

ADA = "ada@shop.test"
COMPLIANCE = "Member In Compliance State"
HALF = {"addr1": "1 Main St", "city": "", "state": "", "zip": ""}
THROTTLED = f"{ADA} has signed up to a lot of lists very recently; we're not allowing more signups for now"


def subscribe(api: Any, way: str) -> tuple[int, str]:
    """Ask for `subscribed` in one way; status of the answer, and its status or title."""
    if way == "bulk":
        answer = api.bulk({"email_address": ADA, "status": "subscribed"}, update_existing=True)
        if answer["errors"]:
            return 400, COMPLIANCE if "compliance state" in answer["errors"][0]["error"] else answer["errors"][0]["error"]
        return 200, (answer["updated_members"] + answer["new_members"])[0]["status"]
    answer = getattr(api, way)(f"members/{ADA}", {"email_address": ADA, "status": "subscribed"})
    return answer.status_code, answer.json()["status"] if answer.status_code == 200 else answer.json()["title"]


@pytest.mark.parametrize("way", ["put", "patch", "bulk"])
@pytest.mark.parametrize(("reading", "seen"), [("taken", (200, "subscribed")), ("kept", (200, "pending")), ("error", (400, COMPLIANCE))])
@pytest.mark.parametrize("held", [False, True])
def test_subscribing_the_pending(api: Any, mailchimp: Any, way: str, reading: str, seen: Any, held: bool) -> None:
    """Who is pending is subscribed, stays pending or is refused; who left before has a flag of their own."""
    api.add("ada")
    if held:
        mailchimp.act(api.list_id, ADA, "unsubscribe_self")
    assert api.patch(f"members/{ADA}", {"status": "pending"}).status_code == 200
    other = "subscribe_pending" if held else "subscribe_held_pending"
    mailchimp.behavior(**{"subscribe_held_pending" if held else "subscribe_pending": reading, other: "taken"})
    assert subscribe(api, way) == seen
    assert mailchimp.member(api.list_id, ADA)["status"] == (seen[1] if seen[0] == 200 else "pending")


@pytest.mark.parametrize("survives", [True, False])
def test_a_hold_and_the_archive(api: Any, mailchimp: Any, survives: bool) -> None:
    """Who left and was archived is refused, or not, by a flag."""
    mailchimp.behavior(compliance_survives_archive=survives)
    api.add("ada")
    for action in ("unsubscribe_self", "archive"):
        mailchimp.act(api.list_id, ADA, action)
    assert subscribe(api, "put") == ((400, COMPLIANCE) if survives else (200, "subscribed"))


@pytest.mark.parametrize(("unarchives", "status"), [(False, "archived"), (True, "subscribed")])
def test_status_if_new_of_the_archived(api: Any, mailchimp: Any, unarchives: bool, status: str) -> None:
    """An archived contact is new for `status_if_new`, or not, by a flag."""
    mailchimp.behavior(status_if_new_unarchives=unarchives)
    api.add("ada")
    mailchimp.act(api.list_id, ADA, "archive")
    assert api.put(f"members/{ADA}", {"email_address": ADA, "status_if_new": "subscribed"}).json()["status"] == status


def test_tie_order(api: Any, mailchimp: Any) -> None:
    """Contacts of one second follow each other as they came, by id, or in another order each time; seconds stay in order."""
    for number in range(30):
        mailchimp.clock(advance=number % 10 == 0)
        api.add(f"c{number}")
    query = {"sort_field": "last_changed", "count": 1000}

    def pages() -> list[list[str]]:
        return [[member["id"] for member in api.members(**query, sort_dir=way)] for way in ("ASC", "ASC", "DESC")]

    first, again, backwards = pages()
    assert first == again == backwards[::-1]
    mailchimp.behavior(tie_order="id")
    by_id, again, backwards = pages()
    assert by_id == again == backwards[::-1] == [one for begin in (0, 10, 20) for one in sorted(first[begin : begin + 10])]
    mailchimp.behavior(tie_order="shuffled")
    one, other, _ = pages()
    assert one != other
    assert [set(one[begin : begin + 10]) for begin in (0, 10, 20)] == [set(first[begin : begin + 10]) for begin in (0, 10, 20)]


@pytest.mark.parametrize(("changes", "shown"), [(True, "Ada@Shop.test"), (False, ADA)])
def test_the_spelling_of_an_email_address(api: Any, mailchimp: Any, changes: bool, shown: str) -> None:
    """A write changes the case of the stored email address, or keeps it."""
    mailchimp.behavior(email_case_changes=changes)
    api.add("ada")
    assert api.put(f"members/{ADA}", {"email_address": "Ada@Shop.test", "status_if_new": "subscribed"}).json()["email_address"] == shown


def test_both_email_addresses_exist(api: Any) -> None:
    """A contact does not take the email address of another, by PUT or PATCH."""
    api.add("ada")
    api.add("ben")
    for write in (api.put, api.patch):
        answer = write(f"members/{ADA}", {"email_address": "ben@shop.test"})
        assert (answer.status_code, answer.json()["title"]) == (400, "Member Exists")


@pytest.mark.parametrize("way", ["post", "put", "bulk"])
def test_the_signup_throttle(api: Any, mailchimp: Any, way: str) -> None:
    """Chosen email addresses are refused so many times, in single and bulk calls; people who sign up themselves are not."""
    mailchimp.behavior(throttled_signups={ADA: 2})
    body = {"email_address": ADA, "status": "subscribed"}

    def refusal() -> str:
        if way == "bulk":
            return "".join(error["error"] for error in api.bulk(body)["errors"])
        answer = api.post("members", body) if way == "post" else api.put(f"members/{ADA}", body)
        return str(answer.json().get("detail", ""))

    assert [refusal() for _ in range(3)] == [THROTTLED, THROTTLED, ""]
    mailchimp.behavior(throttled_signups={"ben@shop.test": -1})
    assert api.post("members", {**body, "email_address": "ben@shop.test"}).status_code == 400
    assert mailchimp.act(api.list_id, "ben@shop.test", "subscribe")["status"] == "subscribed"


def test_a_stored_half_postal_address(api: Any, mailchimp: Any) -> None:
    """It refuses updates of anything else, unless validation is skipped, the address is completed or cleared, or the flag is off."""
    mailchimp.place(api.list_id, ADA, merge_fields={"ADDRESS": HALF, "FNAME": "Ada"})
    assert mailchimp.member(api.list_id, ADA)["merge_fields"]["ADDRESS"]["addr1"] == "1 Main St"
    body = {"email_address": ADA, "merge_fields": {"FNAME": "Eve"}}
    for answer in (api.put(f"members/{ADA}", body), api.patch(f"members/{ADA}", body)):
        assert (answer.status_code, answer.json()["errors"]) == (400, [{"field": "ADDRESS", "message": "Please enter a complete address"}])
    assert "complete address" in api.bulk(body, update_existing=True)["errors"][0]["field_message"]
    assert mailchimp.act(api.list_id, ADA, "change_merge_field", tag="FNAME", value="Eva")["merge_fields"]["FNAME"] == "Eva"
    assert api.put(f"members/{ADA}", body, skip_merge_validation="true").status_code == 200
    assert api.put(f"members/{ADA}", {**body, "merge_fields": {"ADDRESS": ""}}).status_code == 200
    mailchimp.place(api.list_id, ADA, merge_fields={"ADDRESS": HALF})
    mailchimp.behavior(stored_address_checked=False)
    assert api.put(f"members/{ADA}", body).status_code == 200


def test_the_number_of_merge_fields_is_limited(api: Any, mailchimp: Any) -> None:
    """Beyond the limit a merge field is refused; a merge tag has at most ten characters."""
    mailchimp.behavior(merge_field_limit=6)
    made = [api.post("merge-fields", {"tag": tag, "name": tag, "type": "text"}).status_code for tag in ("A", "B")]
    assert made == [200, 400]
    mailchimp.behavior(merge_field_limit=0)
    made = [api.post("merge-fields", {"tag": tag, "name": tag, "type": "text"}).status_code for tag in ("TENLETTERS", "ELEVENLETTR")]
    assert made == [200, 400]


def test_changes_show_late(api: Any, mailchimp: Any) -> None:
    """Listings see an edit, an archiving and a new contact so many seconds after it was made; single reads at once."""
    for name in ("ada", "ben"):
        api.add(name)
    mailchimp.behavior(visible_after=30)
    mailchimp.clock(advance=100)
    api.patch(f"members/{ADA}", {"merge_fields": {"FNAME": "Ada"}})
    api.delete("members/ben@shop.test")
    api.add("cleo")

    def seen() -> dict[str, str]:
        return {member["email_address"].split("@")[0]: member["merge_fields"]["FNAME"] for member in api.members()}

    assert seen() == {"ada": "", "ben": ""}
    assert api.members(status="archived") == []
    assert api.members(since_last_changed="2026-05-04T12:01:00+00:00") == []
    assert api.get(f"members/{ADA}")["merge_fields"]["FNAME"] == "Ada"
    mailchimp.clock(advance=29)
    assert seen() == {"ada": "", "ben": ""}
    mailchimp.clock(advance=1)
    assert seen() == {"ada": "Ada", "cleo": ""}
    assert [member["last_changed"] for member in api.members(status="archived")] == ["2026-05-04T12:01:40+00:00"]
    mailchimp.act(api.list_id, ADA, "forget")
    assert set(seen()) == {"cleo"}
    mailchimp.behavior(visible_after=0)
    assert set(seen()) == {"cleo"}


def test_lists_made_later_show_late_too(api: Any, mailchimp: Any) -> None:
    """The flag holds for audiences that come after it; contacts that were seeded are there."""
    mailchimp.behavior(visible_after=30)
    [list_id] = mailchimp.seed(contacts=5)
    api.post(f"/lists/{list_id}/members", {"email_address": ADA, "status": "subscribed"})
    assert api.get(f"/lists/{list_id}/members")["total_items"] == 5
    mailchimp.clock(advance=30)
    assert api.get(f"/lists/{list_id}/members")["total_items"] == 6


def test_wrong_values_of_flags_are_refused(mailchimp: Any) -> None:
    """A value that a flag does not have is an error of the test."""
    with pytest.raises(RuntimeError, match="the flag tie_order is one of insertion, id, shuffled, not 'random'"):
        mailchimp.behavior(tie_order="random")
