"""The shapes of resources against calls recorded from the live API, where the recordings are at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from unit_tests.references import reference

RECORDINGS = reference("mailchimp-recordings.json")

# Left out of the recordings for privacy, or added to the API since they were made.
NOT_RECORDED = {"list.contact", "member.location.region", "member._links", "list._links", "field._links"}


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    """The recorded calls."""
    return json.loads(RECORDINGS.read_text())["recordings"]


def bodies(recorded: list[dict[str, Any]], key: str, mark: str) -> Iterator[dict[str, Any]]:
    """Every object that has `mark` among its keys, alone or in a collection named `key`."""
    for call in recorded:
        body = call["response"]
        if isinstance(body, dict):
            yield from (item for item in [body, *body.get(key, [])] if mark in item)


def shape(value: Any, path: str) -> dict[str, str]:
    """The JSON type of every key, by path; merge fields and numbers are compared by their kind."""
    if isinstance(value, dict):
        inner = {name: below for key, item in value.items() for name, below in shape(item, f"{path}.{key}").items()}
        return {path: "object", **inner}
    kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
    return {path: kind}


def compared(found: dict[str, Any], path: str) -> dict[str, str]:
    """The shape without what no recording has."""
    known = shape(found, path).items()
    return {name: kind for name, kind in known if not any(f"{name}.".startswith(f"{out}.") for out in NOT_RECORDED)}


@pytest.fixture
def like_recorded(api: Any) -> Any:
    """A list with the merge fields of the recorded one."""
    for field in api.get("merge-fields")["merge_fields"]:
        if field["tag"] == "BIRTHDAY":
            api.delete(f"merge-fields/{field['merge_id']}")
    for tag, kind in (("USERID", "number"), ("LTV", "number"), ("TICKET", "number"), ("JOINED_AT", "date")):
        api.post("merge-fields", {"tag": tag, "name": tag, "type": kind})
    return api


def like(api: Any, member: dict[str, Any], number: int) -> dict[str, Any]:
    """A contact of ours with the values of a recorded one."""
    email, status = f"m{number}@shop.test", member["status"]
    body = {"merge_fields": {tag: value for tag, value in member["merge_fields"].items() if value != ""}}
    api.patch("", {"marketing_permissions": "marketing_permissions" in member})
    api.add(f"m{number}", "subscribed" if status == "archived" else status, **body)
    tags = [{"name": tag["name"], "status": "active"} for tag in member["tags"]]
    api.post(f"members/{email}/tags", {"tags": tags})
    if status == "archived":
        api.delete(f"members/{email}")
    return api.get(f"members/{email}")


def test_members_have_the_recorded_shape(like_recorded: Any, recorded: list[dict[str, Any]]) -> None:
    """Every recorded member has exactly the keys, in their order, and the types that the emulator gives."""
    distinct = {json.dumps(shape(member, "")): member for member in bodies(recorded, "members", "unique_email_id")}
    assert len(distinct) > 5
    for number, member in enumerate(distinct.values()):
        ours = like(like_recorded, member, number)
        for tag in set(ours["merge_fields"]) - set(member["merge_fields"]):
            del ours["merge_fields"][tag]
        assert compared(ours, "member") == compared(member, "member")
        assert [key for key in ours if key != "_links"] == [key for key in member if key != "_links"]
        assert (ours["tags_count"], len(ours["tags"])) == (member["tags_count"], len(member["tags"]))


def test_lists_have_the_recorded_shape(api: Any, recorded: list[dict[str, Any]]) -> None:
    """Every recorded list has the keys and types that the emulator gives."""
    found = list(bodies(recorded, "lists", "permission_reminder"))
    assert found
    ours = api.get()
    for audience in found:
        assert compared(ours, "list") == compared(audience, "list")


def test_merge_fields_have_the_recorded_shape(like_recorded: Any, recorded: list[dict[str, Any]]) -> None:
    """Every recorded merge field has the keys, types and options of ours of the same type."""
    ours = {field["type"]: field for field in like_recorded.get("merge-fields", count=50)["merge_fields"]}
    found = list(bodies(recorded, "merge_fields", "merge_id"))
    assert found
    for field in found:
        assert compared(ours[field["type"]], "field") == compared(field, "field")


def test_problems_have_the_recorded_shape(api: Any, recorded: list[dict[str, Any]]) -> None:
    """Every recorded refusal is reproduced word by word, but for its instance."""
    api.add("taken")
    api.add("gone")
    api.delete("members/gone@shop.test")
    api.post("merge-fields", {"tag": "LTV", "name": "LTV", "type": "number"})
    ours = {
        "Resource Not Found": api.call("GET", "members/nobody@shop.test"),
        "Your merge fields were invalid.": api.put("members/taken@shop.test", {"merge_fields": {"LTV": "AAAAA"}}),
        "Method Not Allowed": api.delete("members/gone@shop.test"),
        "Please provide a valid email address.": api.post("members", {"email_address": "A", "status": "subscribed"}),
        "Member Exists": api.put("members/x", {"email_address": "taken@shop.test", "status": "subscribed"}),
    }
    refusals = [call["response"] for call in recorded if call["status"] >= 400 and "looks fake" not in call["response"]["detail"]]
    for refusal in refusals:
        same = ours[refusal["detail"] if refusal["detail"] in ours else refusal["title"]].json()
        assert list(same) == list(refusal)
        assert {**same, "instance": "", "detail": same["detail"].split("@")[-1].split(" ", 1)[-1]} == {
            **refusal, "instance": "", "detail": refusal["detail"].split("@")[-1].split(" ", 1)[-1],
        }  # fmt: skip
