"""Reading the status of every contact of an audience, and what it is compared by, so that nobody is missed while people edit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison
from mailchimp_unified import endpoints
from mailchimp_unified.entities.contact import ARCHIVED, STATUSES
from mailchimp_unified.entities.entity import rfc3339, timestamp
from mailchimp_unified.errors import BugError, IncompleteAnswerError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Page, Pager
from mailchimp_unified.request import Reply, Request, total_items

Json = dict[str, Any]

FRESH_SECONDS = 60.0
"""Nothing is planned or sent by statuses that are older.

This, and the time the call itself takes, is how long somebody who unsubscribes could be overlooked. It matters only if
Mailchimp took a row without a status for a subscription, which nobody has seen it do.
"""

TIED_ROWS = 50
"""Windows are taken for so much longer than their share, since many contacts may share the second at which they are cut."""

LATE = timedelta(seconds=120)
"""A change may show in listings so much later than it happened. Nobody documents it; others read again up to ten minutes:
https://docs.estuary.dev/reference/Connectors/capture-connectors/mailchimp/."""

_SWEEPS: tuple[dict[str, str | int], ...] = ({}, {"status": ARCHIVED})
"""An unfiltered listing leaves archived contacts out: https://mailchimp.com/developer/marketing/api/list-members/."""


async def count_contacts(audience: Audience, pager: Pager, shown: Iterable[str]) -> None:
    """Ask how many contacts the listings of an audience have, archived ones apart. Where a page holds each, all are listed.

    `shown` are fields that contacts may be compared by. The archived ones come last: a contact archived in the meantime is in both
    answers, and never taken for a new one.
    """
    collections = [_members(audience, sweep, shown) for sweep in _SWEEPS]
    replies = [await pager.client.call(collection.page(0, pager.page_size)) for collection in collections]
    totals = [total_items(reply.body) for reply in replies]
    audience.totals = (totals[0], totals[1])
    audience.statuses_until, audience.statuses_asked = _date(replies[0]), replies[0].asked
    pages = [reply.body["members"] for reply in replies]
    if all(len(page) < pager.page_size and len(page) >= total for page, total in zip(pages, totals, strict=True)):
        audience.listed = [member for page in pages for member in page]


async def read_statuses(audience: Audience, pager: Pager, workers: int, comparison: Comparison | None) -> None:
    """Read the status of every contact, losing none while people edit; then once more those that changed in the meantime.

    With a `comparison` also what contacts are compared by.
    """
    audience.begin_to_know(comparison)
    try:
        if audience.listed is None:
            await _read_all(audience, pager, workers)
        else:
            _note(audience, audience.listed)
            audience.listed_whole = True
    except BaseException:
        # What was read in part must not pass for all.
        audience.statuses = None
        raise
    audience.listed, audience.is_compared = None, comparison is not None


async def _read_all(audience: Audience, pager: Pager, workers: int) -> None:
    totals, horizon = audience.totals or (0, 0), audience.statuses_until
    # The totals may be old by now: they say where to begin, never whether to read.
    sweeps = zip(_SWEEPS, totals, strict=True)
    await together(*(_read_sweep(audience, pager, sweep, total, workers) for sweep, total in sweeps))
    if horizon:
        await _read_changes(audience, pager, [{**sweep, **_since(horizon)} for sweep in _SWEEPS])
    audience.listed_whole = await _is_whole(audience, pager)


async def _is_whole(audience: Audience, pager: Pager) -> bool:
    """Return whether as many contacts were read as Mailchimp counts. If not, a contact that was not read may still exist."""
    assert audience.statuses is not None
    if pager.disagrees(_statuses(audience, {})):
        return False
    if len(audience.statuses) >= sum(audience.totals or ()):
        return True
    # Some may have been deleted for good while the others were read.
    try:
        replies = [await pager.client.call(endpoints.totals(_statuses(audience, sweep))) for sweep in _SWEEPS]
    except IncompleteAnswerError:
        return False
    return len(audience.statuses) >= sum(total_items(reply.body) for reply in replies)


