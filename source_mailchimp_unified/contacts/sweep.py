"""One window of one listing of one list's members, from the requests to the records: sampled when big, then read window by window.

windows.py holds the rules of what is read when; position.py keeps what is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailchimp_unified import endpoints, windows
from mailchimp_unified.entities import contact
from mailchimp_unified.entities.entity import second_of
from mailchimp_unified.entities.readable import readable_page
from mailchimp_unified.entities.rows import Member, MembersPage, rows_of
from mailchimp_unified.errors import NotFoundError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Request
from mailchimp_unified.windows import Cuts, Sample, Window
from source_mailchimp_unified.contacts.listings import Listing
from source_mailchimp_unified.contacts.position import Position
from source_mailchimp_unified.sync.messages import Record
from source_mailchimp_unified.sync.output import Output

FIRST_PAGES, SAMPLES, WINDOWS = range(3)
"""Priorities within a list: its first pages say what to sample, and what the samples leave is known once they are read."""

AddJob = Callable[[Callable[[], Awaitable[None]], tuple[int, ...]], None]


Row = Member | None
"""A row of a page, None for one that is no object."""


def members_in(rows: Sequence[Row]) -> list[Member]:
    """Return the rows of a page that are members."""
    return [row for row in rows if row is not None]


def members_request(list_id: str, window: Window, listing: Listing, *, whole: bool = False) -> Request:
    """Return the request for the members of a window; `whole` keeps more of them than contacts are made of."""
    status = {"status": listing.status} if listing.status else {}
    return endpoints.members(list_id, {**window.bounds, **status}, keeps=None if whole else MembersPage).surely()


@dataclass
class Emitter:
    """Makes records of the members of one list and emits them. `counted` hears of every page, `odd` of rows that are no contacts."""

    position: Position
    pager: Pager
    output: Output
    remote: bool
    counted: Callable[[Position], None]
    odd: Callable[[Position], None]

    async def emit(self, listing: Listing, rows: Sequence[Row], done: Window | None) -> None:
        """Emit what is new among the rows of a page; then `done` is read, and the state may say so."""
        position = self.position
        members = members_in(rows)
        if len(members) < len(rows):
            self.odd(position)
        chosen = position.chosen(listing, members)
        fresh = await self._completed(position.lookback.fresh(chosen))
        if fresh:
            await self.output.emit(self._records(fresh))
        position.taken += len(rows)
        position.lookback.note(chosen)
        if done is not None:
            position.done(listing, done)
        self.counted(position)
        self.output.checkpoint()

    def _records(self, members: Sequence[Member]) -> Iterator[Record]:
        # Only when the page is taken: until then it is its members alone.
        records = readable_page(members, contact.ENTITY, partial(contact.unified, remote=self.remote), self._tolerantly)
        if len(records) < len(members):
            self.odd(self.position)
        yield from records

    def _tolerantly(self, member: Member) -> dict[str, Any]:
        return {**contact.tolerantly(member, remote=self.remote), "list_id": self.position.list_id}

    async def _completed(self, members: Sequence[Member]) -> Sequence[Member]:
        """Return the members, those with more tags than a listing shows with all of them."""
        if lacking := [member for member in members if _lacks_tags(member)]:
            await together(*(self._complete(member) for member in lacking))
        return members

    async def _complete(self, member: Member) -> None:
        try:
            tags = await self.pager.all(endpoints.member_tags(self.position.list_id, str(member.id)).surely())
        except NotFoundError:
            # Deleted meanwhile: the page says what is known.
            return
        member.tags = [{"id": tag.get("id"), "name": tag.get("name")} for tag in tags]
        if member.whole is not None:
            member.whole["tags"] = member.tags


def _lacks_tags(member: Member) -> bool:
    tags, count = member.tags, member.tags_count
    return type(tags) is list and type(count) is int and count > len(tags) and bool(member.id)


@dataclass
class Sweep:
    """Reads one window of one listing.

    `turn` is the place of its list among all.
    """

    emitter: Emitter
    listing: Listing
    window: Window
    add_job: AddJob
    workers: int
    turn: int
    _offsets: list[int] = field(default_factory=list)
    _fits_a_page: bool = False

    def __post_init__(self) -> None:
        self._cuts = Cuts(self.window)
        self._pager = self.emitter.pager

    async def read(self) -> None:
        """Read everything when it fits a page; else sample the listing, at once where it is known to be big."""
        self._cuts.expect(1)
        # What a part of the time line holds nobody knows beforehand.
        if not self.window.after:
            self._sample_further(self.listing.rows(self.emitter.position.audience))
        page = await self._pager.page(self._members(self.window))
        self.emitter.position.total += page.total
        rows = rows_of(page.items)
        if len(rows) < self._pager.page_size:
            self._fits_a_page = True
            await self.emitter.emit(self.listing, rows, self.window)
            return
        self._sample_further(page.total)
        # The first page is a sample too: it begins with the window.
        last = _second_of(rows[-1])
        sample = Sample(self.window.after, self.window.after if last is None else last)
        await self._sampled(0, sample, _before_last(rows) if last is not None else [])

    def _sample_further(self, rows: int) -> None:
        """Line up the samples of a listing of so many rows that are behind those already lined up."""
        further = windows.further_offsets(self._offsets, rows, self._pager.page_size, self.workers)
        self._cuts.expect(len(further))
        for offset in further:
            self._offsets.append(offset)
            number = len(self._offsets)
            self.add_job(partial(self._sample, number, offset), (self.turn, SAMPLES, self.window.after, number))

    async def _sample(self, number: int, offset: int) -> None:
        """Read one page ahead: what lies strictly inside is emitted, and the time line is cut there."""
        rows = rows_of((await self._pager.page(self._members(self.window), offset)).items)
        first, last = (_second_of(rows[0]), _second_of(rows[-1])) if rows else (None, None)
        if first is None or last is None:
            await self._sampled(number, None, [])
            return
        ends = {_changed(rows[0]), _changed(rows[-1])}
        inside = [row for row in rows if _changed(row) not in ends]
        await self._sampled(number, Sample(first, last), inside)

    async def _sampled(self, number: int, sample: Sample | None, inside: list[Row]) -> None:
        """Emit the inside of a sample and line up the windows that it shows to be left."""
        if self._fits_a_page:
            return
        if sample is not None:
            await self.emitter.emit(self.listing, inside, Window(sample.first, sample.done))
        for window in self._cuts.learn(number, sample):
            self.add_job(partial(self._read_down, window), (self.turn, WINDOWS, window.after))

    async def _read_down(self, window: Window) -> None:
        """Read one window from its far end, which is where the samples say, give or take a tie."""
        about = windows.rows_per_window(self._offsets, self._pager.page_size)
        async for page in self._pager.down(self._members(window), about):
            rows = rows_of(page.items)
            await self.emitter.emit(self.listing, rows, self._done_with(window, rows, page.offset))
            # While the next page is awaited, this one must not be kept in memory.
            del page, rows

    @staticmethod
    def _done_with(window: Window, rows: Sequence[Row], offset: int) -> Window | None:
        """Return the seconds of a window that are done once the page at `offset` is, and those behind it are; None for none.

        An empty page says nothing of those in front of it: so many rows may have left meanwhile.
        """
        first = window.after if offset == 0 else _second_of(rows[0]) if rows else None
        return None if first is None else Window(first, window.until)

    def _members(self, window: Window) -> Request:
        return members_request(self.emitter.position.list_id, window, self.listing, whole=self.emitter.remote)


def _changed(row: Row) -> str | None:
    moment = None if row is None else row.last_changed
    return moment if type(moment) is str else None


def _before_last(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that did not change in the second of the last one."""
    last = _changed(rows[-1])
    return [row for row in rows if _changed(row) != last]


def _second_of(row: Row) -> int | None:
    return None if row is None else second_of(row.last_changed)
