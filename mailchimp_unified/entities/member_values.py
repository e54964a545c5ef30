"""The values of a Mailchimp member as the unified contact wants them; what has an odd type is passed on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailchimp_unified.entities.entity import strict_timestamp
from mailchimp_unified.request import Json

_MAY_BE_BLANK = frozenset({str, dict, list})


def custom_fields_of(merge_fields: Any) -> tuple[Json, list[Json]]:
    """Return the merge fields with null for what is cleared, and those of them that are postal addresses, in the unified shape."""
    if type(merge_fields) is not dict:
        return {}, []
    custom_fields = {tag: (None if value == "" else value) for tag, value in merge_fields.items()}
    if dict not in map(type, custom_fields.values()):
        return custom_fields, []
    postal = [tag for tag, value in custom_fields.items() if type(value) is dict]
    custom_fields.update((tag, _nothing_blank(custom_fields[tag])) for tag in postal)
    return custom_fields, [_address(tag, value) for tag in postal if (value := custom_fields[tag])]


def moment_or_oddity(value: Any) -> Any:
    """Return a time as `strict_timestamp` does, and what is none as it is."""
    try:
        return strict_timestamp(value)
    except (ValueError, TypeError):
        return value


def as_text(value: Any) -> Any:
    """Return a scalar as text, also that of a number field; anything else as it is."""
    kind = type(value)
    if kind is float and value.is_integer():
        value = int(value)
    return str(value) if kind is int or kind is float else value


def _nothing_blank(value: Any) -> Any:
    """Return a value with null for each "" in it, null for an object of only such: so Mailchimp says that nothing is there."""
    if type(value) is dict:
        found = {name: _nothing_blank(inner) for name, inner in value.items()}
        return found if any(inner is not None for inner in found.values()) else None
    if type(value) is list:
        return [_nothing_blank(inner) for inner in value]
    return None if value == "" else value


def nulled(value: Any) -> Any:
    """Return a value with null for each "" in it, at any depth."""
    if type(value) is dict:
        if _MAY_BE_BLANK.isdisjoint(map(type, value.values())):
            return value
        return {name: (None if inner == "" else nulled(inner) if type(inner) in (dict, list) else inner) for name, inner in value.items()}
    return [nulled(inner) for inner in value] if type(value) is list else None if value == "" else value


def phones_of(phone: Any, sms: Any) -> list[Json]:
    """Return the phones of a contact: that of the merge field, and the one that gets text messages."""
    phones = [{"phone": as_text(phone), "type": "phone"}] if phone else []
    return [*phones, {"phone": as_text(sms), "type": "sms"}] if sms else phones


def _address(tag: str, value: Mapping[str, Any]) -> Json:
    part = value.get
    return {
        "type": tag,
        "street_1": as_text(part("addr1")),
        "street_2": as_text(part("addr2")),
        "city": as_text(part("city")),
        "state": as_text(part("state")),
        "postal_code": as_text(part("zip")),
        "country": as_text(part("country")),
    }


def location_of(location: Any) -> Any:
    """Return the place, None where Mailchimp gives zeros and empty texts because it knows none."""
    if type(location) is not dict:
        return location or None
    return nulled(location) if any(location.values()) else None
