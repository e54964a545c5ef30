"""Up to 500 contacts at once: the call, what its rows say, and the tags that do not ride in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.pipeline.flows import Flow, call, gather
from destination_mailchimp_unified.planning.changes import Change, new_status
from destination_mailchimp_unified.planning.plan import Batch
from destination_mailchimp_unified.planning.tags import Delta, Removal, by_segment, segments_are_fewer
from destination_mailchimp_unified.sending import calls
from destination_mailchimp_unified.sending.single import NO_AUDIENCE, Scope, edit_tags, tags_of
from destination_mailchimp_unified.settling.outcomes import CREATED, UNCHANGED, UPDATED, Outcome, rejected_by
from mailchimp_unified.errors import NotFoundError, RejectedRecordError
from mailchimp_unified.identity import subscriber_hash

Json = dict[str, Any]

_ROW = re.compile(r"members\.item:(\d+)")


@dataclass
class Settled:
    """What became of a batch: outcomes, and the changes that are left to be settled one by one."""

    outcomes: list[tuple[Change, Outcome]] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)

    def __add__(self, other: Settled) -> Settled:
        return Settled(self.outcomes + other.outcomes, self.left + other.left)


@dataclass(frozen=True)
class Rows:
    """The answer to a bulk call by contact id: whoever was made, and whoever was there. Who is in neither was not written."""

    created: Mapping[str, Json]
    updated: Mapping[str, Json]


def rows_of(body: Mapping[str, Any]) -> Rows:
    """Sort the answer to a bulk call by contact. Pure. A row that was refused, or is missing, is in neither map."""
    maps = [
        {subscriber_hash(str(row.get("email_address"))): row for row in body.get(name) or []} for name in ("new_members", "updated_members")
    ]
    return Rows(*maps)


def carry_out(batch: Batch, scope: Scope) -> Flow[Settled]:
    """Carry out a batch. Every change of it is in the outcomes or left, never in both."""
    if batch.kind == "untag":
        settled = yield from _untag(batch.changes, scope)
    else:
        settled = yield from _write(batch, scope)
    if len(settled.outcomes) + len(settled.left) != len(batch.changes):
        raise AssertionError("a batch lost a change")
    return settled


def _write(batch: Batch, scope: Scope) -> Flow[Settled]:
    rows = [_row(change, batch, scope) for change in batch.changes]
    try:
        reply = yield from call(calls.bulk(scope.audience.id, rows, update_existing=batch.kind == "update"))
    except NotFoundError:
        return Settled([(change, NO_AUDIENCE) for change in batch.changes])
    except RejectedRecordError as error:
        return (yield from _divided(batch, scope, error))
    answer = rows_of(reply.body)
    written = [change for change in batch.changes if change.id in answer.created or change.id in answer.updated]
    left = [change for change in batch.changes if change.id not in answer.created and change.id not in answer.updated]
    outcomes = yield from _retag(written, {**answer.created, **answer.updated}, scope)
    return Settled([(change, _outcome(change, answer, scope, outcomes.get(change.id))) for change in written], left)


def _row(change: Change, batch: Batch, scope: Scope) -> Json:
    row = dict(change.body)
    if batch.kind == "create":
        row["status"] = new_status(change, scope.audience, scope.config)
    names = change.tagging.additions
    if names and not scope.config.suppress_automations:
        row["tags"] = [scope.audience.spelled(name) for name in names]
    return row


def _outcome(change: Change, answer: Rows, scope: Scope, of_tags: Outcome | None) -> Outcome:
    member = answer.created.get(change.id) or answer.updated[change.id]
    scope.audience.note(change.id, member.get("status"))
    if of_tags is not None and of_tags.kind == "rejected":
        return of_tags
    if change.id in answer.created:
        return CREATED
    return UPDATED if of_tags is not None or scope.changed(member) else UNCHANGED


def _divided(batch: Batch, scope: Scope, error: RejectedRecordError) -> Flow[Settled]:
    """Send a refused batch again without the rows that Mailchimp complains about; in halves when it names none."""
    named = {int(match[1]) for name, _ in error.fields if (match := _ROW.search(name))}
    named = {place for place in named if place < len(batch.changes)}
    if len(batch.changes) == 1 or len(named) == len(batch.changes):
        return Settled(left=list(batch.changes))
    if named:
        good = tuple(change for place, change in enumerate(batch.changes) if place not in named)
        rest = yield from _write(Batch(batch.kind, good), scope)
        return rest + Settled(left=[batch.changes[place] for place in sorted(named)])
    middle = len(batch.changes) // 2
    first, second = yield from gather([_write(Batch(batch.kind, half), scope) for half in (batch.changes[:middle], batch.changes[middle:])])
    return first + second


def _retag(changes: Sequence[Change], members: Mapping[str, Json], scope: Scope) -> Flow[dict[str, Outcome]]:
    """Edit the tags that did not ride in the call. Returns an outcome for each contact id whose tags were edited."""
    deltas: dict[str, Delta] = {}
    for change in changes:
        rode = "tags" not in members[change.id] and not (
            change.tagging.removals or change.tagging.whole or scope.config.suppress_automations
        )
        if change.tagging and not rode:
            names = yield from tags_of(members[change.id], scope)
            if wanted := scope.delta(change, names):
                deltas[change.email] = wanted
    return (yield from _edit(changes, deltas, scope))


def _edit(changes: Sequence[Change], deltas: Mapping[str, Delta], scope: Scope) -> Flow[dict[str, Outcome]]:
    """Carry out tag edits, keyed by address, by the fewest calls. Returns an outcome by contact id."""
    outcomes: dict[str, Outcome] = {}
    rest = dict(deltas)
    if deltas and segments_are_fewer(deltas) and not scope.config.suppress_automations:
        removals = [removal for removal in by_segment(deltas) if scope.audience.tag_id(removal.tag) is not None]
        for removed in (yield from gather([_remove(removal, scope) for removal in removals])):
            outcomes.update(removed)
        asked = {removal.tag for removal in removals}
        rest = {email: Delta(one.add, tuple(name for name in one.remove if name not in asked)) for email, one in deltas.items()}
    singly = [change for change in changes if rest.get(change.email)]
    for change, outcome in zip(singly, (yield from gather([_edit_one(c, scope, rest[c.email]) for c in singly])), strict=True):
        outcomes[change.id] = outcome
    return outcomes


def _edit_one(change: Change, scope: Scope, wanted: Delta) -> Flow[Outcome]:
    try:
        return UPDATED if (yield from edit_tags(change, scope, wanted)) else UNCHANGED
    except RejectedRecordError as error:
        return rejected_by(error)


def _remove(removal: Removal, scope: Scope) -> Flow[dict[str, Outcome]]:
    tag_id = scope.audience.tag_id(removal.tag)
    assert tag_id is not None
    try:
        reply = yield from call(calls.untag(scope.audience.id, tag_id, removal.emails))
    except NotFoundError:
        # Nobody has a tag that is gone.
        return {}
    except RejectedRecordError as error:
        return {subscriber_hash(email): rejected_by(error) for email in removal.emails}
    return {subscriber_hash(str(row.get("email_address"))): UPDATED for row in reply.body.get("members_removed") or []}


def _untag(changes: Sequence[Change], scope: Scope) -> Flow[Settled]:
    """Take tags from contacts that are known to be there, without writing them first."""
    deltas = {change.email: _existing_removals(change, scope) for change in changes}
    outcomes = yield from _edit(changes, {email: one for email, one in deltas.items() if one}, scope)
    return Settled([(change, outcomes.get(change.id, UNCHANGED)) for change in changes])


def _existing_removals(change: Change, scope: Scope) -> Delta:
    return Delta(remove=tuple(scope.audience.spelled(name) for name in change.tagging.removals if scope.audience.tag_id(name) is not None))
