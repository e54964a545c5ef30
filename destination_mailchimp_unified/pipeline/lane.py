"""The way of one audience's records: from what arrived to changes, plan, calls and outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.described import shown
from destination_mailchimp_unified.intake.mapping import check_audience, unmapped_required
from destination_mailchimp_unified.intake.objects import object_name
from destination_mailchimp_unified.pipeline.backlog import Backlog
from destination_mailchimp_unified.pipeline.preparing import Preparation
from destination_mailchimp_unified.planning.changes import SUPERSEDED, Change, change_of, invalid
from destination_mailchimp_unified.planning.consent import notes
from destination_mailchimp_unified.planning.plan import Batch, Plan, plan
from destination_mailchimp_unified.sending import bulk, dry_run, single
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.settling.outcomes import UNCHANGED, UPDATED, VALUE_TOO_DEEP, WITHOUT, Outcome, rejected
from mailchimp_unified import endpoints
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.errors import ConfigError, NotFoundError
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.paging import Pager
from mailchimp_unified.patience import Patience

LONGEST_SECONDS = Patience().total
"""A contact whose bulk calls fail for so long goes by a call of its own. Each of them is only tried while the statuses are fresh."""

Settle = Callable[[Entry, str, Outcome], None]
"""Takes a record, the id of its contact ("" when it has none), and what became of it."""


class Lane:
    """Writes the records of one audience. `named` tells that the configuration or the catalog names it: then it must be there."""

    def __init__(
        self, audience: Audience, config: DestinationConfig, pager: Pager, creation: Creation, settle: Settle, *, named: bool
    ) -> None:
        self.audience = audience
        self.opened = asyncio.Event()
        self._config, self._logger, self._settle, self._named = config, creation.logger, settle, named
        self._backlog = self._new_backlog()
        self._preparation = Preparation(audience, self._backlog, config, pager, creation)
        self._scope = Scope(audience, config, pager, NewContacts(audience, config.max_new_contacts))
        # Contacts whose change is on its way: no other of theirs may go before it is settled.
        self._on_their_way: set[str] = set()
        # Contacts whose changes are waited for by a change of their email address.
        self._awaited: set[str] = set()
        self._wanted = asyncio.Event()
        self._working = asyncio.Lock()
        self._gone: Outcome | None = None
        # Records with a smaller number do not wait for a full batch.
        self._due_before = 0
        # When contacts were first planned again because what was known of them had aged.
        self._stale_since: dict[str, float] = {}

    def _new_backlog(self) -> Backlog:
        return Backlog(self.audience, self._config)

    # What comes in.

    def add(self, arrival: Arrival) -> None:
        """Take a record."""
        if self._gone:
            self._settle(arrival.entry, _contact_id(arrival), self._gone)
            return
        self._backlog.arrived.append(arrival)
        if len(self._backlog.arrived) >= BULK_SIZE:
            self.wake()

    def flush(self, number: int) -> None:
        """Let every record up to this number go without waiting for a full batch."""
        if not self._backlog.is_empty and self._due_before <= number:
            self._due_before = number + 1
            self.wake()

    def wake(self) -> None:
        """Look at what waits."""
        self._wanted.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (self._on_their_way or self._wanted.is_set() or self._working.locked())

    # What goes out.

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Write what comes, until canceled; `tasks` takes the calls. Raises what ends the sync."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            async with self._working:
                try:
                    await self._write(tasks)
                except NotFoundError as error:
                    await self._close(error)

    async def _write(self, tasks: asyncio.TaskGroup) -> None:
        if not self.audience.known:
            await self._preparation.open()
            self._check()
            self.opened.set()
        await self._preparation.look_up()
        self._absorb()
        await self._know_statuses(tasks)
        self._send(tasks)

    async def _know_statuses(self, tasks: asyncio.TaskGroup) -> None:
        await self._preparation.know_statuses()

    def _check(self) -> None:
        if self._named:
            check_audience(self._config, self.audience)
            required = unmapped_required(self._config, self.audience) if self._config.required_fields == "enforce" else []
            if required:
                self._logger.info("Audience %s requires %s: contacts missing one are not created.", self.audience.id, ", ".join(required))

    async def _close(self, error: NotFoundError) -> None:
        """Reject what waits for an audience that is not there. Raises ConfigError for one that was named and never there."""
        if self._named and not self.opened.is_set():
            there = [object_name(row.get("name"), str(row["id"])) for row in await self._scope.pager.all(endpoints.AUDIENCES)]
            raise ConfigError(
                f"There is no audience {self.audience.id}. Correct list_id or choose the destination object again."
                f" The account has: {shown(there) if there else 'none'}.",
                detail=error.detail,
            ) from error
        self._gone = rejected(f"there is no audience {self.audience.id}")
        self.opened.set()
        self._settle_all(self._gone)

    def _settle_all(self, outcome: Outcome) -> None:
        """Settle everything that waits; what is on its way stays there."""
        on_their_way = set(self._on_their_way)
        for arrival in self._backlog.take_arrived():
            self._settle(arrival.entry, _contact_id(arrival), outcome)
        while heads := self._backlog.waiting.heads(set()):
            for change in heads:
                self._backlog.waiting.take(change)
                self._settle_change(change, outcome)
        self._on_their_way |= on_their_way

    def _absorb(self) -> None:
        """Turn the arrived records into waiting changes, and settle those that are none."""
        for arrival in self._backlog.take_arrived():
            try:
                change = change_of(arrival, self.audience, self._config)
            except InvalidValueError as error:
                change = invalid(error)
            except RecursionError:
                change = VALUE_TOO_DEEP
            if isinstance(change, Outcome):
                self._settle(arrival.entry, _contact_id(arrival), change)
            else:
                for entry in self._backlog.waiting.add(change):
                    self._settle(entry, change.id, SUPERSEDED)

    def _send(self, tasks: asyncio.TaskGroup) -> None:
        self._begin(self._plan(), tasks)

    def _plan(self) -> Plan:
        return plan(self._heads(), self.audience, self._config, self._due_before)

    def _begin(self, made: Plan, tasks: asyncio.TaskGroup) -> None:
        for change in made.unchanged:
            self._backlog.waiting.take(change)
            self._settle_change(change, UNCHANGED.noting(notes(change, self.audience.status_of(change.id) or "", self._config)))
        for change in [*made.singles, *(change for batch in made.batches for change in batch.changes)]:
            self._backlog.waiting.take(change)
            self._on_their_way.add(change.id)
        for batch in made.batches:
            tasks.create_task(self._carry_out(batch, tasks))
        self._backlog.written_singly += len(made.singles)
        for change in made.singles:
            tasks.create_task(self._carry_out_singly(change))

    def _heads(self) -> list[Change]:
        """Return the changes that may go: a new email address waits for what is under way, or may go, under the old one."""
        heads = self._backlog.waiting.heads(self._on_their_way)
        busy = self._on_their_way | {change.id for change in heads if not change.previous_id}
        self._awaited = {change.previous_id for change in heads if change.previous_id} & busy
        return [change for change in heads if change.previous_id not in self._awaited] if self._awaited else heads

    async def _carry_out(self, batch: Batch, tasks: asyncio.TaskGroup) -> None:
        if self._config.dry_run:
            for change in batch.changes:
                await self._carry_out_singly(change)
            return
        settled = await bulk.carry_out(batch, self._scope_now())
        for change, outcome in settled.outcomes:
            self._settle_written(change, outcome)
        for change in settled.left:
            tasks.create_task(self._carry_out_singly(change))
        again = []
        for change in settled.stale:
            if self._has_waited_too_long(change):
                tasks.create_task(self._carry_out_singly(change))
            else:
                again.append(change)
        for change in again:
            self._on_their_way.discard(change.id)
            self._backlog.waiting.put_back(change)
        if again:
            self.wake()

    def _has_waited_too_long(self, change: Change) -> bool:
        now = asyncio.get_running_loop().time()
        return now - self._stale_since.setdefault(change.id, now) >= LONGEST_SECONDS

    async def _carry_out_singly(self, change: Change) -> None:
        way = dry_run.carry_out if self._config.dry_run else single.carry_out
        self._settle_written(change, await way(change, self._scope_now()))

    def _scope_now(self) -> Scope:
        return self._scope

    def _settle_written(self, change: Change, outcome: Outcome) -> None:
        self.audience.note_written(change.id, change.previous_id)
        self._settle_change(change, outcome)

    def _settle_change(self, change: Change, outcome: Outcome) -> None:
        self._on_their_way.discard(change.id)
        self._stale_since.pop(change.id, None)
        if change.id in self._backlog.waiting or change.id in self._awaited:
            self.wake()
        if outcome.kind not in ("rejected", "skipped"):
            outcome = outcome.noting((*outcome.notes, *(f"{WITHOUT}{name}" for name in change.left_out)))
        for entry in change.entries:
            self._settle(entry, change.id, outcome)
            # What was left out is counted once.
            outcome = outcome.noting_nothing()
            # Of several records of a new contact the first has created it.
            outcome = UPDATED if outcome.kind == "created" else outcome


def _contact_id(arrival: Arrival) -> str:
    email = arrival.contact.unified.get("email")
    return subscriber_hash(email) if email else ""
