"""One contact at a time: calls that are safe without knowing anything, and what is made of a refusal."""

from __future__ import annotations

from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.consent import HOLDING, NOT_BY_PATCH, direct_status, new_status, notes, status_to_set
from destination_mailchimp_unified.sending.scope import Scope
from destination_mailchimp_unified.sending.tagging import retag
from destination_mailchimp_unified.settling.outcomes import (
    ALREADY_THERE,
    COMPLIANCE_STATE,
    CREATED,
    INCOMPLETE,
    INCOMPLETE_ADDRESS,
    MEMBER_EXISTS,
    NO_AUDIENCE,
    NOT_ALLOWED,
    NOT_ARCHIVED,
    NOT_CREATED,
    NOT_THERE,
    TWO_CONTACTS,
    UNCHANGED,
    UPDATED,
    VANISHED,
    Outcome,
    rejected_by,
)
from mailchimp_unified import endpoints
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.errors import NotFoundError, RejectedRecordError
from mailchimp_unified.request import Json, Request

LOOKS = 3
"""A contact that comes and goes while it is written is looked at so many times."""


async def carry_out(change: Change, scope: Scope) -> Outcome:
    """Carry out one change by calls of its own and return its outcome."""
    try:
        if change.kind == "archive":
            return await _archive(change, scope)
        if change.kind == "unsubscribe":
            return await _unsubscribe(change, scope)
        return await _upsert_usable(change, scope)
    except RejectedRecordError as error:
        return INCOMPLETE_ADDRESS if _is_about_stored_address(error, change, scope) else rejected_by(error)


async def _upsert_usable(change: Change, scope: Scope) -> Outcome:
    """Write a contact; with leave_out again without the fields that Mailchimp refuses by name, as long as it names some."""
    while True:
        try:
            return await _upsert(change, scope)
        except RejectedRecordError as error:
            names = [name for name, _ in error.fields]
            if scope.config.invalid_values != "leave_out" or not change.leave_out(names):
                raise


def _is_about_stored_address(error: RejectedRecordError, change: Change, scope: Scope) -> bool:
    """Return whether Mailchimp refuses an update for a postal address that it has, not for one that was sent."""
    sent = change.body.get("merge_fields", {})
    named = (name.removeprefix("merge_fields.") for name, message in error.fields if INCOMPLETE in message)
    unsent = (scope.audience.merge_field(name) for name in named if name not in sent)
    return any(field is not None and field.type == "address" for field in unsent)


async def _archive(change: Change, scope: Scope) -> Outcome:
    # However it ends, the contact no longer counts as subscribed: its next change goes by a call of its own.
    scope.audience.note(change.id, ARCHIVED)
    try:
        await _call(endpoints.archive_member(scope.list_id, change.id), scope)
    except NotFoundError:
        return NOT_THERE
    except RejectedRecordError as error:
        if error.title != NOT_ALLOWED:
            raise
        return NOT_ARCHIVED
    return UPDATED


async def _unsubscribe(change: Change, scope: Scope) -> Outcome:
    scope.audience.note(change.id, "unsubscribed")
    try:
        status = (await _call(endpoints.member(scope.list_id, change.id), scope))["status"]
        if status not in HOLDING:
            return UNCHANGED
        await _call(endpoints.patch_member(scope.list_id, change.id, {"status": "unsubscribed"}), scope)
    except NotFoundError:
        return NOT_THERE
    except RejectedRecordError as error:
        if error.title != NOT_ALLOWED:
            raise
        # Archived in between: nobody is left to unsubscribe.
        return UNCHANGED
    return UPDATED


async def _upsert(change: Change, scope: Scope) -> Outcome:
    if change.previous_id and not change.new_only:
        try:
            moved = await _readdress(change, scope, change.previous_id)
        except RejectedRecordError as error:
            if error.title != MEMBER_EXISTS:
                raise
            return TWO_CONTACTS
        if moved is not None:
            return await _complete(change, scope, moved)
    return await _create_or_update(change, scope)


