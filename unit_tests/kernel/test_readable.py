"""For any type of a Mailchimp property, the record fits its schema, and only what cannot be read is null."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from mailchimp_unified.entities import AUDIENCE, CONTACT, TAG, USER, audience, contact, tag, user
from mailchimp_unified.entities.readable import Readable, readable, readable_page
from mailchimp_unified.entities.rows import Contact, rows_of
from mailchimp_unified.schemas import readable_schema

MEMBER: dict[str, Any] = {
    "id": "a" * 32, "list_id": "b" * 10, "contact_id": "c" * 32, "unique_email_id": "d", "web_id": 1, "email_address": "a@shop.test",
    "full_name": "Ada", "email_type": "html", "status": "subscribed", "unsubscribe_reason": "", "language": "en", "vip": False,
    "consents_to_one_to_one_messaging": True, "sms_phone_number": "+1", "sms_subscription_status": "subscribed",
    "sms_subscription_last_updated": "2026-01-01T00:00:00+00:00", "ip_signup": "", "timestamp_signup": "2026-01-01T00:00:00+00:00",
    "ip_opt": "", "timestamp_opt": "2026-01-01T00:00:00+00:00", "member_rating": 2, "last_changed": "2026-01-01T00:00:00+00:00",
    "email_client": "", "source": "Import", "tags_count": 1, "tags": [{"id": 1, "name": "A"}], "interests": {"x": True},
    "merge_fields": {"FNAME": "Ada", "PHONE": "1", "ADDRESS": {"addr1": "1 Main St", "city": "Reno", "zip": "1"}},
    "stats": {"avg_open_rate": 0.5, "avg_click_rate": 0, "ecommerce_data": {"total_revenue": 1, "currency_code": ""}},
    "location": {"latitude": 1.5, "longitude": 2, "gmtoff": 1, "dstoff": 2, "country_code": "US", "timezone": "", "region": "NV"},
    "marketing_permissions": [{"marketing_permission_id": "x", "text": "", "enabled": True}],
    "last_note": {"note_id": 1, "created_at": "2026-01-01T00:00:00+00:00", "created_by": "x", "note": ""},
}  # fmt: skip

SOURCES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "contacts": (CONTACT, contact.from_mailchimp, MEMBER),
    "lists": (AUDIENCE, lambda one: audience.from_mailchimp(one, [{"tag": "FNAME", "merge_id": 1}]), {"id": "a", "name": "A", "stats": {}}),
    "tags": (TAG, lambda one: tag.from_mailchimp(one, "a"), {"id": 1, "name": "A", "type": "static", "member_count": 1}),
    "users": (USER, user.from_mailchimp, {"account_id": "a", "login_id": "b", "first_name": "Ada", "contact": {"company": "A"}}),
}

VALUES: list[Any] = [
    None,
    "",
    "text",
    5,
    5.0,
    1.5,
    True,
    [],
    [1],
    ["x"],
    [None],
    [{}],
    {},
    {"a": 1},
    {"": None},
    "0000-00-00T00:00:00+00:00",
]


def errors(name: str, record: dict[str, Any]) -> list[str]:
    """Return where a record does not fit its schema, times included."""
    checker = jsonschema.Draft7Validator(readable_schema(name), format_checker=jsonschema.FormatChecker())
    return [error.message for error in checker.iter_errors(record)]


def page_of(*rows: Any) -> list[dict[str, Any]]:
    """Return the records of a page of rows."""
    members = [row for row in rows_of(rows) if row is not None]
    return [record_of(one) for one in readable_page(members, CONTACT, contact.unified, contact.tolerantly)]


def record_of(one: Any) -> dict[str, Any]:
    """Return a record as an object of JSON, without remote data, which is not asked for."""
    record = asdict(one) if isinstance(one, Contact) else one.record if isinstance(one, Readable) else one
    return {name: value for name, value in record.items() if name != "remote_data"}


def properties(name: str) -> list[str]:
    """Return what Mailchimp's own resources are known to hold."""
    return sorted({*SOURCES[name][2], *(readable_schema(name)["properties"])})


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(("name", "key"), [(name, key) for name in SOURCES for key in properties(name)])
def test_a_property_of_any_type_harms_itself_only(name: str, key: str, value: Any) -> None:
    """The record fits its schema or is not a record; what the property does not touch is as it would be without it."""
    entity, convert, whole = SOURCES[name]

    found = readable(convert({**whole, key: value}), entity)
    plain = convert(whole)

    if found is None:
        assert {key} & {"id", "login_id", "account_id", "list_id"}
        return
    assert errors(name, found.record) == []
    assert all(path.split(".")[0] in found.record for path in found.nulled)
    same = [one for one in plain if found.record[one] == readable(plain, entity).record[one]]  # type: ignore[union-attr]
    assert len(same) >= len(plain) - 7


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("key", sorted(MEMBER))
def test_an_odd_row_of_a_page_changes_no_other_row(key: str, value: Any) -> None:
    """A page with an odd row gives the records of the others as a page without it does."""
    odd = {**MEMBER, key: value}

    records = page_of(MEMBER, odd, MEMBER)

    assert records[0] == records[-1] == readable(contact.from_mailchimp(MEMBER), CONTACT).record  # type: ignore[union-attr]
    assert all(errors("contacts", record) == [] for record in records)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(MEMBER)), json_values, max_size=6), json_values)
