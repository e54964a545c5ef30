"""/lists/{list_id}/interest-categories and their interests.

Public source: https://mailchimp.com/developer/marketing/api/interest-categories/
"""

from __future__ import annotations

from typing import Any

from mailchimp_emulator.calls import Call
from mailchimp_emulator.links import collection_links
from mailchimp_emulator.models import InterestCategory
from mailchimp_emulator.problems import not_found, required, schema_problem
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.shapes import category_object, interest_object
from mailchimp_emulator.vendor import CATEGORY_TYPES


def read_categories(call: Call) -> Reply:
    """Groups of interests, by type if asked."""
    audience = call.audience()
    kind = call.query.get("type")
    chosen = [category for category in audience.categories.values() if kind in (None, "", category.type)]
    path = f"/lists/{audience.id}/interest-categories"
    document = {
        "list_id": audience.id,
        "categories": [category_object(audience, category, call.origin) for category in call.page().cut(chosen)],
        "total_items": len(chosen),
        "_links": collection_links(call.origin, path, "Lists/InterestCategories"),
    }
    return call.show(document)


def create_category(call: Call) -> Reply:
    """Add a group."""
    audience, body = call.audience(), call.body()
    _need(body, "title", "type")
    if body["type"] not in CATEGORY_TYPES:
        message = f"Value must be one of: {', '.join(CATEGORY_TYPES)}"
        raise schema_problem([{"field": "type", "message": message}])
    made = audience.add_category(body["title"], body["type"])
    return Reply.of(category_object(audience, made, call.origin))


def _need(body: dict[str, Any], *names: str) -> None:
    if missing := [name for name in names if not body.get(name)]:
        raise required(*missing)


def _category(call: Call) -> InterestCategory:
    found = call.audience().categories.get(call.params["interest_category_id"])
    if found is None:
        raise not_found()
    return found


def read_category(call: Call) -> Reply:
    """One group."""
    return call.show(category_object(call.audience(), _category(call), call.origin))


def read_interests(call: Call) -> Reply:
    """The interests of a group."""
    audience, category = call.audience(), _category(call)
    chosen = list(category.interests.values())
    page = call.page().cut(chosen)
    path = f"/lists/{audience.id}/interest-categories/{category.id}/interests"
    document = {
        "interests": [interest_object(audience, category, interest, call.origin) for interest in page],
        "list_id": audience.id,
        "category_id": category.id,
        "total_items": len(chosen),
        "_links": collection_links(call.origin, path, "Lists/Interests"),
    }
    return call.show(document)


def create_interest(call: Call) -> Reply:
    """Add an interest to a group."""
    audience, category, body = call.audience(), _category(call), call.body()
    _need(body, "name")
    made = audience.add_interest(category, body["name"])
    return Reply.of(interest_object(audience, category, made, call.origin))
