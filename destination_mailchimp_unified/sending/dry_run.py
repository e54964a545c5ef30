"""A dry run: the outcome that a change would have, by look-ups only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.consent import HOLDING, new_status, notes, status_to_set
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.settling.outcomes import ALREADY_THERE, CREATED, NOT_CREATED, NOT_THERE, UNCHANGED, UPDATED, Outcome
from mailchimp_unified import endpoints
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.entities.entity import nested, or_null
from mailchimp_unified.errors import NotFoundError
from mailchimp_unified.request import Json


async def carry_out(change: Change, scope: Scope) -> Outcome:
    """Return the outcome a change would have; where outcomes are kept, with what would change, field by field."""
    if scope.config.rejected_records == "none":
        return await _outcome(change, scope)
    member = await _member(change, scope)
    outcome = await _outcome(change, scope)
    return replace(outcome, changes=differences(change, member, scope)) if outcome.kind in ("created", "updated") else outcome


def differences(change: Change, member: Json, scope: Scope) -> tuple[tuple[str, Any, Any], ...]:
    """Return name, old and new value of each field that a change would give another value. Pure."""
    status = str(member.get("status") or "")
    if change.kind != "upsert":
        return (("status", status, "archived" if change.kind == "archive" else "unsubscribed"),)
    to_be = {name: value for name, value in change.body.items() if name not in ("email_address", "merge_fields")}
    pairs = [(name, member.get(name), value) for name, value in to_be.items()]
    values = nested(member, "merge_fields")
    pairs += [(f"merge_fields.{tag}", values.get(tag), value) for tag, value in change.body.get("merge_fields", {}).items()]
    new = status_to_set(change, status, scope.audience, scope.config) if member else new_status(change, scope.audience, scope.config)
    if new:
        pairs.append(("status", status, new))
    names = [str(row.get("name")) for row in member.get("tags") or []]
    tags = scope.delta(change, names)
    if tags:
        pairs.append(("tags", names, [*(name for name in names if name not in tags.remove), *tags.add]))
    return tuple((name, or_null(old), or_null(value)) for name, old, value in pairs if or_null(old) != or_null(value))


async def _member(change: Change, scope: Scope) -> Json:
    for contact_id in filter(None, (change.previous_id, change.id)):
        try:
            return (await scope.pager.client.call(endpoints.member(scope.list_id, contact_id, whole=True))).body
        except NotFoundError:
            continue
    return {}


async def _outcome(change: Change, scope: Scope) -> Outcome:
    status = await _status(change, scope)
    if status is not None and change.new_only:
        return ALREADY_THERE
    if status is not None:
        done = {"archive": status == ARCHIVED, "unsubscribe": status not in HOLDING}.get(change.kind, False)
        return UNCHANGED if done else UPDATED.noting(notes(change, status, scope.config))
    if change.kind != "upsert" or change.existing_only:
        return NOT_THERE
    new = new_status(change, scope.audience, scope.config)
    if new:
        async with scope.new_contacts.creating([change.id]):
            scope.new_contacts.note([change.id])
        scope.audience.note(change.id, new)
    return CREATED if new else NOT_CREATED


async def _status(change: Change, scope: Scope) -> str | None:
    for contact_id in filter(None, (change.previous_id, change.id)):
        if (status := await _status_of(contact_id, scope)) is not None:
            return status
    return None


async def _status_of(contact_id: str, scope: Scope) -> str | None:
    if scope.audience.statuses is not None:
        return scope.audience.status_of(contact_id)
    try:
        reply = await scope.pager.client.call(endpoints.member(scope.list_id, contact_id))
    except NotFoundError:
        return None
    return str(reply.body["status"])
