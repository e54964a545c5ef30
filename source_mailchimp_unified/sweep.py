"""One listing of one list's members over a window of time, as requests: sampled when big, then read window by window.

windows.py holds the rules; here they become requests, records and checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.entities import contact
from source_mailchimp_unified import windows
from source_mailchimp_unified.reading import Job, Lanes, Step, Taken, emit, page_of, page_request, read_down
from source_mailchimp_unified.state import epoch, moment_of
from source_mailchimp_unified.windows import Frontier, Sample, Window

Member = dict[str, Any]
Steps = Generator[Step, list[Any], None]


@dataclass(frozen=True)
class Listing:
    """The members with a `status` or, without one, all but archived ones; `keep` filters what comes."""

    status: str | None
    keep: frozenset[str] | None = None


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

    `take` says what a page of members comes to, `finished` is told of every window that is done and returns what to do then.
    """

    list_id: str
    listing: Listing
    frontier: Frontier
    lanes: Lanes
    workers: int
    take: Callable[[list[Member]], Taken]
    expect: Callable[[int], None]
    finished: Callable[[], Step]
    _samples: list[Sample] = field(default_factory=list)
    _awaited: int = 0
    _total: int = 0

    def read(self) -> Steps:
        """Read everything when it fits a page; else sample the listing and line its windows up."""
        window = self.frontier.window
        (reply,) = yield Step([page_request(self._members(window), 0)])
        page = page_of(reply, "members")
        self._total = page.total
        self.expect(page.total)
        if len(page.items) < PAGE_SIZE:
            yield from emit(self._taken(page.items))
            yield self._finish(window)
            return
        offsets = windows.sample_offsets(page.total, PAGE_SIZE, self.workers)
        # The first page is a sample too: it begins with the window.
        self._awaited = len(offsets) + 1
        jobs: list[Job] = [partial(self._sample, offset) for offset in offsets]
        yield Step(readings=self.lanes.add_first(jobs))
        last = page.items[-1]["last_changed"]
        self._samples.append(Sample(window.after, epoch(last)))
        yield from self._sampled([member for member in page.items if member["last_changed"] < last])

    def _sample(self, offset: int) -> Steps:
        """Read one page ahead: what lies strictly inside is emitted, and the time line is cut there."""
        (reply,) = yield Step([page_request(self._members(self.frontier.window), offset)])
        members = page_of(reply, "members").items
        inside: list[Member] = []
        if members:
            first, last = members[0]["last_changed"], members[-1]["last_changed"]
            self._samples.append(Sample(epoch(first), epoch(last)))
            inside = [member for member in members if first < member["last_changed"] < last]
        yield from self._sampled(inside)

    def _sampled(self, inside: list[Member]) -> Steps:
        """Emit the inside of a sample. After the last one, cut the time line and line up the windows, the oldest first."""
        yield from emit(self._taken(inside))
        self._awaited -= 1
        if self._awaited:
            return
        left = windows.split(self.frontier.window, self._samples)
        self.frontier.cut(left)
        rows = max(0, self._total - PAGE_SIZE * len(self._samples)) // max(1, len(left))
        yield Step(readings=self.lanes.add_first([partial(self._window, window, rows) for window in left]))

    def _window(self, window: Window, rows: int) -> Steps:
        """Read one window of about so many rows, from its far end."""
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
