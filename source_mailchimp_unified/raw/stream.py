"""A raw stream: one row of the table, read partition by partition."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.entities import Entity
from mailchimp_unified.errors import BugError, NotFoundError
from source_mailchimp_unified.raw.common import Common
from source_mailchimp_unified.raw.cost import NOTEWORTHY_REQUESTS, Cost
from source_mailchimp_unified.raw.entering import ended_before, mark, requests_for, settled, size_of
from source_mailchimp_unified.raw.pages import collection_request, keys_of_items, read_pages, without_links
from source_mailchimp_unified.raw.parents import AUDIENCES, NOT_FOR_US, Partition, Partitions, below_an_audience
from source_mailchimp_unified.raw.positions import MOST_KNOWN, Positions
from source_mailchimp_unified.raw.reading import Reading
from source_mailchimp_unified.raw.records import times_of
from source_mailchimp_unified.raw.refusals import Refusals
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, table
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.state import HORIZON_MARGIN_SECONDS
from source_mailchimp_unified.sync.streams import Session, Stream

SETTLING_SECONDS = 600
"""After so long all that a report tells of can be read: the latest seen was a bounce after 226 s; Estuary's connector waits as long."""


@dataclass
class RawStream(Stream):
    """Reads one collection. What is not followed is read whole by every sync, in both sync modes."""

    row: Collection
    shared: Common
    logger: logging.Logger
    incoming: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.full_refresh = self.full_refresh or self.row.follows == "whole"
        self._positions = Positions(self.name, {} if self.full_refresh else self.incoming)
        self._start = epoch(self.config.start_date) if self.config.start_date else None
        self._lookback = max(self.row.cursor.lookback_seconds, self.config.lookback_seconds) if self.row.cursor else None
        self._times = times_of(stream_schema(self.row))
        self._progress = Progress(self.logger)
        noteworthy = 0 if self.row.on_request else NOTEWORTHY_REQUESTS
        self._cost = Cost(f"The stream {self.name} needs", self.logger, noteworthy)
        self._refusals = Refusals()
        self._entered = self._odd = self._keyless = 0
        self._horizon = self._limit = 0
        self._restart()

    def state(self) -> dict[str, Any]:
        """Return what is known of the partitions."""
        return self._positions.state()

    async def read(self, session: Session, output: Output) -> None:
        """Read all partitions that can have something new, some at a time."""
        if self._needs_time():
            self._horizon = await self._time(session) - HORIZON_MARGIN_SECONDS
            # By the earlier of both clocks, so that a wrong one hides nothing from later syncs.
            self._limit = min(self._horizon, int(self.shared.now()))
        partitions = await self._find_partitions(session)
        self.errors.extend(partitions.errors)
        self._announce(partitions, output)
        asked = self._refusals.asked(iter(partitions))
        await self._read_all(asked, session, output)
        await self._read_all(self._refusals.passed_over(iter(partitions)), session, output)
        await self._believe_refusals(session)
        self._finish()

    async def _believe_refusals(self, session: Session) -> None:
        """Take for missing what an audience must have, since others have it: it is refused, and the audience is there."""
        if self.row.parent is None or self.row.parent.row != AUDIENCES or not self._refusals.given:
            return
        for partition, error in list(self._refusals.not_found):
            [list_id] = partition.values
            if not await session.account.is_gone(str(list_id)):
                self.errors.append(error)
                self._refusals.errors.remove(error)

    def _restart(self) -> None:
        """Forget a state that this sync cannot continue from, and say so."""
        positions, start = self._positions, self.config.start_date
        earlier = positions.start_date is not None and (start is None or epoch(start) < epoch(positions.start_date))
        if self.row.follows != "cursor" and positions.of_cursors_only:
            self.logger.warning("%s: this version tracks changes differently; reading it in full once.", self.name)
            positions.clear()
        elif earlier and not positions.empty:
            self.logger.warning("%s: start_date is earlier than in the last sync; reading again from that date.", self.name)
            positions.clear()
        if not self.full_refresh:
            positions.start_date = start

    def _needs_time(self) -> bool:
        tells = self.row.parent is not None and bool(self.row.parent.tells)
        return not self.full_refresh and (self.row.cursor is not None or tells)

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
            self._refusals.refuse(error)
            return Partitions()

    def _announce(self, partitions: Partitions, output: Output) -> None:
        parent = self.row.parent
        expected = [requests_for(parent, one.told) for one in partitions if self._enters(one)]
        self._entered = len(expected)
        self._refusals.expect(self._entered)
        if parent and parent.size and self._start is None and self._positions.empty:
            output.estimate(sum(size_of(parent, one.told) for one in partitions))
        self._cost.expect(sum(expected) * len(self.row.listings), self._entered, table()[parent.row].words if parent else "")

    def _enters(self, partition: Partition) -> bool:
        """Return whether a partition can have something new."""
        parent = self.row.parent
        if parent is None or not parent.dates:
            return True
        if ended_before(parent, partition.told, self._start):
            return False
        now = mark(parent, partition.told)
        return self.full_refresh or now is None or now != self._positions.parent(partition.values)

    async def _read_all(self, waiting: Iterator[Partition], session: Session, output: Output) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.config.num_workers):
                group.create_task(self._read_some(waiting, session, output))

    async def _read_some(self, waiting: Iterator[Partition], session: Session, output: Output) -> None:
        for partition in waiting:
            if not self._enters(partition):
                self._positions.keep(partition.values)
                continue
            try:
                await self._asked_twice(partition, session, output)
            except NOT_FOR_US as error:
                self._refusals.refuse(error, partition)
            except Exception as error:  # noqa: BLE001 - the other partitions are read all the same
                self._refusals.fail()
                self.errors.append(error)

    async def _asked_twice(self, partition: Partition, session: Session, output: Output) -> None:
        try:
            await self._read_partition(partition, session, output)
        except NotFoundError:
            # One 404 may be trouble in passing; a second one is an answer.
            await self._read_partition(partition, session, output)

    async def _read_partition(self, partition: Partition, session: Session, output: Output) -> None:
        row = self.row
        position = self._positions.open(partition.values, self._lookback, self._horizon)
        reading = Reading(row, partition.values, position, self._after(position.cursor), self._limit, self._times, self.config.list_ids)
        counted = self._cost.count(requests_for(row.parent, partition.told))
        for listing in row.listings:
            request = collection_request(
                row, partition.values, {**listing, **self._bounds(position.cursor), **self._options(), **without_links(row)}
            )
            async for items in read_pages(session.pager, row, request, keys_of_items(row), counted):
                await output.emit(reading.records(items, remember=not self.full_refresh))
        self._odd += reading.odd
        self._keyless += reading.keyless
        self._refusals.give()
        self._progress.tell("%s: %s of %s partitions read.", self.name, f"{self._refusals.given:,}", f"{self._entered:,}")
        if not self.full_refresh and self._positions.close(partition.values, position, self._settled(partition)):
            output.checkpoint()

    def _settled(self, partition: Partition) -> str | None:
        """Return the mark of a partition's parent when nothing that it tells of can be left to be read."""
        now, before = mark(self.row.parent, partition.told), self._positions.parent(partition.values)
        return now if now is not None and settled(before, now, self._limit, self._lookback or SETTLING_SECONDS) else None

    def _options(self) -> dict[str, str]:
        return {
            name: value for option, params in self.row.options.items() if getattr(self.config, option) for name, value in params.items()
        }

    def _bounds(self, reached: int | None) -> dict[str, str]:
        """Return the parameters of the time to read.

        From the beginning no time is sent at all: what has none is read, too.
        """
        cursor, after = self.row.cursor, self._after(reached)
        if cursor is None or cursor.since is None or after is None:
            return {}
        until = {cursor.before: moment_of(self._horizon)} if cursor.before and not self.full_refresh else {}
        return {cursor.since: moment_of(after), **until}

    def _after(self, reached: int | None) -> int | None:
        """Return the second after which to read a partition whose newest time is `reached`, None for its beginning."""
        began = None if self._start is None else self._start - 1
        if reached is None or self._lookback is None:
            return began
        again = reached - self._lookback
        return again if began is None else max(again, began)

    def _finish(self) -> None:
        """Say what was left out, once for the whole stream."""
        if not self.errors and not self._refusals.errors:
            self._positions.forget_unvisited()
        if self._odd:
            self.errors.append(BugError(f"{self._odd:,} {self.row.words} are not objects and were skipped; all others were read."))
        for words in self._warnings():
            self.logger.warning("%s", words)

    def _warnings(self) -> Iterator[str]:
        refused = self._refusals
        if refused.errors:
            share = f"{len(refused.errors):,} of {self._entered:,} partitions of" if refused.given else "the stream"
            yield f"Skipped {share} {self.name}: {refused.errors[0].message}"
        if refused.unasked:
            yield f"{self.name}: nothing could be read, so {refused.unasked:,} more partitions were not requested."
        if self._keyless:
            keys = ", ".join(self.row.primary_key)
            yield f"{self._keyless:,} records of {self.name} are missing part of their key ({keys}): a destination that deduplicates may keep only one of them."
        if self._positions.in_the_future:
            yield f"The saved state of {self.name} is in the future, so a clock was wrong when it was saved. Reading the data that it covers again."
        if self._positions.forgotten:
            yield (
                f"The state of {self.name} keeps {MOST_KNOWN:,} versions at most:"
                f" {self._positions.forgotten:,} more records will be emitted again by the next sync."
            )


def raw_entity(row: Collection) -> Entity:
    """Return a row as what streams are made of."""
    return Entity(row.stream, row.primary_key, row.cursor.field if row.cursor else "")