async def refresh_statuses(audience: Audience, pager: Pager) -> None:
    """Read the contacts who stopped being subscribed since the statuses were last read: the next write must not undo it.

    Where contacts are compared, also subscribed ones who changed, unless most of those are the ones that this sync has written.
    """
    if audience.statuses_until is not None:
        since = _since(audience.statuses_until)
        compares = audience.comparison is not None and audience.written < pager.page_size
        statuses = [status for status in STATUSES if compares or status != "subscribed"]
        audience.written = 0
        await _read_changes(audience, pager, [{"status": status, **since} for status in statuses])


def is_fresh(audience: Audience) -> bool:
    """Return whether the statuses were read so lately that they may be acted on."""
    return asyncio.get_running_loop().time() - audience.statuses_asked <= FRESH_SECONDS


async def _read_changes(audience: Audience, pager: Pager, windows: Iterable[Mapping[str, str | int]]) -> None:
    pages = await together(*(_read_window(audience, pager, window, 0) for window in windows))
    audience.statuses_until = min(_date(page) for page in pages)
    audience.statuses_asked = min(page.asked for page in pages)


async def _read_sweep(audience: Audience, pager: Pager, sweep: Mapping[str, str | int], total: int, workers: int) -> None:
    """Read one listing in as many windows of time as there are workers, each from its far end."""
    bounds = [None, *await _cuts(audience, pager, sweep, total, workers), None]
    windows = [{**sweep, **_between(after, until)} for after, until in pairwise(bounds)]
    rows = total // len(windows) + TIED_ROWS
    await together(*(_read_window(audience, pager, window, rows) for window in windows))


async def _cuts(audience: Audience, pager: Pager, sweep: Mapping[str, str | int], total: int, workers: int) -> list[str]:
    """Return the times at which to cut a listing, from rows at evenly spaced offsets."""
    windows = max(1, min(workers, -(-total // pager.page_size)))
    collection = endpoints.members(audience.id, sweep, "members.last_changed")
    samples = [collection.page(total * n // windows, 1) for n in range(1, windows)]
    replies = await together(*(pager.client.call(sample) for sample in samples))
    seen = {timestamp(row.get("last_changed")) for reply in replies for row in reply.body["members"]}
    last = rfc3339(audience.statuses_until - timedelta(seconds=1)) if audience.statuses_until else ""
    # Only what lies before the horizon is a window that rows can leave but not join.
    return sorted(cut for cut in seen if cut and cut <= last)


async def _read_window(audience: Audience, pager: Pager, filters: Mapping[str, str | int], rows: int) -> Page:
    """Read the statuses of a window from its far end down to offset 0. Returns its first page, without its items."""
    first: Page | None = None
    async for page in pager.down(_statuses(audience, filters), rows):
        first = first or replace(page, items=[])
        _note(audience, page.items)
    assert first is not None, "a collection has at least one page"
    return first


def _note(audience: Audience, members: Iterable[Json]) -> None:
    for member in members:
        audience.note_member(member)


def _statuses(audience: Audience, filters: Mapping[str, str | int]) -> Request:
    return _members(audience, filters, audience.comparison.shown if audience.comparison else ())


def _members(audience: Audience, filters: Mapping[str, str | int], shown: Iterable[str]) -> Request:
    return endpoints.members(audience.id, filters, ",".join(f"members.{name}" for name in ("id", "status", *shown)))


def _since(moment: datetime) -> dict[str, str | int]:
    return {"since_last_changed": rfc3339(moment - LATE)}


def _between(after: str | None, until: str | None) -> dict[str, str | int]:
    bounds = {"since_last_changed": after, "before_last_changed": until}
    return {name: bound for name, bound in bounds.items() if bound}


def _date(answer: Reply | Page) -> datetime:
    if answer.date is None:
        raise BugError("Mailchimp's answer has no Date header, so changes since then cannot be asked for.")
    return answer.date
