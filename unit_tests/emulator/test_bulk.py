"""POST /lists/{list_id}."""

from __future__ import annotations

from typing import Any

import pytest


def row(name: str, status: str | None = "subscribed", **more: Any) -> dict[str, Any]:
    """One row of a bulk write."""
    return {"email_address": f"{name}@shop.test", **({"status": status} if status else {}), **more}


def names(members: list[Any]) -> list[str]:
    """Who is in a result list."""
    return [member["email_address"].split("@")[0] for member in members]


def test_every_row_is_accounted_for(api: Any) -> None:
    """A bulk write is answered 200 with each row under new, updated or errors."""
    api.add("old")
    answer = api.bulk(row("new"), row("old"), row("bad", merge_fields={"BIRTHDAY": "x"}), update_existing=True)
    assert answer.keys() == {
        "new_members", "updated_members", "errors", "total_created", "total_updated", "error_count", "_links",
    }  # fmt: skip
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (1, 1, 1)
    assert names(answer["new_members"]) == ["new"]
    assert names(answer["updated_members"]) == ["old"]
    assert answer["errors"] == [
        {
            "email_address": "bad@shop.test",
            "error": "Your merge fields were invalid.",
            "error_code": "ERROR_GENERIC",
            "field": "BIRTHDAY",
            "field_message": "Please enter a month and day",
        }
    ]


def test_existing_without_update_existing(api: Any) -> None:
    """An email address on the list is an ERROR_CONTACT_EXISTS row unless update_existing is set."""
    api.add("ada")
    [error] = api.bulk(row("ada", "unsubscribed"))["errors"]
    assert error["error_code"] == "ERROR_CONTACT_EXISTS"
    assert error["error"] == (
        "ada@shop.test is already a list member, do you want to update? please provide update_existing:true in the request body"
    )
    assert api.get("members/ada@shop.test")["status"] == "subscribed"


@pytest.mark.parametrize("action", ["unsubscribe_self", "clean"])
@pytest.mark.parametrize(("flag", "count"), [("error", 1), ("ignore", 0)])
def test_compliance_rows(api: Any, mailchimp: Any, action: str, flag: str, count: int) -> None:
    """Who may not be subscribed stays so, and is an error row, or by a flag in no list at all."""
    mailchimp.behavior(bulk_refused_compliance=flag)
    api.add("ada")
    before = mailchimp.act(api.list_id, "ada@shop.test", action)
    answer = api.bulk(row("ada"), update_existing=True)
    assert (answer["error_count"], answer["total_updated"]) == (count, 0)
    assert all("compliance state" in error["error"] for error in answer["errors"])
    assert mailchimp.member(api.list_id, "ada@shop.test") == before


def test_duplicates_within_a_request(api: Any) -> None:
    """The first appearance counts; a second is an error row, or passed over with skip_duplicate_check."""
    rows = (row("ada"), row("ADA", "unsubscribed"))
    answer = api.bulk(*rows)
    assert (answer["total_created"], answer["error_count"]) == (1, 1)
    answer = api.bulk(*rows, update_existing=True, query={"skip_duplicate_check": "true"})
    assert (answer["total_updated"], answer["error_count"]) == (1, 0)
    assert api.get("members/ada@shop.test")["status"] == "subscribed"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"email_address": 5}, "members.item:1.email_address"),
        (row("x", merge_fields=[]), "members.item:1.merge_fields"),
        (row("x", merge_fields={"FNAME": None}), "members.item:1.merge_fields.FNAME"),
        (row("x", tags=[1]), "members.item:1.tags.item:0"),
        (row("x", tags="one"), "members.item:1.tags"),
        (row("x", "archived"), "members.item:1.status"),
        ({"status": "subscribed"}, "members.item:1"),
        ("text", "members.item:1"),
    ],
)
def test_one_malformed_row_refuses_all(api: Any, bad: Any, field: str) -> None:
    """A row of the wrong shape is a 400 for the whole request, and nothing is written."""
    answer = api.post("", {"members": [row("fine"), bad]})
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Resource")
    assert answer.json()["errors"][0]["field"] == field
    assert api.members() == []


