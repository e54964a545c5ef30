"""What docs/delivery.md promises of the source, checked against what became of the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from integration_tests.simulation.faults import HARMLESS
from integration_tests.simulation.promises import Broken
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.models import Member
from mailchimp_emulator.times import format_second

if TYPE_CHECKING:
    from integration_tests.simulation.reading import Attempt, ReadingRun

CLOCK_MARGIN_SECONDS = 2
"""The second in which Mailchimp answers is not over, and the one before may end while the answer is on its way."""


def broken_after_sync(run: ReadingRun, attempt: Attempt) -> Iterator[Broken]:
    """Yield what does not hold after a sync."""
    if attempt.failure and not _may_fail(attempt):
        yield Broken("disturbances", f"sync {attempt.number} failed though only {attempt.struck} came: {attempt.failure}")
    if attempt.killed or attempt.failure:
        return
    for stream in run.story.streams:
        if not attempt.is_complete(stream):
            yield Broken("status", f"sync {attempt.number} ended without an error, and {stream} is {attempt.statuses.get(stream)}")
    if attempt.is_complete("contacts"):
        yield from lost(run, attempt)


def broken_at_the_end(run: ReadingRun) -> Iterator[Broken]:
    """Yield what does not hold after the last two syncs, which nothing disturbed."""
    last = run.attempts[-1]
    if last.records:
        yield Broken("silence", f"nothing changed, and the sync emitted {dict(last.records)}")
    yield from _snapshots(run)


def lost(run: ReadingRun, attempt: Attempt) -> Iterator[Broken]:
    """Yield each contact whose last change was to be seen by this sync and which the warehouse does not have as it is."""
    for audience in run.world.audiences:
        for member in audience.members.values():
            if _was_to_be_seen(run, attempt, member) and (words := _difference(run, audience, member)):
                yield Broken("nothing is lost", f"sync {attempt.number}: {member.email} of {audience.id} {words}")


def _was_to_be_seen(run: ReadingRun, attempt: Attempt, member: Member) -> bool:
    """Whether a change lies before the horizon, by both clocks, and was visible when the sync began."""
    late = float(dict(run.story.readings).get("visible_after", 0))
    horizon = min(attempt.horizon, attempt.horizon + run.story.local_skew)
    if attempt.skewed:
        horizon = min(horizon, attempt.horizon - 86_400)
    return member.last_changed + late <= attempt.began - 1 and member.last_changed <= horizon - CLOCK_MARGIN_SECONDS


def _difference(run: ReadingRun, audience: Audience, member: Member) -> str:
    """Return in words how the warehouse differs from a contact, "" where it does not."""
    row = run.warehouse.rows["contacts"].get((audience.id, member.id))
    statuses = dict(run.story.config).get("statuses")
    if statuses and member.status not in statuses and row is None:
        return ""
    if row is None:
        return f"({member.status}, changed {format_second(member.last_changed)}) was never emitted"
    expected = {
        "status": member.status,
        "email": member.email,
        "updated_at": format_second(member.last_changed),
        "first_name": member.merge_fields.get("FNAME") or None,
    }
    found = {name: row.get(name) for name in expected}
    return "" if found == expected else f"is {expected}, the warehouse has {found}"


def _snapshots(run: ReadingRun) -> Iterator[Broken]:
    audiences = run.world.audiences
    truth = {
        "lists": {(audience.id,): audience.name for audience in audiences},
        "tags": {(audience.id, tag.id): tag.name for audience in audiences for tag in audience.segments.values() if tag.type == "static"},
    }
    for stream, expected in truth.items():
        if stream in run.story.streams:
            known = run.warehouse.certain[stream] - run.warehouse.hiding[stream]
            found = {key: row.get("name") for key, row in run.warehouse.rows[stream].items() if key in known and not row.get("is_deleted")}
            if found != expected:
                yield Broken("snapshots", f"{stream} are {expected}, the warehouse has {found}")


def _may_fail(attempt: Attempt) -> bool:
    return any(part not in HARMLESS for fault in attempt.struck for part in fault.split("+"))
