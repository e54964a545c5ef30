"""What data activation is offered: the audiences as objects, with the fields of a contact."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.discovery import OPERATIONS
from mailchimp_unified.entities.contact_fields import WRITABLE
from mailchimp_unified.schemas import load_schema
from unit_tests.account import CONFIG, LOGGER, Account, audiences, destination

UNIFIED = load_schema("contacts")["properties"]
FIELDS = [("ZIP", "zip"), ("AGE", "number"), ("FNAME", "text"), ("BIRTHDAY", "birthday")]
DEFINITIONS = [{"tag": tag, "name": f"The {tag}", "type": kind} for tag, kind in FIELDS]


def operations(account: Account) -> list[dict[str, Any]]:
    """Return what the destination offers."""
    catalog = destination(account)[0].discover(LOGGER, CONFIG)["destination_catalog"]
    return list(catalog["operations"])


def offered() -> dict[str, Any]:
    """Return the fields of an audience with some merge fields."""
    return dict(operations(Account(audiences(1), DEFINITIONS))[0]["json_schema"]["properties"])


@pytest.mark.parametrize("name", sorted(WRITABLE - {"list_id", "is_deleted", "custom_fields"}))
def test_a_field_keeps_all_that_the_unified_schema_says_of_it(name: str) -> None:
    """Type and description come along; only what a JSON schema says to who reads does not."""
    assert offered()[name] == {word: value for word, value in UNIFIED[name].items() if word != "writeOnly"}


def test_fields_stand_in_the_order_of_the_schema_and_then_of_mailchimp() -> None:
    """Who maps by hand finds the unified fields first, and the merge fields as the audience's own form has them."""
    names = list(offered())
    merge_fields = [tag for tag, _ in FIELDS]

    assert names == [name for name in UNIFIED if name in names and name not in merge_fields] + merge_fields


def test_each_of_many_audiences_has_every_operation() -> None:
    """Audiences beyond the first page of a thousand are offered, too, in Mailchimp's order."""
    many = audiences(1_001)

    found = [(one["object_name"], one["sync_mode"]) for one in operations(Account(many))]

    assert found == [(audience["id"], mode) for audience in many for mode in OPERATIONS]
