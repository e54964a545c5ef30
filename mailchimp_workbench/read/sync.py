"""One sync: discover, read into the warehouse. What was saved stays, wherever it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_workbench.connectors import Connector, Json, log_line
from mailchimp_workbench.database import Database
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.runs import Run, to_the_end
from mailchimp_workbench.warehouse import OtherAccountError, Warehouse

CONTACTS = "contacts"


@dataclass
class AudienceProgress:
    """How many contacts of an audience came; `expected` is about how many there are, None where only what changed is read."""

    name: str
    read: int = 0
    expected: int | None = None


@dataclass
class SyncProgress:
    """What came so far, by stream, and the contacts by audience."""

    audiences: dict[str, AudienceProgress] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    saved: int = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """Count a record."""
        stream, content = record["stream"], record["data"]
        self.streams[stream] = self.streams.get(stream, 0) + 1
        if stream == CONTACTS and (list_id := content.get("list_id")):
            self.audiences.setdefault(list_id, AudienceProgress(list_id)).read += 1

    def expect(self, audience: Mapping[str, Any]) -> None:
        """Note the size of an audience, from its record in `lists`. Archived and pending contacts are in none of the counts."""
        counts = (audience.get(name) or 0 for name in ("member_count", "unsubscribed_count", "cleaned_count"))
        self.audiences[audience["id"]] = AudienceProgress(audience.get("name") or audience["id"], expected=sum(counts))

    @property
    def counts(self) -> dict[str, int]:
        """What is kept of it: records by stream."""
        return self.streams

    @property
    def total(self) -> int:
        """All records."""
        return sum(self.streams.values())


@dataclass(frozen=True)
class Sync:
    """What is to be read: streams by name, and audiences by id (none is all)."""

    source: Connector
    database: Database
    config: Json
    streams: Collection[str]
    list_ids: Collection[str] = ()

    async def run(self, run: Run) -> None:
        """Read. Raises ConnectorError with the source's words; what came before is saved."""
        run.changed("Asking which streams and fields there are")
        catalog = await self.source.discover(self.config)
        # The catalog is that of all audiences, so that the columns stay the same no matter which of them are read.
        config = {**self.config, "list_ids": sorted(self.list_ids)} if self.list_ids else self.config
        warehouse = self.database.warehouse()
        try:
            await self._look(run, warehouse, config, catalog)
            run.changed("Reading")
            await self._read(run, warehouse, config, chosen(catalog, self.streams))
        finally:
            warehouse.close()
            self.database.install_views()

    async def _look(self, run: Run, warehouse: Warehouse, config: Json, catalog: list[Json]) -> None:
        """Make sure that the account is that of the file, and before a first sync learn how many contacts there are."""
        first = CONTACTS in self.streams and not await asyncio.to_thread(self.database.has_state, CONTACTS)
        run.changed("Asking how many contacts there are" if first else "Asking whose account it is")
        small = chosen(catalog, {"users", "lists"} if first else {"users"})
        async for batch in self.source.messages("read", {"config": config, "catalog": small}):
            for message in batch:
                if message["type"] == "RECORD" and message["record"]["stream"] == "users":
                    _claim(warehouse, message["record"]["data"])
                elif message["type"] == "RECORD" and not message["record"]["data"].get("is_deleted"):
                    run.progress.expect(message["record"]["data"])

    async def _read(self, run: Run, warehouse: Warehouse, config: Json, catalog: Json) -> None:
        progress: SyncProgress = run.progress
        states = await to_the_end(warehouse.prepare, catalog)
        files = {"config": config, "catalog": catalog, "state": states}
        async for batch in self.source.messages("read", files):
            for message in batch:
                if message["type"] == "RECORD":
                    progress.take(message["record"])
                    warehouse.add(message["record"])
                elif message["type"] == "STATE":
                    await to_the_end(warehouse.save, message["state"])
                    progress.saved = progress.total
                elif line := log_line(message):
                    run.log.append(line)
            run.changed()


def _claim(warehouse: Warehouse, account: Json) -> None:
    try:
        warehouse.claim(account)
    except OtherAccountError as error:
        raise WorkbenchError(str(error)) from None


def chosen(streams: Collection[Json], names: Collection[str]) -> Json:
    """Return a configured catalog of streams, read incrementally where they can be."""
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": "incremental" if "incremental" in stream["supported_sync_modes"] else "full_refresh",
                "destination_sync_mode": "append_dedup",
            }
            for stream in streams
            if stream["name"] in names
        ]
    }
