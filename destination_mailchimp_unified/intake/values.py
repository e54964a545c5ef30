"""Column values of unknown origin as the types of the unified contact: what cannot be one is refused by name. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import orjson

from mailchimp_unified.config import usable_list_id
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.entity import Json
from mailchimp_unified.entities.merge_field import InvalidValueError

LONGEST_ADDRESS = 320
"""Characters of an address: 64 before the @ and 255 after it, https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1."""

NEW_STATUSES = ("subscribed", "unsubscribed", "pending", "transactional")
"""Statuses that a new contact may be given: https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/."""

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False, "yes": True, "no": False}
_NOT_IN_ADDRESSES = re.compile(r"[\s\x00-\x1f\x7f]")


def unified_value(name: str, value: Any) -> Any:
    """Return `value` as the unified property `name` wants it; None stays None. Raises InvalidValueError."""
    if value is None:
        return None
    try:
        return _READERS[name](value)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(name, str(error)) from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise TypeError("the field takes a text")


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError("the field takes a text")


def _email(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("the address is no text")
    address = value.strip()
    name, _, domain = address.rpartition("@")
    if not address:
        raise ValueError("the address is empty")
    if not name or not domain:
        raise ValueError("the address has no name or no domain around an @")
    if _NOT_IN_ADDRESSES.search(address):
        raise ValueError("the address holds blanks or control characters")
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(f"the address is longer than {LONGEST_ADDRESS} characters")
    return address


def _list_id(value: Any) -> str:
    return usable_list_id(_text(value))


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = _BOOLEANS.get(_text(value).strip().lower())
    if known is None:
        raise ValueError("the field takes true or false")
    return known


def _one_of(*choices: str) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        text = _text(value).strip().lower()
        if text and text not in choices:
            raise ValueError(f"the field takes one of {', '.join(choices)}")
        return text or None

    return read


def _parsed(value: Any) -> Any:
    """Return what a text holds when it is JSON: warehouses keep lists and objects as text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _objects(value: Any) -> list[Json]:
    rows = _parsed(value)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows if row is not None):
        raise TypeError("the field takes a list of objects")
    return [row for row in rows if row is not None]


def _object(value: Any) -> Json:
    found = _parsed(value)
    if not isinstance(found, dict):
        raise TypeError("the field takes an object")
    return found


def _tags(value: Any) -> list[str]:
    rows = _parsed(value)
    if not isinstance(rows, list):
        raise TypeError("the field takes a list of names, or of objects with a name")
    names = [row.get("name") if isinstance(row, dict) else row for row in rows if row is not None]
    if not all(isinstance(name, str) for name in names):
        raise TypeError("the field takes a list of names, or of objects with a name")
    return [str(name).strip() for name in names if str(name).strip()]


def _phones(value: Any) -> list[Json]:
    return [{**row, "phone": None if row.get("phone") is None else _text(row["phone"])} for row in _objects(value)]


def _addresses(value: Any) -> list[Json]:
    rows = _objects(value)
    if not all(row.get("type") is None or isinstance(row["type"], str) for row in rows):
        raise TypeError("the type of an address is the tag of its merge field")
    return [{name: part if part is None else _text(part) for name, part in row.items()} for row in rows]


def _interests(value: Any) -> Json:
    return {group: _boolean(chosen) for group, chosen in _object(value).items() if chosen is not None}


def _permissions(value: Any) -> list[Json]:
    rows = _objects(value)
    if not all(isinstance(row.get("marketing_permission_id"), str) for row in rows):
        raise TypeError("a permission has a marketing_permission_id")
    return [
        {"marketing_permission_id": row["marketing_permission_id"], "enabled": _boolean(row["enabled"])}
        for row in rows
        if row.get("enabled") is not None
    ]


def _location(value: Any) -> Json:
    place = _object(value)
    return {name: _degrees(place[name]) for name in ("latitude", "longitude") if place.get(name) is not None}


def _degrees(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("latitude and longitude are numbers")
    degrees = float(value)
    if not math.isfinite(degrees):
        raise ValueError("latitude and longitude are numbers")
    return degrees


_READERS: dict[str, Callable[[Any], Any]] = {
    "email": _email,
    "list_id": _list_id,
    "first_name": _scalar,
    "last_name": _scalar,
    "phones": _phones,
    "addresses": _addresses,
    "status": _one_of(*STATUSES),
    "status_if_new": _one_of(*NEW_STATUSES),
    "tags": _tags,
    "tags_to_remove": _tags,
    "custom_fields": _object,
    "interests": _interests,
    "language": _text,
    "vip": _boolean,
    "email_type": _one_of("html", "text"),
    "location": _location,
    "marketing_permissions": _permissions,
    "ip_signup": _text,
    "timestamp_signup": _text,
    "ip_opt": _text,
    "timestamp_opt": _text,
    "is_deleted": _boolean,
}

WRITABLE = frozenset(_READERS)
"""The unified properties that a writer takes."""
