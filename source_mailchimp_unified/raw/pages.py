"""The requests that read a collection of the table, page by page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mailchimp_unified.client import PAGE_SIZE, Reply, Request
from source_mailchimp_unified.raw.records import LINKS
from source_mailchimp_unified.raw.table import Collection, lineage
from source_mailchimp_unified.sync.reading import Step, Taken, emit, page_request, read_down

Steps = Generator[Step, list[Any], None]
Values = tuple[Any, ...]
"""The keys of the parents of a partition, the farthest first; () for a collection without parents."""

Take = Callable[[list[dict[str, Any]]], Taken]

OVERLAP = 100
"""Pages of a collection that Mailchimp does not sort share so many items: one that appears meanwhile may push others along."""

NEXT_CURSOR = "next_cursor"
"""Where the next page begins, absent after the last: https://mailchimp.com/developer/marketing/api/audiences/."""


def collection_request(row: Collection, values: Values, more: Mapping[str, str | int]) -> Request:
    """Return the request for a collection of one partition, without a page."""
    filled = {parent.param: quote(str(value), safe="") for parent, value in zip(lineage(row), values, strict=True)}
    sort = {"sort_field": row.sort_field, "sort_dir": "ASC"} if row.sort_field else {}
    return Request(path=row.path.format(**filled), what=f"the {row.words}", params={**row.params, **sort, **more})


def without_links(row: Collection) -> dict[str, str]:
    """Return the parameters that spare us the links."""
    if not row.partial:
        return {}
    return {"exclude_fields": ",".join([f"{row.records_key}.{LINKS}", LINKS] if row.records_key else [LINKS])}


def only(row: Collection, field: str) -> dict[str, str]:
    """Return the parameters that spare us all of an item but one field."""
    return {"fields": f"{row.records_key}.{field},total_items"} if row.partial else {}


def first_page(row: Collection, request: Request) -> Request:
    """Return the request for the first page, which is the whole of a collection without pages."""
    if row.paging == "offset":
        return page_request(request, 0)
    return replace(request, params={**request.params, "count": PAGE_SIZE}) if row.paging == "cursor" else request


def items_of(row: Collection, reply: Reply) -> list[dict[str, Any]]:
    """Return the items in a reply; the whole answer is one where the table names no key."""
    return list(reply.body.get(row.records_key) or ()) if row.records_key else [reply.body]


def missing_items(row: Collection, reply: Reply) -> int:
    """Return how many items a collection has, by Mailchimp's count, beyond those that its only page gave."""
    if row.records_key is None:
        return 0
    return max(0, int(reply.body.get("total_items") or 0) - len(items_of(row, reply)))


def keys_of_items(row: Collection) -> tuple[str, ...]:
    """Return the part of a row's key that is of the items, and neither of their parents nor of their entries."""
    others = {parent.column for parent in lineage(row)} | ({row.flatten.id} if row.flatten else set())
    return tuple(name for name in row.primary_key if name not in others)


class _Unrepeated:
    """Leaves out the items of a page that were on the page before."""

    def __init__(self, key: tuple[str, ...], take: Take) -> None:
        self._key, self._take = key, take
        self._before: set[tuple[Any, ...]] = set()

    def take(self, items: list[dict[str, Any]]) -> Taken:
        """Take the items that are new."""
        keys = [tuple(item.get(name) for name in self._key) for item in items]
        fresh = [item for key, item in zip(keys, items, strict=True) if None in key or key not in self._before]
        self._before = set(keys)
        return self._take(fresh)


def read_offsets(row: Collection, request: Request, key: tuple[str, ...], take: Take) -> Steps:
    """Read all pages of a collection with offsets, from its far end; `key` tells its items apart.

    What leaves a collection moves the rest towards offset 0, where it is still to be read. What joins one that Mailchimp
    does not sort by time may move the rest the other way, so that its pages overlap.
    """
    assert row.records_key is not None, "an answer that is one item has no pages"
    if row.sort_field or not key:
        yield from read_down(request, row.records_key, 0, take)
    else:
        yield from read_down(request, row.records_key, 0, _Unrepeated(key, take).take, OVERLAP)


def read_pages(row: Collection, request: Request, take: Take, short: Callable[[int], None]) -> Steps:
    """Read a collection of one partition, emitting what `take` makes of each page; `short` hears of items that did not come."""
    if row.paging == "offset" and row.records_key:
        yield from read_offsets(row, request, keys_of_items(row), take)
        return
    (reply,) = yield Step([first_page(row, request)])
    while row.paging == "cursor" and reply.body.get(NEXT_CURSOR):
        following = first_page(row, replace(request, params={**request.params, "cursor": reply.body[NEXT_CURSOR]}))
        (reply,) = yield from emit(take(items_of(row, reply)), [following])
    if row.paging == "none":
        short(missing_items(row, reply))
    yield from emit(take(items_of(row, reply)))
