"""A raw stream: one row of the table, read partition by partition."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_unified.entities import Entity
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.request import Request
from source_mailchimp_unified.raw.cursors import Cursors
from source_mailchimp_unified.raw.pages import Items, Values, collection_request, keys_of_items, read_pages, without_links
from source_mailchimp_unified.raw.parents import AUDIENCES, NOT_FOR_US, Parents, Partitions, below_an_audience
from source_mailchimp_unified.raw.records import newest, records_of, times_of
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw.table import Collection, lineage, table
from source_mailchimp_unified.sync.account import moment_of_reply
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.shared import Shared
from source_mailchimp_unified.sync.state import HORIZON_MARGIN_SECONDS, epoch, moment_of
from source_mailchimp_unified.sync.streams import Session, Stream

PING = Request(path="/ping", what="the time")
"""https://mailchimp.com/developer/marketing/api/ping/ping/."""

REFUSALS = 20
"""After so many partitions that Mailchimp refuses, and none that it gives, a stream is not asked for any more."""


class Family:
    """What the raw streams of a sync read once for all: the parents, and the time."""

    def __init__(self, logger: logging.Logger) -> None:
        self.parents = Parents(logger)
        self._time: Shared[int] | None = None

    async def time(self, session: Session) -> int:
        """Return Mailchimp's time, in seconds since 1970."""

        async def ask() -> int:
            return int(moment_of_reply((await session.client.call(PING)).date).timestamp())

        self._time = self._time or Shared(ask)
        return await self._time.get()


@dataclass
class _Partition:
    """A partition on its way: the keys of its parents, and the newest time seen in it."""

    values: Values
    newest: str | None = None

    def see(self, moment: str | None) -> None:
        """Note a time that was seen."""
        self.newest = max(filter(None, (self.newest, moment)), default=None)


@dataclass
class RawStream(Stream):
    """Reads one collection. Without a cursor every sync reads it whole, whatever the sync mode says."""

    row: Collection
    shared: Family
    logger: logging.Logger
    incoming: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.full_refresh = self.full_refresh or self.row.cursor is None
        self._cursors = Cursors(self.name, {} if self.full_refresh else self.incoming)
        self._times = times_of(stream_schema(self.row))
        self._progress = Progress(self.logger)
        self._refused: list[MailchimpError] = []
        self._partitions = self._given = self._missing = 0
        self._horizon = 0

    def state(self) -> dict[str, Any]:
        """Return the cursors of the partitions."""
        return self._cursors.state()

    async def read(self, session: Session, output: Output) -> None:
        """Read all partitions, some at a time."""
        if not self.full_refresh:
            self._horizon = await self._time(session) - HORIZON_MARGIN_SECONDS
        partitions = await self._find_partitions(session)
        self.errors.extend(partitions.errors)
        self._announce(partitions.count)
        waiting = iter(partitions)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.config.num_workers, partitions.count)):
                group.create_task(self._read_partitions(waiting, session, output))
        self._finish()

    async def _time(self, session: Session) -> int:
        if below_an_audience(self.row):
            return int((await session.account.audiences()).seen_at.timestamp())
        return await self.shared.time(session)

    async def _find_partitions(self, session: Session) -> Partitions:
        if below_an_audience(self.row) and (error := (await session.account.audiences()).error()):
            self.errors.append(error)
        try:
            return await self.shared.parents.partitions(self.row, session)
        except NOT_FOR_US as error:
            self._refused.append(error)
            return Partitions()

    def _announce(self, partitions: int) -> None:
        self._partitions = partitions
        if partitions and self.row.on_request and self.row.parent is not None:
            parent = table()[self.row.parent.row].words
            self.logger.warning("The stream %s needs about %s requests, one for each of the %s.", self.name, f"{partitions:,}", parent)

    async def _read_partitions(self, waiting: Iterator[Values], session: Session, output: Output) -> None:
        for values in waiting:
            if len(self._refused) >= REFUSALS and not self._given:
                break
            try:
                await self._read_partition(_Partition(values), session, output)
            except NOT_FOR_US as error:
                self._refused.append(error)
            except Exception as error:  # noqa: BLE001 - the other partitions are read all the same
                self.errors.append(error)

    async def _read_partition(self, partition: _Partition, session: Session, output: Output) -> None:
        row, bounds = self.row, self._bounds(partition.values)
        for sweep in row.sweeps if bounds is not None else ():
            request = collection_request(row, partition.values, {**sweep, **(bounds or {}), **without_links(row)})
            async for items in read_pages(session.pager, row, request, keys_of_items(row), self._short):
                await output.emit(self._records(partition, items))
        self._given += 1
        self._progress.tell("%s: %s of %s parts read.", self.name, f"{self._given:,}", f"{self._partitions:,}")
        if not self.full_refresh and self._cursors.advance(partition.values, partition.newest, self._horizon):
            output.checkpoint()

    def _bounds(self, values: Values) -> dict[str, str] | None:
        """Return the parameters of the time to read; None when nothing is left of it.

        From the beginning no time is sent at all: what has none is read, too.
        """
        cursor, after = self.row.cursor, self._after(values)
        if cursor is None or after is None:
            return {}
        if self.full_refresh:
            return {cursor.since: moment_of(after)}
        if after >= self._horizon:
            return None
        return {cursor.since: moment_of(after), **({cursor.before: moment_of(self._horizon)} if cursor.before else {})}

    def _after(self, values: Values) -> int | None:
        """Return the second after which to read a partition, None for its beginning."""
        reached = self._cursors.of(values)
        if reached is not None or self.row.cursor is None or self.row.cursor.ignores_start_date or not self.config.start_date:
            return reached
        return epoch(self.config.start_date) - 1

    def _records(self, partition: _Partition, items: Items) -> Iterator[dict[str, Any]]:
        if self.row.name == AUDIENCES and self.config.list_ids:
            items = [item for item in items if item["id"] in self.config.list_ids]
        # Now, not when the records are emitted: the cursor may have moved by then.
        partition.see(newest(self.row, items))
        keys = {parent.column: value for parent, value in zip(lineage(self.row), partition.values, strict=True)}
        return records_of(self.row, items, keys, self._times)

    def _short(self, items: int) -> None:
        self._missing += items

    def _finish(self) -> None:
        """Say what was left out, once for the whole stream."""
        if not self.errors and not self._refused:
            self._cursors.forget_unvisited()
        if self._refused:
            share = f"{len(self._refused)} of {self._partitions} parts of the stream" if self._given else "The stream"
            self.logger.warning("%s %s left out: %s", share, self.name, self._refused[0].message)
        if self._missing:
            self.logger.warning("Mailchimp counts %s items more than it gives without pages: %s.", self._missing, self.name)


def raw_entity(row: Collection) -> Entity:
    """Return a row as what streams are made of."""
    return Entity(row.stream, row.primary_key, frozenset(), row.cursor.field if row.cursor else "")
