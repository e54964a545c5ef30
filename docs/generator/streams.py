"""The streams of the source: unified ones, and Airbyte's own where the specification offers them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable

from airbyte_cdk.models import AirbyteStream

from docs.generator.tables import code, table
from mailchimp_unified.schemas import load_schema
from source_mailchimp_unified.catalog import catalog

AIRBYTES_STREAMS = (
    "automations", "campaigns", "email_activity", "lists", "list_members", "tags",
    "interest_categories", "interests", "reports", "segments", "segment_members", "unsubscribes",
)  # fmt: skip
"""The streams of Airbyte's own source: https://docs.airbyte.com/integrations/sources/mailchimp."""

_RAW = "source_mailchimp_unified.raw"

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


def raw_stream_table() -> str:
    """Return the table of the raw streams that Airbyte's source has too, "" where this source has no raw streams."""
    streams = [stream for stream in _raw_streams() if stream.name.removeprefix("mailchimp_") in AIRBYTES_STREAMS]
    return table(("Raw stream", "Key", "Cursor", "Sync modes"), map(_row, streams)) if streams else ""


def _raw_streams() -> Iterable[AirbyteStream]:
    if importlib.util.find_spec(_RAW) is None:
        return []
    streams: list[AirbyteStream] = importlib.import_module(f"{_RAW}.catalog").raw_catalog(AIRBYTES_STREAMS)
    return streams


def _row(stream: AirbyteStream) -> tuple[str, ...]:
    keys = ", ".join(code(key[0]) for key in stream.source_defined_primary_key or [])
    cursor = ", ".join(code(part) for part in stream.default_cursor_field or [])
    modes = ", ".join(mode.value.replace("_", " ") for mode in stream.supported_sync_modes or [])
    return code(stream.name), keys, cursor, modes
