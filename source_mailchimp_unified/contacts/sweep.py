"""One listing of one list's members over a window of time, as requests: sampled when big, then read window by window.

windows.py holds the rules; here they become requests, records and checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.entities import contact
from mailchimp_unified.entities.entity import nested
from mailchimp_unified.paging import TIED_ROWS
from source_mailchimp_unified.contacts import windows
from source_mailchimp_unified.contacts.windows import Frontier, Sample, Window
from source_mailchimp_unified.sync.reading import Lanes, Step, Taken, emit, page_of, page_request, read_down
from source_mailchimp_unified.sync.state import epoch, moment_of

SAMPLES, WINDOWS = 1, 2
"""Ranks within a sweep: what its samples leave is known once they are read."""

COUNTS = {"subscribed": "member_count", "unsubscribed": "unsubscribe_count", "cleaned": "cleaned_count"}
"""The statuses of which an audience tells how many there are: https://mailchimp.com/developer/marketing/api/lists/get-lists-info/."""

Member = dict[str, Any]
Steps = Generator[Step, list[Any], None]


@dataclass(frozen=True)
class Listing:
    """The members with a `status` or, without one, all but archived ones; `keep` filters what comes."""

    status: str | None
    keep: frozenset[str] | None = None

    def rows(self, audience: Mapping[str, Any]) -> int:
        """Return about how many members the listing holds by the audience's own counts, some minutes old; 0 without a count."""
        stats = nested(audience, "stats")
        names = COUNTS.values() if self.status is None else [COUNTS[self.status]] if self.status in COUNTS else []
        return sum(int(stats.get(name) or 0) for name in names)


def listings(wanted: frozenset[str]) -> list[Listing]:
    """Return the listings that together hold the contacts of the wanted statuses. Archived ones are in a listing of their own."""
    present = wanted - {contact.ARCHIVED}
    archived = [Listing(contact.ARCHIVED)] if contact.ARCHIVED in wanted else []
    if not present:
        return archived
    if len(present) == 1:
        return [Listing(next(iter(present))), *archived]
    everything = len(present) == len(contact.STATUSES) - 1
    return [Listing(None, None if everything else present), *archived]


def members_request(list_id: str, window: Window, listing: Listing) -> Request:
    """Return the members of a window: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/.

    The lower bound is exclusive and the upper one inclusive (the public documentation is silent; both were observed live).
    """
    bounds = {"before_last_changed": moment_of(window.until)}
    if window.after > 0:
        bounds["since_last_changed"] = moment_of(window.after)
    if listing.status:
        bounds["status"] = listing.status
    return Request(
        path=f"/lists/{list_id}/members",
        what=f"the contacts of the audience {list_id}",
        params={**bounds, "sort_field": "last_changed", "sort_dir": "ASC", "exclude_fields": "members._links,_links"},
    )


@dataclass
class Sweep:
    """Reads one listing of one list up to the end of its window.

    `turn` is the place of its list among all; `rows` is about how many members it holds, 0 when nobody knows. `take` says what a
    page of members comes to, `finished` is told of every window that is done and returns what to do then.
    """

    list_id: str
    listing: Listing
    frontier: Frontier
    lanes: Lanes
    workers: int
    take: Callable[[list[Member]], Taken]
    expect: Callable[[int], None]
    finished: Callable[[], Step]
    turn: int = 0
    rows: int = 0
    _offsets: list[int] = field(default_factory=lambda: [0])
    _fits_a_page: bool = False

    def read(self) -> Steps:
        """Read everything when it fits a page; else sample the listing, at once where it is known to be big."""
        self.frontier.expect(1)
        yield self._sample_further(self.rows)
        (reply,) = yield Step([page_request(self._members(self.frontier.window), 0)])
        page = page_of(reply, "members")
        self.expect(page.total)
        if len(page.items) < PAGE_SIZE:
            self._fits_a_page = True
            yield from emit(self._taken(page.items))
            yield self._finish(self.frontier.window)
            return
        yield self._sample_further(page.total)
        # The first page is a sample too: it begins with the window.
        last = page.items[-1]["last_changed"]
        sample = Sample(self.frontier.window.after, epoch(last))
        yield from self._sampled(0, sample, [member for member in page.items if member["last_changed"] < last])

    def _sample_further(self, rows: int) -> Step:
        """Line up the samples of a listing of so many rows that are behind those already lined up."""
        offsets = windows.sample_offsets(rows, PAGE_SIZE, self.workers)
        known_until = self._offsets[-1] + (offsets[0] // 2 if len(self._offsets) > 1 and offsets else 0)
        first, further = len(self._offsets), [offset for offset in offsets if offset > known_until]
        self._offsets += further
        self.frontier.expect(len(further))
        jobs = (partial(self._sample, number, offset) for number, offset in enumerate(further, first))
        return Step(readings=self.lanes.add(jobs, (self.turn, SAMPLES)))

    def _sample(self, number: int, offset: int) -> Steps:
        """Read one page ahead: what lies strictly inside is emitted, and the time line is cut there."""
        (reply,) = yield Step([page_request(self._members(self.frontier.window), offset)])
        members = page_of(reply, "members").items
        if not members:
            yield from self._sampled(number, None, [])
            return
        first, last = members[0]["last_changed"], members[-1]["last_changed"]
        inside = [member for member in members if first < member["last_changed"] < last]
        yield from self._sampled(number, Sample(epoch(first), epoch(last)), inside)

    def _sampled(self, number: int, sample: Sample | None, inside: list[Member]) -> Steps:
        """Emit the inside of a sample and line up the windows that it shows to be left."""
        if self._fits_a_page:
            return
        yield from emit(self._taken(inside))
        jobs = [partial(self._window, window) for window in self.frontier.learn(number, sample)]
        yield Step(readings=self.lanes.add(jobs, (self.turn, WINDOWS, number)))
        if not jobs:
            # Nobody may come after this sample who moves the cursor.
            yield self.finished()

    def _window(self, window: Window) -> Steps:
        """Read one window from its far end, which is where the samples say, give or take a tie."""
        rows = self._offsets[1] - PAGE_SIZE + TIED_ROWS if len(self._offsets) > 1 else 0
        yield from read_down(self._members(window), "members", rows, self._taken)
        yield self._finish(window)

    def _finish(self, window: Window) -> Step:
        self.frontier.finish(window)
        return self.finished()

    def _members(self, window: Window) -> Request:
        return members_request(self.list_id, window, self.listing)

    def _taken(self, members: list[Member]) -> Taken:
        keep = self.listing.keep
        return self.take(members if keep is None else [member for member in members if member["status"] in keep])
