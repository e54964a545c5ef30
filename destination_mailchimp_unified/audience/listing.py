"""Reading the status of every contact of an audience, and what it is compared by, so that nobody is missed while people edit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison
from mailchimp_unified import endpoints
from mailchimp_unified.entities.contact import ARCHIVED, STATUSES
from mailchimp_unified.entities.entity import second_of
from mailchimp_unified.errors import BugError, IncompleteAnswerError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Page, Pager
from mailchimp_unified.request import Json, Reply, Request, total_items
from mailchimp_unified.windows import LATE_SECONDS, OPEN, Cuts, Sample, Window, offsets_of_whole_pages

FRESH_SECONDS = 60.0
"""Nothing is planned or sent by statuses that are older.

This, and the time the call itself takes, is how long somebody who unsubscribes could be overlooked. It matters only if
Mailchimp took a row without a status for a subscription, which nobody has seen it do.
"""

_SWEEPS: tuple[dict[str, str | int], ...] = ({}, {"status": ARCHIVED})
"""An unfiltered listing leaves archived contacts out: https://mailchimp.com/developer/marketing/api/list-members/."""


async def count_contacts(audience: Audience, pager: Pager, shown: Iterable[str]) -> None:
    """Ask how many contacts the listings of an audience have, archived ones apart, and keep the first page of each.

    `shown` are fields that contacts may be compared by. The archived ones come last: a contact archived in the meantime is in both
    answers, and never taken for a new one.
    """
    collections = [_members(audience, sweep, shown) for sweep in _SWEEPS]
    replies = [await pager.client.call(collection.page(0, pager.page_size)) for collection in collections]
    totals = [total_items(reply.body) for reply in replies]
    audience.totals = (totals[0], totals[1])
    audience.statuses_until, audience.statuses_asked = _date(replies[0]), replies[0].asked
    audience.first_pages = [reply.body["members"] for reply in replies]


def is_listed(audience: Audience, pager: Pager) -> bool:
    """Return whether the first pages of an audience's listings are all there is."""
    pages = zip(audience.first_pages, audience.totals or (), strict=False)
    return bool(audience.first_pages) and all(_is_all(page, total, pager) for page, total in pages)


def _is_all(page: list[Json], total: int, pager: Pager) -> bool:
    return total <= len(page) < pager.page_size


async def read_statuses(audience: Audience, pager: Pager, workers: int, comparison: Comparison | None) -> None:
    """Read the status of every contact, losing none while people edit; then once more those that changed in the meantime.

    With a `comparison` also what contacts are compared by.
    """
    audience.begin_to_know(comparison)
    try:
        if is_listed(audience, pager):
            for page in audience.first_pages:
                _note(audience, page)
            audience.listed_whole = True
        else:
            await _read_all(audience, pager, workers)
    except BaseException:
        # What was read in part must not pass for all, and the first pages are old when it is tried again.
        audience.statuses, audience.first_pages = None, []
        raise
    audience.first_pages, audience.is_compared = [], comparison is not None


async def _read_all(audience: Audience, pager: Pager, workers: int) -> None:
    horizon = audience.statuses_until
    assert audience.totals is not None, "contacts are counted before they are read"
    assert horizon is not None
    # The totals may be old by now: they say where to begin, never whether to read.
    sweeps = zip(_SWEEPS, audience.totals, audience.first_pages or ([], []), strict=True)
    await together(*(_read_sweep(audience, pager, sweep, total, workers, first) for sweep, total, first in sweeps))
    await _read_changes(audience, pager, [{**sweep, **_since(horizon)} for sweep in _SWEEPS], workers)
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
        await _read_changes(audience, pager, [{"status": status, **since} for status in statuses], 1)


def is_fresh(audience: Audience) -> bool:
    """Return whether the statuses were read so lately that they may be acted on."""
    return asyncio.get_running_loop().time() - audience.statuses_asked <= FRESH_SECONDS


async def _read_changes(audience: Audience, pager: Pager, windows: Iterable[Mapping[str, str | int]], workers: int) -> None:
    pages = await together(*(_read_big_window(audience, pager, window, workers) for window in windows))
    audience.statuses_until = min(_date(page) for page in pages)
    audience.statuses_asked = min(page.asked for page in pages)


