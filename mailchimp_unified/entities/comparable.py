"""Values of a contact in the one form in which what is sent and what Mailchimp stores are equal or not. Pure.

Where it is not known whether Mailchimp would store two values alike, they differ: a value that is sent once too often changes nothing.
What is stored: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from mailchimp_unified.entities.entity import timestamp
from mailchimp_unified.entities.merge_field import US_PHONE_DIGITS, MergeField
from mailchimp_unified.entities.postal_address import part_names

MERGE_FIELDS, INTERESTS, PERMISSIONS = "merge_fields", "interests", "marketing_permissions"
"""Fields of a member that hold one value for each tag, group or permission."""

UNITED_STATES = 164
"""Default country of a postal address: https://mailchimp.com/developer/marketing/api/list-merges/add-merge-field/."""

NOT_SHOWN: Final = object()
"""Stands for a value that a member does not show, so that nobody knows it."""

Field = tuple[str, str]
"""A field of a member, and the tag or id under it, "" where it holds one value."""

Comparable = Callable[[Any], Any]
"""Returns a value in its comparable form, None for a blank: what nobody set, or a box that is not checked."""


def fields_in(body: Mapping[str, Any]) -> frozenset[Field]:
    """Return the fields that the body of a member call fills, apart from the email address."""
    found: set[Field] = set()
    for name, value in body.items():
        if name in (MERGE_FIELDS, INTERESTS):
            found.update((name, key) for key in value)
        elif name == PERMISSIONS:
            found.update((name, row["marketing_permission_id"]) for row in value)
        elif name != "email_address":
            found.add((name, ""))
    return frozenset(found)


def value_in(holder: Mapping[str, Any], field: Field) -> Any:
    """Return the value of a field in a member or the body of a call, NOT_SHOWN where it is not there."""
    name, key = field
    held = holder.get(name, NOT_SHOWN)
    if not key:
        return held
    if name == PERMISSIONS and isinstance(held, list):
        held = {row.get("marketing_permission_id"): row.get("enabled") for row in held if isinstance(row, dict)}
    return held.get(key, NOT_SHOWN) if isinstance(held, dict) else NOT_SHOWN


def comparable_of(field: Field, merge_fields: Mapping[str, MergeField]) -> Comparable:
    """Return how values of a field are compared, given the merge fields of the audience by tag."""
    name, key = field
    definition = merge_fields.get(key) if name == MERGE_FIELDS else None
    if definition is None:
        return _PLAIN.get(name, _as_it_is)
    if definition.type == "number":
        return _number
    if definition.type == "phone" and definition.phone_format == "US":
        return _us_phone
    if definition.type == "address":
        country = "US" if definition.default_country == UNITED_STATES else None
        return lambda value: _address(value, country)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    """Return dates, birthdays, choices, zip codes and texts as they are: what is sent has the form in which they are stored."""
    return None if value == "" else value


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value == "" else value


def _us_phone(value: Any) -> Any:
    """Return the digits of a number: in the format US Mailchimp stores (###) ###-#### in any case."""
    digits = re.sub("[^0-9]", "", value) if isinstance(value, str) else ""
    return digits if len(digits) == US_PHONE_DIGITS else _as_it_is(value)


def _address(value: Any, country: str | None) -> Any:
    """Return the parts of a postal address in order. Mailchimp stores a whole one: what is left out is blank, or the default country."""
    if not isinstance(value, dict):
        return None if value == "" else value
    known = part_names()
    parts = {"country": country, **value}
    others = sorted((name, repr(part)) for name, part in parts.items() if name not in known and part not in ("", None))
    found = [*(parts.get(name) if name == "country" else parts.get(name) or "" for name in known), *others]
    return found if any(value.values()) else None


def _checked(value: Any) -> Any:
    return None if value is False else value


def _moment(value: Any) -> Any:
    return timestamp(value) or _as_it_is(value)


def _place(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    place = [_number(value.get(name) or 0) for name in ("latitude", "longitude")]
    return place if any(place) else None


_PLAIN: dict[str, Comparable] = {
    INTERESTS: _checked,
    PERMISSIONS: _checked,
    "vip": _checked,
    "location": _place,
    "timestamp_signup": _moment,
    "timestamp_opt": _moment,
}
