"""Readings: what a stream wants to know next, as generators that make no request themselves.

A reading yields a Step and is resumed with the replies to its requests. It can be followed, and tested, without HTTP.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Reply, Request
from mailchimp_unified.errors import MailchimpError, NotFoundError
from mailchimp_unified.paging import far_end

Record = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """What a reading does next: first `requests` are sent, then `records` are emitted, then a state, then others start.

    The reading is resumed with the replies in the order of the requests. An error whose class is in `tolerate` comes as a
    reply; any other is raised where the reading yielded. One that `awaits` a signal asks for nothing, and goes on after it.
    """

    requests: Sequence[Request] = ()
    records: Iterable[Record] = ()
    checkpoint: bool = False
    readings: Sequence[Reading] = ()
    tolerate: tuple[type[MailchimpError], ...] = ()
    awaits: Signal | None = None


class Signal:
    """Something that readings wait for and another one brings about."""

    def __init__(self) -> None:
        self._given = False
        self._waiting: list[Callable[[], None]] = []

    def give(self) -> None:
        """Let everybody who waits go on."""
        self._given = True
        while self._waiting:
            self._waiting.pop()()

    def wait(self, go_on: Callable[[], None]) -> bool:
        """Have `go_on` called when the signal is given. Returns False when it was given before."""
        if not self._given:
            self._waiting.append(go_on)
        return not self._given


Reading = Generator[Step, list[Any], None]


@dataclass(frozen=True)
class Page:
    """One page of a collection: its items, and how many the whole collection has by Mailchimp's count."""

    items: list[dict[str, Any]]
    total: int


def page_of(reply: Reply, items_key: str) -> Page:
    """Return the page in a reply."""
    items = reply.body.get(items_key) or []
    return Page(items, int(reply.body.get("total_items") or len(items)))


def page_request(collection: Request, offset: int) -> Request:
    """Return the request for the page of a collection that begins at `offset`."""
    return replace(collection, params={**collection.params, "count": PAGE_SIZE, "offset": offset})


@dataclass(frozen=True)
class Taken:
    """What a page comes to: records to emit, and requests that are needed to complete more of them (by `complete`)."""

    records: Iterable[Record] = ()
    requests: Sequence[Request] = ()
    complete: Callable[[list[Any]], Iterable[Record]] = lambda _: ()


def read_down(
    collection: Request, items_key: str, rows: int, take: Callable[[list[dict[str, Any]]], Taken], overlap: int = 0
) -> Generator[Step, list[Any], None]:
    """Read a collection of about so many `rows` from its far end down to offset 0, emitting what `take` makes of each page.

    Pages share `overlap` rows. The next page is asked for before the last one is emitted, so that the request is under way
    meanwhile.
    """
    search = far_end(rows, PAGE_SIZE)
    offset = next(search)
    while True:
        (reply,) = yield Step([page_request(collection, offset)])
        page = page_of(reply, items_key)
        try:
            offset = search.send((len(page.items), page.total))
        except StopIteration:
            break
    while offset > 0:
        offset = max(0, offset - PAGE_SIZE + overlap)
        taken = take(page.items)
        # While the next page is awaited, this one must not be kept in memory.
        del page, reply
        (reply,) = yield from emit(taken, [page_request(collection, offset)])
        page = page_of(reply, items_key)
    yield from emit(take(page.items))


def emit(taken: Taken, requests: Sequence[Request] = ()) -> Generator[Step, list[Any], list[Any]]:
    """Emit what a page came to, and return the replies to `requests`, which are sent first.

    A contact that is deleted while its page is completed keeps what the page said.
    """
    replies = yield Step([*requests, *taken.requests], records=taken.records, tolerate=(NotFoundError,))
    for reply in replies[: len(requests)]:
        if isinstance(reply, MailchimpError):
            raise reply
    if taken.requests:
        yield Step(records=taken.complete(replies[len(requests) :]))
    return replies[: len(requests)]


def read_collection(collection: Request, items_key: str) -> Generator[Step, list[Any], list[dict[str, Any]]]:
    """Return every item of a collection, in Mailchimp's order; one request when it fits a page."""
    pages: list[list[dict[str, Any]]] = []

    def take(items: list[dict[str, Any]]) -> Taken:
        pages.append(items)
        return Taken()

    yield from read_down(collection, items_key, 0, take)
    return [item for page in reversed(pages) for item in page]


Job = Callable[[], Generator[Step, list[Any], None]]


class Lanes:
    """Jobs worked off by a bounded number of readings side by side, those with the least `rank` first.

    Bounding them keeps memory flat and lets the oldest work finish first, so that checkpoints come early.
    """

    def __init__(self, limit: int, failed: Callable[[MailchimpError], None]) -> None:
        self._limit = limit
        self._failed = failed
        self._jobs: list[tuple[tuple[int, ...], int, Job]] = []
        self._added = itertools.count()
        self._open = 0

    def add(self, jobs: Iterable[Job], rank: tuple[int, ...] = ()) -> list[Reading]:
        """Add jobs; among those of one rank the first to come is the first to go. Returns the readings to start for them."""
        for job in jobs:
            heapq.heappush(self._jobs, (rank, next(self._added), job))
        return self._readings()

    def _readings(self) -> list[Reading]:
        started = max(0, min(self._limit - self._open, len(self._jobs)))
        self._open += started
        return [self._lane() for _ in range(started)]

    def _lane(self) -> Reading:
        try:
            while self._jobs:
                _, _, job = heapq.heappop(self._jobs)
                try:
                    yield from job()
                except MailchimpError as error:
                    # The other jobs go on.
                    self._failed(error)
        finally:
            self._open -= 1
