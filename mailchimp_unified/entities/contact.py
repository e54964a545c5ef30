"""The unified contact: a member of an audience, both directions.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import asdict

from mailchimp_unified.entities.contact_fields import (
    FIELDS,
    FIRST_NAME_TAG,
    LAST_NAME_TAG,
    PHONE_TAG,
    STATUSES,
    fields_of,
)
from mailchimp_unified.entities.entity import Entity, strict_timestamp
from mailchimp_unified.entities.member_values import as_text, custom_fields_of, location_of, moment_or_oddity, nulled, phones_of
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, UnknownMergeFieldError, converted, is_empty
from mailchimp_unified.entities.rows import Contact, Member, member_of
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.request import Json
from mailchimp_unified.text import is_blank

__all__ = ["ARCHIVED", "ENTITY", "STATUSES", "from_mailchimp", "merge_values", "to_mailchimp"]

ARCHIVED = "archived"

ENTITY = Entity("contacts", ("list_id", "id"))

_BODY = fields_of("body")

OnInvalid = Callable[[InvalidValueError], None]
"""What is done about a value that its field cannot take: raise it, or note it and leave the field out."""


def refuse(error: InvalidValueError) -> None:
    """Raise the error: the record is rejected."""
    raise error


def from_mailchimp(member: Json, *, remote: bool = False) -> Json:
    """Return the unified contact of a Mailchimp member, with the whole member under `remote_data` when `remote`.

    What has an odd type is passed on as it is, for the schema to tell.
    """
    return tolerantly(member_of(member), remote=remote)


def tolerantly(member: Member, *, remote: bool = False) -> Json:
    """Return what `from_mailchimp` does for a member that is an object already."""
    contact = asdict(unified(member, remote=remote, moment=moment_or_oddity))
    if not remote:
        del contact["remote_data"]
    return _with_an_id(contact)


def unified(member: Member, *, remote: bool = False, moment: Callable[[Any], Any] = strict_timestamp) -> Contact:
    """Return the unified contact of a member as an object. Raises ValueError for a time that is none."""
    merge_fields = member.merge_fields or {}
    custom_fields, addresses = custom_fields_of(merge_fields)
    email, name, permissions = member.email_address or None, member.full_name or None, member.marketing_permissions or None
    signed_up, opted_in, changed = member.timestamp_signup or None, member.timestamp_opt or None, member.last_changed or None
    signed_up, opted_in = signed_up and moment(signed_up), opted_in and moment(opted_in)
    # In the order of the fields: naming them costs seven times as much.
    return Contact(
        # Without an email address there is no id of its own.
        member.id if email else member.contact_id or member.id,
        member.list_id,
        member.contact_id or None,
        member.unique_email_id or None,
        member.web_id,
        email,
        as_text(custom_fields.get(FIRST_NAME_TAG)),
        as_text(custom_fields.get(LAST_NAME_TAG)),
        # Mailchimp fills an empty name with the email address.
        None if name == email else name,
        phones_of(custom_fields.get(PHONE_TAG), member.sms_phone_number),
        addresses,
        member.status or None,
        member.tags or [],
        member.tags_count,
        custom_fields if type(merge_fields) is dict else merge_fields,
        member.interests,
        member.language or None,
        member.vip,
        member.email_type or None,
        None if member.location is None else location_of(member.location),
        None if permissions is None else nulled(permissions),
        member.consents_to_one_to_one_messaging,
        member.sms_phone_number or None,
        member.sms_subscription_status or None,
        moment(sms) if (sms := member.sms_subscription_last_updated) else None,
        member.ip_signup or None,
        signed_up,
        member.ip_opt or None,
        opted_in,
        member.source or None,
        member.member_rating,
        member.email_client or None,
        member.unsubscribe_reason or None,
        None if member.last_note is None else nulled(member.last_note),
        None if member.stats is None else nulled(member.stats),
        signed_up or opted_in,
        changed and moment(changed),
        member.status == ARCHIVED,
        member.whole if remote else None,
    )


def _with_an_id(contact: Json) -> Json:
    """Return a contact with the id that its email address makes, where Mailchimp gives none that can be read."""
    if type(contact["id"]) is not str or not contact["id"]:
        contact["id"] = subscriber_hash(contact["email"]) if type(contact["email"]) is str else contact["contact_id"]
    return contact


def to_mailchimp(
    contact: Mapping[str, Any],
    merge_fields: Mapping[str, MergeField],
    *,
    clear_empty: bool = False,
    on_invalid: OnInvalid = refuse,
) -> Json:
    """Return the body of a member call for a unified contact: who it is and what it carries, without status and tags.

    `merge_fields` are the audience's own definitions by tag. Read-only fields are ignored; those of the role `routing` are
    for the planner. A blank leaves Mailchimp's value alone, or clears a merge field with `clear_empty`.
    `on_invalid` is told every value that its field cannot take, an UnknownMergeFieldError where the audience has no such
    field; unless it raises the error, the field is left out.
    """
    body: Json = {}
    for field in _BODY:
        value = contact.get(field.name)
        if field.write and value is not None and not is_blank(value):
            body.update(field.write(value))
    values = _merge_values(contact, merge_fields, clear_empty=clear_empty, on_invalid=on_invalid)
    return {**body, "merge_fields": values} if values else body


def _merge_values(contact: Mapping[str, Any], merge_fields: Mapping[str, MergeField], *, clear_empty: bool, on_invalid: OnInvalid) -> Json:
    sent: Json = {}
    for tag, value in merge_values(contact).items():
        # Mailchimp's tags are upper case; a warehouse may have changed that.
        definition = merge_fields.get(tag) or merge_fields.get(tag.strip().upper())
        blank = is_empty(definition, value) if definition else is_blank(value)
        if blank and not clear_empty:
            continue
        try:
            if definition is not None:
                sent[definition.tag] = "" if blank else converted(definition, value)
            elif not blank:
                raise UnknownMergeFieldError(tag)
        except InvalidValueError as error:
            on_invalid(error)
    return sent


def merge_values(contact: Mapping[str, Any]) -> Json:
    """Return every merge value of a unified contact by tag, unconverted. `custom_fields` wins over the unified names."""
    values: Json = {}
    for name in ("first_name", "last_name"):
        if name in contact:
            values.update(_written(name, contact[name]))
    for name in ("phones", "addresses", "custom_fields"):
        if contact.get(name):
            values.update(_written(name, contact[name]))
    return values


def _written(name: str, value: Any) -> Json:
    write = FIELDS[name].write
    assert write is not None
    return write(value)
