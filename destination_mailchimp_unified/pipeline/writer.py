"""The pipeline: takes records and states, hands records to their audiences, and gives back the states that are settled."""

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
from destination_mailchimp_unified.intake.lines import Input, Message, Record, StreamStatus, Unusable
from destination_mailchimp_unified.intake.refreshes import ATTEMPT_VARIABLE
from destination_mailchimp_unified.intake.states import State
from destination_mailchimp_unified.intake.streams import Target
from destination_mailchimp_unified.pipeline.lane import Lane
from destination_mailchimp_unified.pipeline.leaving import Leaving
from destination_mailchimp_unified.pipeline.pacing import Pacing
from destination_mailchimp_unified.pipeline.reject_guard import RejectGuard
from destination_mailchimp_unified.planning.changes import invalid
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import Outcome, rejected
from destination_mailchimp_unified.settling.rejected_records import Store, line_of
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

BEAT_SECONDS = 0.1
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
        self._client, self._config, self._targets, self._logger, self._emit = client, config, targets, logger, emit
        self._pager = Pager(client, logger, page_size)
        self._ledger = Ledger()
        self._rejects = rejects
        self._keeping: asyncio.Task[None] | None = None
        self._creation = Creation(client, logger, dry_run=config.dry_run)
        self._guard = RejectGuard(config.max_rejected_percent)
        self._report = Report(logger, asyncio.get_running_loop().time, dry_run=config.dry_run)
        self._pacing = Pacing(self._hurry)
        self._lanes: dict[str, Lane] = {}
        self._tasks = asyncio.TaskGroup()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._rows: Counter[StreamKey] = Counter()
        self._number = 0
        self._ended = False
        keep = rejects.add if rejects else lambda _: None
        self._leaving = Leaving(config, targets, self._pager, logger, keep, os.environ.get(ATTEMPT_VARIABLE))
        self._ledger.holds_last = self._leaving.may_come
        # Set when a record is settled, until the states that it held back are released.
        self._settled = asyncio.Event()

    async def write(self, intake: Input) -> None:
        """Write everything that comes in. Raises what ends the sync."""
        try:
            async with task_group() as self._tasks:
                await self._write(intake)
            if not self._guard.all_rejected(self._number):
                await self._leaving.carry_out([lane.audience for lane in self._lanes.values()])
            self._ledger.holds_last = False
        finally:
            self._ended = True
            await self._keep_and_release()
        self._report.summary(self._ledger.tallies, self._leaving.summary, self._client.traffic, self._config.num_workers)
        self._guard.finish(self._number)

    async def _write(self, intake: Input) -> None:
        named = {self._config.list_id, *(target.list_id for target in self._targets.values())}
        lanes = [self._lane(list_id, named=True) for list_id in sorted(name for name in named if name)]
        self._tasks.create_task(self._open(lanes, intake))
        await self._take_all(intake)
        self._pacing.all()
        for lane in lanes:
            await lane.opened.wait()
        while self._ledger.open_records:
            await self._wait_for_settling()
        # The group takes no more tasks: what is left to be released is released after it.
        self._ended = True
        for task in self._running.values():
            task.cancel()

    async def _open(self, lanes: list[Lane], intake: Input) -> None:
        """Look at the audiences that are named before any record; what comes first tells what must be known of them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await intake.wait()
        await asyncio.sleep(0)
        for lane in lanes:
            lane.look()

    # What comes in.

    async def _take_all(self, intake: Input) -> None:
        while True:
            if intake.empty:
                self._pacing.input_pauses()
            messages = await intake.take()
            self._pacing.input_goes_on()
            if messages is None:
                return
            for message in messages:
                self._take(message)
            self._release()
            # Other tasks must run too, even when there is always more to take.
            await asyncio.sleep(0)
            while self._is_full():
                await self._wait_for_settling()

    def _is_full(self) -> bool:
        most = BULK_SIZE * BATCHES_PER_WORKER * self._config.num_workers
        return self._ledger.open_records >= most or self._ledger.open_bytes >= MOST_BYTES

    def _take(self, message: Message) -> None:
        if isinstance(message, StreamStatus):
            self._leaving.note_status(message.stream, message.status)
            return
        if isinstance(message, State):
            self._ledger.mark(message)
            self._pacing.state()
            return
        self._number += 1
        if isinstance(message, Record) and (target := self._targets.get(message.stream)):
            self._take_record(message, target)
        else:
            self._leaving.note_line()
            outcome = rejected(message.reason) if isinstance(message, Unusable) else UNKNOWN_STREAM
            self._settle(Entry(NOWHERE, self._ledger.admit(), self._number, line=self._kept(message.line)), "", outcome)

    def _take_record(self, record: Record, target: Target) -> None:
        self._rows[target.key] += 1
        size = len(record.line)
        number, row = self._number, self._rows[target.key]
        entry = Entry(target.key, self._ledger.admit(size), number, row, size, self._kept(record.line))
        self._pacing.record(self._number)
        try:
            arrival = target.arrival(entry, record.columns)
        except InvalidValueError as error:
            self._leaving.note_unreadable(target, record.columns)
            self._reject(entry, record, target, invalid(error))
            return
        list_id = target.list_id or arrival.contact.unified.get("list_id") or self._config.list_id
        self._leaving.note(arrival, list_id)
        if list_id:
            self._lane(list_id, named=False).add(arrival)
        else:
            self._reject(entry, record, target, NO_LIST)

    def _reject(self, entry: Entry, record: Record, target: Target, outcome: Outcome) -> None:
        email = target.columns.email_text(record.columns)
        self._settle(entry, subscriber_hash(email) if "@" in email else "", outcome)

    def _kept(self, line: bytes) -> bytes:
        """Return a line where it may be wanted again, else nothing: it would only fill the memory."""
        return line if self._rejects else b""

    def _lane(self, list_id: str, *, named: bool) -> Lane:
        if list_id not in self._lanes:
            lane = self._new_lane(Audience(list_id), named=named)
            self._lanes[list_id] = lane
            self._running[list_id] = self._tasks.create_task(lane.run(self._tasks))
        return self._lanes[list_id]

    def _new_lane(self, audience: Audience, *, named: bool) -> Lane:
        return Lane(audience, self._config, self._pager, self._creation, self._settle, named=named)

    def _hurry(self, number: int) -> None:
        for lane in self._lanes.values():
            lane.hurry(number)

    # What becomes of it.

    def _settle(self, entry: Entry, contact_id: str, outcome: Outcome) -> None:
        self._ledger.settle(entry, outcome)
        self._report.note(entry, contact_id, outcome)
        if self._rejects and (outcome.kind == "rejected" or self._config.dry_run):
            self._rejects.add(line_of(entry, contact_id, outcome))
        self._report.progress(self._ledger.tallies, self._ledger.open_records)
        if not self._settled.is_set():
            self._settled.set()
            asyncio.get_running_loop().call_soon(self._release)
        self._guard.note(outcome, self._number)

    def _release(self) -> None:
        self._settled.clear()
        if not (self._rejects and self._rejects.pending):
            for state in self._ledger.released():
                self._emit(state)
        elif not self._ended and (self._keeping is None or self._keeping.done()):
            self._keeping = self._tasks.create_task(self._keep_and_release())

    async def _keep_and_release(self) -> None:
        """Release states once the rejected records before them are safe."""
        while True:
            states = list(self._ledger.released())
            if self._rejects and self._rejects.pending:
                await self._rejects.flush()
            for state in states:
                self._emit(state)
            if not states:
                return

    async def _wait_for_settling(self) -> None:
        """Wait until a record is settled; where nothing is under way, no batch is going to fill."""
        # What has just been settled releases its states first; a wait for what is there already would let nobody else work.
        await asyncio.sleep(0)
        # Not wait_for, which may swallow a cancellation: https://github.com/python/cpython/issues/86296.
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await self._settled.wait()
        except TimeoutError:
            if all(lane.idle for lane in self._lanes.values()):
                self._pacing.all()
