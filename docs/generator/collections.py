"""The tables of the raw streams: all of them, and those that Airbyte's own source has too."""

from __future__ import annotations

from typing import NamedTuple

from docs.generator.tables import code, table
from source_mailchimp_unified.raw.table import Collection
from source_mailchimp_unified.raw.table import table as collections

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
    rows = ((code(row.stream), code(row.path), _key(row), _cursor(row), _parent(row), _when(row)) for row in collections().values())
    return table(("stream", "collection", "key", "cursor", "parent", "read"), rows)


def official_streams() -> str:
    """Return the table of the streams of Airbyte's source and what takes their place."""
    rows = (_official_row(name, one) for name, one in OFFICIAL.items())
    return table(("official stream", "its key", "its cursor", "raw stream", "key", "cursor", "unified stream"), rows)


def _official_row(name: str, one: Official) -> tuple[str, ...]:
    row = collections()[name]
    return (code(name), _codes(one.key), code(one.cursor), code(row.stream), _key(row), _cursor(row), code(one.unified))


def _key(row: Collection) -> str:
    return _codes(", ".join(row.primary_key))


def _cursor(row: Collection) -> str:
    if row.cursor is None:
        return ""
    return code(row.cursor.field) + ("" if row.cursor.field in FOLLOWS_CHANGES else " (new ones only)")


def _parent(row: Collection) -> str:
    return code(row.parent and row.parent.row)


def _when(row: Collection) -> str:
    return "on request" if row.on_request else "in `all`"


def _codes(text: str) -> str:
    return ", ".join(code(word) for word in text.split(", ") if word)