async def _create_or_update(change: Change, scope: Scope) -> Outcome:
    new = new_status(change, scope.audience, scope.config)
    if change.new_only:
        return await _create_only(change, scope, new)
    if new and scope.is_absent(change):
        return await _create(change, scope, new)
    found = None if new and scope.audience.expects_new else await _update(change, scope)
    for _ in range(LOOKS):
        if found is not None:
            return await _complete(change, scope, found)
        # Not there, or archived; only a look can tell, and somebody may archive them again before what follows from it.
        try:
            seen = await _call(endpoints.member(scope.list_id, change.id), scope)
        except NotFoundError:
            scope.audience.expects_new = True
            if new is None:
                return NOT_THERE if change.existing_only else NOT_CREATED
            return await _create(change, scope, new)
        scope.audience.expects_new = False
        found = await _update_found(change, scope, seen)
    return VANISHED if found is None else await _complete(change, scope, found)


async def _create_only(change: Change, scope: Scope, new: str | None) -> Outcome:
    """Create a contact where it is not there, under its new or its previous email address, and leave it alone where it is.

    A fresh read is enough to leave a contact alone: one that was permanently deleted since cannot be created either.
    """
    for contact_id in filter(None, (change.id, change.previous_id)):
        if scope.is_fresh() and scope.audience.status_of(contact_id) is not None:
            return ALREADY_THERE
        try:
            await _call(endpoints.member(scope.list_id, contact_id), scope)
        except NotFoundError:
            continue
        return ALREADY_THERE
    return await _create(change, scope, new) if new else NOT_CREATED


async def _readdress(change: Change, scope: Scope, previous_id: str) -> Json | None:
    """Give a contact its new email address, and write it; None when nobody is there under the old one.

    Raises RejectedRecordError, with the title MEMBER_EXISTS when somebody is there under the new one too.
    """
    body = dict(change.body)
    if status := direct_status(change, scope.config):
        body["status"] = status
    try:
        return await _call(endpoints.patch_member(scope.list_id, previous_id, body), scope)
    except NotFoundError:
        pass
    except RejectedRecordError as error:
        if error.title != NOT_ALLOWED:
            raise
    # Not there, or archived, which takes no PATCH; only a look can tell.
    try:
        await _call(endpoints.member(scope.list_id, previous_id), scope)
    except NotFoundError:
        return None
    return await _call(endpoints.put_member(scope.list_id, previous_id, body), scope)


async def _create(change: Change, scope: Scope, new: str) -> Outcome:
    """Create a contact that is not there. Should it appear in this moment, the call leaves its status alone."""
    body = {**change.body, "status_if_new": new}
    names = [scope.audience.spelled(name) for name in change.tagging.additions]
    if names and not scope.config.suppress_automations:
        # Saves a call. On a contact that is there, nobody documents whether they are added, ignored, or replace all others.
        body["tags"] = names
    try:
        async with scope.new_contacts.creating([change.id]):
            member = await _put_new(change, scope, body)
            scope.new_contacts.note([change.id])
    except NotFoundError:
        return NO_AUDIENCE
    scope.audience.note(change.id, member.get("status"))
    try:
        await retag(change, scope, member)
    except NotFoundError:
        return VANISHED
    return CREATED


async def _put_new(change: Change, scope: Scope, body: Json) -> Json:
    try:
        return await _call(endpoints.put_member(scope.list_id, change.id, body), scope)
    except RejectedRecordError as error:
        asks = scope.config.on_compliance_state == "pending" and body["status_if_new"] != "pending"
        if error.title != COMPLIANCE_STATE or not asks:
            raise
    return await _call(endpoints.put_member(scope.list_id, change.id, {**body, "status_if_new": "pending"}), scope)


