"""The table of raw streams as the emulator is told of it, and catalogs of raw streams."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from mailchimp_emulator import Emulator
from mailchimp_emulator.routes import API
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, table
from unit_tests.references import REFERENCES

Json = dict[str, Any]

NOW = "2024-12-01T00:00:00+00:00"
"""The time of the emulator, some months after all that it makes up."""

LINKS = {"type": "array", "items": {"type": "object", "properties": {"rel": {"type": "string"}}}}
ENTRY = {"timestamp", "action", "url"}
ENVELOPE = {"properties": {"total_items": {"type": "integer"}, "_links": LINKS}}

LISTS = [
    {"id": "aaaaaaaaaa", "name": "Customers", "contacts": 6, "tags": ["VIP", "New"], "interests": {"Sports": ["Hiking", "Golf"]},
     "statuses": {"subscribed": 0.5, "archived": 0.5}, "tags_per_contact": 1, "changed_to": "2024-03-01T00:00:00+00:00"},
    {"id": "bbbbbbbbbb", "name": "Press", "contacts": 2, "tags": ["Radio"], "interests": {"Topics": ["Food"]}, "tags_per_contact": 1},
]  # fmt: skip


@cache
def paths() -> Json | None:
    """Return the paths of Mailchimp's API description, None where it is not at hand."""
    path = REFERENCES / "mailchimp-openapi.json"
    return json.loads(path.read_text())["paths"] if path.exists() else None  # type: ignore[no-any-return]


def answer_schema(row: Collection) -> Json | None:
    """Return the schema of an answer, None where it is not described or the description is not at hand."""
    described = (paths() or {}).get(row.path)
    return described and described["get"]["responses"]["200"].get("schema")


def item_schema(row: Collection) -> Json:
    """Return the schema of an item: Mailchimp's own, or what was derived from it where that is not at hand."""
    if answer := answer_schema(row):
        item: Json = answer["properties"][row.records_key]["items"] if row.records_key else answer
        # Of what Mailchimp does not describe, the keys are known.
        return item if {"properties", "allOf", "x-oneOf"} & item.keys() else {"type": "object", "properties": {"id": {"type": "string"}}}
    schema = stream_schema(row)
    schema["properties"]["_links"] = LINKS
    if row.flatten is not None:
        entry = {"type": "object", "properties": {name: schema["properties"].pop(name) for name in ENTRY & schema["properties"].keys()}}
        schema["properties"][row.flatten.field] = {"type": "array", "items": entry}
    return schema


def description(row: Collection, items: int = 3, item: Json | None = None) -> Json:
    """Return what the emulator needs to serve a row; `item` is the schema of a collection that Mailchimp does not describe."""
    parent, cursor = row.parent, row.cursor
    inside = f"{row.flatten.field}." if row.flatten else ""
    item = item or item_schema(row)
    return {
        "path": row.path,
        "item": item,
        "key": row.records_key,
        "envelope": envelope(row),
        "items": items,
        "paging": row.paging,
        "parent": table()[parent.row].path if parent else None,
        "parent_field": parent.field if parent else "id",
        "names": {one.column: one.param for one in ancestors(row) if one.column in item.get("properties", {})},
        "time": inside + cursor.field if cursor else "",
        "since": (cursor.since or "") if cursor else "",
        "before": (cursor.before or "") if cursor else "",
    }


def envelope(row: Collection) -> Json:
    """Return the schema of what stands next to the items of an answer."""
    properties = (answer_schema(row) or ENVELOPE)["properties"]
    return {"properties": {name: schema for name, schema in properties.items() if name != row.records_key}}


def ancestors(row: Collection) -> list[Any]:
    """Return the parents of a row, the nearest first."""
    return [row.parent, *ancestors(table()[row.parent.row])] if row.parent else []


def serve(mailchimp: Emulator, **items: int) -> None:
    """Let the emulator serve every row of the table, of those named in `items` so many items; the lists have a few contacts."""
    mailchimp.clock(set=NOW)
    mailchimp.seed(*LISTS)
    # What was made in the second of a sync is read again by the next one.
    mailchimp.clock(advance=60)
    mailchimp.describe(description(row, items.get(row.name, 3)) for row in table().values() if row.path not in API)


def configured(*streams: Json, sync_mode: str = "incremental") -> Json:
    """Return a configured catalog of discovered streams, the way PyAirbyte makes it: incremental, also where a stream does not support it."""
    return {"streams": [{"stream": stream, "sync_mode": sync_mode, "destination_sync_mode": "append"} for stream in streams]}


def raw_catalog(*names: str, sync_mode: str = "incremental") -> Json:
    """Return a configured catalog of rows by name."""
    streams = [{"name": f"mailchimp_{name}", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]} for name in names]
    return configured(*streams, sync_mode=sync_mode)
