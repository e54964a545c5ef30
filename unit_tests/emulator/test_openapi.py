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


def test_the_demo_is_as_described(api: Any, mailchimp: Any, described: dict[str, Any]) -> None:
    """Every collection of the demo has only described paths and keys, and values of the described types."""
    mailchimp.seed_demo()
    seen = set()
    for campaign in api.get("/campaigns", count=100)["campaigns"]:
        for template in described:
            if template.startswith(("/campaigns", "/reports")):
                seen |= _as_described(api, described, template, {"campaign_id": campaign["id"]})
    for template, params in (
        ("/ecommerce/stores", {}),
        *(
            (f"/ecommerce/stores/{{store_id}}/{name}", {"store_id": "northwind-shop"})
            for name in ("products", "customers", "orders", "carts")
        ),
        ("/ecommerce/orders", {}),
        ("/automations", {}),
        *(("/automations/{workflow_id}/emails", {"workflow_id": one["id"]}) for one in api.get("/automations")["automations"]),
        ("/templates", {}),
        ("/template-folders", {}),
        ("/campaign-folders", {}),
    ):
        seen |= _as_described(api, described, template, params)
    assert len(seen) >= 19


def _as_described(api: Any, described: dict[str, Any], template: str, params: dict[str, str]) -> set[str]:
    """The template, when a path of it is served; what is served is as described."""
    operation = described[template].get("get")
    if operation is None or (template.count("{") != len(params) and "{" in template):
        return set()
    answer = api.call("GET", template.format(**params), params={"count": 20})
    if answer.status_code == 404:
        return set()
    _assert_fits(answer.json(), operation["responses"]["200"]["schema"], template)
    return {template}


def _assert_fits(value: Any, schema: dict[str, Any], place: str) -> None:
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if "type" in schema and not isinstance(schema["type"], list):
        assert isinstance(value, kinds[schema["type"]]), place
    if "enum" in schema:
        assert value in {*schema["enum"], ""}, place
    if isinstance(value, list):
        for item in value:
            _assert_fits(item, schema.get("items", {}), place)
    if isinstance(value, dict) and "properties" in schema:
        assert value.keys() <= schema["properties"].keys(), (place, value.keys() - schema["properties"].keys())
        for name, inner in value.items():
            _assert_fits(inner, schema["properties"][name], f"{place}.{name}")