async def _update(change: Change, scope: Scope) -> Json | None:
    """Update a contact that is there, and return it; None when it is not, or is archived. Never creates or subscribes anybody."""
    # Without the email address, so that the contact keeps its spelling.
    body = {name: value for name, value in change.body.items() if name != "email_address"}
    if status := direct_status(change, scope.config):
        body["status"] = status
    try:
        member = await _call(endpoints.patch_member(scope.list_id, change.id, body), scope)
    except NotFoundError:
        return None
    except RejectedRecordError as error:
        if error.title != NOT_ALLOWED:
            raise
        return None
    scope.audience.expects_new = False
    return member


async def _update_found(change: Change, scope: Scope, found: Json) -> Json | None:
    """Update a contact that was just found; None when it is gone again. An archived one takes no PATCH, but PUT."""
    if found["status"] != ARCHIVED:
        return await _update(change, scope)
    body = {**change.body, "email_address": found.get("email_address") or change.email}
    if status := direct_status(change, scope.config):
        body["status"] = status
    try:
        return await _call(endpoints.put_member(scope.list_id, change.id, body), scope)
    except NotFoundError:
        return None
    except RejectedRecordError as error:
        # Without a status PUT creates nobody: asking for one means that the contact is gone.
        if "status_if_new" not in error.detail and not any("status_if_new" in " ".join(field) for field in error.fields):
            raise
        return None


async def _complete(change: Change, scope: Scope, member: Json) -> Outcome:
    """Move an updated contact to the status that it should have, edit its tags, and return the outcome."""
    refusal: RejectedRecordError | None = None
    try:
        try:
            moved = await _moved(change, scope, member)
        except RejectedRecordError as error:
            # The rest of what the record says may still be right.
            moved, refusal = None, error
        member = moved or member
        scope.audience.note(change.id, member.get("status"))
        retagged = await retag(change, scope, member)
    except NotFoundError:
        return VANISHED
    if refusal:
        return rejected_by(refusal)
    kind = UPDATED if moved or retagged or scope.changed(member) else UNCHANGED
    return kind.noting(notes(change, str(member.get("status")), scope.config))


async def _moved(change: Change, scope: Scope, member: Json) -> Json | None:
    """Set the status that the record or the configuration asks for; None when the contact keeps the one it has.

    Raises RejectedRecordError when Mailchimp does not allow it, and NotFoundError when the contact is gone.
    """
    try:
        return await _move(change, scope, member)
    except (NotFoundError, RejectedRecordError) as error:
        if isinstance(error, RejectedRecordError) and error.title != NOT_ALLOWED:
            raise
        # Gone or archived in between, which takes no PATCH; only a look can tell.
        seen = await _call(endpoints.member(scope.list_id, change.id), scope)
        if seen["status"] != ARCHIVED:
            raise
    return await _move(change, scope, seen) or seen


async def _move(change: Change, scope: Scope, member: Json) -> Json | None:
    now = str(member.get("status"))
    status = status_to_set(change, now, scope.audience, scope.config)
    if status is None:
        return None
    try:
        return await _call(_status_call(scope, member, status, archived=now == ARCHIVED), scope)
    except RejectedRecordError as error:
        asks = scope.config.on_compliance_state == "pending" and status == "subscribed"
        if error.title != COMPLIANCE_STATE or not asks:
            raise
    return await _call(_status_call(scope, member, "pending", archived=now == ARCHIVED), scope)


def _status_call(scope: Scope, member: Json, status: str, *, archived: bool) -> Request:
    contact_id = str(member["id"])
    if not archived and status not in NOT_BY_PATCH:
        return endpoints.patch_member(scope.list_id, contact_id, {"status": status})
    body = {"email_address": member["email_address"], "status": status, "status_if_new": status}
    return endpoints.put_member(scope.list_id, contact_id, body)


async def _call(request: Request, scope: Scope) -> Json:
    return (await scope.pager.client.call(scope.writing(request))).body
