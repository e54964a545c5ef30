"""The requests that read a collection of the table, page by page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mailchimp_unified.client import PAGE_SIZE, Reply, Request
from source_mailchimp_unified.raw.records import LINKS
from source_mailchimp_unified.raw.table import Collection, lineage
from source_mailchimp_unified.reading import Step, Taken, emit, page_request, read_down

Steps = Generator[Step, list[Any], None]
Values = tuple[Any, ...]
"""The keys of the parents of a partition, the farthest first; () for a collection without parents."""

Take = Callable[[list[dict[str, Any]]], Taken]

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


def read_pages(row: Collection, request: Request, take: Take, short: Callable[[int], None]) -> Steps:
    """Read a collection of one partition, emitting what `take` makes of each page; `short` hears of items that did not come."""
    if row.paging == "offset" and row.records_key:
        yield from read_down(request, row.records_key, 0, take)
        return
    (reply,) = yield Step([first_page(row, request)])
    while row.paging == "cursor" and reply.body.get(NEXT_CURSOR):
        following = first_page(row, replace(request, params={**request.params, "cursor": reply.body[NEXT_CURSOR]}))
        (reply,) = yield from emit(take(items_of(row, reply)), [following])
    if row.paging == "none":
        short(missing_items(row, reply))
    yield from emit(take(items_of(row, reply)))
