"""The requests that read a collection of the table, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mailchimp_unified.paging import Pager
from mailchimp_unified.request import PAGE_SIZE, Reply, Request, total_items
from source_mailchimp_unified.raw.records import LINKS
from source_mailchimp_unified.raw.table import Collection, lineage

Values = tuple[Any, ...]
"""The keys of the parents of a partition, the farthest first; () for a collection without parents."""

Items = list[dict[str, Any]]

OVERLAP = 100
"""Pages of a collection that Mailchimp does not sort share so many items: one that appears meanwhile may push others along."""

NEXT_CURSOR = "next_cursor"
"""Where the next page begins, absent after the last: https://mailchimp.com/developer/marketing/api/audiences/."""


def collection_request(row: Collection, values: Values, more: Mapping[str, str | int]) -> Request:
    """Return the request for a collection of one partition, without a page."""
    filled = {parent.param: quote(str(value), safe="") for parent, value in zip(lineage(row), values, strict=True)}
    sort = {"sort_field": row.sort_field, "sort_dir": "ASC"} if row.sort_field else {}
    params = {**row.params, **sort, **more}
    return Request(row.path.format(**filled), f"the {row.words}", params, items=row.records_key or "")


def without_links(row: Collection) -> dict[str, str]:
    """Return the parameters that spare us the links."""
    if not row.partial:
        return {}
    return {"exclude_fields": ",".join([f"{row.records_key}.{LINKS}", LINKS] if row.records_key else [LINKS])}


def only(row: Collection, field: str) -> dict[str, str]:
    """Return the parameters that spare us all of an item but one field."""
    return {"fields": f"{row.records_key}.{field},total_items"} if row.partial else {}


def items_of(row: Collection, reply: Reply) -> Items:
    """Return the items in a reply; the whole answer is one where the table names no key."""
    return list(reply.body[row.records_key]) if row.records_key else [reply.body]


def missing_items(row: Collection, reply: Reply) -> int:
    """Return how many items a collection has, by Mailchimp's count, beyond those that its only page gave."""
    if row.records_key is None:
        return 0
    return max(0, total_items(reply.body) - len(items_of(row, reply)))


def keys_of_items(row: Collection) -> tuple[str, ...]:
    """Return the part of a row's key that is of the items, and neither of their parents nor of their entries."""
    others = {parent.column for parent in lineage(row)} | ({row.flatten.id} if row.flatten else set())
    return tuple(name for name in row.primary_key if name not in others)


async def read_pages(
    pager: Pager, row: Collection, request: Request, key: tuple[str, ...], short: Callable[[int], None]
) -> AsyncIterator[Items]:
    """Yield the items of a collection of one partition by the page; `key` tells them apart, `short` hears of items that did not come."""
    if row.paging == "offset" and row.records_key:
        async for items in _by_offset(pager, row, request, key):
            yield items
    elif row.paging == "cursor":
        async for items in _by_cursor(pager, row, request):
            yield items
    else:
        reply = await pager.client.call(request)
        short(missing_items(row, reply))
        yield items_of(row, reply)


async def _by_offset(pager: Pager, row: Collection, request: Request, key: tuple[str, ...]) -> AsyncIterator[Items]:
    """Yield the pages of a collection with offsets, from its far end.

    What leaves a collection moves the rest towards offset 0, where it is still to be read. What joins one that Mailchimp
    does not sort by time may move the rest the other way, so that its pages overlap.
    """
    before: set[tuple[Any, ...]] = set()
    async for page in pager.down(request, overlap=0 if row.sort_field or not key else OVERLAP):
        keys = [tuple(item.get(name) for name in key) for item in page.items]
        # What was on the page before is not repeated; what has no key is.
        yield [item for one, item in zip(keys, page.items, strict=True) if None in one or one not in before]
        before = set() if row.sort_field or not key else set(keys)


async def _by_cursor(pager: Pager, row: Collection, request: Request) -> AsyncIterator[Items]:
    params: dict[str, str | int] = {**request.params, "count": PAGE_SIZE}
    while True:
        reply = await pager.client.call(replace(request, params=params))
        yield items_of(row, reply)
        if not reply.body.get(NEXT_CURSOR):
            return
        params["cursor"] = reply.body[NEXT_CURSOR]
