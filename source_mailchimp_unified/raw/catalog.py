"""Raw streams in the catalog."""

from __future__ import annotations

from collections.abc import Iterable

from airbyte_cdk.models import AirbyteStream, SyncMode

from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, chosen


def raw_catalog(names: Iterable[str]) -> list[AirbyteStream]:
    """Return the raw streams that a configuration names, with their schemas."""
    return [_stream(row) for row in chosen(names)]


def _stream(row: Collection) -> AirbyteStream:
    """Return a row as a stream. Without a cursor of its own the newest version is the one that was emitted last."""
    incremental = row.follows != "whole"
    return AirbyteStream(
        name=row.stream,
        json_schema=stream_schema(row),
        supported_sync_modes=[SyncMode.full_refresh, *([SyncMode.incremental] if incremental else [])],
        source_defined_cursor=True if incremental else None,
        default_cursor_field=[row.cursor.field] if row.cursor else None,
        source_defined_primary_key=[[name] for name in row.primary_key] or None,
        is_resumable=incremental,
    )
