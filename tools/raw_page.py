"""The tables of docs/raw-streams.md, made from the table of raw streams."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from source_mailchimp_unified.raw.table import Collection, table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "raw-streams.md"

FOLLOWS_CHANGES = {"last_changed", "updated_at", "last_updated_at", "timestamp"}
"""Cursors that move with every change, or belong to events that never change."""


class Official(NamedTuple):
    """A stream of Airbyte's source-mailchimp 2.x: its key, its cursor, and the unified stream that holds the same."""

    key: str
    cursor: str = ""
    unified: str = ""


OFFICIAL = {
    "automations": Official("id", "create_time"),
    "campaigns": Official("id", "create_time"),
    "email_activity": Official("timestamp, email_id, action", "timestamp"),
    "interest_categories": Official("id"),
    "interests": Official("id"),
    "list_members": Official("id, list_id", "last_changed", "contacts"),
    "lists": Official("id", "date_created", "lists"),
    "reports": Official("id", "send_time"),
    "segment_members": Official("id, segment_id", "last_changed"),
    "segments": Official("id", "updated_at"),
    "tags": Official("id", "", "tags"),
    "unsubscribes": Official("campaign_id, email_id, timestamp", "timestamp"),
}
"""https://docs.airbyte.com/integrations/sources/mailchimp."""


def all_streams() -> str:
    """Return the table of all raw streams."""
    rows = ((f"`{row.stream}`", f"`{row.path}`", _key(row), _cursor(row), _parent(row), _when(row)) for row in table().values())
    return _markdown(("stream", "collection", "key", "cursor", "parent", "read"), rows)


def official_streams() -> str:
    """Return the table of the streams of Airbyte's source and what takes their place."""
    rows = (_official_row(name, one) for name, one in OFFICIAL.items())
    return _markdown(("official stream", "its key", "its cursor", "raw stream", "key", "cursor", "unified stream"), rows)


def _official_row(name: str, one: Official) -> tuple[str, ...]:
    row = table()[name]
    return (f"`{name}`", _code(one.key), _code(one.cursor), f"`{row.stream}`", _key(row), _cursor(row), _code(one.unified))


def _key(row: Collection) -> str:
    return _code(", ".join(row.primary_key))


def _cursor(row: Collection) -> str:
    if row.cursor is None:
        return ""
    return _code(row.cursor.field) + ("" if row.cursor.field in FOLLOWS_CHANGES else " (new ones only)")


def _parent(row: Collection) -> str:
    return _code(row.parent.row) if row.parent else ""


def _when(row: Collection) -> str:
    return "on request" if row.on_request else "in `all`"


def _code(text: str) -> str:
    return ", ".join(f"`{word}`" for word in text.split(", ") if word)


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


TABLES = {"all streams": all_streams, "official streams": official_streams}


def with_tables(page: str) -> str:
    """Return the page with the tables between their marks made anew."""
    for name, made in TABLES.items():
        before, mark, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        assert mark, f"docs/raw-streams.md has no mark for the table of {name}"
        assert end, f"docs/raw-streams.md has no place for the table of {name}"
        page = f"{before}{mark}{made()}\n{end}{after}"
    return page
