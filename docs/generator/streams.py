"""The unified streams of the source."""

from __future__ import annotations

from airbyte_cdk.models import AirbyteStream

from docs.generator.tables import code, table
from mailchimp_unified.schemas import load_schema
from source_mailchimp_unified.catalog import catalog

_SNAPSHOT = "new, different or gone"

_EMITTED = {
    "contacts": "contacts whose `last_changed` moved; one cursor per audience",
    "lists": f"audiences that are {_SNAPSHOT}, with the definitions of their merge fields",
    "tags": f"tags (static segments) that are {_SNAPSHOT}",
    "users": f"the account user behind the credentials when {_SNAPSHOT}",
}


def stream_table() -> str:
    """Return the table of the unified streams."""
    streams = [stream for stream in catalog([], remote=False).streams if stream.name in _EMITTED]
    rows = [(*_row(stream), load_schema(stream.name)["title"], _EMITTED[stream.name]) for stream in streams]
    return table(("Stream", "Key", "Cursor", "Sync modes", "One record is a", "An incremental sync emits"), rows)


def _row(stream: AirbyteStream) -> tuple[str, ...]:
    keys = ", ".join(code(key[0]) for key in stream.source_defined_primary_key or [])
    cursor = ", ".join(code(part) for part in stream.default_cursor_field or [])
    modes = ", ".join(mode.value.replace("_", " ") for mode in stream.supported_sync_modes or [])
    return code(stream.name), keys, cursor, modes
