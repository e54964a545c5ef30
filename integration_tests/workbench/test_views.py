"""The views say the same on DuckDB and on PostgreSQL, from a table of latest versions and from one of all versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration_tests.forms.browser import in_ci
from integration_tests.workbench.warehouses import DuckDB, PostgreSQL, fill, missing_postgres
from mailchimp_workbench.connectors import Json

Warehouse = DuckDB | PostgreSQL

FIELDS = [
    {"tag": "FNAME", "name": "First Name", "type": "text", "required": False, "choices": None, "display_order": 1},
    {"tag": "ADDRESS", "name": "Address", "type": "address", "required": True, "choices": None, "display_order": 2},
    {"tag": "SIZE", "name": "Size", "type": "dropdown", "required": False, "choices": ["S", "M"], "display_order": 3},
]
LISTS = [
    {"id": "a", "name": "Customers", "double_optin": True, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "merge_fields": FIELDS},
    {"id": "a", "name": "Old name", "double_optin": True, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z", "merge_fields": FIELDS},
    {"id": "gone", "name": None, "updated_at": "2026-02-01T00:00:00Z", "merge_fields": None, "is_deleted": True},
    {"id": "new", "name": "Nobody yet", "double_optin": False, "updated_at": "2026-01-01T00:00:00Z", "merge_fields": []},
]  # fmt: skip


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse of each kind."""
    if request.param == "postgres" and (lacking := missing_postgres()):
        assert not in_ci(), lacking
        pytest.skip(lacking)
    opened: Warehouse = DuckDB() if request.param == "duckdb" else PostgreSQL()
    yield opened
    opened.close()


def filled(warehouse: Warehouse, *contacts: Json) -> None:
    """Fill a warehouse with versions of contacts."""
    if isinstance(warehouse, DuckDB):
        warehouse.run("DROP VIEW IF EXISTS mailchimp_contacts; DROP TABLE IF EXISTS contacts CASCADE; DROP TABLE IF EXISTS lists CASCADE")
    fill(warehouse, contacts=contacts, lists=LISTS)


def contact(key: str, status: str, changed: str, **more: Any) -> Json:
    """Return a version of a contact who signed up in January."""
    email = f"{key}@contacts.example"
    made = {"list_id": "a", "id": f"hash-{email}", "contact_id": key, "email": email, "status": status, "updated_at": changed}
    return {**made, "created_at": "2026-01-10T00:00:00Z", "tags": [], "custom_fields": {}, **more}


def test_each_contact_counts_once_with_the_newest_status(warehouse: Warehouse) -> None:
    """Earlier versions and an earlier email address of a contact are the same contact; an audience that is gone has none."""
    filled(
        warehouse,
        contact("x", "subscribed", "2026-01-10T00:00:00Z"),
        contact("x", "unsubscribed", "2026-03-01T00:00:00Z", id="hash-new", email="new@contacts.example"),
        contact("y", "subscribed", "2026-01-11T00:00:00Z"),
        contact("z", "subscribed", "2026-01-11T00:00:00Z", list_id="gone"),
        contact("w", "archived", "2026-01-12T00:00:00Z", contact_id=None),
    )

    rows = warehouse.run("SELECT audience, status, contacts, reachable FROM mailchimp_reachability ORDER BY audience, status")

    assert rows == [
        {"audience": "Customers", "status": "archived", "contacts": "1", "reachable": "f"},
        {"audience": "Customers", "status": "subscribed", "contacts": "1", "reachable": "t"},
        {"audience": "Customers", "status": "unsubscribed", "contacts": "1", "reachable": "f"},
        {"audience": "Nobody yet", "status": "", "contacts": "0", "reachable": ""},
    ]


def growth(warehouse: Warehouse) -> list[tuple[str, int, int, int]]:
    """Return month, joined, departed and net."""
    rows = warehouse.run("SELECT month, joined, departed, net FROM mailchimp_growth ORDER BY month")
    return [(row["month"], int(row["joined"]), int(row["departed"]), int(row["net"])) for row in rows]


def test_growth_from_latest_versions(warehouse: Warehouse) -> None:
    """With one row per contact: joined when they signed up, left when they last changed; who never signed up is in neither."""
    filled(
        warehouse,
        contact("x", "subscribed", "2026-05-01T00:00:00Z"),
        contact("y", "unsubscribed", "2026-03-31T23:59:59Z", unsubscribe_reason="Too many emails"),
        contact("z", "cleaned", "2026-04-01T00:00:00Z"),
        contact("t", "transactional", "2026-02-01T00:00:00Z", created_at=None),
        contact("p", "pending", "2026-02-01T00:00:00Z"),
        contact("v", "archived", "2026-02-01T00:00:00Z", created_at=None),
    )

    assert growth(warehouse) == [("2026-01-01", 3, 0, 3), ("2026-03-01", 0, 1, -1), ("2026-04-01", 0, 1, -1)]
    assert warehouse.run("SELECT month, reason, contacts FROM mailchimp_departure_reasons ORDER BY month") == [
        {"month": "2026-03-01", "reason": "Too many emails", "contacts": "1"},
        {"month": "2026-04-01", "reason": "Bounced", "contacts": "1"},
    ]


