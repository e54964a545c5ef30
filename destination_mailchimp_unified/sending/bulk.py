"""Up to 500 contacts at once: the call, what its rows say, and the tags that it could not carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.audience.lookups import load_tags
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.consent import new_status, notes
from destination_mailchimp_unified.planning.plan import Batch
from destination_mailchimp_unified.planning.tags import Delta, Removal, by_segment, segments_are_fewer
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.sending.tagging import edit_tags, tags_of
from destination_mailchimp_unified.settling.outcomes import CREATED, NO_AUDIENCE, UNCHANGED, UPDATED, VANISHED, Outcome, rejected_by
from mailchimp_unified import endpoints
from mailchimp_unified.errors import NotFoundError, RejectedRecordError, StaleError
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.loops import together
from mailchimp_unified.request import Json

EXISTS = "ERROR_CONTACT_EXISTS"
"""Code of the row of a contact who is there: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/."""

_ROW = re.compile(r"members\.item:(\d+)")


@dataclass
class Settled:
    """What became of a batch: outcomes, changes to be settled one by one, and changes to be planned again."""

    outcomes: list[tuple[Change, Outcome]] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)
    stale: list[Change] = field(default_factory=list)

    def __add__(self, other: Settled) -> Settled:
        return Settled(self.outcomes + other.outcomes, self.left + other.left, self.stale + other.stale)

    def __len__(self) -> int:
        return len(self.outcomes) + len(self.left) + len(self.stale)


@dataclass(frozen=True)
class Rows:
    """The answer to a bulk call by contact id: who was created, who was updated, who was reported as being there, who was refused.

    Who is in none of them was not written, as far as the answer tells.
    """

    created: Mapping[str, Json]
    updated: Mapping[str, Json]
    there: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def unseen(self, contact_ids: Iterable[str], *, after_lost_answer: bool) -> set[str]:
        """Return those of the contacts that the call may have created without saying so.

        After a lost answer, a contact who is there may have been created by the try before.
        """
        known = {*self.created, *self.updated, *self.refused, *(() if after_lost_answer else self.there)}
        return set(contact_ids) - known


def answered_rows(body: Mapping[str, Any]) -> Rows:
    """Sort the answer to a bulk call by contact. Pure. A row that is missing is nowhere."""
    created, updated = (
        {subscriber_hash(str(row.get("email_address"))): row for row in body.get(name) or []} for name in ("new_members", "updated_members")
    )
    errors = body.get("errors") or []
    there = frozenset(subscriber_hash(str(row.get("email_address"))) for row in errors if row.get("error_code") == EXISTS)
    refused = frozenset(subscriber_hash(str(row.get("email_address"))) for row in errors)
    return Rows(created, updated, there, refused - there)


async def carry_out(batch: Batch, scope: Scope) -> Settled:
    """Carry out a batch. Every change of it is in exactly one of the lists of what it returns."""
    if batch.kind == "untag":
        settled = await _untag(batch.changes, scope)
    else:
        settled = await _write(batch, scope)
    if len(settled) != len(batch.changes):
        raise AssertionError("a batch lost a change")
    return settled


async def _write(batch: Batch, scope: Scope) -> Settled:
    rows = [_row(change, batch, scope) for change in batch.changes]
    request = scope.writing(endpoints.bulk(scope.list_id, rows, update_existing=batch.kind == "update"))
    creates = [change.id for change in batch.changes] if batch.kind == "create" else []
    try:
        async with scope.new_contacts.creating(creates):
            reply = await scope.pager.client.call(request, fresh=scope.is_fresh)
            answer = answered_rows(reply.body)
            scope.new_contacts.note(answer.created, answer.unseen(creates, after_lost_answer=reply.after_lost_answer))
    except StaleError:
        return Settled(stale=list(batch.changes))
    except NotFoundError:
        return Settled([(change, NO_AUDIENCE) for change in batch.changes])
    except RejectedRecordError as error:
        return await _divided(batch, scope, error)
    del rows, request
    scope.audience.appeared |= answer.there
    members = {**answer.created, **answer.updated}
    written = [change for change in batch.changes if change.id in members]
    left = [change for change in batch.changes if change.id not in members]
    outcomes = await _retag(written, members, scope)
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
    if of_tags is not None and of_tags.kind in ("rejected", "skipped"):
        return of_tags
    if change.id in answer.created:
        return CREATED
    kind = UPDATED if of_tags is not None or scope.changed(member) else UNCHANGED
    return kind.noting(notes(change, str(member.get("status")), scope.config))


async def _divided(batch: Batch, scope: Scope, error: RejectedRecordError) -> Settled:
    """Send a refused batch again without the rows that Mailchimp complains about; in halves when it names none."""
    named = {int(match[1]) for name, _ in error.fields if (match := _ROW.search(name))}
    named = {place for place in named if place < len(batch.changes)}
    if len(batch.changes) == 1 or len(named) == len(batch.changes):
        return Settled(left=list(batch.changes))
    if named:
        good = tuple(change for place, change in enumerate(batch.changes) if place not in named)
        rest = await _write(Batch(batch.kind, good), scope)
        return rest + Settled(left=[batch.changes[place] for place in sorted(named)])
    middle = len(batch.changes) // 2
    halves = (batch.changes[:middle], batch.changes[middle:])
    first, second = await together(*(_write(Batch(batch.kind, half), scope) for half in halves))
    return first + second


async def _retag(changes: Sequence[Change], members: Mapping[str, Json], scope: Scope) -> dict[str, Outcome]:
    """Edit the tags that the call could not carry. Returns an outcome for each contact id whose tags were edited."""
    deltas: dict[str, Delta] = {}
    outcomes: dict[str, Outcome] = {}

    async def look(change: Change) -> None:
        try:
            wanted = scope.delta(change, await tags_of(members[change.id], scope))
        except NotFoundError:
            outcomes[change.id] = VANISHED
            return
        if wanted:
            deltas[change.id] = wanted

    tagged = [change for change in changes if change.tagging and not _sent_inline(change, members[change.id], scope)]
    if tagged:
        await together(*map(look, tagged))
    return {**outcomes, **await _edit(members, deltas, scope)}


def _sent_inline(change: Change, member: Json, scope: Scope) -> bool:
    """Return whether all that a change says about tags was in its row, as far as the answer lets one know."""
    return "tags" not in member and not (change.tagging.removals or change.tagging.whole or scope.config.suppress_automations)


async def _edit(members: Mapping[str, Json], deltas: Mapping[str, Delta], scope: Scope) -> dict[str, Outcome]:
    """Carry out tag edits, keyed by contact id, by the fewest calls. Returns an outcome for each that was edited."""
    if not deltas:
        return {}
    outcomes: dict[str, Outcome] = {}
    rest = dict(deltas)
    if segments_are_fewer(deltas) and not scope.config.suppress_automations:
        removals = [removal for removal in by_segment(deltas) if scope.audience.tag_id(removal.tag) is not None]
        for removed in await together(*(_remove(removal, members, scope) for removal in removals)):
            outcomes.update(removed)
        asked = {removal.tag for removal in removals}
        rest = {key: Delta(one.add, tuple(name for name in one.remove if name not in asked)) for key, one in deltas.items()}
    singly = [key for key, one in rest.items() if one]
    edited = await together(*(_edit_one(members[key], scope, rest[key]) for key in singly))
    return {**outcomes, **dict(zip(singly, edited, strict=True))}


async def _edit_one(member: Json, scope: Scope, wanted: Delta) -> Outcome:
    try:
        await edit_tags(member, scope, wanted)
    except NotFoundError:
        return VANISHED
    except RejectedRecordError as error:
        return rejected_by(error)
    return UPDATED


async def _remove(removal: Removal, members: Mapping[str, Json], scope: Scope) -> dict[str, Outcome]:
    """Take one tag from contacts, given by id; return those who had it."""
    tag_id = scope.audience.tag_id(removal.tag)
    assert tag_id is not None
    emails = [str(members[key]["email_address"]) for key in removal.contacts]
    try:
        reply = await scope.pager.client.call(endpoints.untag(scope.list_id, tag_id, emails))
    except NotFoundError:
        # Nobody has a tag that is gone.
        return {}
    except RejectedRecordError as error:
        return dict.fromkeys(removal.contacts, rejected_by(error))
    return {subscriber_hash(str(row.get("email_address"))): UPDATED for row in reply.body.get("members_removed") or []}


async def _untag(changes: Sequence[Change], scope: Scope) -> Settled:
    """Take tags from contacts that are known to be there, without writing them first."""
    names = {name for change in changes for name in change.tagging.removals}
    if any(scope.audience.tag_id(name) is None for name in names):
        # It may have been made since the tags were read.
        await load_tags(scope.audience, scope.pager)
    members = {change.id: {"id": change.id, "email_address": change.email} for change in changes}
    deltas = {change.id: _existing_removals(change, scope) for change in changes}
    outcomes = await _edit(members, {key: one for key, one in deltas.items() if one}, scope)
    return Settled([(change, outcomes.get(change.id, UNCHANGED)) for change in changes])


def _existing_removals(change: Change, scope: Scope) -> Delta:
    return Delta(remove=tuple(scope.audience.spelled(name) for name in change.tagging.removals if scope.audience.tag_id(name) is not None))
