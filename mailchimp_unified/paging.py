"""Reading collections page by page, so that nothing is lost while items come and go, and absence is never taken for data."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import BugError, TransientError
from mailchimp_unified.request import PAGE_SIZE, Request, total_items

PARTS = (2, 4, 10)
"""A page that Mailchimp fails to give is asked for in so many pieces; its support advises 500 for big accounts:
https://github.com/VingtCinq/python-mailchimp/issues/207."""

TRIES_BEFORE_SMALLER = 2
"""A page is asked for so many times before it is asked for in smaller pieces."""

TURNS = 20
"""The search for the end of a collection gives up after turning round so many times."""

SAME_PAGES = 3
"""So often in a row other offsets give the same items before Mailchimp is said to ignore the offset: items that join a collection in
front move a page to another offset, too."""

PAGES_BEFORE_BIGGER = 10
"""After so many pages of a smaller size a bigger one is tried once: most failures are passing trouble, not the size."""

Item = dict[str, Any]


@dataclass
class _Size:
    """The size of pages that Mailchimp gives of a path; `good` pages came in it."""

    items: int
    may_grow: bool
    has_grown: bool = False
    good: int = 0


@dataclass(frozen=True)
class Page:
    """The items of a collection from `offset` on, and how many it has by its own count (0: unknown).

    `date` is when Mailchimp said so (UTC), `asked` when it was asked, by the event loop. Of a page that took several requests both
    are those of the first: what changed later may be missing.
    """

    offset: int
    items: list[Item]
    total: int
    date: datetime | None
    asked: float


