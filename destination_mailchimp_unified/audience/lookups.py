"""What must be known of an audience before contacts are written to it: flows that ask for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience, Tag
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.pipeline.flows import Flow, both, call, gather
from destination_mailchimp_unified.planning.plan import UNSUBSCRIBABLE
from destination_mailchimp_unified.planning.tags import fold
from destination_mailchimp_unified.sending import calls
from mailchimp_unified.client import PAGE_SIZE, Reply, Request
from mailchimp_unified.entities.contact import ARCHIVED, STATUSES
from mailchimp_unified.entities.entity import nested, rfc3339, timestamp
from mailchimp_unified.entities.merge_field import merge_field_of
from mailchimp_unified.errors import BugError
from mailchimp_unified.paging import TIED_ROWS, far_end

Json = dict[str, Any]

FRESH_SECONDS = 60.0
"""After so long, whoever is no longer subscribed is asked for again before subscribed contacts are updated in bulk.

This, and the time the call itself takes, is how long somebody who unsubscribes could be overlooked. It matters only if
Mailchimp took a row without a status for a subscription, which nobody has seen it do.
"""

# A second that is over: nothing joins it any more.
_SETTLED = timedelta(seconds=1)

_SWEEPS: tuple[dict[str, str], ...] = ({}, {"status": ARCHIVED})
"""An unfiltered listing leaves archived contacts out: https://mailchimp.com/developer/marketing/api/list-members/."""


def load_audience(audience: Audience) -> Flow[None]:
    """Learn what an audience is called and which merge fields it has. Raises NotFoundError when it is not there."""
    request = calls.read_merge_fields(audience.id)
    facts, definitions = yield from both(call(calls.read_audience(audience.id)), read_all(request, "merge_fields"))
    found = facts.body
    audience.name, audience.double_optin = str(found.get("name") or ""), bool(found.get("double_optin"))
    audience.subscribed = int(nested(found, "stats").get("member_count") or 0)
    define(audience, definitions)
    audience.known = True


def define(audience: Audience, definitions: Iterable[Json]) -> None:
    """Add merge fields to what is known of an audience."""
    audience.definitions += definitions
    audience.merge_fields = {str(one["tag"]): merge_field_of(one) for one in audience.definitions}


def load_tags(audience: Audience) -> Flow[None]:
    """Read the tags of an audience."""
    segments = yield from read_all(calls.read_tags(audience.id), "segments")
    audience.tags = {fold(str(one.get("name"))): Tag(str(one.get("name")), one.get("id")) for one in segments}


def read_all(request: Request, items: str) -> Flow[list[Json]]:
    """Return a collection that is small and keeps its order, page by page."""
    found: list[Json] = []
    while True:
        reply = yield from call(calls.page(request, len(found)))
        rows = reply.body.get(items) or []
        found += rows
        if len(rows) < PAGE_SIZE:
            return found


def count_contacts(audience: Audience) -> Flow[None]:
    """Ask how many contacts the listings of an audience have, archived ones apart. Where a page holds each, all statuses are known.

    The archived ones come last: whoever is archived meanwhile is in both answers, and never taken for a new contact.
    """
    plain, archived = _SWEEPS
    present = yield from call(calls.page(_statuses(audience), 0, filters=plain))
    gone = yield from call(calls.page(_statuses(audience), 0, filters=archived))
    audience.totals = (_total(present), _total(gone))
    audience.statuses_until = _date(present) - _SETTLED
    pages = [reply.body.get("members") or [] for reply in (present, gone)]
    if all(len(page) < PAGE_SIZE for page in pages):
        _begin_statuses(audience)
        for page in pages:
            _note(audience, page)


def read_statuses(audience: Audience, workers: int) -> Flow[None]:
    """Read the status of every contact, losing none while people edit; then once more whoever changed meanwhile."""
    if audience.totals is None:
        yield from count_contacts(audience)
    if audience.statuses is not None:
        return
    totals, horizon = audience.totals or (0, 0), audience.statuses_until
    _begin_statuses(audience)
    # The totals may be old by now: they say where to begin, never whether to read.
    yield from gather([_read_sweep(audience, sweep, total, workers) for sweep, total in zip(_SWEEPS, totals, strict=True)])
    if horizon:
        yield from gather([_read_window(audience, {**sweep, **_since(horizon)}, 0) for sweep in _SWEEPS])


