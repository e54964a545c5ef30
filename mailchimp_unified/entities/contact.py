"""The unified contact: a member of an audience, both directions.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mailchimp_unified.entities.contact_fields import (
    FIELDS,
    FIRST_NAME_TAG,
    LAST_NAME_TAG,
    PHONE_TAG,
    STATUSES,
    fields_of,
)
from mailchimp_unified.entities.entity import Entity, Json, timestamp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, UnknownMergeFieldError, is_empty, value_to_mailchimp
from mailchimp_unified.text import is_blank

__all__ = ["ARCHIVED", "ENTITY", "STATUSES", "from_mailchimp", "merge_values", "to_mailchimp"]

ARCHIVED = "archived"

ENTITY = Entity("contacts", ("list_id", "id"), frozenset(field.name for field in fields_of("read only")))

OnInvalid = Callable[[InvalidValueError], None]
"""What is done about a value that its field cannot take: raise it, or note it and leave the field out."""


def refuse(error: InvalidValueError) -> None:
    """Raise the error: the record is rejected."""
    raise error


def from_mailchimp(member: Json, *, remote: bool = False) -> Json:
    """Return the unified contact of a Mailchimp member, with the whole member under `remote_data` when `remote`."""
    get = member.get
    merge_fields = get("merge_fields") or {}
    custom_fields = {tag: (None if value == "" else value) for tag, value in merge_fields.items()}
    email, status = get("email_address") or None, get("status")
    name = get("full_name") or None
    signed_up, opted_in = timestamp(get("timestamp_signup")), timestamp(get("timestamp_opt"))
    contact = {
        "id": get("id"),
        "list_id": get("list_id"),
        "contact_id": get("contact_id") or None,
        "unique_email_id": get("unique_email_id") or None,
        "web_id": get("web_id"),
        "email": email,
        "first_name": custom_fields.get(FIRST_NAME_TAG),
        "last_name": custom_fields.get(LAST_NAME_TAG),
        # Mailchimp fills an empty name with the address itself.
        "name": None if name == email else name,
        "phones": _phones(custom_fields.get(PHONE_TAG), get("sms_phone_number")),
        "addresses": [_address(tag, value) for tag, value in custom_fields.items() if type(value) is dict],
        "status": status or None,
        "tags": get("tags") or [],
        "tags_count": get("tags_count"),
        "custom_fields": custom_fields,
        "interests": get("interests"),
        "language": get("language") or None,
        "vip": get("vip"),
        "email_type": get("email_type") or None,
        "location": _location(get("location")),
        "marketing_permissions": get("marketing_permissions"),
        "consents_to_one_to_one_messaging": get("consents_to_one_to_one_messaging"),
        "sms_phone_number": get("sms_phone_number") or None,
        "sms_subscription_status": get("sms_subscription_status") or None,
        "sms_subscription_last_updated": timestamp(get("sms_subscription_last_updated")),
        "ip_signup": get("ip_signup") or None,
        "timestamp_signup": signed_up,
        "ip_opt": get("ip_opt") or None,
        "timestamp_opt": opted_in,
        "source": get("source") or None,
        "member_rating": get("member_rating"),
        "email_client": get("email_client") or None,
        "unsubscribe_reason": get("unsubscribe_reason") or None,
        "last_note": get("last_note"),
        "stats": get("stats"),
        "created_at": signed_up or opted_in,
        "updated_at": timestamp(get("last_changed")),
        "is_deleted": status == ARCHIVED,
    }
    if remote:
        contact["remote_data"] = member
    return contact


def _phones(phone: Any, sms: Any) -> list[Json]:
    phones = [{"phone": str(phone), "type": "phone"}] if phone else []
    return [*phones, {"phone": str(sms), "type": "sms"}] if sms else phones


def _address(tag: str, value: Mapping[str, Any]) -> Json:
    return {
        "type": tag,
        "street_1": value.get("addr1") or None,
        "street_2": value.get("addr2") or None,
        "city": value.get("city") or None,
        "state": value.get("state") or None,
        "postal_code": value.get("zip") or None,
        "country": value.get("country") or None,
    }


def _location(location: Any) -> Json | None:
    """Return the place, None where Mailchimp gives zeros and empty texts because it knows none."""
    if not location or not any(location.values()):
        return None
    return {name: (None if value == "" else value) for name, value in location.items()}


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
    for field in fields_of("body"):
        if field.write and not is_blank(value := contact.get(field.name)):
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
                sent[definition.tag] = value_to_mailchimp(definition, value)
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
