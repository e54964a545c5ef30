"""What docs/delivery.md promises of the destination, checked against what became of the audience."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from integration_tests.simulation.faults import HARMLESS
from integration_tests.simulation.promises import Broken, is_recent
from integration_tests.simulation.world import Seen
from integration_tests.simulation.writing_stories import LIST, Line
from mailchimp_emulator.models import subscriber_hash

if TYPE_CHECKING:
    from integration_tests.simulation.writing import WriteAttempt, WritingRun

HOLDING = ("subscribed", "pending")


def broken_at_acknowledgment(run: WritingRun, attempt: WriteAttempt, place: int) -> Iterator[Broken]:
    """Yield each record before a state that is acknowledged and yet did not do what it asked for."""
    latest: dict[str, int] = {}
    for number in range(attempt.first, place):
        if not run.story.lines[number].is_state:
            latest[_id(run.story.lines[number])] = number
    for identity, number in latest.items():
        line = run.story.lines[number]
        if _may_be_refused(run, line) or number < attempt.acknowledged:
            continue
        later = [n for n in attempt.given if n > number and not run.story.lines[n].is_state and _id(run.story.lines[n]) == identity]
        if not _landed(run, attempt, number, [run.story.lines[n] for n in later]):
            yield Broken("acknowledgment", f"record {number} {dict(line.columns)} is acknowledged by line {place} and did not happen")


def _landed(run: WritingRun, attempt: WriteAttempt, number: int, later: list[Line]) -> bool:
    line = run.story.lines[number]
    versions = _since(run.world.history.get((LIST, _id(line)), []), attempt.given[number])
    if any(_deletes(run, one) for one in later):
        return True
    if run.story.policy == "create_only" and (_deletes(run, line) or any(version.status != "gone" for version in versions)):
        # Who is there is left alone, and nobody is taken away.
        return True
    same = [one for one in run.story.lines if _id(one) == _id(line)]
    may_be_skipped = (
        _deletes(run, line) or run.story.policy == "update_only" or any(one.get("status") in ("cleaned", "archived") for one in same)
    )
    if may_be_skipped and (not versions or versions[0].at > attempt.given[number] or versions[0].status == "gone"):
        # Not there when the record came, even if somebody signed up later.
        return True
    if _deletes(run, line):
        ignored = bool(line.get("is_deleted")) and dict(run.story.config)["on_delete"] == "ignore"
        return bool(later) or ignored or any(_is_deleted(run, line, one) for one in versions)
    values = {one.get("first_name") for one in (line, *later)}
    return any(version.values.get("FNAME") in values for version in versions) or any(version.status == "gone" for version in versions)


def _since(versions: list[Seen], moment: float) -> list[Seen]:
    """Return what a contact was from a moment on, the version of that moment included."""
    before = [version for version in versions if version.at <= moment][-1:]
    return before + [version for version in versions if version.at > moment]


def _deletes(run: WritingRun, line: Line) -> bool:
    """Whether a record asks for its contact to go."""
    return bool(line.get("is_deleted")) or (line.get("status") == "archived" and dict(run.story.config)["apply_status"] != "never")


def _is_deleted(run: WritingRun, line: Line, version: Seen) -> bool:
    if not line.get("is_deleted") or dict(run.story.config)["on_delete"] == "archive":
        # Mailchimp archives nobody who is cleaned or pending.
        return version.status in ("archived", "gone", "cleaned", "pending")
    return version.status not in HOLDING


def broken_by_requests(run: WritingRun) -> Iterator[Broken]:
    """Yield each contact whom a request moved to where nobody wanted them."""
    for (_, identity), versions in run.world.history.items():
        for before, after in pairwise(versions):
            if after.by.startswith("request") and (words := _wrong_move(run, identity, before, after)):
                yield Broken("consent", f"{identity} went from {before.status} to {after.status} at {after.at:.3f}: {words}")
        first = versions[0]
        if first.by.startswith("request") and (words := _wrong_beginning(run, first)):
            yield Broken("consent", f"{identity} was created as {first.status} at {first.at:.3f}: {words}")


def _wrong_move(run: WritingRun, identity: str, before: Seen, after: Seen) -> str:
    if before.status == "gone":
        return _wrong_beginning(run, after)
    if after.status not in HOLDING or before.status in (after.status, "subscribed"):
        return ""
    if before.status == "pending":
        return "" if _is_overlooked(run, identity, before, after) else "who is asked to confirm is subscribed without having done so"
    return "" if _is_asked_for(run, identity, before, after) else "nobody asked for it"


def _is_asked_for(run: WritingRun, identity: str, before: Seen, after: Seen) -> bool:
    """Whether the configuration and a record, or a window that the docs name, allow that somebody comes back."""
    config = dict(run.story.config)
    wanted = {line.get("status") for line in run.story.lines if not line.is_state and _id(line) == identity}
    return (
        (before.status == "archived" and config["restore_archived"])
        or (config["apply_status"] == "always" and bool(wanted & set(HOLDING)))
        or _is_overlooked(run, identity, before, after)
        or (is_recent(run.world.history[LIST, identity], before, after) and _was_unlisted(run, identity, before))
    )


def _is_overlooked(run: WritingRun, identity: str, before: Seen, after: Seen) -> bool:
    """Whether a bulk row without a status moved a contact, where Mailchimp should take that for a subscription."""
    return dict(run.story.readings)["bulk_without_status"] == "subscribed" and is_recent(run.world.history[LIST, identity], before, after)


def _was_unlisted(run: WritingRun, identity: str, before: Seen) -> bool:
    """Whether a contact who was archived was in no listing before: the sync takes them for new, and a bulk row brings them back."""
    earlier = [version.status for version in run.world.history[LIST, identity] if version.at < before.at][-1:]
    unlisted = not dict(run.story.readings)["transactional_in_bare_list"] and earlier == ["transactional"]
    return before.status == "archived" and (unlisted or earlier in ([], ["gone"]))


def _wrong_beginning(run: WritingRun, first: Seen) -> str:
    allowed = dict(run.story.config)["status_if_new"] == "subscribed"
    return "they were not asked first" if run.story.double_optin and first.status == "subscribed" and not allowed else ""


def broken_at_the_end(run: WritingRun) -> Iterator[Broken]:
    """Yield each contact that does not have its last value, and wrong numbers of rejected records."""
    audience = run.world.state.account.audiences[LIST]
    last = {_id(line): line for line in run.story.lines if not line.is_state}
    if run.story.policy == "create_only":
        last = {}
    for identity, line in last.items():
        member = audience.members.get(identity)
        if member is None or _deletes(run, line) or _may_be_refused(run, line) or run.acknowledged < len(run.story.lines):
            continue
        was_gone = any(version.status == "gone" for version in run.world.history.get((LIST, identity), []))
        appeared = run.world.history[LIST, identity][0].by == "subscribe"
        if member.merge_fields.get("FNAME") != line.get("first_name") and not was_gone and not appeared:
            yield Broken("last value", f"{member.email} has {member.merge_fields.get('FNAME')}, the last record {line.get('first_name')}")
    refusable = sum(_may_be_refused(run, line) for line in run.story.lines if not line.is_state)
    rejected = sum(attempt.rejected for attempt in run.attempts)
    if rejected > refusable:
        yield Broken("outcomes", f"{rejected} records were rejected, only {refusable} can be refused")


def may_fail(run: WritingRun, attempt: WriteAttempt) -> bool:
    """Whether a sync may fail by what happened: faults that are no passing ones, or because every record was refused."""
    records = [line for line in run.story.lines[attempt.first :] if not line.is_state]
    refused = all(_may_be_refused(run, line) for line in records)
    guarded = dict(run.story.config)["max_new_contacts"] is not None and "max_new_contacts" in attempt.failure
    return refused or guarded or any(part not in HARMLESS for fault in attempt.struck for part in fault.split("+"))


def _may_be_refused(run: WritingRun, line: Line) -> bool:
    """Whether Mailchimp may refuse a record for what it says, or for what its contact did."""
    if "@" not in str(line.get("email")):
        return True
    identity = _id(line)
    forgotten = run.world.state.account.audiences[LIST].forgotten
    was_gone = any(version.status == "gone" for version in run.world.history.get((LIST, identity), []))
    return (
        identity in forgotten
        or was_gone
        or dict(run.story.config)["apply_status"] == "always"
        or bool(dict(run.story.config)["restore_archived"])
    )


def _id(line: Line) -> str:
    return subscriber_hash(str(line.get("email")).strip())
