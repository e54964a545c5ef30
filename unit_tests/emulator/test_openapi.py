"""Paths and answers against Mailchimp's API description, where it is at hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mailchimp_emulator.routes import API
from unit_tests.references import reference

DESCRIPTION = reference("mailchimp-openapi.json")

# Described, but absent from recorded calls or only there in some states.
NOT_SHOWN = {
    "members": {
        "consents_to_one_to_one_messaging", "full_name", "interests", "last_note", "marketing_permissions",
        "sms_phone_number", "sms_subscription_last_updated", "sms_subscription_status", "unsubscribe_reason",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The described paths."""
    return json.loads(DESCRIPTION.read_text())["paths"]


def properties(operation: dict[str, Any]) -> dict[str, Any]:
    """The described properties of a successful answer."""
    return operation["responses"]["200"]["schema"]["properties"]


@pytest.mark.parametrize("path", API)
def test_every_route_is_described(described: dict[str, Any], path: str) -> None:
    """The emulator has no path and no method that Mailchimp does not have."""
    assert {method.lower() for method in API[path]} <= described[path].keys()


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/lists", "lists"),
        ("/lists/{list_id}/members", "members"),
        ("/lists/{list_id}/segments", "segments"),
        ("/lists/{list_id}/merge-fields", "merge_fields"),
        ("/lists/{list_id}/interest-categories", "categories"),
    ],
)
def test_collections_answer_as_described(api: Any, described: dict[str, Any], path: str, key: str) -> None:
    """Envelope and items of each collection have the described keys."""
    api.add("ada", tags=["VIP"])
    api.post("interest-categories", {"title": "Sports", "type": "radio"})
    wanted = properties(described[path]["get"])
    page = api.get(path.format(list_id=api.list_id), include_total_contacts="true")
    assert page.keys() == wanted.keys()
    missing = wanted[key]["items"]["properties"].keys() - page[key][0].keys()
    assert missing <= NOT_SHOWN.get(key, set())


@pytest.mark.parametrize("path", ["/", "/ping"])
def test_single_answers_are_as_described(api: Any, described: dict[str, Any], path: str) -> None:
    """The account and the ping have the described keys."""
    assert api.get(path).keys() == properties(described[path]["get"]).keys()


def test_bulk_answers_as_described(api: Any, described: dict[str, Any]) -> None:
    """The bulk write has the described keys, and so has each error row."""
    wanted = properties(described["/lists/{list_id}"]["post"])
    answer = api.bulk({"email_address": "nope", "status": "subscribed"})
    assert answer.keys() == wanted.keys()
    assert answer["errors"][0].keys() == wanted["errors"]["items"]["properties"].keys()
