"""What docs/delivery.md promises of policies and guards, checked against what became of the audience."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from integration_tests.simulation.promises import Broken
from integration_tests.simulation.world import Seen
from integration_tests.simulation.writing_stories import LIST, Line
from mailchimp_emulator.models import subscriber_hash

if TYPE_CHECKING:
    from integration_tests.simulation.writing import WriteAttempt, WritingRun


def broken_by_policies(run: WritingRun) -> Iterator[Broken]:
    """Yield what a policy or a guard should have kept from happening."""
    config = dict(run.story.config)
    yield from _created(run, config)
    yield from _changed(run, config)
    yield from _touched_unnamed(run, config)
    if config["membership_tag"]:
        for attempt in run.attempts:
            yield from _lost(run, attempt, config)
        yield from _untagged(run, config)


def _steps(run: WritingRun) -> Iterator[tuple[str, Seen | None, Seen]]:
    """Yield everything that requests did: the contact, what it was before (None: not there), and what it was after."""
    for (_, identity), versions in run.world.history.items():
        for before, after in pairwise([None, *versions]):
            if after is not None and after.by.startswith("request"):
                yield identity, before if before and before.status != "gone" else None, after


def _created(run: WritingRun, config: dict[str, Any]) -> Iterator[Broken]:
    """Nobody is created by update_only, and never more than max_new_contacts in one sync."""
    created = [(after.at, identity) for identity, before, after in _steps(run) if before is None and after.status != "gone"]
    if run.story.policy == "update_only" and created:
        yield Broken("write_policy", f"update_only created {created}")
    most = config["max_new_contacts"]
    for attempt in run.attempts if most is not None else ():
        new = [one for one in created if attempt.began <= one[0] <= attempt.ended]
        if len(new) > most:
            yield Broken("new contacts", f"sync {attempt.number} created {len(new)}, {most} are allowed: {new}")


def _changed(run: WritingRun, config: dict[str, Any]) -> Iterator[Broken]:
    """create_only leaves everybody alone who was there at the beginning, except for the membership tag of those who left."""
    tag = {config["membership_tag"]}
    for identity, before, after in _steps(run) if run.story.policy == "create_only" else ():
        if before is not None and before.by == "beginning" and (_alike(before) != _alike(after) or (before.tags ^ after.tags) - tag):
            yield Broken("write_policy", f"create_only changed {identity} at {after.at:.3f}")


def _alike(seen: Seen) -> tuple[Any, ...]:
    return seen.status, dict(seen.values)


def _touched_unnamed(run: WritingRun, config: dict[str, Any]) -> Iterator[Broken]:
    """A contact that no record names keeps everything but the membership tag: nobody is archived or unsubscribed for having left."""
    named = {_id(line) for line in run.story.lines if not line.is_state}
    for identity, before, after in _steps(run):
        if identity in named or before is None:
            continue
        if _alike(before) != _alike(after) or (before.tags ^ after.tags) - {config["membership_tag"]}:
            yield Broken("leaving", f"{identity} came in no record and became {after.status} at {after.at:.3f}")


def _lost(run: WritingRun, attempt: WriteAttempt, config: dict[str, Any]) -> Iterator[Broken]:
    """Only who did not come loses the tag, in the one sync that saw everybody, and never more than may."""
    tag = config["membership_tag"]
    lost = [
        (after.at, identity)
        for identity, before, after in _steps(run)
        if before is not None and tag in before.tags and tag not in after.tags and after.status != "gone"
        if attempt.began <= after.at <= attempt.ended
    ]
    if not lost:
        return
    if attempt.number or config["on_leaving"] == "nothing" or len(attempt.given) < len(run.story.lines):
        yield Broken("leaving", f"{len(lost)} contacts lost the tag in sync {attempt.number}, which did not see everybody")
    came = _came(run, attempt)
    for moment, identity in lost:
        if identity in came:
            yield Broken("leaving", f"{identity} came and lost the tag at {moment:.3f}")
    carriers = _carriers(run, attempt, tag)
    if len(lost) * 100 > config["max_leaving_percent"] * carriers:
        yield Broken("leaving", f"{len(lost)} of {carriers} lost the tag, {config['max_leaving_percent']} percent may")
    if not came:
        yield Broken("leaving", "nobody came, and yet somebody lost the tag")


def _came(run: WritingRun, attempt: WriteAttempt) -> set[str]:
    last = {_id(run.story.lines[n]): run.story.lines[n] for n in sorted(attempt.given) if not run.story.lines[n].is_state}
    return {identity for identity, line in last.items() if not line.get("is_deleted")}


def _carriers(run: WritingRun, attempt: WriteAttempt, tag: str) -> int:
    """Return how many contacts may have had the tag when they were counted: all who had it at any moment of the sync."""
    return sum(
        any(
            tag in seen.tags and seen.at <= attempt.ended and (after is None or after.at >= attempt.began)
            for seen, after in _spans(versions)
        )
        for versions in run.world.history.values()
    )


def _spans(versions: list[Seen]) -> Iterator[tuple[Seen, Seen | None]]:
    return zip(versions, [*versions[1:], None], strict=True)


def _untagged(run: WritingRun, config: dict[str, Any]) -> Iterator[Broken]:
    """Who came, and was written, has the tag in the end."""
    audience = run.world.state.account.audiences[LIST]
    found = audience.tag(config["membership_tag"])
    last = {_id(line): line for line in run.story.lines if not line.is_state}
    if run.acknowledged < len(run.story.lines) or run.story.policy == "create_only":
        return
    for identity, line in last.items():
        member, versions = audience.members.get(identity), run.world.history.get((LIST, identity), [])
        if member is None or _is_excused(run, line, versions):
            continue
        if found is None or found.id not in member.tags:
            yield Broken("membership tag", f"{member.email} came and has no tag")


def _is_excused(run: WritingRun, line: Line, versions: list[Seen]) -> bool:
    """Whether a record deletes, may be refused, or is about somebody who came and went meanwhile."""
    config = dict(run.story.config)
    asks = config["apply_status"] == "always" or config["restore_archived"] or line.get("status") in ("archived", "cleaned")
    return bool(line.get("is_deleted")) or bool(asks) or any(seen.status == "gone" for seen in versions) or versions[0].by == "subscribe"


def _id(line: Line) -> str:
    return subscriber_hash(str(line.get("email")).strip())
