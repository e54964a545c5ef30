"""The way of one audience's events in a process that lives for days: what is known of it ages, and nobody waits for what they do not need."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.audience.listing import FRESH_SECONDS, is_fresh, refresh_statuses
from destination_mailchimp_unified.audience.lookups import load_audience, load_groups, load_tags
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.live.new_contacts import FULL, DailyNewContacts
from destination_mailchimp_unified.live.outage import NOT_TAKEN, is_of_its_own, mailchimp_answers
from destination_mailchimp_unified.live.room import Room
from destination_mailchimp_unified.pipeline.backlog import Backlog
from destination_mailchimp_unified.pipeline.lane import LONGEST_SECONDS, Lane, Settle
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.plan import Batch, Plan, plan
from destination_mailchimp_unified.sending.new_contacts import TooManyNewContactsError
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.entity import rfc3339
from mailchimp_unified.errors import MailchimpError, NotFoundError, TransientError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager

KEPT_SECONDS = 3600.0
"""So long after they were first read, statuses are forgotten; they are read again when a burst pays for it."""

REFRESH_SECONDS = FRESH_SECONDS * 0.75
"""While events flow, statuses are read again a little before they are too old to be used."""

REFRESH_REQUESTS = len(STATUSES) - 1
"""What reading them again takes: a request for each status but subscribed."""

EXPECTED = 20
"""So many events are expected at the start: the statuses of an audience of up to some 18,000 are read before the first is there."""

CALLS_EACH = 2
"""More events than so many for each worker are a burst: they wait for statuses, if these pay. Fewer go by calls of their own."""

# Mailchimp's times are whole seconds.
_CLOCK_STEP = timedelta(seconds=1)

_RENEWED = ("name", "double_optin", "subscribed", "definitions", "merge_fields", "tags", "groups")


class LiveBacklog(Backlog):
    """What the events ask of their audience. At the start, everything that the first of them would have to wait for."""

    def __init__(self, audience: Audience, config: DestinationConfig) -> None:
        super().__init__(audience, config)
        # Whether statuses were read at the start, or found not to pay.
        self.began = False
        # When contacts were written by calls of their own, within the time that statuses can be used.
        self.singly: deque[float] = deque()

    def wants_tags(self) -> bool:
        """Return whether the tags of the audience are to be known."""
        return not self._audience.known or super().wants_tags()

    def contacts(self) -> int:
        """Return how many contacts wait or were lately written singly: what the last minute brought, the next may bring again."""
        if not self._audience.known:
            return BULK_SIZE
        oldest = asyncio.get_running_loop().time() - FRESH_SECONDS
        while self.singly and self.singly[0] < oldest:
            self.singly.popleft()
        came = len(self.singly) + len(self.waiting) + len(self.arrived)
        return came if self.began else max(came, EXPECTED)


class LiveLane(Lane):
    """Writes the events of one audience."""

    def __init__(
        self,
        audience: Audience,
        config: DestinationConfig,
        pager: Pager,
        creation: Creation,
        settle: Settle,
        *,
        named: bool,
        room: Room,
    ) -> None:
        super().__init__(audience, config, pager, creation, settle, named=named)
        self._pager, self._room = pager, room
        self._scope = replace(self._scope, new_contacts=DailyNewContacts(audience, config.max_new_contacts))
        self.used = asyncio.get_running_loop().time()
        # What was read an hour ago says too little about a contact: each event is a call, and Mailchimp says what it changed.
        audience.compares = False
        self._learned: float | None = None
        self._learning: asyncio.Task[None] | None = None

    def _new_backlog(self) -> LiveBacklog:
        self._events = LiveBacklog(self.audience, self._config)
        return self._events

    # What is known, and how it ages.

    async def _know_statuses(self, tasks: asyncio.TaskGroup) -> None:
        """Wait for statuses where many contacts wait; where events only flow, let them be read meanwhile."""
        if not self._statuses_pay():
            return
        if len(self._events.waiting) > CALLS_EACH * self._config.num_workers:
            # Where they cannot be had, events go by calls of their own.
            await (self._learning or self._learn_meanwhile())
        elif self._learning is None:
            self._learning = tasks.create_task(self._learn_meanwhile())

    def _statuses_pay(self) -> bool:
        if self.audience.statuses is None:
            return True
        return self._age() > REFRESH_SECONDS and self._events.contacts() > REFRESH_REQUESTS

    def _age(self) -> float:
        return asyncio.get_running_loop().time() - self.audience.statuses_asked

    async def _learn(self) -> None:
        if self.audience.statuses is None:
            await self._preparation.know_statuses()
            self._events.began = True
        else:
            await refresh_statuses(self.audience, self._pager)

    async def _learn_meanwhile(self) -> None:
        try:
            await self._learn()
        except MailchimpError as error:
            self._logger.warning("The statuses of audience %s could not be read: %s", self.audience.id, error.message)
        finally:
            self._learning = None

    def forget(self) -> None:
        """Forget statuses that were read long ago; the calls under way have what they need."""
        audience, now = self.audience, asyncio.get_running_loop().time()
        if self._learned is None:
            self._learned = now if audience.statuses is not None else None
        if self._learned is None or self._learning or now - self._learned < KEPT_SECONDS:
            return
        audience.statuses, audience.totals, audience.statuses_until, audience.listed_whole = None, None, None, False
        audience.appeared.clear()
        self._learned = None

    async def renew(self) -> None:
        """Learn again what the audience is like: its settings, its merge fields, its tags. What fails is logged, and stays."""
        seen = Audience(self.audience.id)
        try:
            groups = [] if self.audience.groups is None else [load_groups(seen, self._pager)]
            await together(load_audience(seen, self._pager), load_tags(seen, self._pager), *groups)
        except NotFoundError as error:
            await self._close(error)
        except MailchimpError as error:
            self._logger.warning("The settings of audience %s could not be read again: %s", self.audience.id, error.message)
        else:
            for name in _RENEWED:
                setattr(self.audience, name, getattr(seen, name))
            self._events.fields_asked_for.clear()

    @property
    def gone(self) -> bool:
        """Whether the audience was not there when it was last asked for."""
        return self._gone is not None

    @property
    def waits(self) -> bool:
        """Whether events wait for their call."""
        return not self._events.is_empty

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not (self.waits or self._on_their_way)

    # What goes out.

    def _plan(self) -> Plan:
        """Return the calls that there is room for: what waits goes in bulk where the statuses are known, else one by one."""
        self.used = asyncio.get_running_loop().time()
        if self._room.free <= 0:
            return Plan()
        if self.audience.statuses is None or not is_fresh(self.audience):
            heads = self._events.waiting.heads(self._on_their_way)
            return Plan(singles=[change for change in heads if change.number < self._due_before][: self._room.free])
        made = plan(self._heads(), self.audience, self._config, self._due_before, most=self._room.free)
        return _fitting(made, self._room.free, self._due_before)

    def _begin(self, made: Plan, tasks: asyncio.TaskGroup) -> None:
        now = asyncio.get_running_loop().time()
        self._events.singly.extend(now for _ in made.singles)
        super()._begin(made, tasks)

    async def _write(self, tasks: asyncio.TaskGroup) -> None:
        try:
            await super()._write(tasks)
        except TransientError as error:
            never_there = self._named and not self.opened.is_set()
            if never_there or not await mailchimp_answers(self._pager.client):
                raise
            self._logger.warning("Audience %s could not be read: %s", self.audience.id, error.message)
            self._settle_all(NOT_TAKEN)

    async def _carry_out(self, batch: Batch, tasks: asyncio.TaskGroup) -> None:
        with self._room.taken():
            refused = await self._refusal(partial(super()._carry_out, batch, tasks))
        # One of them may be what Mailchimp stumbles over, and some may be allowed: each is tried by itself.
        for change in batch.changes if refused else ():
            tasks.create_task(self._carry_out_singly(change))

    async def _carry_out_singly(self, change: Change) -> None:
        with self._room.taken():
            refused = await self._refusal(partial(super()._carry_out_singly, change))
        if refused:
            self._settle_change(change, refused)

    async def _refusal(self, work: Callable[[], Awaitable[None]]) -> Outcome | None:
        """Do some work. Returns the outcome of what cannot be done now, though Mailchimp answers; raises TransientError when it does not."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:
            try:
                await work()
            except TooManyNewContactsError:
                return FULL
            except TransientError as error:
                if not await mailchimp_answers(self._pager.client):
                    raise
                if is_of_its_own(error) or clock() - began >= LONGEST_SECONDS:
                    self._logger.warning("A call failed while others succeeded: %s", error.message)
                    return NOT_TAKEN
            else:
                return None

    def _scope_now(self) -> Scope:
        """Return the scope of a call that begins now: what changed before is not this event's doing."""
        now = self._pager.client.clock.now
        return replace(self._scope, began=rfc3339(now - _CLOCK_STEP)) if now else self._scope


def _fitting(made: Plan, free: int, due_before: int) -> Plan:
    """Return so many calls of a plan, those of the oldest events; a lone contact goes by the call of its own, not in bulk."""
    batches = [batch for batch in made.batches if len(batch.changes) > 1 or batch.kind == "untag"]
    lone = [batch.changes[0] for batch in made.batches if batch not in batches]
    singles = [*lone, *(change for change in made.singles if change.number < due_before)]
    calls: list[Batch | Change] = [*batches, *singles]
    chosen = sorted(calls, key=lambda call: call.changes[0].number if isinstance(call, Batch) else call.number)[:free]
    return Plan([call for call in chosen if isinstance(call, Batch)], [call for call in chosen if isinstance(call, Change)])
