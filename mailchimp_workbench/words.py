"""Numbers and moments as people read them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

NONE, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


def number(value: float | None) -> str:
    """Return a count with its thousands grouped; a dash for none."""
    return NONE if value is None else f"{value:,.0f}"


def percent(part: float, whole: float) -> str:
    """Return a share in percent. What is not all is never 100, and what is not nothing never 0."""
    if not whole or not part:
        return "0%"
    share = 100 * part / whole
    if part < whole and share > 99:  # noqa: PLR2004 - rounds to a hundred
        return "over 99%"
    return "under 1%" if share < 1 else f"{share:.0f}%"


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"+{value:,.0f}" if value > 0 else f"{MINUS}{abs(value):,.0f}" if value < 0 else "0"


def day(value: datetime | date | None) -> str:
    """Return a date in words; a dash for none."""
    return NONE if value is None else f"{value:%B} {value.day}, {value.year}"


def month(value: date) -> str:
    """Return a month in words."""
    return f"{value:%B} {value.year}"


def moment(value: datetime | None) -> str:
    """Return a moment in words, UTC."""
    return NONE if value is None else f"{day(value)} at {value:%H:%M}"


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment of UTC was."""
    if value is None:
        return "never"
    seconds = ((now or datetime.now(UTC)).replace(tzinfo=None) - value.replace(tzinfo=None)).total_seconds()
    for unit, size in (("day", DAY_SECONDS), ("hour", HOUR_SECONDS), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def duration(seconds: float) -> str:
    """Return a span of time."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min {int(seconds % 60)} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004


def count_of(value: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"


_ONE_OF = {"contacts": "contact", "lists": "list", "tags": "tag", "users": "user"}


def records(count: int, name: str) -> str:
    """Return a count with the name of its stream, or with its outcome."""
    return count_of(count, _ONE_OF[name], name) if name in _ONE_OF else f"{count:,} {name}"


def field_value(value: str | None, type_: str | None) -> str:
    """Return the value of a merge field: a date in words, a number grouped, anything else as text."""
    try:
        if value and type_ == "date":
            return day(date.fromisoformat(value[:10]))
        if value and type_ == "number":
            return f"{Decimal(value).normalize():,f}"
    except (ValueError, InvalidOperation):
        # Mailchimp keeps what was there before a field got its type.
        pass
    return shown(value)


def shown(value: Any) -> str:
    """Return a value as text; an object, or one as JSON text, by its parts that are not empty."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return ", ".join(text for one in value if (text := shown(one)))
    return "" if value is None else str(value)