@dataclass
class Pager:
    """Reads pages of `page_size` items through one client, and remembers for each path what size of pages Mailchimp gives."""

    client: MailchimpClient
    logger: logging.Logger
    page_size: int = PAGE_SIZE
    _sizes: dict[str, _Size] = field(default_factory=dict)
    _short: dict[str, int] = field(default_factory=dict)
    _disagreeing: set[str] = field(default_factory=set)

    async def page(self, collection: Request, offset: int = 0, count: int = 0, since: float | None = None) -> Page:
        """Return the items from `offset` on: `count` of them (0: a whole page), or all that are left. Raises what the client raises.

        It may take several requests. The far piece is read first, so that an item that moves towards offset 0 is still met.
        The time for retries counts from `since`, in seconds of the loop's clock (None: from now).
        """
        count = count or self.page_size
        since = asyncio.get_running_loop().time() if since is None else since
        size = min(count, self._size(collection))
        if size < count:
            return await self._in_pieces(collection, offset, count, size, since)
        try:
            page = await self._ask(collection, offset, count, since)
        except TransientError as error:
            if not error.heavy or error.is_final or count <= self._smallest:
                raise
            smaller = next(one for one in self._smaller if one < count)
            self.logger.warning("%s; retrying with pages of %d.", error.said, smaller)
            self._shrink(collection, smaller)
            return await self._in_pieces(collection, offset, count, smaller, since)
        self._note_size(collection, count)
        return page if _is_complete(page, count) else await self._completed(collection, page, count)

    async def down(self, collection: Request, rows: int = 0, overlap: int = 0) -> AsyncIterator[Page]:
        """Yield the pages of a collection of about so many `rows` from its far end down to offset 0.

        So an item that moves towards offset 0, because others leave, only moves into what is still to come. Pages share
        `overlap` items for collections that others join, too. The next page is asked for while the last one is used.
        """
        page = await self._far_end(collection, rows)
        while page.offset > 0:
            offset = max(0, page.offset - self.page_size + overlap)
            following = asyncio.ensure_future(self.page(collection, offset, page.offset + overlap - offset))
            try:
                yield page
                # While the next page is awaited, this one must not be kept in memory.
                del page
                page = await following
            finally:
                following.cancel()
        yield page

    async def all(self, collection: Request, overlap: int = 0) -> list[Item]:
        """Return every item of a collection, in Mailchimp's order; one request when it fits a page."""
        pages = [page.items async for page in self.down(collection, overlap=overlap)]
        return [item for items in reversed(pages) for item in items]

    def disagrees(self, collection: Request) -> bool:
        """Return whether Mailchimp was seen to list fewer items of a collection than it counts."""
        return collection.path in self._disagreeing

    def _size(self, collection: Request) -> int:
        size = self._sizes.get(collection.path)
        return size.items if size else self.page_size

    def _shrink(self, collection: Request, smaller: int) -> None:
        """Ask for smaller pages; for good when bigger ones were tried again in the meantime."""
        before = self._sizes.get(collection.path)
        self._sizes[collection.path] = _Size(smaller, may_grow=before is None or (before.may_grow and not before.has_grown))

    def _note_size(self, collection: Request, count: int) -> None:
        """Count a page that came in the smaller size, and try a bigger one after some of them."""
        size = self._sizes.get(collection.path)
        if size is None or not size.may_grow or count < size.items:
            return
        size.good += 1
        if size.good >= PAGES_BEFORE_BIGGER and size.items < self.page_size:
            bigger = min((one for one in (self.page_size, *self._smaller) if one > size.items), default=self.page_size)
            self._sizes[collection.path] = _Size(bigger, may_grow=True, has_grown=True)

    async def _ask(self, collection: Request, offset: int, count: int, since: float | None = None) -> Page:
        tries = TRIES_BEFORE_SMALLER if count > self._smallest else None
        reply = await self.client.call(collection.page(offset, count), tries=tries, since=since)
        return Page(offset, reply.body[collection.items], total_items(reply.body), reply.date, reply.asked)

    async def _in_pieces(self, collection: Request, offset: int, count: int, size: int, since: float) -> Page:
        pieces: list[Page] = []
        for start in reversed(range(offset, offset + count, size)):
            # Once a piece has come the others have all the time again.
            pieces.append(await self.page(collection, start, min(size, offset + count - start), None if pieces else since))
        first, nearest = pieces[0], pieces[-1]
        return Page(offset, [item for piece in reversed(pieces) for item in piece.items], nearest.total, first.date, first.asked)

    async def _completed(self, collection: Request, page: Page, count: int) -> Page:
        """Return a page that came shorter than its own count says, with what is behind it.

        Nothing behind it, twice, means that the count is wrong: then the page is all there is, and a warning says so.
        """
        short = len(page.items)
        if not short:
            again = await self._ask(collection, page.offset, count)
            if not again.items:
                self._warn(collection, again)
            return again if _is_complete(again, count) or not again.items else await self._completed(collection, again, count)
        rest = await self._behind(collection, page, count - short)
        if not rest.items:
            return page
        self._remember(collection, short)
        # Once more: what was behind may have moved in between.
        nearer = await self.page(collection, page.offset, short)
        return Page(page.offset, nearer.items + rest.items, nearer.total, page.date, page.asked)

    async def _behind(self, collection: Request, page: Page, count: int) -> Page:
        """Return so many items behind those of a page."""
        short = len(page.items)
        for _ in range(SAME_PAGES):
            rest = await self.page(collection, page.offset + short, count)
            if rest.items[:short] != page.items:
                return rest
        raise _same_pages(collection)

    def _remember(self, collection: Request, short: int) -> None:
        """Ask for pages of this size from now on, once Mailchimp has cut two pages to it."""
        if self._short.get(collection.path) == short or short in self._smaller:
            self._sizes[collection.path] = _Size(short, may_grow=False)
        self._short[collection.path] = short

    async def _far_end(self, collection: Request, rows: int) -> Page:
        """Return the last page of a collection of about so many `rows`.

        Its count is only a hint: the end is proven by a page that is not full. An empty page proves nothing in a collection that
        others join, so the search then steps back, by half a page at first, which makes it meet the end inside a page, and then by
        twice as much each time, which finds the end of a collection that nearly everything left. From then on the count is known to be
        wrong, and steps forward halve what is between a full page and an empty one.
        """
        offset, same, turns, step, empty = self._last_page(rows), 0, 0, self.page_size // 2, 0
        start, before = -1, list[Item]()
        while True:
            page = await self.page(collection, offset)
            if not page.items and offset > 0:
                turns, empty = turns + 1, offset
                # A count that ends in front of a full page is no hint, either: where it did, the search would go in a circle.
                hint = page.total if page.total > start + len(before) else offset
                offset, step = max(0, min(offset, hint) - step), step * 2
            elif len(page.items) >= self.page_size:
                same = same + 1 if page.items == before and page.offset != start else 0
                if same == SAME_PAGES - 1:
                    raise _same_pages(collection)
                start, before, step, offset = offset, page.items, self.page_size // 2, offset + self.page_size
                offset = max(offset, (offset + empty) // 2 if empty else self._last_page(page.total))
            else:
                return page
            if turns > TURNS:
                raise TransientError("The end of the collection moves faster than it can be read", what=collection.what, answered=True)

    @property
    def _smaller(self) -> list[int]:
        return [max(1, self.page_size // parts) for parts in PARTS]

    @property
    def _smallest(self) -> int:
        return self._smaller[-1]

    def _last_page(self, rows: int) -> int:
        """Return the offset of the last page that holds an item of a collection of so many `rows`."""
        return max(0, (rows - 1) // self.page_size * self.page_size)

    def _warn(self, collection: Request, page: Page) -> None:
        if collection.path not in self._disagreeing:
            self._disagreeing.add(collection.path)
            self.logger.warning(
                "Mailchimp counts %d %s for %s but lists only %d.", page.total, collection.items, collection.what, page.offset
            )  # fmt: skip


def _same_pages(collection: Request) -> BugError:
    return BugError(f"Mailchimp gives the same page of {collection.what} again and again, no matter the offset.")


def _is_complete(page: Page, count: int) -> bool:
    return page.offset + len(page.items) >= min(page.total, page.offset + count)
