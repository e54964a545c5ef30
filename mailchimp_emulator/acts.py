"""What people and administrators do outside the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.merge_rules import ADDRESS_PARTS, incomplete_address
from mailchimp_emulator.models import Member, subscriber_hash
from mailchimp_emulator.state import State
from mailchimp_emulator.times import parse_second
from mailchimp_emulator.writes import Writer

Act = Callable[[Writer, Member, dict[str, Any]], object]


def _set_status(status: str) -> Act:
    def act(writer: Writer, member: Member, _: dict[str, Any]) -> None:
        writer.enter(member, status)
        writer.audience.changed(member, writer.now, status)

    return act


def _change_merge_field(writer: Writer, member: Member, more: dict[str, Any]) -> None:
    writer.amend(member, {"merge_fields": {more["tag"]: more["value"]}}, None, check_required=False)


def _change_email(writer: Writer, member: Member, more: dict[str, Any]) -> None:
    writer.amend(member, {"email_address": more["new_email"]}, None, check_required=False)


MEMBER_ACTS: dict[str, Act] = {
    "unsubscribe_self": lambda writer, member, _: writer.leave(member),
    "unsubscribe_admin": _set_status("unsubscribed"),
    "subscribe": lambda writer, member, _: writer.join(member),
    "clean": _set_status("cleaned"),
    "archive": lambda writer, member, _: writer.audience.changed(member, writer.now, "archived"),
    "unarchive": lambda writer, member, _: writer.audience.changed(member, writer.now, "subscribed"),
    "pending": _set_status("pending"),
    "transactional": _set_status("transactional"),
    "forget": lambda writer, member, _: writer.forget(member.id),
    "change_merge_field": _change_merge_field,
    "change_email": _change_email,
    "add_tag": lambda writer, member, more: writer.tag(member, [more["tag"]]),
    "remove_tag": lambda writer, member, more: writer.untag(member, [more["tag"]]),
}


def act(state: State, list_id: str, email: str, action: str, more: dict[str, Any]) -> dict[str, Any] | None:
    """Let somebody act on a contact; `subscribe` signs up an address that is not there. Returns the contact."""
    if action not in MEMBER_ACTS:
        raise ValueError(f"unknown action {action!r}; known: {', '.join(MEMBER_ACTS)}")
    audience = state.account.audiences[list_id]
    writer = Writer(state.account, audience, state.behavior, state.clock.second(), outside_the_api=True)
    member = audience.find(email)
    if member is None and action == "subscribe":
        audience.forgotten.discard(subscriber_hash(email))
        member = writer.insert({"email_address": email, **more}, "subscribed")
    elif member is None:
        raise ValueError(f"no contact {email} in list {list_id}")
    else:
        MEMBER_ACTS[action](writer, member, more)
    return snapshot(audience, member) if member.id in audience.members else None


def place(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    """Put a contact in a state, as if that had come about at `last_changed`; returns the contact."""
    audience = state.account.audiences[wanted["list_id"]]
    moment = parse_second(wanted.get("last_changed", "")) or state.clock.second()
    writer = Writer(state.account, audience, state.behavior, moment, skip_merge_validation=True, outside_the_api=True)
    values = wanted.get("merge_fields", {})
    # A postal address may have been stored before it had to be complete.
    halves = {tag: value for tag, value in values.items() if isinstance(value, dict) and incomplete_address(value)}
    body = {"email_address": wanted["email"], "merge_fields": {tag: value for tag, value in values.items() if tag not in halves}}
    member = audience.find(wanted["email"]) or writer.insert(body, "subscribed")
    writer.amend(member, body, None, check_required=False)
    stored = {tag: {part: str(value.get(part, "")) for part in ADDRESS_PARTS} for tag, value in halves.items()}
    member.merge_fields = {**member.merge_fields, **stored}
    writer.untag_ids(member, list(member.tags))
    writer.tag(member, wanted.get("tags", []))
    writer.enter(member, wanted["status"])
    member.timestamp_opt = parse_second(wanted.get("timestamp_opt", "")) or member.timestamp_opt
    audience.changed(member, moment, wanted["status"])
    return snapshot(audience, member)


def snapshot(audience: Audience, member: Member) -> dict[str, Any]:
    """The truth about a contact, for assertions: more than the API tells, and with last_changed as a number."""
    return {
        "id": member.id,
        "email_address": member.email,
        "contact_id": audience.contact_id(member),
        "status": member.status,
        "last_changed": member.last_changed,
        "timestamp_opt": member.timestamp_opt,
        "merge_fields": member.merge_fields,
        "tags": [audience.segments[tag].name for tag in member.tags],
        "unsubscribed_by": member.unsubscribed_by,
        "compliance": member.compliance,
        "interests": member.rare("interests", {}),
    }
