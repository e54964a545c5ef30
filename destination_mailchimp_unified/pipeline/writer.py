"""The pipeline: takes records and states, and hands each record to its audience."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.intake.described import shown, unmatched
from destination_mailchimp_unified.intake.lines import Input, Message, Record, StreamStatus, Unusable
from destination_mailchimp_unified.intake.objects import object_name
from destination_mailchimp_unified.intake.refreshes import ATTEMPT_VARIABLE
from destination_mailchimp_unified.intake.states import State
from destination_mailchimp_unified.intake.streams import Target
from destination_mailchimp_unified.pipeline.lane import Lane
from destination_mailchimp_unified.pipeline.leaving import Leaving
from destination_mailchimp_unified.pipeline.pacing import Pacing
from destination_mailchimp_unified.pipeline.reject_guard import RejectGuard
from destination_mailchimp_unified.pipeline.settlement import Settlement
from destination_mailchimp_unified.planning.changes import invalid
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import VALUE_TOO_DEEP, Outcome, rejected
from destination_mailchimp_unified.settling.rejected_records import BUFFERED_BYTES, Store
from destination_mailchimp_unified.settling.report import Report
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.loops import task_group
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import PAGE_SIZE

BATCHES_PER_WORKER = 2
"""Batches in memory for each worker: the one on its way, and the next, so that no worker waits for the plan."""

MOST_BYTES = 16 << 20
"""So many bytes of records are in memory at most, as they came in; more wait in the pipe."""

POLL_SECONDS = 0.1
"""How often a full pipeline looks whether anything is under way, and how long the first look at an audience waits for records."""

UNKNOWN_STREAM = rejected("its stream is not in the catalog")
NO_LIST = rejected("the record has no list_id and no default audience is set", field="list_id")


class Writer:
    """Writes one sync. `emit` takes each STATE message, as a line, once every record before it is settled.

    Belongs to the event loop that it is made on.
    """

    def __init__(
        self,
        client: MailchimpClient,
        config: DestinationConfig,
        targets: dict[StreamKey, Target],
        logger: logging.Logger,
        emit: Callable[[bytes], None],
        *,
        page_size: int = PAGE_SIZE,
        rejects: Store | None = None,
    ) -> None:
        self._client, self._config, self._targets, self._logger, self._rejects = client, config, targets, logger, rejects
        self._pager = Pager(client, logger, page_size)
        self._creation = Creation(client, logger, dry_run=config.dry_run)
        self._ledger = Ledger()
        self._report = Report(logger, asyncio.get_running_loop().time, dry_run=config.dry_run)
        self._guard = self._new_guard()
        self._settlement = self._new_settlement(emit)
        self._lanes: dict[str, Lane] = {}
        self._pacing = self._new_pacing()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._rows: Counter[StreamKey] = Counter()
        keep = rejects.add if rejects else lambda _: None
        self._leaving = Leaving(config, targets, self._pager, logger, keep, os.environ.get(ATTEMPT_VARIABLE))
        self._ledger.holds_last = self._leaving.may_come
        # Set when something has come, or the end.
        self._came = asyncio.Event()

    def _new_guard(self) -> RejectGuard | None:
        return RejectGuard(self._config.max_rejected_percent)

    def _new_settlement(self, emit: Callable[[bytes], None]) -> Settlement:
        return Settlement(self._ledger, self._report, self._guard, emit, self._rejects)

    def _new_pacing(self) -> Pacing:
        return Pacing(self._lanes)

    def _new_lane(self, audience: Audience, *, named: bool) -> Lane:
        return Lane(audience, self._config, self._pager, self._creation, self._settlement.settle, named=named)

    async def write(self, intake: Input) -> None:
        """Write everything that comes in. Raises what ends the sync."""
        try:
            async with task_group() as self._tasks:
                self._settlement.tasks = self._tasks
                await self._write(intake)
            if not (self._guard and self._guard.all_rejected(self._ledger.came)):
                await self._leaving.carry_out([lane.audience for lane in self._lanes.values()])
            self._ledger.holds_last = False
        finally:
            await self._settlement.finish()
        self._report.summary(self._ledger.tallies, self._leaving.summary, self._client.traffic, self._config.num_workers)
        if self._guard:
            self._guard.finish(self._ledger.came)

    async def _write(self, intake: Input) -> None:
        named = {self._config.list_id, *(target.list_id for target in self._targets.values())}
        lanes = [self._lane(list_id, named=True) for list_id in sorted(name for name in named if name)]
        self._tasks.create_task(self._open(lanes))
        await self._take_all(intake)
        self._pacing.all()
        for lane in lanes:
            await lane.opened.wait()
        self._warn_of_columns()
        while self._ledger.open_records:
            await self._wait_for_settling()
        # The group takes no more tasks.
        self._settlement.end()
        for task in self._running.values():
            task.cancel()

    def _warn_of_columns(self) -> None:
        for target in self._targets.values():
            audience = self._lanes[target.list_id].audience if target.list_id else None
            if audience and audience.known and (missing := unmatched(target.columns, list(audience.merge_fields))):
                self._logger.warning(
                    "Stream %s: the audience %s has no field for %s. These columns are not written.",
                    target.name, object_name(audience.name, audience.id), shown(missing),
                )  # fmt: skip

    async def _open(self, lanes: list[Lane]) -> None:
        """Look at the audiences that are named before any record; what comes first tells what must be known of them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._came.wait()
        for lane in lanes:
            lane.wake()

    async def _take_all(self, intake: Input) -> None:
        while True:
            if intake.empty:
                self._pacing.input_pauses()
            messages = await intake.take()
            for message in messages or ():
                self._take(message)
            self._came.set()
            if messages is None:
                return
            self._pacing.came(self._ledger.came, self._ledger.came_before_state)
            if self._ledger.may_release:
                self._settlement.release()
            # Other tasks must run too, even when there is always more to take.
            await asyncio.sleep(0)
            while self._is_full():
                await self._wait_for_settling()
            while self._rejects_wait():
                # Rejects that came while others were put are put next.
                self._settlement.release()
                await self._wait_for_settling()

    def _rejects_wait(self) -> bool:
        return self._rejects is not None and self._rejects.pending >= BUFFERED_BYTES

    def _is_full(self) -> bool:
        most = BULK_SIZE * BATCHES_PER_WORKER * self._config.num_workers
        return self._ledger.open_records >= most or self._ledger.open_bytes >= MOST_BYTES

    async def _wait_for_settling(self) -> None:
        """Wait until a record is settled; where nothing is under way, no batch is going to fill."""
        # Not wait_for, which may swallow a cancellation: https://github.com/python/cpython/issues/86296.
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._settlement.progress()
        except TimeoutError:
            if all(lane.idle for lane in self._lanes.values()):
                self._pacing.all()

    def _take(self, message: Message) -> None:
        if isinstance(message, StreamStatus):
            self._leaving.note_status(message.stream, message.status)
            return
        if isinstance(message, State):
            self._ledger.mark(message)
        elif isinstance(message, Record) and (target := self._targets.get(message.stream)):
            self._take_record(message, target)
        else:
            self._leaving.note_line()
            outcome = rejected(message.reason) if isinstance(message, Unusable) else UNKNOWN_STREAM
            epoch = self._ledger.admit()
            self._settlement.settle(Entry(NOWHERE, epoch, self._ledger.came, line=self._kept(message)), "", outcome)

    def _take_record(self, record: Record, target: Target) -> None:
        self._rows[target.key] += 1
        size = len(record.line)
        epoch = self._ledger.admit(size)
        entry = Entry(target.key, epoch, self._ledger.came, self._rows[target.key], size, self._kept(record))
        try:
            arrival = target.arrival(entry, record.columns)
        except InvalidValueError as error:
            self._leaving.note_unreadable(target, record.columns)
            self._reject(entry, record, target, invalid(error))
            return
        except RecursionError:
            # JSON in the text of a cell can be deeper than that of a record may be.
            self._leaving.note_line()
            self._settlement.settle(entry, "", VALUE_TOO_DEEP)
            return
        list_id = target.list_id or arrival.contact.unified.get("list_id") or self._config.list_id
        self._leaving.note(arrival, list_id)
        if list_id:
            self._lane(list_id, named=False).add(arrival)
        else:
            self._reject(entry, record, target, NO_LIST)

    def _reject(self, entry: Entry, record: Record, target: Target, outcome: Outcome) -> None:
        email = target.columns.email_text(record.columns)
        self._settlement.settle(entry, subscriber_hash(email) if "@" in email else "", outcome)

    def _kept(self, message: Record | Unusable) -> bytes:
        """Return the line of a message where it may be wanted again, else nothing: it would only fill the memory."""
        return message.line if self._rejects else b""

    def _lane(self, list_id: str, *, named: bool) -> Lane:
        if list_id not in self._lanes:
            lane = self._new_lane(Audience(list_id), named=named)
            self._lanes[list_id] = lane
            self._running[list_id] = self._tasks.create_task(lane.run(self._tasks))
        return self._lanes[list_id]