def _begin_statuses(audience: Audience) -> None:
    audience.statuses = Statuses()
    audience.statuses_read_at = time.monotonic()


def refresh_statuses(audience: Audience) -> Flow[None]:
    """Read whoever left the subscribed ones since the statuses were read last: what is about to be written may not undo it."""
    since = audience.statuses_until
    if since is None:
        return
    audience.statuses_read_at = time.monotonic()
    others = [status for status in STATUSES if status != UNSUBSCRIBABLE[0]]
    dates = yield from gather([_read_window(audience, {"status": status, **_since(since)}, 0) for status in others])
    audience.statuses_until = min(dates) - _SETTLED


def is_stale(audience: Audience) -> bool:
    """Return whether the statuses were read so long ago that people may well have unsubscribed since."""
    return time.monotonic() - audience.statuses_read_at > FRESH_SECONDS


def _read_sweep(audience: Audience, sweep: Mapping[str, str], total: int, workers: int) -> Flow[None]:
    """Read one listing in as many windows of time as there are workers, each from its far end."""
    cuts = yield from _cuts(audience, sweep, total, workers)
    bounds = [None, *cuts, None]
    windows = [{**sweep, **_between(after, until)} for after, until in pairwise(bounds)]
    rows = total // len(windows) + TIED_ROWS
    yield from gather([_read_window(audience, window, rows) for window in windows])


def _cuts(audience: Audience, sweep: Mapping[str, str], total: int, workers: int) -> Flow[list[str]]:
    """Return the times at which to cut a listing, from rows at evenly spaced offsets."""
    windows = max(1, min(workers, -(-total // PAGE_SIZE)))
    request = calls.read_members(audience.id, "members.last_changed")
    samples = [calls.page(request, total * n // windows, 1, sweep) for n in range(1, windows)]
    replies = yield from gather([call(sample) for sample in samples])
    seen = {timestamp(row.get("last_changed")) for reply in replies for row in reply.body.get("members") or []}
    last = rfc3339(audience.statuses_until) if audience.statuses_until else ""
    # Only what lies before the horizon is a window that rows can leave but not join.
    return sorted(cut for cut in seen if cut and cut <= last)


def _read_window(audience: Audience, filters: Mapping[str, str], rows: int) -> Flow[datetime]:
    """Read the statuses of a window from its far end down to offset 0. Returns the time of the first answer."""
    request, end = _statuses(audience), far_end(rows, PAGE_SIZE)
    began: datetime | None = None
    offset = next(end)
    while True:
        reply = yield from call(calls.page(request, offset, filters=filters))
        began = began or _date(reply)
        members = reply.body.get("members") or []
        _note(audience, members)
        try:
            offset = end.send((len(members), _total(reply)))
        except StopIteration:
            break
    while offset > 0:
        offset = max(0, offset - PAGE_SIZE)
        _note(audience, (yield from call(calls.page(request, offset, filters=filters))).body.get("members") or [])
    return began


def _note(audience: Audience, members: Iterable[Json]) -> None:
    for member in members:
        audience.note(str(member["id"]), member.get("status"))


def _statuses(audience: Audience) -> Request:
    return calls.read_members(audience.id, "members.id,members.status")


def _since(moment: datetime) -> dict[str, str]:
    return {"since_last_changed": rfc3339(moment)}


def _between(after: str | None, until: str | None) -> dict[str, str]:
    bounds = {"since_last_changed": after, "before_last_changed": until}
    return {name: bound for name, bound in bounds.items() if bound}


def _total(reply: Reply) -> int:
    return int(reply.body.get("total_items") or 0)


def _date(reply: Reply) -> datetime:
    if reply.date is None:
        raise BugError("Mailchimp's answer carries no date, so changes since then cannot be asked for.")
    return reply.date
