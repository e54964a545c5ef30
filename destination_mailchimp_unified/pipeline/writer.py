"""The pipeline: pending records -> plan -> requests -> outcomes -> states, while input goes on being read."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.preparing import know_statuses, look_up, open_audience
from destination_mailchimp_unified.config import ALL_PERCENT, DestinationConfig
from destination_mailchimp_unified.intake.lines import Record, State, StreamKey
from destination_mailchimp_unified.intake.streams import Target
from destination_mailchimp_unified.pipeline.flows import Flow, Flows
from destination_mailchimp_unified.pipeline.lane import Lane
from destination_mailchimp_unified.planning.changes import Change, Entry, Waiting
from destination_mailchimp_unified.planning.plan import BULK_SIZE, Batch, plan
from destination_mailchimp_unified.planning.tags import is_managed
from destination_mailchimp_unified.sending import bulk, single
from destination_mailchimp_unified.sending.single import Scope
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import Outcome, rejected
from destination_mailchimp_unified.settling.report import Report
from mailchimp_unified.client import MailchimpClient, Reply, Request
from mailchimp_unified.entities.entity import rfc3339
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.errors import ConfigError, NotFoundError
from mailchimp_unified.pool import RequestPool

BATCHES_PER_WORKER = 2
"""Batches in memory for each worker: the one on its way, and the next, so that no worker waits for the plan."""

STATE_SECONDS = 0.2
"""How long a state waits for more input to fill its batches, when there is more."""

IDLE_SECONDS = 1.0
"""After so long without input, what waits is sent."""

AGE_SECONDS = 30.0
"""No record waits longer than this for a batch to fill."""

MIN_RECORDS_TO_JUDGE = 100
"""Records that must have come before their share of rejects means anything."""

MIN_RECORDS_ALL_REJECTED = 1000
"""The same where only a sync is stopped all of whose records are rejected: tables may begin with rows without an address."""


class Writer:
    """Takes records and states, gives back the states that may be acknowledged. Raises what ends the sync.

    Everything runs on the caller's thread but the requests; `wake` is called when an answer has come.
    """

    def __init__(
        self,
        client: MailchimpClient,
        config: DestinationConfig,
        targets: dict[StreamKey, Target],
        logger: logging.Logger,
        wake: Callable[[], None],
    ) -> None:
        self.ledger = Ledger()
        self._client, self._config, self._targets, self._logger = client, config, targets, logger
        self._report = Report(logger, dry_run=config.dry_run)
        self._pool: RequestPool[tuple[Any, int]] = RequestPool(self._call, config.num_workers, wake, config.num_workers)
        self._flows = Flows(self._pool)
        self._lanes: dict[str, Lane] = {}
        self._restless: dict[str, Lane] = {}
        self._most_records = BULK_SIZE * BATCHES_PER_WORKER * config.num_workers
        self._number = 0
        self._rejected = 0
        self._last_record = self._oldest = self._state_came = 0.0
        self._state_number = 0
        self._began = ""
        self._first_reply = threading.Lock()

    # What comes in.

    def open(self) -> None:
        """Look at the audiences that are named before any record, as soon as `advance` is called."""
        named = {self._config.list_id, *(target.list_id for target in self._targets.values())}
        for list_id in sorted(name for name in named if name):
            lane = self._lane(list_id)
            lane.named = True
            self._nudge(lane)

    @property
    def opening(self) -> bool:
        """Whether a named audience was not looked at yet."""
        return any(lane.named and not lane.audience.known for lane in self._lanes.values())

    def add(self, record: Record) -> bool:
        """Take a record. Returns False for one of a stream that is not in the catalog."""
        target = self._targets.get(record.stream)
        if target is None:
            return False
        self._number += 1
        entry = Entry(target.key, self.ledger.admit(target.key), self._number)
        now = time.monotonic()
        self._last_record = now
        self._oldest = self._oldest or now
        try:
            arrival = target.arrival(entry, record.columns)
        except InvalidValueError as error:
            self._settle(target.columns.email_text(record.columns), entry, rejected(f"{error.tag}: {error.reason}"))
            return True
        list_id = target.list_id or arrival.contact.unified.get("list_id") or self._config.list_id
        if not list_id:
            self._settle(
                target.columns.email_text(record.columns), entry, rejected("the record names no audience, and there is no default")
            )
            return True
        lane = self._lane(list_id)
        if lane.gone:
            self._settle(target.columns.email_text(record.columns), entry, lane.gone)
            return True
        lane.arrived.append(arrival)
        if len(lane.arrived) >= BULK_SIZE:
            self._nudge(lane)
        return True

    def mark(self, state: State) -> None:
        """Take a state: it is released once every record before it is settled."""
        self.ledger.mark(state.message, state.stream)
        self._state_number = self._number
        self._state_came = self._state_came or time.monotonic()

    # What goes on.

    @property
    def has_room(self) -> bool:
        """Whether more records may be taken."""
        return self.ledger.open_records < self._most_records

    def advance(self, *, input_waits: bool, ended: bool) -> bool:
        """Do what can be done now, without waiting. Returns whether anything was done. Raises what ends the sync."""
        came = self._flows.deliver()
        self._push(input_waits=input_waits, ended=ended)
        moved = bool(self._restless)
        while self._restless:
            _, lane = self._restless.popitem()
            if not lane.preparing:
                lane.preparing, lane.nudged = True, False
                self._flows.start(self._prepare(lane))
        self._report.progress(self.ledger.tallies, self.ledger.open_records)
        return came or moved

    def released(self) -> Iterator[dict[str, Any]]:
        """Yield the STATE messages that may be acknowledged now."""
        yield from self.ledger.released()

    def close(self) -> None:
        """Let the workers end."""
        self._pool.close()

    def summarize(self, left_out: int) -> None:
        """Log what became of the records, and what it took."""
        self._report.summary(self.ledger.tallies, left_out, self._client.traffic, self._config.num_workers)

    def _push(self, *, input_waits: bool, ended: bool) -> None:
        """Decide whether what waits shall go now rather than wait for a full batch."""
        now = time.monotonic()
        stuck = not self.has_room and not self._flows.requests_open
        idle = not input_waits and self._oldest and now - self._last_record > IDLE_SECONDS
        old = self._oldest and now - self._oldest > AGE_SECONDS
        if ended or stuck or idle or old:
            self._hurry(self._number)
            self._oldest = 0.0
        elif self._state_came and (not input_waits or now - self._state_came > STATE_SECONDS):
            self._hurry(self._state_number)
        else:
            return
        self._state_came = 0.0

    def _hurry(self, number: int) -> None:
        """Let every record up to this number go."""
        for lane in self._lanes.values():
            if lane.pending and lane.due_before <= number:
                lane.due_before = number + 1
                self._nudge(lane)

    def _nudge(self, lane: Lane) -> None:
        lane.nudged = True
        if not lane.preparing:
            self._restless[lane.list_id] = lane

    def _lane(self, list_id: str) -> Lane:
        if list_id not in self._lanes:
            self._lanes[list_id] = Lane(Audience(list_id), Waiting(is_managed(self._config.managed_tags)))
        return self._lanes[list_id]

    # One lane: what must be known, then the plan, then the calls.

    def _prepare(self, lane: Lane) -> Flow[None]:
        if not lane.audience.known:
            try:
                yield from open_audience(lane, self._config, self._logger)
            except NotFoundError:
                self._drop(lane)
                lane.preparing = False
                return
        yield from look_up(lane, self._config, self._logger)
        for email, entry, outcome in lane.absorb(self._config):
            self._settle(email, entry, outcome)
        yield from know_statuses(lane, self._config)
        lane.preparing = False
        self._send(lane)
        if lane.nudged:
            self._restless[lane.list_id] = lane

    def _drop(self, lane: Lane) -> None:
        lane.gone = rejected(f"there is no audience {lane.list_id}")
        for arrival in lane.arrived:
            self._settle(str(arrival.contact.unified.get("email") or ""), arrival.entry, lane.gone)
        lane.arrived = []

    def _send(self, lane: Lane) -> None:
        scope = Scope(lane.audience, self._config, self._began)
        made = plan(lane.waiting.heads(lane.on_their_way), lane.audience, self._config, lane.is_due)
        taken = [*(change for change, _ in made.settled), *made.singles, *(change for batch in made.batches for change in batch.changes)]
        for change in taken:
            lane.take(change)
        for change, outcome in made.settled:
            self._settle_change(lane, change, outcome)
        for batch in made.batches:
            self._flows.start(self._carry_out(lane, batch, scope))
        lane.written_singly += len(made.singles)
        for change in made.singles:
            self._flows.start(self._carry_out_singly(lane, change, scope))

    def _carry_out(self, lane: Lane, batch: Batch, scope: Scope) -> Flow[None]:
        if self._config.dry_run:
            for change in batch.changes:
                yield from self._carry_out_singly(lane, change, scope)
            return
        settled = yield from bulk.carry_out(batch, scope)
        for change, outcome in settled.outcomes:
            self._settle_change(lane, change, outcome)
        for change in settled.left:
            self._flows.start(self._carry_out_singly(lane, change, scope))

    def _carry_out_singly(self, lane: Lane, change: Change, scope: Scope) -> Flow[None]:
        way = single.rehearse if self._config.dry_run else single.carry_out
        outcome = yield from way(change, scope)
        self._settle_change(lane, change, outcome)

    def _settle_change(self, lane: Lane, change: Change, outcome: Outcome) -> None:
        lane.on_their_way.discard(change.id)
        if change.id in lane.waiting:
            self._nudge(lane)
        for entry in change.entries:
            self._settle(change.email, entry, outcome)

    def _settle(self, email: str, entry: Entry, outcome: Outcome) -> None:
        self.ledger.settle(entry.stream, entry.epoch, outcome)
        self._report.note(entry.stream, email, outcome)
        self._rejected += outcome.kind == "rejected"
        self._judge()

    def _judge(self) -> None:
        most = self._config.max_rejected_percent
        if most is None or not self._rejected:
            return
        least = MIN_RECORDS_ALL_REJECTED if most >= ALL_PERCENT else MIN_RECORDS_TO_JUDGE
        # Those under way count as good: what is refused here is settled sooner than what Mailchimp takes.
        if self._number >= least and self._rejected * ALL_PERCENT >= most * self._number:
            raise ConfigError(
                f"{self._rejected} of {self._number} records were rejected, and max_rejected_percent is {most:g}: the sync was stopped."
                f" Please look at the reasons in the log, and at the mapping."
            )

    def _call(self, request: Request) -> Reply:
        reply = self._client.call(request)
        with self._first_reply:
            self._began = self._began or (rfc3339(reply.date) if reply.date else "")
        return reply