def test_five_hundred_rows_at_most(api: Any) -> None:
    """501 rows are refused, 500 are not."""
    rows = [row(f"c{number}") for number in range(501)]
    answer = api.post("", {"members": rows})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Maximum allowed member items exceeded, please provide at most 500"
    assert api.bulk(*rows[:500])["total_created"] == 500


def test_tags_are_added_or_replaced(api: Any) -> None:
    """Tags are added; with sync_tags and update_existing they are replaced."""
    api.bulk(row("ada", tags=["One"]))
    api.bulk(row("ada", tags=["Two", "one"]), update_existing=True)
    assert {tag["name"] for tag in api.get("members/ada@shop.test")["tags"]} == {"One", "Two"}
    api.bulk(row("ada", tags=["Three", "TWO"]), update_existing=True, sync_tags=True)
    assert {tag["name"] for tag in api.get("members/ada@shop.test")["tags"]} == {"Two", "Three"}
    api.bulk(row("ada"), update_existing=True, sync_tags=True)
    assert api.get("members/ada@shop.test")["tags_count"] == 2


def test_rows_that_change_nothing(api: Any, mailchimp: Any) -> None:
    """A row that changes nothing counts as updated and leaves last_changed alone."""
    api.bulk(row("ada", tags=["One"], merge_fields={"FNAME": "Ada"}))
    mailchimp.clock(advance=60)
    answer = api.bulk(row("ada", tags=["one"], merge_fields={"FNAME": "Ada"}), update_existing=True)
    assert answer["total_updated"] == 1
    assert answer["updated_members"][0]["last_changed"] == "2026-05-04T12:00:00+00:00"


@pytest.mark.parametrize(("flag", "after"), [("keep", "unsubscribed"), ("subscribed", "subscribed")])
def test_no_status_for_an_existing_contact(api: Any, mailchimp: Any, flag: str, after: str) -> None:
    """A row without status keeps the contact's own, or by a flag subscribes it."""
    mailchimp.behavior(bulk_without_status=flag)
    api.add("ada", "unsubscribed")
    api.bulk(row("ada", None, merge_fields={"FNAME": "Ada"}), update_existing=True)
    assert api.get("members/ada@shop.test")["status"] == after


@pytest.mark.parametrize(
    ("flag", "new", "created"),
    [("error", {}, 0), ("subscribed", {}, 1), ("error", {"status_if_new": "pending"}, 1)],
)
def test_no_status_for_a_new_contact(api: Any, mailchimp: Any, flag: str, new: dict[str, str], created: int) -> None:
    """A new contact needs a status, or a status_if_new."""
    mailchimp.behavior(bulk_new_without_status=flag)
    answer = api.bulk(row("ada", None, **new))
    assert (answer["total_created"], answer["error_count"]) == (created, 1 - created)


def test_bulk_brings_back_archived_contacts(api: Any) -> None:
    """An archived address sent with a status comes back; without one, and with update_existing, it stays."""
    for name in ("ada", "ben"):
        api.add(name, tags=["Kept"])
        api.delete(f"members/{name}@shop.test")
    answer = api.bulk(row("ada"))
    assert names(answer["new_members"]) == ["ada"]
    assert answer["new_members"][0]["tags_count"] == 1
    api.bulk(row("ben", None, merge_fields={"FNAME": "Ben"}), update_existing=True)
    assert api.get("members/ben@shop.test")["status"] == "archived"
    assert api.bulk(row("ben", None))["error_count"] == 1


@pytest.mark.parametrize("effect", [False, True])
def test_rows_that_get_lost(api: Any, mailchimp: Any, *, effect: bool) -> None:
    """On request the next N rows are in no result list, written or not."""
    mailchimp.behavior(bulk_drop_rows=1, bulk_dropped_rows_take_effect=effect)
    answer = api.bulk(row("lost"), row("ada"))
    assert (answer["total_created"], answer["error_count"]) == (1, 0)
    assert (api.call("GET", "members/lost@shop.test").status_code == 200) is effect
    assert api.bulk(row("ben"))["total_created"] == 1


def test_malformed_addresses_are_rows(api: Any) -> None:
    """A text that is not an email address is an error row, not a refusal of all."""
    answer = api.bulk({"email_address": "nope", "status": "subscribed"}, row("ada"))
    assert answer["total_created"] == 1
    assert answer["errors"][0]["error"] == "Please provide a valid email address."
