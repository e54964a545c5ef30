"""Rows through the destination: as messages in, states and outcomes out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from mailchimp_workbench.connectors import Connector, Json, log_line
from mailchimp_workbench.database import Database
from mailchimp_workbench.problems import ConnectorError
from mailchimp_workbench.runs import Run
from mailchimp_workbench.send.draft import Draft
from mailchimp_workbench.send.outcomes import KINDS, Outcome, option, read_outcomes
from mailchimp_workbench.send.rows import Rows
from mailchimp_workbench.standby import Standby

SHOWN_REJECTS = 200
SUMMARY = re.compile(r"Stream .*: (\d+) created, (\d+) updated, (\d+) unchanged, (\d+) skipped, (\d+) rejected")
"""The destination's log line with the outcomes of a stream."""

_DATE, _MOMENT = {"type": ["null", "string"], "format": "date"}, {"type": ["null", "string"], "format": "date-time"}
_NUMBER, _INTEGER = {"type": ["null", "number"]}, {"type": ["null", "integer"]}
_TYPES = {
    "BOOLEAN": {"type": ["null", "boolean"]},
    "DATE": _DATE,
    "TIMESTAMP": _MOMENT,
    "TIMESTAMP WITH TIME ZONE": _MOMENT,
    "DOUBLE": _NUMBER,
    "FLOAT": _NUMBER,
    "BIGINT": _INTEGER,
    "INTEGER": _INTEGER,
    "SMALLINT": _INTEGER,
}
"""JSON schemas of DuckDB's types: fields that the destination creates take their type from them. Everything else is text."""

_TEXT = {"type": ["null", "string"]}


@dataclass
class WriteProgress:
    """How far the rows are, and what became of them."""

    total: int
    draft_id: str
    audience: str
    dry_run: bool
    file: Path
    settled: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    rejects: list[Outcome] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many were rejected so far."""
        return self.counts.get("rejected", 0)

    def note_state(self, state: Json) -> None:
        """Count what a state acknowledges."""
        stats = state.get("destinationStats") or {}
        rejected = int(stats.get("rejectedRecordCount") or 0)
        self.settled += int(stats.get("recordCount") or 0) + rejected
        self.counts["rejected"] = self.rejected + rejected

    def note_log(self, line: str) -> None:
        """Take the outcomes of the summary."""
        if found := SUMMARY.search(line):
            self.counts = dict(zip(KINDS, map(int, found.groups()), strict=True))


@dataclass(frozen=True)
class Write:
    """Rows of a draft, written or tried, `most` of them (None is all), by a destination that may be started already."""

    destination: Connector
    database: Database
    draft: Draft
    account: Json
    dry_run: bool
    file: Path
    most: int | None = None
    standby: Standby | None = None

    async def run(self, run: Run) -> None:
        """Write, and keep what became of the rows. Raises ConnectorError with the destination's words."""
        progress: WriteProgress = run.progress
        run.changed("Starting")
        try:
            async for batch in self.messages():
                for message in batch:
                    if message["type"] == "STATE":
                        progress.note_state(message["state"])
                        run.step = "Trying" if self.dry_run else "Writing"
                    elif line := log_line(message):
                        progress.note_log(line)
                        run.log.append(line)
                run.changed()
        finally:
            outcomes = await asyncio.to_thread(read_outcomes, self.file)
            progress.rejects = [one for one in outcomes if one.kind == "rejected"][:SHOWN_REJECTS]

    async def messages(self) -> AsyncIterator[list[Json]]:
        """Yield the destination's messages."""
        config = {**self.account, **self.draft.config(), **option(self.file), "dry_run": self.dry_run}
        if self.most is not None:
            # A few rows are looked up one by one: how large the audience is does not matter to what would become of them.
            config["write_mode"] = "single"
        files = {"config": config, "catalog": catalog(self.draft.rows)}
        self.file.unlink(missing_ok=True)
        async for batch in self.destination.messages("write", files, self._lines(), self.standby):
            yield batch

    async def _lines(self) -> AsyncIterator[bytes]:
        rows = self.draft.rows
        batches, sent = rows.batches(self.database, self.most), 0
        while batch := await asyncio.to_thread(next, batches, None):
            sent += len(batch)
            yield await asyncio.to_thread(_lines_of, rows, batch, sent)


@dataclass
class Preview:
    """What would become of the first rows; `problem` is why the destination would have stopped there."""

    outcomes: list[Outcome] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    problem: str = ""


async def preview(write: Write) -> Preview:
    """Return what would become of the first rows. Raises ConnectorError where the destination does not come to the rows."""
    progress = WriteProgress(write.most or 0, write.draft.id, "", dry_run=True, file=write.file)
    seen = Preview()
    try:
        async for batch in write.messages():
            for message in batch:
                if line := log_line(message):
                    progress.note_log(line)
    except ConnectorError as error:
        if not progress.counts:
            raise
        # Rows that are all rejected are a failure to the destination, and what the preview is for.
        seen.problem = error.words
    seen.outcomes = await asyncio.to_thread(read_outcomes, write.file)
    seen.counts = {kind: count for kind in KINDS if (count := sum(1 for one in seen.outcomes if one.kind == kind))} or progress.counts
    return seen


def catalog(rows: Rows) -> Json:
    """Return the configured catalog of rows: one stream with its columns and their types, upserted."""
    properties = {column.name: _TYPES.get(column.type, _TEXT) for column in rows.columns}
    stream = {"name": rows.name, "json_schema": {"type": "object", "properties": properties}, "supported_sync_modes": ["full_refresh"]}
    return {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}


def _lines_of(rows: Rows, batch: list[Json], sent: int) -> bytes:
    nested = [column.name for column in rows.columns if column.type == "JSON"]
    now = int(time.time() * 1000)
    lines = [
        orjson.dumps({"type": "RECORD", "record": {"stream": rows.name, "data": _plain(row, nested), "emitted_at": now}}, default=_text)
        for row in batch
    ]
    state = {"stream_descriptor": {"name": rows.name}, "stream_state": {"rows": sent}}
    lines.append(orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": state}}))
    return b"\n".join(lines) + b"\n"


def _plain(row: Json, nested: list[str]) -> Json:
    """JSON columns come out of DuckDB as text."""
    if not nested:
        return row
    return {name: orjson.loads(value) if name in nested and isinstance(value, str) else value for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.hex() if isinstance(value, bytes) else str(value)
