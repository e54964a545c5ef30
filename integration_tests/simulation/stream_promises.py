"""What docs/streaming.md promises, checked against the answers and against what became of the audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from integration_tests.simulation.faults import HARMLESS
from integration_tests.simulation.promises import Broken, is_recent
from integration_tests.simulation.world import Seen
from integration_tests.simulation.writing_promises import HOLDING
from integration_tests.simulation.writing_stories import LIST, Line
from mailchimp_emulator.models import subscriber_hash

if TYPE_CHECKING:
    from integration_tests.simulation.stream import Lived, StreamRun

WRITTEN = ("created", "updated", "unchanged")


def broken_in_the_answers(run: StreamRun, lived: Lived) -> Iterator[Broken]:
    """Yield what is wrong with the answers of one process: each line has one, at its end all have, and in order where that was asked for."""
    ids = [answer["id"] for answer in lived.answers]
    for own, count in Counter(ids).items():
        if count > 1 or own not in lived.sent:
            yield Broken("one answer", f"process {lived.number} answered event {own} {count} times, and was sent {lived.sent}")
    if run.story.in_order and ids != lived.sent[: len(ids)]:
        yield Broken("in order", f"process {lived.number} was sent {lived.sent} and answered {ids}")
    if not (lived.killed or lived.failure) and len(ids) < len(lived.sent):
        yield Broken("one answer", f"process {lived.number} ended in order and did not answer {sorted({*lived.sent} - {*ids})}")


def broken_by_requests(run: StreamRun) -> Iterator[Broken]:
    """Yield each contact whom a request moved to where nobody wanted them, or gave an older value within one process."""
    for (_, identity), versions in run.world.history.items():
        for before, after in pairwise(versions):
            if after.by.startswith("request") and (words := _wrong_move(run, versions, before, after)):
                yield Broken("consent", f"{identity} went from {before.status} to {after.status} at {after.at:.3f}: {words}")
        first = versions[0]
        if first.by.startswith("request") and run.story.double_optin and first.status == "subscribed":
            yield Broken("consent", f"{identity} was created as subscribed at {first.at:.3f} without being asked first")
        yield from _broken_order(run, identity, versions)


def _wrong_move(run: StreamRun, versions: Sequence[Seen], before: Seen, after: Seen) -> str:
    if after.status not in HOLDING or before.status in (after.status, "subscribed", "gone"):
        return ""
    hostile = dict(run.story.readings)["bulk_without_status"] == "subscribed"
    return "" if hostile and is_recent(versions, before, after) else "nobody asked for it"


def _broken_order(run: StreamRun, identity: str, versions: list[Seen]) -> Iterator[Broken]:
    """Yield each step back from a later event's value to an earlier one's. A new process is sent again what was not answered."""
    starts = [lived.began for lived in run.lives]
    for before, after in pairwise(versions):
        values = [str(one.values.get("FNAME") or "") for one in (before, after)]
        same_life = not any(before.at < start <= after.at for start in starts)
        if same_life and after.by.startswith("request") and all(value.startswith("r") for value in values):
            earlier, later = (int(value[1:]) for value in values)
            if later < earlier:
                yield Broken("order", f"{identity} had the value of event {earlier}, and at {after.at:.3f} that of event {later}")


def broken_in_the_account(run: StreamRun) -> Iterator[Broken]:
    """Yield each event that was not answered in the end or for no reason refused, and each contact without its last value."""
    audience = run.world.state.account.audiences[LIST]
    last: dict[str, Line] = {}
    for line in run.story.lines:
        number = line.get("id")
        answer = run.outcomes.get(number)
        usable = "@" in str(line.get("email"))
        if answer is None:
            yield Broken("one answer", f"event {number} was sent to {len(run.lives)} processes, and none answered")
        elif (answer["outcome"] == "rejected") == usable:
            yield Broken("outcomes", f"event {number} {dict(line.columns)} is {answer['outcome']}: {answer['reason']}")
        if usable:
            last[subscriber_hash(str(line.get("email")).lower())] = line
    for identity, line in last.items():
        answer, member = run.outcomes.get(int(line.get("id"))), audience.members.get(identity)
        appeared = run.world.history.get((LIST, identity), [])[:1]
        if answer is None or answer["outcome"] not in WRITTEN or (appeared and appeared[0].by == "subscribe"):
            continue
        if member is None or member.merge_fields.get("FNAME") != line.get("first_name"):
            found = member.merge_fields.get("FNAME") if member else "nothing"
            yield Broken("last value", f"{line.get('email')} has {found}, the last event {line.get('first_name')}")


def may_fail(lived: Lived) -> bool:
    """Whether a process may end by what happened: faults that are no passing ones."""
    return any(part not in HARMLESS for fault in lived.struck for part in fault.split("+"))
