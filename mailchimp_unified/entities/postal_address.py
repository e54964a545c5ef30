"""Postal addresses: Mailchimp's parts and ours, and the forms in which tables hold them.

Structure: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from mailchimp_unified.request import Json
from mailchimp_unified.text import folded, is_blank, scalar_text, visible

REQUIRED_ADDRESS_PARTS = ("addr1", "city", "state", "zip")
"""Without these an address is refused: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure."""

_PARTS = {"street_1": "addr1", "street_2": "addr2", "city": "city", "state": "state", "postal_code": "zip", "country": "country"}

COUNTRIES_WITH_STATES = frozenset({"us", "usa", "united states", "united states of america"})
"""An address in one of these, or without a country, lacks its state; elsewhere many addresses have none."""

NO_STATE = "-"
"""Sent for the state of an address abroad that has none: Mailchimp refuses an address without the part, see
https://github.com/mailchimp/mc-magento2/issues/593."""

_SECOND_LINE = "addr2"

# Spreadsheets mark digits that are text with an apostrophe.
_SPREADSHEET_TEXT = re.compile(r"^'(?=\d)")

_BETWEEN_PARTS = "  "
_WRITTEN_PARTS: dict[int, tuple[str, ...]] = {
    4: ("addr1", "city", "state", "zip"),
    5: ("addr1", "city", "state", "zip", "country"),
    6: ("addr1", "addr2", "city", "state", "zip", "country"),
}
"""An audience's export writes a postal address as one text, two spaces between its parts (assumed from Mailchimp's API 2.0)."""


def address_to_mailchimp(address: Mapping[str, Any]) -> Json:
    """Return a unified address as Mailchimp's address value."""
    named = ((address_part(name), value) for name, value in address.items())
    return {part: value for part, value in named if part and not is_blank(value)}


def whole_address(value: Any) -> Json:
    """Return a postal address as Mailchimp takes it. Raises ValueError for one that lacks a part."""
    parts = _address_parts(value)
    missing = [part for part in REQUIRED_ADDRESS_PARTS if not parts.get(part)]
    if missing == ["state"] and folded(parts.get("country") or "us") not in COUNTRIES_WITH_STATES:
        return {**parts, "state": NO_STATE}
    if missing:
        raise ValueError(f"is missing {', '.join(missing)}; expects a complete postal address (addr1, city, state, zip)")
    return parts


def _address_parts(value: Any) -> Json:
    """Return the parts of a postal address by Mailchimp's names; null ones are left out, but for a second line that is cleared."""
    found = _parsed_address(value)
    if not isinstance(found, dict):
        raise ValueError("expects a postal address: an object with addr1, city, state and zip")  # noqa: TRY004 - one kind of refusal
    named = {
        address_part(name) or name: "" if is_blank(part) else _SPREADSHEET_TEXT.sub("", visible(scalar_text(part)))
        for name, part in found.items()
        if part is not None or address_part(name) == _SECOND_LINE
    }
    # A unified postal address says in `type` which merge field it is.
    return {name: part for name, part in named.items() if name != "type"}


def _parsed_address(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return value
    parts = [part.strip() for part in text.split(_BETWEEN_PARTS)]
    names = _WRITTEN_PARTS.get(len(parts))
    return dict(zip(names, parts, strict=True)) if names else value


@lru_cache
def address_part(name: str) -> str | None:
    """Return Mailchimp's name of a part of a postal address, given that name or ours in any case; None for another name."""
    known = folded(name)
    return _PARTS.get(known) or (known if known in _PARTS.values() else None)


def part_names() -> tuple[str, ...]:
    """Return Mailchimp's names of the parts."""
    return tuple(_PARTS.values())
