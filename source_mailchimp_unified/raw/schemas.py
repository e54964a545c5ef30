"""The schemas of the raw streams: derived from Mailchimp's API description by tools/raw_streams.py, one file a row."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson

from source_mailchimp_unified.raw_collections import Collection, lineage

Schema = dict[str, Any]

TIME: Schema = {"type": ["null", "string"], "format": "date-time", "airbyte_type": "timestamp_with_timezone"}


def stream_schema(row: Collection) -> Schema:
    """Return the JSON schema (Draft 7) of a row's records; an open object with the keys only where none was derived."""
    path = files(__package__).joinpath(f"schemas/{row.name}.json")
    if not path.is_file():
        return open_schema(row)
    schema: Schema = orjson.loads(path.read_bytes())
    return schema


def open_schema(row: Collection) -> Schema:
    """Return what is known of a row's records without a description."""
    names = dict.fromkeys([*(parent.column for parent in lineage(row)), *row.primary_key])
    properties: Schema = {name: {"type": ["null", "string", "integer"]} for name in names}
    if row.cursor is not None:
        properties[row.cursor.field] = TIME
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": properties,
    }
