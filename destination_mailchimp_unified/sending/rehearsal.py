"""A dry run: the outcome that a change would have, by look-ups only."""

from __future__ import annotations

from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.consent import HOLDING, new_status, notes
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.settling.outcomes import CREATED, NOT_CREATED, NOT_THERE, UNCHANGED, UPDATED, Outcome
from mailchimp_unified import endpoints
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.errors import NotFoundError


async def rehearse(change: Change, scope: Scope) -> Outcome:
    """Return the outcome a change would have."""
    status = await _status(change, scope)
    if status is not None:
        done = {"archive": status == ARCHIVED, "unsubscribe": status not in HOLDING}.get(change.kind, False)
        return UNCHANGED if done else UPDATED.noting(notes(change, status, scope.config))
    if change.kind != "upsert" or change.existing_only:
        return NOT_THERE
    new = new_status(change, scope.audience, scope.config)
    if new:
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
