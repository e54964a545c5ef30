"""The contacts stream: which lists are read from where, and the state of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailchimp_unified.clock import epoch
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.rows import rows_of
from mailchimp_unified.errors import BugError, MailchimpError, NotFoundError
from mailchimp_unified.windows import Window
from source_mailchimp_unified.contacts.listings import listings
from source_mailchimp_unified.contacts.lookback import Lookback
from source_mailchimp_unified.contacts.position import Bounds, Position
from source_mailchimp_unified.contacts.sweep import FIRST_PAGES, Emitter, Sweep, members_in, members_request
from source_mailchimp_unified.sync.account import Audiences
from source_mailchimp_unified.sync.jobs import Jobs
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.state import HORIZON_MARGIN_SECONDS, ListState, parse_contacts_state
from source_mailchimp_unified.sync.streams import Session, Stream

MOST_ROWS_REMEMBERED = 5000
FEWEST_LISTS = 10
FEWEST_ROWS_REMEMBERED = 10
"""A state names so many of the last rows, shared by its lists, or by ten where there are fewer: a thousand lists do not make it big."""


@dataclass
class ContactsStream(Stream):
    """The contacts of the chosen lists. The state says of each list what is left."""

    logger: logging.Logger
    incoming: Mapping[str, Any] = field(default_factory=dict)
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        state = parse_contacts_state(self.incoming)
        # A full refresh continues only one that was interrupted, never incremental syncs.
        self.saved: dict[str, ListState] = {} if self.full_refresh and not state.full_refresh else dict(state.lists)
        self._positions: dict[str, Position] = {}
        self._statuses = state.statuses
        self._start_date = state.start_date
        self.progress = Progress(self.logger)
        self._narrow_or_widen()

    def state(self) -> dict[str, Any]:
        """Return the state of each list."""
        reached = {list_id: position.state() for list_id, position in self._positions.items()}
        lists = {**self.saved, **{list_id: state for list_id, state in reached.items() if state is not None}}
        wanted = self.config.wanted_statuses
        return {
            "lists": {list_id: state.model_dump(exclude_none=True) for list_id, state in lists.items()},
            **({} if wanted == set(STATUSES) else {"statuses": sorted(wanted)}),
            **({"start_date": self.config.start_date} if self.config.start_date else {}),
            **({"full_refresh": True} if self.full_refresh else {}),
        }

    async def read(self, session: Session, output: Output) -> None:
        """Read all lists, the oldest work first."""
        audiences = await session.account.audiences()
        if error := audiences.error():
            self.errors.append(error)
        await self._forget_deleted(session, audiences)
        self._estimate(audiences, output)
        bounds = self._bounds(int(audiences.seen_at.timestamp()), len(audiences.chosen))
        jobs = Jobs(self.config.num_workers, self.errors.append)
        for turn, audience in enumerate(audiences.chosen):
            position = Position(audience, self.saved.get(str(audience["id"])), bounds)
            self._positions[position.list_id] = position
            reading = _ListReading(self, session, output, jobs, position, turn)
            jobs.add(partial(reading.guarded, reading.begin), (turn,))
        if any(position.is_first and position.others_after is not None for position in self._positions.values()):
            # Before the first record: see Position.state.
            output.checkpoint()
        await jobs.run()

    def _narrow_or_widen(self) -> None:
        """Start over what was read for other statuses than are wanted now."""
        wanted, before = self.config.wanted_statuses, set(self._statuses or STATUSES)
        if not self.saved or wanted == before:
            return
        if not wanted <= before:
            self.logger.warning("contacts: more statuses are chosen than the saved state covers. All contacts are read again.")
            self.saved = {}
        # What is left of an unfinished list is left of the statuses that were chosen then.
        self.saved = {list_id: state for list_id, state in self.saved.items() if not state.left}

    async def _forget_deleted(self, session: Session, audiences: Audiences) -> None:
        """Drop the states of lists that are gone."""
        for list_id in [one for one in self.saved if one not in audiences.by_id]:
            try:
                if await session.account.is_gone(list_id):
                    del self.saved[list_id]
            except MailchimpError as error:
                self.logger.info("%s Its state is kept.", error.message)

    def _estimate(self, audiences: Audiences, output: Output) -> None:
        """Say how many contacts a first sync has, by the counts that the audiences carry."""
        chosen = listings(self.config.wanted_statuses)
        rows = sum(listing.rows(one) for one in audiences.chosen if str(one["id"]) not in self.saved for listing in chosen)
        if rows and not self.config.start_date:
            output.estimate(rows)

    def _bounds(self, seen_at: int, lists: int) -> Bounds:
        remembered = max(FEWEST_ROWS_REMEMBERED, MOST_ROWS_REMEMBERED // max(FEWEST_LISTS, lists))
        start = epoch(self.config.start_date) - 1 if self.config.start_date else 0
        return Bounds(
            horizon=seen_at - HORIZON_MARGIN_SECONDS,
            now=int(self.now()),
            start=start,
            lookback=self.config.lookback_seconds,
            remembered=remembered,
            wanted=self.config.wanted_statuses,
            widened=self._widened(start),
        )

    def _widened(self, start: int) -> Window | None:
        """Return the seconds that an earlier start date adds to lists that were read before."""
        if not self.saved or not self._start_date or start >= (before := epoch(self._start_date) - 1):
            return None
        self.logger.info("contacts: start_date is earlier than at the last sync. The older contacts are read now.")
        return Window(start, before)

    def forget(self, position: Position) -> None:
        """Drop the state of a list that is gone."""
        position.is_gone = True
        self._positions.pop(position.list_id, None)
        self.saved.pop(position.list_id, None)


@dataclass
class _ListReading:
    """Reads one list. Its jobs stop once the list is known to be gone."""

    stream: ContactsStream
    session: Session
    output: Output
    jobs: Jobs
    position: Position
    turn: int

    def __post_init__(self) -> None:
        self._began = asyncio.get_running_loop().time()
        self._has_odd_rows = False
        remote = self.stream.config.include_remote_data
        self._emitter = Emitter(self.position, self.session.pager, self.output, remote, self._tell, self._note_odd)

    async def begin(self) -> None:
        """Line up the windows that are left of the list."""
        position = self.position
        if position.is_distrusted:
            self.session.logger.warning(
                "contacts: the saved state of %s lies in the future, so a clock was wrong when it was saved. The audience is read again.",
                position.name,
            )
        await self._skip_what_is_unchanged()
        for listing, left in position.left.items():
            for window in left.windows:
                sweep = Sweep(self._emitter, listing, window, self._add_job, self.stream.config.num_workers, self.turn)
                self._add_job(sweep.read, (self.turn, FIRST_PAGES, window.after))

    async def guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do a job. A 404 counts as a deleted list only where the list itself answers 404."""
        if self.position.is_gone:
            return
        try:
            await job()
        except NotFoundError as error:
            if not await self.session.account.is_gone(self.position.list_id):
                raise
            self.stream.forget(self.position)
            self.session.logger.warning("%s The audience was deleted during the sync.", error.message)

    def _add_job(self, job: Callable[[], Awaitable[None]], priority: tuple[int, ...]) -> None:
        self.jobs.add(partial(self.guarded, job), priority)

    async def _skip_what_is_unchanged(self) -> None:
        """Take the repeated seconds for done where the last sync left one fingerprint for all their rows and it still holds."""
        position, bounds = self.position, self.position.bounds
        saved = self.stream.saved.get(position.list_id)
        repeated = position.repeated
        if repeated is None or saved is None or saved.left or not saved.seen or not saved.seen.all_rows:
            return
        found = Lookback(bounds.lookback, repeated.until, bounds.limit, bounds.remembered, None)
        for listing in position.left:
            async for page in self.session.pager.down(members_request(position.list_id, repeated, listing)):
                found.note(position.chosen(listing, members_in(rows_of(page.items))))
        if found.all_rows() == saved.seen.all_rows:
            position.lookback = found
            for listing in position.left:
                position.done(listing, repeated)

    def _tell(self, position: Position) -> None:
        seconds = max(1.0, asyncio.get_running_loop().time() - self._began)
        # What changes meanwhile comes on top of the count.
        total = max(position.total, position.taken, 1)
        words = (position.name, f"{position.taken:,}", f"{total:,}", f"{position.taken / total:.0%}", f"{position.taken / seconds:,.0f}")
        self.stream.progress.tell("contacts of %s: %s of about %s read (%s), %s per second.", *words)

    def _note_odd(self, position: Position) -> None:
        if not self._has_odd_rows:
            self._has_odd_rows = True
            self.stream.errors.append(BugError(f"Mailchimp lists rows in the audience {position.name} that are not contacts."))
