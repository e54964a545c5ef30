"""The requests that read a collection of the table, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote

from mailchimp_unified.errors import BugError, TransientError
from mailchimp_unified.paging import PARTS, TRIES_BEFORE_SMALLER, Pager
from mailchimp_unified.request import PAGE_SIZE, Reply, Request
from source_mailchimp_unified.raw.records import LINKS
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, lineage, table
from source_mailchimp_unified.sync.fingerprints import digest

Values = tuple[Any, ...]
"""The keys of the parents of a partition, the farthest first; () for a collection without parents."""

Items = list[Any]
"""Items as they came: objects, unless something is odd."""

OVERLAP = 100
"""Pages of a collection that Mailchimp does not sort share so many items: one that appears meanwhile may push others along."""

NEXT_CURSOR = "next_cursor"
"""Where the next page begins, absent after the last: https://mailchimp.com/developer/marketing/api/audiences/."""

EMPTY_PAGES = 20
"""So many empty pages with a cursor behind them are taken for the way to an end; one more is not."""

COUNT = "total_items"


def collection_request(row: Collection, values: Values, more: Mapping[str, str | int]) -> Request:
    """Return the request for a collection of one partition, without a page."""
    filled = {parent.param: quote(str(value), safe="") for parent, value in zip(lineage(row), values, strict=True)}
    sort = {"sort_field": row.sort_field, "sort_dir": "ASC"} if row.sort_field else {}
    params = {**row.params, **sort, **more}
    path, words = row.path.format(**filled), f"the {row.words}"
    if row.records_key:
        return Request(path, words, params, items=row.records_key)
    return Request(path, words, params, one_of=_told_by_the_answer(row.name))


@cache
def _told_by_the_answer(name: str) -> tuple[str, ...]:
    """Return what an answer that is one item may hold: without any of it, it does not count as an answer."""
    row = table()[name]
    others = {parent.column for parent in lineage(row)}
    return tuple(name for name in stream_schema(row)["properties"] if name not in others and name != COUNT)


def without_links(row: Collection) -> dict[str, str]:
    """Return the parameters that spare us the links."""
    if not row.partial:
        return {}
    return {"exclude_fields": ",".join([f"{row.records_key}.{LINKS}", LINKS] if row.records_key else [LINKS])}


def only(row: Collection, names: Iterable[str]) -> dict[str, str]:
    """Return the parameters that spare us all of an item but some fields."""
    return {"fields": ",".join([*(f"{row.records_key}.{name}" for name in names), COUNT])} if row.partial else {}


def keys_of_items(row: Collection) -> tuple[str, ...]:
    """Return the part of a row's key that is of the items, and neither of their parents nor of their entries."""
    others = {parent.column for parent in lineage(row)} | ({row.flatten.id} if row.flatten else set())
    return tuple(name for name in row.primary_key if name not in others)


async def read_pages(
    pager: Pager, row: Collection, request: Request, key: tuple[str, ...], counted: Callable[[int], None]
) -> AsyncIterator[Items]:
    """Yield the items of a collection of one partition by the page; `key` tells them apart.

    `counted` hears how many items there are, as soon as an answer says so.
    """
    if row.records_key is None:
        yield [(await pager.client.call(request)).body]
    elif row.paging == "cursor":
        async for items in _by_cursor(pager, row.records_key, request):
            yield items
    else:
        async for items in _by_offset(pager, row, request, key, counted):
            yield items


async def _by_offset(
    pager: Pager, row: Collection, request: Request, key: tuple[str, ...], counted: Callable[[int], None]
) -> AsyncIterator[Items]:
    """Yield the pages of a collection with offsets, from its far end.

    What leaves a collection moves the rest towards offset 0, where it is still to be read. What joins one that Mailchimp
    does not sort by time may move the rest the other way, so that its pages overlap.
    """
    before: set[tuple[Any, ...]] = set()
    overlaps = key and not row.sort_field
    async for page in pager.down(request, overlap=min(OVERLAP, pager.page_size // 2) if overlaps else 0):
        counted(page.total)
        if not overlaps:
            yield page.items
            continue
        keyed = [(key_of(item, key), item) for item in page.items]
        # What was on the page before is not repeated; what has no key is.
        yield [item for one, item in keyed if None in one or one not in before]
        before = {one for one, _ in keyed}


def key_of(item: Any, names: Iterable[str]) -> tuple[Any, ...]:
    """Return the values of an item's key; None for each that is missing or no plain value."""
    found = (item.get(name) if isinstance(item, dict) else None for name in names)
    return tuple(None if isinstance(value, dict | list) else value for value in found)


async def _by_cursor(pager: Pager, items: str, request: Request) -> AsyncIterator[Items]:
    """Yield the pages of a collection with cursors. Raises BugError when they lead nowhere."""
    params, used, empty, before = dict(request.params), set[str](), 0, None
    while True:
        reply = await _cursor_page(pager, replace(request, params=params))
        page, cursor = reply.body[items], reply.body.get(NEXT_CURSOR)
        empty = 0 if page else empty + 1
        stuck = str(cursor) in used or empty > EMPTY_PAGES or (page and digest(page) == before)
        before = digest(page)
        yield page
        if not cursor:
            return
        if stuck:
            raise BugError(
                f"The pages of {request.what} have no end: Mailchimp names a next page again and again, and nothing new is on it."
            )
        used.add(str(cursor))
        params["cursor"] = cursor


async def _cursor_page(pager: Pager, request: Request) -> Reply:
    """Return a page, a smaller one where Mailchimp fails to give a big one."""
    sizes = [max(1, pager.page_size // parts) for parts in (1, *PARTS)]
    for size in sizes[:-1]:
        try:
            return await pager.client.call(_of_size(request, size), tries=TRIES_BEFORE_SMALLER)
        except TransientError as error:
            if not error.heavy:
                raise
    return await pager.client.call(_of_size(request, sizes[-1]))


def _of_size(request: Request, count: int) -> Request:
    return replace(request, params={**request.params, "count": count})


def pages_of(items: int) -> int:
    """Return how many requests so many items take, at least one."""
    return max(1, -(-items // PAGE_SIZE))
