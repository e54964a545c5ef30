"""Values in the form in which what is sent and what is stored are equal or not."""

from __future__ import annotations

from typing import Any

import pytest

from mailchimp_unified.entities.comparable import NOT_SHOWN, Field, comparable_of, fields_in, value_in
from mailchimp_unified.entities.merge_field import MergeField

MERGE_FIELDS = {
    "TEXT": MergeField("TEXT", "text", phone_format="US", default_country=164),
    "NUMBER": MergeField("NUMBER", "number"),
    "PHONE": MergeField("PHONE", "phone", phone_format="none"),
    "USPHONE": MergeField("USPHONE", "phone", phone_format="US"),
    "ADDRESS": MergeField("ADDRESS", "address"),
    "AMERICAN": MergeField("AMERICAN", "address", default_country=164),
    "BEFORE": MergeField("BEFORE", "address", default_country=163),
    "AFTER": MergeField("AFTER", "address", default_country=165),
}


def merge(tag: str) -> Field:
    """Return the field of a merge tag."""
    return "merge_fields", tag


def test_a_body_fills_what_it_names() -> None:
    """Each merge field, group and permission is a field of its own; who the contact is, is none."""
    body = {
        "email_address": "a@shop.test",
        "language": "de",
        "vip": False,
        "merge_fields": {"FNAME": "", "LTV": 5},
        "interests": {"g": False},
        "marketing_permissions": [{"marketing_permission_id": "p", "enabled": True}],
    }

    assert fields_in(body) == {
        ("language", ""), ("vip", ""), merge("FNAME"), merge("LTV"), ("interests", "g"), ("marketing_permissions", "p"),
    }  # fmt: skip


PERMISSIONS = [None, {"marketing_permission_id": "p", "enabled": True}, {"marketing_permission_id": "q"}]


@pytest.mark.parametrize(
    ("holder", "field", "value"),
    [
        ({"vip": True}, ("vip", ""), True),
        ({"vip": None}, ("vip", ""), None),
        ({}, ("vip", ""), NOT_SHOWN),
        ({"merge_fields": {"FNAME": ""}}, merge("FNAME"), ""),
        ({"merge_fields": {"FNAME": ""}}, merge("LNAME"), NOT_SHOWN),
        ({"merge_fields": None}, merge("FNAME"), NOT_SHOWN),
        ({"merge_fields": ["FNAME"]}, merge("FNAME"), NOT_SHOWN),
        ({}, merge("FNAME"), NOT_SHOWN),
        ({"marketing_permissions": PERMISSIONS}, ("marketing_permissions", "p"), True),
        ({"marketing_permissions": PERMISSIONS}, ("marketing_permissions", "q"), None),
        ({"marketing_permissions": PERMISSIONS}, ("marketing_permissions", "r"), NOT_SHOWN),
        ({"marketing_permissions": None}, ("marketing_permissions", "p"), NOT_SHOWN),
        ({"interests": PERMISSIONS}, ("interests", "p"), NOT_SHOWN),
    ],
)
def test_a_value_is_found_where_it_is_held(holder: dict[str, Any], field: Field, value: Any) -> None:
    """What a contact does not show is not taken for a blank."""
    assert value_in(holder, field) is value


