"""One contact at a time: the call that is safe without knowing anything, its tags, and what is made of a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.lookups import read_all
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.pipeline.flows import Flow, call
from destination_mailchimp_unified.planning.changes import Change, new_status
from destination_mailchimp_unified.planning.plan import NOT_CREATED, NOT_THERE, UNSUBSCRIBABLE
from destination_mailchimp_unified.planning.tags import Delta, delta, is_managed, tag_rows
from destination_mailchimp_unified.sending import calls
from destination_mailchimp_unified.settling.outcomes import COMPLIANCE_STATE, CREATED, UNCHANGED, UPDATED, Outcome, rejected, rejected_by
from mailchimp_unified.client import Request
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.errors import NotFoundError, RejectedRecordError

Json = dict[str, Any]

NOT_ALLOWED = "Method Not Allowed"
"""Title of the refusal to archive or patch in the present status: https://mailchimp.com/developer/marketing/docs/errors/."""

NO_AUDIENCE = rejected("there is no such audience")


@dataclass(frozen=True)
class Scope:
    """Where a change is carried out and by which rules. `began` is the sync's first moment by Mailchimp's clock, RFC 3339."""

    audience: Audience
    config: DestinationConfig
    began: str

    def changed(self, member: Json) -> bool:
        """Return whether an answer shows that the contact changed during this sync."""
        return str(member.get("last_changed") or "") >= self.began

    def is_new(self, member: Json, sent: Json) -> bool:
        """Return whether an answer shows that the contact was made during this sync.

        Mailchimp does not say it: a contact that signed up or opted in since the sync began was, unless we sent these times.
        One made with another status than subscribed has neither time, and counts as updated.
        """
        return any(str(member.get(name) or "") >= self.began for name in ("timestamp_opt", "timestamp_signup") if name not in sent)

    def delta(self, change: Change, names: list[str]) -> Delta:
        """Return the tag edits that a change asks of a contact with the tags `names`, as the audience spells them."""
        found = delta(change.tagging, names, is_managed(self.config.managed_tags))
        return Delta(tuple(self.audience.spelled(name) for name in found.add), found.remove)


def carry_out(change: Change, scope: Scope) -> Flow[Outcome]:
    """Carry out one change by calls of its own and return its outcome."""
    if change.kind == "archive":
        return (yield from _archive(change, scope))
    if change.kind == "unsubscribe":
        return (yield from _unsubscribe(change, scope))
    try:
        return (yield from _upsert(change, scope))
    except RejectedRecordError as error:
        return rejected_by(error)


def _archive(change: Change, scope: Scope) -> Flow[Outcome]:
    try:
        yield from call(calls.archive_member(scope.audience.id, change.id))
    except NotFoundError:
        return NOT_THERE
    except RejectedRecordError as error:
        # Mailchimp archives nobody who is archived, cleaned or pending.
        return UNCHANGED if error.title == NOT_ALLOWED else rejected_by(error)
    scope.audience.note(change.id, ARCHIVED)
    return UPDATED


def _unsubscribe(change: Change, scope: Scope) -> Flow[Outcome]:
    try:
        status = (yield from call(calls.read_member(scope.audience.id, change.id))).body.get("status")
        if status not in UNSUBSCRIBABLE:
            return UNCHANGED
        yield from call(calls.patch_member(scope.audience.id, change.id, {"status": "unsubscribed"}))
    except NotFoundError:
        return NOT_THERE
    except RejectedRecordError as error:
        return rejected_by(error)
    scope.audience.note(change.id, "unsubscribed")
    return UPDATED


def _upsert(change: Change, scope: Scope) -> Flow[Outcome]:
    known = scope.audience.status_of(change.id)
    asked = _asked_status(change, scope, known)
    refusal: RejectedRecordError | None = None
    try:
        member = yield from _write(change, scope, asked)
    except RejectedRecordError as error:
        if error.title != COMPLIANCE_STATE:
            raise
        humbler = _without_subscribing(asked, scope.config)
        if humbler is None:
            raise
        asked = humbler
        # What the record says beside the status may still be right.
        refusal = error if scope.config.on_compliance_state == "reject" else None
        member = yield from _write(change, scope, asked)
    if isinstance(member, Outcome):
        return member
    is_new = known is None and (scope.audience.statuses is not None or scope.is_new(member, change.body))
    member = yield from _restored(change, scope, asked, member)
    scope.audience.note(change.id, member.get("status"))
    retagged = yield from _retag(change, scope, member)
    if refusal:
        return rejected_by(refusal)
    if is_new:
        return CREATED
    return UPDATED if retagged or scope.changed(member) else UNCHANGED