async def _read_big_window(audience: Audience, pager: Pager, window: Mapping[str, str | int], workers: int) -> Page:
    """Read what changed in a window, which may be a whole audience that was just written. Returns its first page, without its items."""
    page = await pager.page(_statuses(audience, window))
    if len(page.items) < pager.page_size:
        _note(audience, page.items)
    else:
        await _read_sweep(audience, pager, window, page.total, workers, page.items)
    return replace(page, items=[])


async def _read_sweep(
    audience: Audience,
    pager: Pager,
    sweep: Mapping[str, str | int],
    total: int,
    workers: int,
    first: list[Json],
) -> None:
    """Read one listing: pages at even distances at once, and the windows of time between them, each from its far end.

    A page is one moment's truth for the seconds strictly inside it, so that it is a part of what is read. What the windows say is newer,
    and noted after it.
    """
    if _is_all(first, total, pager):
        _note(audience, first)
        return
    offsets = offsets_of_whole_pages(total, pager.page_size, min(workers, -(-total // pager.page_size)))
    samples = await together(*(pager.page(_statuses(audience, sweep), offset) for offset in offsets))
    pages = [first, *(sample.items for sample in samples)]
    for page in pages:
        _note(audience, page)
    assert audience.statuses_until is not None, "contacts are counted before they are read"
    windows = _windows_between(pages, [0, *offsets], total, audience.statuses_until)
    await together(*(_read_window(audience, pager, {**sweep, **window.bounds}, max(0, rows - pager.page_size)) for window, rows in windows))


def _windows_between(pages: Sequence[Sequence[Json]], offsets: Sequence[int], total: int, moment: datetime) -> Iterator[tuple[Window, int]]:
    """Yield the windows that these pages of a listing leave to be read, each with the rows from the page before it to its end. Pure.

    They are cut only before the second before `moment`, that of the first response: rows can leave such a window but not join it.
    """
    horizon = int(moment.timestamp()) - 1
    cuts, begin = Cuts(Window(0, OPEN)), 0
    cuts.expect(len(pages))
    for number, (page, offset) in enumerate(zip(pages, offsets, strict=True)):
        sample = _sample(page, horizon, is_first=number == 0)
        before, begin = begin, begin if sample is None else offset
        for window in cuts.learn(number, sample):
            yield window, total - begin if window.until == OPEN else offset - before


def _sample(page: Sequence[Json], horizon: int, *, is_first: bool) -> Sample | None:
    """Return between which seconds a page lies, up to the horizon; None when it lies nowhere. The first one begins with the listing."""
    begin, end = (second_of(page[0].get("last_changed")), second_of(page[-1].get("last_changed"))) if page else (None, None)
    begin = 0 if is_first else begin
    if begin is None or begin > horizon:
        return None
    return Sample(begin, begin if end is None or end > horizon else end)


async def _read_window(audience: Audience, pager: Pager, filters: Mapping[str, str | int], rows: int) -> None:
    """Read the statuses of a window of about so many rows from its far end down to offset 0."""
    async for page in pager.down(_statuses(audience, filters), rows):
        _note(audience, page.items)


def _note(audience: Audience, members: Iterable[Json]) -> None:
    for member in members:
        audience.note_member(member)


def _statuses(audience: Audience, filters: Mapping[str, str | int]) -> Request:
    return _members(audience, filters, audience.comparison.shown if audience.comparison else ())


def _members(audience: Audience, filters: Mapping[str, str | int], shown: Iterable[str]) -> Request:
    fields = ("id", "status", "last_changed", *shown)
    return endpoints.members(audience.id, filters, ",".join(f"members.{name}" for name in fields))


def _since(moment: datetime) -> dict[str, str | int]:
    return Window(int(moment.timestamp()) - LATE_SECONDS, OPEN).bounds


def _date(answer: Reply | Page) -> datetime:
    if answer.date is None:
        raise BugError("Mailchimp's response has no Date header, so changes since then cannot be requested.")
    return answer.date