HOME = {"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"}
US = {**HOME, "country": "US"}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        (merge("NUMBER"), 5, 5.0),
        (merge("USPHONE"), "(404) 555-0100", "4045550100"),
        (merge("ADDRESS"), HOME, {**dict(reversed(HOME.items())), "addr2": None}),
        (merge("ADDRESS"), HOME, {**HOME, "addr2": "", "county": ""}),
        (merge("ADDRESS"), HOME, {**HOME, "county": None, "country": None}),
        (merge("ADDRESS"), {**HOME, "county": "x", "z": 1}, {"z": 1, "county": "x", **HOME}),
        (merge("AMERICAN"), HOME, US),
        (("location", ""), {"latitude": 1, "longitude": 0}, {"latitude": 1.0}),
        (("location", ""), {"latitude": None, "longitude": 2.0}, {"longitude": 2}),
        (("timestamp_opt", ""), "2026-01-31 12:00:00", "2026-01-31T13:00:00+01:00"),
        (("timestamp_signup", ""), "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
    ],
)
def test_two_spellings_of_one_value_are_equal(field: Field, one: Any, other: Any) -> None:
    """Mailchimp stores them alike."""
    comparable = comparable_of(field, MERGE_FIELDS)
    assert comparable(one) == comparable(other)
    assert comparable(one) is not None


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        (merge("NUMBER"), 5.5, 5),
        (merge("USPHONE"), "404 555 010", "404555010"),
        (merge("USPHONE"), "1 404 555 0100", "14045550100"),
        (merge("PHONE"), "(404) 555-0100", "4045550100"),
        (merge("TEXT"), "(404) 555-0100", "4045550100"),
        (merge("TEXT"), "Ada", "ada"),
        (merge("UNKNOWN"), "1", 1),
        (merge("ADDRESS"), HOME, US),
        (merge("BEFORE"), HOME, US),
        (merge("AFTER"), HOME, US),
        (merge("AMERICAN"), {**HOME, "country": ""}, US),
        (merge("ADDRESS"), {**HOME, "country": ""}, HOME),
        (merge("ADDRESS"), HOME, {**HOME, "addr2": "Flat 2"}),
        (merge("ADDRESS"), HOME, {**HOME, "zip": "89502"}),
        (merge("ADDRESS"), HOME, {**HOME, "county": "Washoe"}),
        (merge("ADDRESS"), {**HOME, "county": "Washoe"}, {**HOME, "county": "Elko"}),
        (("location", ""), {"latitude": 1}, {"longitude": 1}),
        (("location", ""), {"latitude": 1}, {"latitude": 1, "longitude": 1}),
        (("timestamp_opt", ""), "2026-01-31 12:00:00", "2026-01-31 12:00:01"),
        (("timestamp_opt", ""), "soon", "later"),
        (("language", ""), "2026-01-31 12:00:00", "2026-01-31T12:00:00"),
        (("vip", ""), True, False),
        # Not a merge field, though it is called like one.
        (("interests", "NUMBER"), "", None),
    ],
)
def test_values_that_mailchimp_may_store_apart_differ(field: Field, one: Any, other: Any) -> None:
    """A value that is sent once too often changes nothing; one that is not sent is lost."""
    comparable = comparable_of(field, MERGE_FIELDS)
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((merge(tag), "") for tag in MERGE_FIELDS),
        (merge("ADDRESS"), dict.fromkeys(HOME, "")),
        (merge("AMERICAN"), dict.fromkeys(HOME)),
        (("language", ""), ""),
        (("vip", ""), False),
        (("interests", "g"), False),
        (("marketing_permissions", "p"), False),
        (("location", ""), {"latitude": 0, "longitude": 0.0}),
        (("location", ""), {}),
        (("timestamp_opt", ""), ""),
    ],
)
def test_what_nobody_set_is_blank(field: Field, value: Any) -> None:
    """An empty text, a box that is not checked, a place of zeros and an address without parts."""
    assert comparable_of(field, MERGE_FIELDS)(value) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (merge("NUMBER"), "x"),
        (merge("USPHONE"), 4045550100),
        (merge("ADDRESS"), "1 Main St"),
        (("location", ""), "Reno"),
        (("timestamp_opt", ""), "soon"),
        (("vip", ""), True),
        (("vip", ""), 0),
        (("interests", "g"), True),
        (("marketing_permissions", "p"), True),
        (("language", ""), False),
    ],
)
def test_a_value_of_an_odd_type_is_compared_as_it_is(field: Field, value: Any) -> None:
    """Nothing is known of how it is stored."""
    assert comparable_of(field, MERGE_FIELDS)(value) is value
