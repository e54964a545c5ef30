"""Merge fields: their definitions, and what each type accepts."""

from __future__ import annotations

from typing import Any

import pytest

ADDRESS = {"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"}
WHOLE_ADDRESS = {"addr1": "1 Main St", "addr2": "", "city": "Reno", "state": "NV", "zip": "89501", "country": "US"}


def define(api: Any, kind: str, tag: str = "FIELD", **more: Any) -> Any:
    """Add a merge field of a type."""
    answer = api.post("merge-fields", {"name": tag.title(), "tag": tag, "type": kind, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("kind", "options", "sent", "kept"),
    [
        ("text", {}, "Ada", "Ada"),
        ("text", {}, "é" * 200, "é" * 127),
        ("text", {}, 7, "7"),
        ("number", {}, 15.5, 15.5),
        ("number", {}, "12", 12),
        ("number", {}, "-1.5", -1.5),
        ("date", {}, "1980-12-21", "1980-12-21"),
        ("date", {}, "1980/12/21", "1980-12-21"),
        ("date", {}, "21-12-1980", "1980-12-21"),
        ("date", {}, "12/21/1980", "1980-12-21"),
        ("birthday", {}, "2/9", "02/09"),
        ("zip", {}, "97201", "97201"),
        ("url", {}, "https://shop.test/a", "https://shop.test/a"),
        ("imageurl", {}, "http://shop.test/a.png", "http://shop.test/a.png"),
        ("phone", {}, "+49 30 1234", "+49 30 1234"),
        ("phone", {"phone_format": "US"}, "503-555-0100", "(503) 555-0100"),
        ("radio", {"choices": ["Red", "Blue"]}, "Red", "Red"),
        ("dropdown", {"choices": ["Red", "Blue"]}, "Blue", "Blue"),
        ("address", {}, ADDRESS, WHOLE_ADDRESS),
        ("address", {}, "", ""),
        ("number", {}, "", ""),
    ],
)
def test_accepted_values(api: Any, kind: str, options: dict[str, Any], sent: Any, kept: Any) -> None:
    """Each type keeps its values in one form; numbers come back as JSON numbers, dates as YYYY-MM-DD."""
    define(api, kind, options=options)
    assert api.add("ada", merge_fields={"FIELD": sent})["merge_fields"]["FIELD"] == kept


@pytest.mark.parametrize(
    ("kind", "options", "sent", "message"),
    [
        ("number", {}, "AAAAA", "Please enter a number"),
        ("date", {}, "1980-13-01", "Please enter a date"),
        ("date", {}, "soon", "Please enter a date"),
        ("birthday", {}, "1980-12-21", "Please enter a month and day"),
        ("zip", {}, "9720", "Please enter a zip code"),
        ("url", {}, "shop", "Please enter a URL"),
        ("phone", {"phone_format": "US"}, "123", "Please enter a phone number in the format (###) ###-####"),
        ("radio", {"choices": ["Red"]}, "Green", "Please choose one of the values in the list"),
        ("address", {}, "1 Main St", "Please enter a complete address"),
        ("address", {}, {**ADDRESS, "city": ""}, "Please enter a complete address"),
        ("text", {}, {"a": "b"}, "Please enter a value"),
    ],
)
def test_refused_values(api: Any, kind: str, options: dict[str, Any], sent: Any, message: str) -> None:
    """A value the type does not take is refused with the tag and Mailchimp's sentence."""
    define(api, kind, options=options)
    answer = api.post("members", {"email_address": "a@b.co", "status": "subscribed", "merge_fields": {"FIELD": sent}})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Your merge fields were invalid."
    assert answer.json()["errors"] == [{"field": "FIELD", "message": message}]


def test_incomplete_address_as_a_schema_error(api: Any, mailchimp: Any) -> None:
    """A flag makes an incomplete address refuse the whole request instead."""
    mailchimp.behavior(incomplete_address="schema")
    body = {"email_address": "a@b.co", "status": "subscribed", "merge_fields": {"ADDRESS": {"addr1": "x"}}}
    errors = api.post("members", body).json()["errors"]
    assert errors[0]["field"] == "merge_fields.ADDRESS"


def test_values_merge_and_blank_clears(api: Any) -> None:
    """Fields not sent stay, a blank clears, unknown tags are silently ignored."""
    api.add("ada", merge_fields={"FNAME": "Ada", "LNAME": "King"})
    after = api.put("members/ada@shop.test", {"merge_fields": {"FNAME": "", "email_address": "x", "NOPE": "y"}}).json()
    assert after["merge_fields"] == {"FNAME": "", "LNAME": "King", "ADDRESS": "", "PHONE": "", "BIRTHDAY": ""}
    assert after["full_name"] == "King"


def test_required_fields(api: Any) -> None:
    """A required field must have a value unless skip_merge_validation is true."""
    define(api, "text", required=True)
    body = {"email_address": "a@b.co", "status": "subscribed"}
    answer = api.post("members", body)
    assert answer.json()["errors"] == [{"field": "FIELD", "message": "Please enter a value"}]
    assert api.bulk(body)["errors"][0]["field_message"] == "Please enter a value"
    assert api.post("members", body, skip_merge_validation="true").status_code == 200
    assert api.put("members/a@b.co", {"language": "de"}).status_code == 400
    assert api.patch("members/a@b.co", {"language": "de"}).status_code == 200


def test_new_lists_come_with_five_fields(api: Any) -> None:
    """FNAME, LNAME, ADDRESS, PHONE and BIRTHDAY are there from the start, listed by tag."""
    page = api.get("merge-fields")
    assert [field["tag"] for field in page["merge_fields"]] == ["ADDRESS", "BIRTHDAY", "FNAME", "LNAME", "PHONE"]
    assert page["total_items"] == 5


def test_definition_life(api: Any) -> None:
    """A field is made, changed but for its type, and deleted with every value."""
    made = define(api, "number", "LTV")
    path = f"merge-fields/{made['merge_id']}"
    api.add("ada", merge_fields={"LTV": 3})
    assert api.patch(path, {"required": True}).status_code == 400
    changed = api.patch(path, {"name": "Value", "type": "text", "tag": "WORTH"}).json()
    assert (changed["name"], changed["type"], changed["tag"]) == ("Value", "number", "WORTH")
    assert api.get("members/ada@shop.test")["merge_fields"]["WORTH"] == 3
    assert api.delete(path).status_code == 204
    assert api.call("GET", path).status_code == 404
    assert "WORTH" not in api.get("members/ada@shop.test")["merge_fields"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "X"},
        {"name": "X", "type": "colour"},
        {"name": "X", "type": "text", "tag": "lower"},
        {"name": "X", "type": "text", "tag": "TWELVELETTER"},
        {"name": "X", "type": "text", "tag": "FNAME"},
        {"name": "X", "type": "text", "tag": "EMAIL"},
        {"name": 1, "type": "text"},
    ],
)
def test_refused_definitions(api: Any, body: dict[str, Any]) -> None:
    """Name and type are required, and a tag is short, upper case and new."""
    assert api.post("merge-fields", body).status_code == 400


def test_tag_is_made_up_when_missing(api: Any) -> None:
    """Without a tag Mailchimp numbers the field."""
    assert api.post("merge-fields", {"name": "X", "type": "text"}).json()["tag"] == "MMERGE6"


def test_interests(api: Any) -> None:
    """Members show interests once the list has some; they merge on write, and the count is a string."""
    assert "interests" not in api.add("ada")
    category = api.post("interest-categories", {"title": "Sports", "type": "checkboxes"}).json()
    path = f"interest-categories/{category['id']}/interests"
    climbing, hiking = (api.post(path, {"name": name}).json()["id"] for name in ("Climbing", "Hiking"))
    api.put("members/ada@shop.test", {"interests": {climbing: True, "unknown": True}})
    after = api.put("members/ada@shop.test", {"interests": {hiking: False}}).json()
    assert after["interests"] == {climbing: True, hiking: False}
    assert [interest["subscriber_count"] for interest in api.get(path)["interests"]] == ["1", "0"]
    wanted = {"interest_category_id": category["id"], "interest_ids": climbing}
    assert api.emails(interest_match="any", **wanted) == ["ada"]
    assert api.emails(interest_match="none", **wanted) == []
    assert api.get("interest-categories")["categories"][0]["title"] == "Sports"