def test_who_joined_when(warehouse: Warehouse) -> None:
    """A confirmation counts before the sign-up; who was imported without a date, or has yet to confirm, joined in no month."""
    filled(
        warehouse,
        contact("x", "subscribed", "2026-05-01T00:00:00Z", timestamp_signup="2026-01-31T23:00:00Z", timestamp_opt="2026-02-01T00:30:00Z"),
        contact("y", "subscribed", "2026-05-01T00:00:00Z", created_at=None),
        contact("z", "pending", "2026-05-01T00:00:00Z", timestamp_signup="2026-04-30T00:00:00Z"),
        contact("w", "unsubscribed", "2026-05-01T00:00:00Z", created_at=None),
    )

    assert growth(warehouse) == [("2026-02-01", 1, 0, 1)]


def test_growth_from_all_versions(warehouse: Warehouse) -> None:
    """With every version kept, a person who left and came back is counted each time, in the month in which it happened."""
    filled(
        warehouse,
        contact("x", "subscribed", "2026-01-10T00:00:00Z"),
        contact("x", "unsubscribed", "2026-02-10T00:00:00Z"),
        contact("x", "unsubscribed", "2026-03-10T00:00:00Z"),
        contact("x", "subscribed", "2026-04-10T00:00:00Z"),
        contact("y", "pending", "2026-01-10T00:00:00Z"),
        contact("y", "subscribed", "2026-02-11T00:00:00Z"),
    )

    assert growth(warehouse) == [("2026-01-01", 1, 0, 1), ("2026-02-01", 1, 1, 0), ("2026-04-01", 1, 0, 1)]


def test_tags_and_who_of_them_can_be_reached(warehouse: Warehouse) -> None:
    """A tag counts today's contacts, archived ones left out as in Mailchimp; no tags, an empty list and null are the same."""
    vip, both = [{"id": 1, "name": "VIP"}], [{"id": 1, "name": "VIP"}, {"id": 2, "name": "It's new"}]
    filled(
        warehouse,
        contact("x", "subscribed", "2026-01-10T00:00:00Z", tags=both),
        contact("y", "unsubscribed", "2026-01-10T00:00:00Z", tags=vip),
        contact("z", "subscribed", "2026-01-10T00:00:00Z", tags=None),
        contact("w", "subscribed", "2026-01-09T00:00:00Z", tags=vip),
        contact("w", "subscribed", "2026-01-10T00:00:00Z", tags=[]),
        contact("v", "archived", "2026-01-10T00:00:00Z", tags=both),
    )

    assert warehouse.run("SELECT tag, contacts, reachable FROM mailchimp_tag_sizes ORDER BY tag") == [
        {"tag": "It's new", "contacts": "1", "reachable": "1"},
        {"tag": "VIP", "contacts": "2", "reachable": "1"},
    ]


@pytest.mark.parametrize(
    ("value", "is_filled"),
    [
        ({"addr1": "1 Main Street", "city": "Reno"}, True),
        ({"addr1": "", "city": None}, False),
        ({"addr1": None, "zip": "97201"}, True),
        ({}, False),
        (None, False),
    ],
)
def test_a_postal_address_without_any_part_is_not_filled(warehouse: Warehouse, value: Json | None, is_filled: bool) -> None:
    """One part is enough to be filled, none is not."""
    filled(warehouse, contact("x", "subscribed", "2026-01-10T00:00:00Z", custom_fields={"ADDRESS": value}))

    (address,) = warehouse.run("SELECT filled, contacts FROM mailchimp_field_fullness WHERE tag = 'ADDRESS'")

    assert (address["filled"], address["contacts"]) == (str(int(is_filled)), "1")


def test_how_full_the_merge_fields_are(warehouse: Warehouse) -> None:
    """Every field of the audience is there, in its order, of those who are not archived; zero and false are values."""
    filled(
        warehouse,
        contact("x", "subscribed", "2026-01-10T00:00:00Z", custom_fields={"FNAME": "Ada", "SIZE": "M"}),
        contact("y", "cleaned", "2026-01-10T00:00:00Z", custom_fields={"FNAME": "", "SIZE": None}),
        contact("z", "archived", "2026-01-10T00:00:00Z", custom_fields={"FNAME": "Zoë"}),
        contact("n", "subscribed", "2026-01-10T00:00:00Z", custom_fields={"FNAME": 0}),
    )

    rows = warehouse.run("SELECT tag, type, required, choices, filled, contacts FROM mailchimp_field_fullness ORDER BY position")

    assert [(row["tag"], row["type"], row["required"], row["filled"], row["contacts"]) for row in rows] == [
        ("FNAME", "text", "f", "2", "3"),
        ("ADDRESS", "address", "t", "0", "3"),
        ("SIZE", "dropdown", "f", "1", "3"),
    ]
    assert rows[2]["choices"].replace(" ", "") == '["S","M"]'