def _asked_status(change: Change, scope: Scope, known: str | None) -> Json:
    """Return the status fields of the body: `status` only where the configuration says that it may change a contact."""
    new = new_status(change, scope.audience, scope.config)
    if scope.config.apply_status and change.status and change.status != ARCHIVED:
        return {"status": change.status, **({"status_if_new": change.status} if new else {})}
    if known == ARCHIVED and scope.config.restore_archived and new:
        return {"status": new, "status_if_new": new}
    return {"status_if_new": new} if new else {}


def _without_subscribing(asked: Json, config: DestinationConfig) -> Json | None:
    """Return what to ask for when Mailchimp does not let us subscribe the contact; None when nothing is left to try."""
    if config.on_compliance_state == "pending":
        return None if "pending" in asked.values() else dict.fromkeys(asked, "pending")
    if "status" not in asked:
        return None
    return {name: status for name, status in asked.items() if name != "status"}


def _write(change: Change, scope: Scope, asked: Json) -> Flow[Json | Outcome]:
    """Write the contact and return it as Mailchimp now has it, or the outcome when there is nobody to write to."""
    audience, body = scope.audience, {**change.body, **asked}
    try:
        if "status_if_new" in asked:
            return (yield from call(_put(change, scope, body))).body
        return (yield from call(calls.patch_member(audience.id, change.id, body))).body
    except NotFoundError:
        if "status_if_new" in asked:
            return NO_AUDIENCE
        return NOT_THERE if change.existing_only else NOT_CREATED
    except RejectedRecordError as error:
        if error.title != NOT_ALLOWED:
            raise
    # An archived contact takes no PATCH; that it is there was just said, so PUT creates nobody.
    return (yield from call(calls.put_member(audience.id, change.id, body))).body


def _put(change: Change, scope: Scope, body: Json) -> Request:
    names = [scope.audience.spelled(name) for name in change.tagging.additions]
    is_new = scope.audience.statuses is not None and scope.audience.status_of(change.id) is None
    if names and is_new and not scope.config.suppress_automations:
        # Saves a call. On a contact that is there, nobody documents whether they are added, ignored, or replace all others.
        body = {**body, "tags": names}
    return calls.put_member(scope.audience.id, change.id, body)


def _restored(change: Change, scope: Scope, asked: Json, member: Json) -> Flow[Json]:
    """Bring a contact back that turned out to be archived, where the configuration says so."""
    new = new_status(change, scope.audience, scope.config)
    if member.get("status") != ARCHIVED or not scope.config.restore_archived or not new or "status" in asked:
        return member
    try:
        return (yield from call(_status_call(change, scope, new))).body
    except RejectedRecordError as error:
        if error.title != COMPLIANCE_STATE or scope.config.on_compliance_state == "reject":
            raise
    return (yield from call(_status_call(change, scope, "pending"))).body


def _status_call(change: Change, scope: Scope, status: str) -> Request:
    body = {"email_address": change.email, "status": status, "status_if_new": status}
    return calls.put_member(scope.audience.id, change.id, body)


def _retag(change: Change, scope: Scope, member: Json) -> Flow[bool]:
    """Edit the tags of a contact that was just written. Returns whether there was anything to edit."""
    if not change.tagging:
        return False
    names = yield from tags_of(member, scope)
    return (yield from edit_tags(change, scope, scope.delta(change, names)))


def tags_of(member: Json, scope: Scope) -> Flow[list[str]]:
    """Return the names of all tags of a contact; an answer holds the first fifty only, or none."""
    rows = member.get("tags") or []
    if "tags" not in member or int(member.get("tags_count") or 0) > len(rows):
        rows = yield from read_all(calls.read_member_tags(scope.audience.id, str(member["id"])), "tags")
    scope.audience.note_tags(rows)
    return [str(row.get("name")) for row in rows]


def edit_tags(change: Change, scope: Scope, wanted: Delta) -> Flow[bool]:
    """Edit the tags of one contact. Returns whether there was anything to edit."""
    if not wanted:
        return False
    request = calls.edit_tags(scope.audience.id, change.id, tag_rows(wanted), is_syncing=scope.config.suppress_automations)
    try:
        yield from call(request)
    except NotFoundError:
        # Deleted in this moment: there is nobody to tag.
        return False
    return True


def rehearse(change: Change, scope: Scope) -> Flow[Outcome]:
    """Return the outcome a change would have, by look-ups only."""
    if scope.audience.statuses is not None:
        status = scope.audience.status_of(change.id)
    else:
        try:
            status = (yield from call(calls.read_member(scope.audience.id, change.id))).body.get("status")
        except NotFoundError:
            status = None
    if status is not None:
        done = {"archive": status == ARCHIVED, "unsubscribe": status not in UNSUBSCRIBABLE}.get(change.kind, False)
        return UNCHANGED if done else UPDATED
    if change.kind != "upsert" or change.existing_only:
        return NOT_THERE
    new = new_status(change, scope.audience, scope.config)
    if new:
        scope.audience.note(change.id, new)
    return CREATED if new else NOT_CREATED