def test_anything_at_all_is_a_readable_contact_or_none(values: dict[str, Any], row: Any) -> None:
    """No combination of odd values raises, and no record leaves its schema."""
    for record in page_of({**MEMBER, **values}, row):
        assert errors("contacts", record) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(sorted(MEMBER)), json_values, max_size=3), max_size=3))
def test_a_page_that_is_in_order_is_what_looking_at_each_field_gives(rows: list[dict[str, Any]]) -> None:
    """The quick way and the careful one give the same records."""
    members = [{**MEMBER, **values} for values in rows]

    found = [readable(contact.from_mailchimp(member), CONTACT) for member in members]

    assert page_of(*members) == [one.record for one in found if one is not None]


def kinds_of(*rows: Any) -> list[type]:
    """Return what the records of a page are: objects of a page in order, or records that were looked at field by field."""
    members = [row for row in rows_of(rows) if row is not None]
    return [type(one) for one in readable_page(members, CONTACT, contact.unified, contact.tolerantly)]


NOTHING: dict[str, Any] = {"id": "a" * 32, "list_id": "b" * 10, "email_address": "a@shop.test"}


@pytest.mark.parametrize(
    "rows",
    [
        [MEMBER],
        [NOTHING],
        [MEMBER, NOTHING, {**MEMBER, "vip": True, "status": "archived"}],
        [{**MEMBER, "tags": [], "interests": {}, "location": {}, "marketing_permissions": [], "stats": {}, "last_note": {}}],
        [{**MEMBER, "tags": [{"id": 1, "name": "A"}, {"name": None}, {}], "interests": {"x": None, "y": False}}, NOTHING],
        [{**MEMBER, "merge_fields": {"LTV": 5, "NEW": ["x", None], "ODD": {"a": 1}}}],
        [{**MEMBER, "stats": {"avg_open_rate": 1, "new": "x"}, "location": {"latitude": 1, "new": []}}],
        [{**MEMBER, "last_changed": "2026-01-01 00:00:00", "timestamp_opt": "", "nobody": "knows"}],
    ],
)  # fmt: skip
def test_a_page_in_order_is_looked_at_once(rows: list[dict[str, Any]]) -> None:
    """All types that a property may have, absent ones among them, are in order: no row of it is looked at field by field."""
    assert set(kinds_of(*rows)) == {Contact}


