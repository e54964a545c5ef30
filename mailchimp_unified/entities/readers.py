"""Cells of any table as the types of the unified contact. A reader never sees a blank, and refuses what it cannot read. Pure.

Each raises ValueError with words that say what is expected, without quoting the cell.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from mailchimp_unified.config import usable_list_id
from mailchimp_unified.entities.entity import timestamp
from mailchimp_unified.request import Json
from mailchimp_unified.text import folded, is_blank, scalar_text, visible, visible_email

LONGEST_EMAIL = 320
"""Characters of an email address: 64 before the @ and 255 after it, https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1."""

SEPARATOR = ","
"""What stands between the tags of a cell, unless a mapping says otherwise."""

_TRUE, _FALSE = ("true", "t", "yes", "y", "on", "1", "1.0"), ("false", "f", "no", "n", "off", "0", "0.0")
_BOOLEANS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}
_NOT_IN_EMAIL = re.compile(r"[\s\x00-\x1f\x7f]")
_TAGS_EXPECTED = "expects tag names: a text, a list of texts, or objects with a name"
# Spreadsheets mark digits that are text with an apostrophe.
_SPREADSHEET_TEXT = re.compile(r"^'(?=[+\d(])")
_QUOTES = ('"', "'")


def text(value: Any) -> str:
    """Return a scalar as text, without invisible characters and spaces at its ends."""
    return visible(scalar_text(value))


def scalar(value: Any) -> Any:
    """Return a scalar as it is: its merge field decides on its type."""
    text(value)
    return value


def email(value: Any) -> str:
    """Return one email address, without the invisible characters around and inside it."""
    if not isinstance(value, str):
        raise ValueError("expects an email address as a string")  # noqa: TRY004 - one kind of refusal
    address = visible_email(value)
    name, _, domain = address.rpartition("@")
    if "@" in name.strip('"') and not (name.startswith('"') and name.endswith('"')):
        raise ValueError("contains more than one email address; expects exactly one")
    if _NOT_IN_EMAIL.search(address):
        raise ValueError("contains spaces or control characters; expects one email address")
    if not name or not domain:
        raise ValueError("is not an email address: it needs a name and a domain around an @")
    if len(address) > LONGEST_EMAIL:
        raise ValueError(f"is longer than the {LONGEST_EMAIL} characters of an email address")
    return address


def list_id(value: Any) -> str:
    """Return the id of an audience."""
    return usable_list_id(text(value))


def boolean(value: Any) -> bool:
    """Return true or false from its usual spellings: yes, y, on, t, true, 1 and their opposites."""
    known = value if isinstance(value, bool) else _BOOLEANS.get(folded(text(value)))
    if known is None:
        raise ValueError("expects true or false (also yes, no, y, n, on, off, 1, 0)")
    return bool(known)


def one_of(*choices: str) -> Callable[[Any], str]:
    """Return a reader of one of these words, in any case."""

    def read(value: Any) -> str:
        chosen = folded(text(value))
        if chosen not in choices:
            raise ValueError(f"expects one of {', '.join(choices)}")
        return chosen

    return read


def moment(value: Any) -> str:
    """Return a time as RFC 3339 in UTC with whole seconds; what has no zone is UTC, a day alone is its midnight."""
    found = timestamp(re.sub(r"\.[0-9]+", "", text(value)))
    if found is None:
        raise ValueError("expects a time such as 2026-01-31T12:00:00Z; for other forms, set format in field_mapping")
    return found


def deletion_mark(value: Any) -> bool:
    """Return whether a column that holds the time of a deletion says that the row is gone: any time does, `false` does not."""
    if isinstance(value, (dict, list)):
        raise ValueError("expects the time of the deletion, true or false")  # noqa: TRY004 - one kind of refusal
    return _BOOLEANS.get(folded(text(value)), True)


def parsed(value: Any) -> Any:
    """Return what a text holds when it is JSON: warehouses keep lists and objects as text."""
    if isinstance(value, str) and visible(value)[:1] in ("[", "{"):
        try:
            return orjson.loads(visible(value))
        except orjson.JSONDecodeError:
            return value
    return value


def rows(value: Any) -> list[Any]:
    """Return a list without its blank entries; one value where a list is meant is a list of one."""
    found = parsed(value)
    return [row for row in (found if isinstance(found, list) else [found]) if not is_blank(row)]


def mapping(value: Any) -> Json:
    """Return an object, also from JSON text."""
    found = parsed(value)
    if not isinstance(found, dict):
        raise ValueError("expects an object, or an object as JSON text")  # noqa: TRY004 - one kind of refusal
    return found


def split(value: str, separator: str = SEPARATOR) -> list[str]:
    """Return the parts of a text; a part in quotes may hold the separator, as in `"Gold, Silver",VIP`."""
    if len(separator) == 1 and separator not in _QUOTES:
        parts: Iterable[str] = (part for line in csv.reader([value], delimiter=separator, skipinitialspace=True) for part in line)
    else:
        parts = value.split(separator)
    return [part for part in map(visible, parts) if part]


def tag_names(value: Any, separator: str = SEPARATOR) -> list[str]:
    """Return names of tags from a list, an object with a name, JSON text, or a text with `separator` between the names."""
    found = parsed(value)
    if isinstance(found, str):
        return split(" ".join(found.splitlines()), separator)
    names = [row.get("name") if isinstance(row, dict) else row for row in rows(found)]
    if any(isinstance(name, (bool, dict, list)) or name is None for name in names):
        raise ValueError(_TAGS_EXPECTED)
    return [name for name in map(visible, map(text, names)) if name]


def phones(value: Any) -> list[Json]:
    """Return phones as objects; a number alone is one of them."""
    found = [row if isinstance(row, dict) else {"phone": row} for row in rows(value)]
    return [{**row, "phone": None if is_blank(row.get("phone")) else _SPREADSHEET_TEXT.sub("", text(row["phone"]))} for row in found]


def addresses(value: Any) -> list[Json]:
    """Return postal addresses as objects; parts that are blank are left out."""
    found = rows(value)
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("expects postal addresses as objects with street_1, city, state and postal_code")
    return [{name: text(part) for name, part in row.items() if not is_blank(part)} for row in found]


def interests(value: Any) -> Json:
    """Return which groups a contact is in: by id or `Category/Name`, as an object of booleans or a list of those chosen."""
    found = parsed(value)
    if isinstance(found, str):
        return dict.fromkeys(split(found), True)
    if isinstance(found, list):
        return {text(name): True for name in rows(found)}
    return {group: boolean(chosen) for group, chosen in mapping(found).items() if not is_blank(chosen)}


def permissions(value: Any) -> list[Json]:
    """Return marketing permissions by id or by text, those without an answer left out."""
    return [_permission(row) for row in rows(value) if not (isinstance(row, dict) and is_blank(row.get("enabled")))]


def _permission(row: Any) -> Json:
    if not isinstance(row, dict) or all(is_blank(row.get(name)) for name in ("marketing_permission_id", "text")):
        raise ValueError("expects objects with a marketing_permission_id or text, and enabled")
    named = {name: text(row[name]) for name in ("marketing_permission_id", "text") if not is_blank(row.get(name))}
    return {**named, "enabled": boolean(row["enabled"])}


def location(value: Any) -> Json:
    """Return a place as latitude and longitude, in degrees."""
    place: Mapping[str, Any] = mapping(value)
    return {name: _degrees(place[name]) for name in ("latitude", "longitude") if not is_blank(place.get(name))}


def _degrees(value: Any) -> float:
    try:
        degrees = float(text(value))
    except ValueError:
        degrees = math.nan
    if not math.isfinite(degrees):
        raise ValueError("expects latitude and longitude as numbers")
    return degrees
