"""The way of one audience's records: from what arrived to changes, plan, calls and outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.audience.groups import wants_groups
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.audience.preparing import Preparation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.mapping import check_audience, unmapped_required
from destination_mailchimp_unified.intake.planned import PlannedField
from destination_mailchimp_unified.planning.changes import SUPERSEDED, Change, Waiting, change_of, invalid
from destination_mailchimp_unified.planning.plan import Batch, Plan, fits_bulk, plan
from destination_mailchimp_unified.planning.tags import is_managed
from destination_mailchimp_unified.sending import bulk, rehearsal, single
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.settling.outcomes import UPDATED, WITHOUT, Outcome, rejected
from mailchimp_unified.entities.contact import merge_values
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.errors import ConfigError, NotFoundError
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.paging import Pager
from mailchimp_unified.text import is_blank, visible

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
        self._preparation = Preparation(audience, self, config, pager, creation)
        self._scope = Scope(audience, config, pager, NewContacts(audience, config.max_new_contacts))
        self._waiting = Waiting(is_managed(config.managed_tags))
        self._arrived: list[Arrival] = []
        # Contacts whose change is on its way: no other of theirs may go before it is settled.
        self._on_their_way: set[str] = set()
        # Contacts whose changes are waited for by a change of their email address.
        self._awaited: set[str] = set()
        self._wanted = asyncio.Event()
        self._working = asyncio.Lock()
        self._gone: Outcome | None = None
        # Records with a smaller number do not wait for a full batch.
        self._due_before = 0
        self._written_singly = 0
        self._fields_asked_for: set[str] = set()

    # What comes in.

    def add(self, arrival: Arrival) -> None:
        """Take a record."""
        if self._gone:
            self._settle(arrival.entry, _contact_id(arrival), self._gone)
            return
        self._arrived.append(arrival)
        if len(self._arrived) >= BULK_SIZE:
            self.look()

    def hurry(self, number: int) -> None:
        """Let every record up to this number go without waiting for a full batch."""
        if (self._arrived or len(self._waiting)) and self._due_before <= number:
            self._due_before = number + 1
            self.look()

    def look(self) -> None:
        """Look at what waits."""
        self._wanted.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (self._on_their_way or self._wanted.is_set() or self._working.locked())

    # What the records ask of their audience (`Demand`).

    def wants_tags(self) -> bool:
        """Return whether any arrived record says something about tags."""
        if any(arrival.membership_tag for arrival in self._arrived):
            return True
        return any(arrival.contact.unified.get(name) is not None for arrival in self._arrived for name in ("tags", "tags_to_remove"))

    def wants_groups(self) -> bool:
        """Return whether any arrived record names a group or a marketing permission by its name."""
        return any(wants_groups(arrival.contact.unified) for arrival in self._arrived)

    def missing_fields(self) -> list[PlannedField]:
        """Return the merge fields that the mapping names, arrived records fill and the audience lacks; each once."""
        missing: dict[str, PlannedField] = {}
        for arrival in self._arrived:
            for tag, value in merge_values(arrival.contact.unified).items():
                planned = arrival.planned.get(visible(tag).upper())
                if planned and not is_blank(value) and self.audience.merge_field(tag) is None and planned.tag not in self._fields_asked_for:
                    missing.setdefault(planned.tag, planned)
        self._fields_asked_for |= missing.keys()
        return list(missing.values())

    def contacts(self) -> int:
        """Return how many contacts are to be written, as far as is known."""
        return self._written_singly + len(self._waiting) + len(self._arrived)

    def apart(self) -> int:
        """Return how many of those that wait can only be written by calls of their own."""
        return sum(1 for change in self._waiting.heads(set()) if change.kind != "upsert" or not fits_bulk(change))

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
                    self._close(error)

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
                self._logger.info("Audience %s requires %s: contacts that lack one are not created.", self.audience.id, ", ".join(required))

    def _close(self, error: NotFoundError) -> None:
        """Reject what waits for an audience that is not there. Raises ConfigError for one that was named and never there."""
        if self._named and not self.opened.is_set():
            raise ConfigError(
                f"There is no audience {self.audience.id}. Correct list_id or choose the destination object again.", detail=error.detail
            ) from error
        self._gone = rejected(f"there is no audience {self.audience.id}")
        self.opened.set()
        arrived, self._arrived = self._arrived, []
        for arrival in arrived:
            self._settle(arrival.entry, _contact_id(arrival), self._gone)
        while heads := self._waiting.heads(set()):
            for change in heads:
                self._waiting.take(change)
                self._settle_change(change, self._gone)

    def _absorb(self) -> None:
        """Turn the arrived records into waiting changes, and settle those that are none."""
        arrived, self._arrived = self._arrived, []
        for arrival in arrived:
            try:
                change = change_of(arrival, self.audience, self._config)
            except InvalidValueError as error:
                change = invalid(error)
            if isinstance(change, Outcome):
                self._settle(arrival.entry, _contact_id(arrival), change)
            else:
                for entry in self._waiting.add(change):
                    self._settle(entry, change.id, SUPERSEDED)

    def _send(self, tasks: asyncio.TaskGroup) -> None:
        self._begin(self._plan(), tasks)

    def _plan(self) -> Plan:
        return plan(self._heads(), self.audience, self._config, self._is_due)

    def _is_due(self, change: Change) -> bool:
        return change.number < self._due_before

    def _begin(self, made: Plan, tasks: asyncio.TaskGroup) -> None:
        for change in [*made.singles, *(change for batch in made.batches for change in batch.changes)]:
            self._waiting.take(change)
            self._on_their_way.add(change.id)
        for batch in made.batches:
            tasks.create_task(self._carry_out(batch, tasks))
        self._written_singly += len(made.singles)
        for change in made.singles:
            tasks.create_task(self._carry_out_singly(change))

    def _heads(self) -> list[Change]:
        """Return the changes that may go: a new email address waits for what is under way, or may go, under the old one."""
        heads = self._waiting.heads(self._on_their_way)
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
            self._settle_change(change, outcome)
        for change in settled.left:
            tasks.create_task(self._carry_out_singly(change))
        for change in settled.stale:
            self._on_their_way.discard(change.id)
            self._waiting.put_back(change)
        if settled.stale:
            self.look()

    async def _carry_out_singly(self, change: Change) -> None:
        way = rehearsal.rehearse if self._config.dry_run else single.carry_out
        self._settle_change(change, await way(change, self._scope_now()))

    def _scope_now(self) -> Scope:
        return self._scope

    def _settle_change(self, change: Change, outcome: Outcome) -> None:
        self._on_their_way.discard(change.id)
        if change.id in self._waiting or change.id in self._awaited:
            self.look()
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