@pytest.mark.parametrize(
    ("odd", "nulled"),
    [
        ({"web_id": "x"}, ["web_id"]),
        ({"web_id": True}, ["web_id"]),
        ({"web_id": 5.5}, ["web_id"]),
        ({"vip": 1}, ["vip"]),
        ({"status": "new"}, ["status"]),
        ({"language": ["en"]}, ["language"]),
        ({"last_changed": "soon"}, ["updated_at"]),
        ({"timestamp_opt": 5}, ["timestamp_opt"]),
        ({"tags": {"id": 1}}, ["tags"]),
        ({"tags": [5]}, ["tags.0"]),
        ({"tags": [{"id": 1, "name": "A"}, {"id": "x", "name": 5}]}, ["tags.1.id", "tags.1.name"]),
        ({"interests": {"x": True, "y": "yes"}}, ["interests.y"]),
        ({"interests": {"x": 1, "y": 0}}, ["interests.x", "interests.y"]),
        ({"interests": []}, ["interests"]),
        ({"stats": {"avg_open_rate": "x", "avg_click_rate": 1}}, ["stats.avg_open_rate"]),
        ({"stats": {"ecommerce_data": {"total_revenue": "x", "currency_code": 5}}}, ["stats.ecommerce_data.total_revenue", "stats.ecommerce_data.currency_code"]),
        ({"location": {"latitude": "x", "timezone": 5}}, ["location.latitude", "location.timezone"]),
        ({"marketing_permissions": [{"text": 5}, 7]}, ["marketing_permissions.0.text", "marketing_permissions.1"]),
        ({"last_note": {"note_id": "x", "note": "x"}}, ["last_note.note_id"]),
        ({"merge_fields": 5}, ["custom_fields"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_where_it_is(odd: dict[str, Any], nulled: list[str]) -> None:
    """The record keeps everything else, and the rows before and after it are in order."""
    members = [row for row in rows_of([MEMBER, {**MEMBER, **odd}, NOTHING]) if row is not None]

    first, found, last = readable_page(members, CONTACT, contact.unified, contact.tolerantly)

    assert isinstance(found, Readable)
    assert sorted(found.nulled) == sorted(nulled)
    assert [type(first), type(last)] == [dict, dict]
    for path in nulled:
        value: Any = found.record
        for step in path.split("."):
            value = value[int(step) if isinstance(value, list) else step]
        assert value is None
    names = {path.partition(".")[0] for path in nulled} | {{"merge_fields": "custom_fields"}.get(name, name) for name in odd}
    plain = contact.from_mailchimp(MEMBER)
    assert {
        name: value for name, value in found.record.items() if name not in names | {"first_name", "phones", "addresses", "created_at"}
    } == {name: value for name, value in plain.items() if name not in names | {"first_name", "phones", "addresses", "created_at"}}


@pytest.mark.parametrize("odd", [{"list_id": ""}, {"list_id": None}, {"list_id": 5}, {"id": "", "email_address": "", "contact_id": ""}])
def test_a_row_without_its_key_is_no_record(odd: dict[str, Any]) -> None:
    """It is left out, and the others are records."""
    assert kinds_of(MEMBER, {**MEMBER, **odd}, MEMBER) == [dict, dict]
    assert readable(contact.from_mailchimp({**MEMBER, **odd}), CONTACT) is None


def test_a_page_without_rows_has_no_records() -> None:
    """Nothing is made up for it."""
    assert kinds_of() == []


@pytest.mark.parametrize(
    ("odd", "name", "value"),
    [
        ({"web_id": 5.0}, "web_id", 5),
        ({"tags_count": -1.0}, "tags_count", -1),
        ({"stats": {"avg_open_rate": 5.0}}, "stats", {"avg_open_rate": 5.0}),
        ({"merge_fields": {"LTV": 5.0}}, "custom_fields", {"LTV": 5.0}),
    ],
)
def test_a_whole_number_is_written_as_one_where_only_such_fit(odd: dict[str, Any], name: str, value: Any) -> None:
    """Where any number fits, or anything, it stays as it came; nothing is null for it."""
    found = readable(contact.from_mailchimp({**MEMBER, **odd}), CONTACT)

    assert found is not None
    assert found.nulled == []
    assert repr(found.record[name]) == repr(value)
