"""The unified contact: a member of an audience, both directions.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mailchimp_unified.entities.entity import NO_DAY, Entity, Json, nested, timestamp
from mailchimp_unified.entities.merge_field import (
    InvalidValueError,
    MergeField,
    UnknownMergeFieldError,
    address_to_mailchimp,
    value_to_mailchimp,
)
from mailchimp_unified.identity import subscriber_hash

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
"""Every status of a contact; the last is not in an unfiltered listing: https://mailchimp.com/developer/marketing/api/list-members/."""

ARCHIVED = "archived"

FIRST_NAME_TAG, LAST_NAME_TAG, PHONE_TAG, ADDRESS_TAG = "FNAME", "LNAME", "PHONE", "ADDRESS"
"""Merge fields that every new audience carries: https://mailchimp.com/developer/marketing/docs/merge-fields/."""

READ_ONLY = frozenset(
    {
        "contact_id",
        "unique_email_id",
        "web_id",
        "name",
        "tags_count",
        "consents_to_one_to_one_messaging",
        "sms_phone_number",
        "sms_subscription_status",
        "sms_subscription_last_updated",
        "source",
        "member_rating",
        "email_client",
        "unsubscribe_reason",
        "last_note",
        "stats",
        "created_at",
        "updated_at",
        "remote_data",
    }
)
"""Properties that Mailchimp sets itself. A writer ignores them, so that what was read can be written back."""

ROUTING = frozenset({"id", "list_id", "status", "status_if_new", "tags", "tags_to_remove", "is_deleted"})
"""Properties that decide which calls are made (which contact, which list, which status, which tags), not what a body holds."""

ENTITY = Entity("contacts", ("list_id", "id"), READ_ONLY)

_PASSED_ON = ("language", "vip", "email_type", "ip_signup", "ip_opt", "interests")

_TIMES = ("timestamp_signup", "timestamp_opt")


def from_mailchimp(member: Json, *, remote: bool = False, strict: bool = False) -> Json:
    """Return the unified contact of a Mailchimp member, with the whole member under `remote_data` when `remote`.

    What has an odd type is passed on as it is, for the schema to tell. Raises ValueError for a time that is none when `strict`.
    """
    get = member.get
    merge_fields = get("merge_fields") or {}
    by_tag = merge_fields if type(merge_fields) is dict else {}
    custom_fields = {tag: (_nothing_blank(value) if value == "" or type(value) is dict else value) for tag, value in by_tag.items()}
    email, status = get("email_address") or None, get("status")
    name, moment = get("full_name") or None, _moment if strict else _moment_or_oddity
    signed_up, opted_in = moment(get("timestamp_signup")), moment(get("timestamp_opt"))
    contact_id = get("contact_id") or None
    contact = {
        # Without an email address there is no id of its own.
        "id": get("id") if email else contact_id or get("id"),
        "list_id": get("list_id"),
        "contact_id": contact_id,
        "unique_email_id": get("unique_email_id") or None,
        "web_id": get("web_id"),
        "email": email,
        "first_name": _as_text(custom_fields.get(FIRST_NAME_TAG)),
        "last_name": _as_text(custom_fields.get(LAST_NAME_TAG)),
        # Mailchimp fills an empty name with the email address.
        "name": None if name == email else name,
        "phones": _phones(custom_fields.get(PHONE_TAG), get("sms_phone_number")),
        "addresses": [_address(tag, value) for tag, value in custom_fields.items() if type(value) is dict],
        "status": status or None,
        "tags": get("tags") or [],
        "tags_count": get("tags_count"),
        "custom_fields": custom_fields if by_tag is merge_fields else merge_fields,
        "interests": get("interests"),
        "language": get("language") or None,
        "vip": get("vip"),
        "email_type": get("email_type") or None,
        "location": _location(get("location")),
        "marketing_permissions": _nulled(get("marketing_permissions")),
        "consents_to_one_to_one_messaging": get("consents_to_one_to_one_messaging"),
        "sms_phone_number": get("sms_phone_number") or None,
        "sms_subscription_status": get("sms_subscription_status") or None,
        "sms_subscription_last_updated": moment(get("sms_subscription_last_updated")),
        "ip_signup": get("ip_signup") or None,
        "timestamp_signup": signed_up,
        "ip_opt": get("ip_opt") or None,
        "timestamp_opt": opted_in,
        "source": get("source") or None,
        "member_rating": get("member_rating"),
        "email_client": get("email_client") or None,
        "unsubscribe_reason": get("unsubscribe_reason") or None,
        "last_note": _nulled(get("last_note")),
        "stats": _nulled(get("stats")),
        "created_at": signed_up or opted_in,
        "updated_at": moment(get("last_changed")),
        "is_deleted": status == ARCHIVED,
    }
    if remote:
        contact["remote_data"] = member
    if not strict and (type(contact["id"]) is not str or not contact["id"]):
        contact["id"] = subscriber_hash(email) if type(email) is str else contact_id
    return contact


def _moment(value: Any) -> str | None:
    """Return a time, None where Mailchimp has none. Raises ValueError for what is neither."""
    if not value:
        return None
    moment = timestamp(value)
    if moment is None and value[:10] != NO_DAY:
        raise ValueError("not a time")
    return moment


def _moment_or_oddity(value: Any) -> Any:
    try:
        return _moment(value)
    except (ValueError, TypeError, KeyError):
        return value


def _as_text(value: Any) -> Any:
    """Return a scalar as text, also that of a number field; anything else as it is."""
    if type(value) is str or value is None:
        return value
    if type(value) is float and value.is_integer():
        value = int(value)
    return str(value) if type(value) in (int, float) else value


def _nothing_blank(value: Any) -> Any:
    """Return a value with null for each "" in it, null for an object of only such: so Mailchimp says that nothing is there."""
    if type(value) is dict:
        found = {name: _nothing_blank(inner) for name, inner in value.items()}
        return found if any(inner is not None for inner in found.values()) else None
    if type(value) is list:
        return [_nothing_blank(inner) for inner in value]
    return None if value == "" else value


def _nulled(value: Any) -> Any:
    """Return a value with null for each "" in it, at any depth."""
    if type(value) is dict:
        return {name: (None if inner == "" else _nulled(inner) if type(inner) in (dict, list) else inner) for name, inner in value.items()}
    return [_nulled(inner) for inner in value] if type(value) is list else None if value == "" else value


def _phones(phone: Any, sms: Any) -> list[Json]:
    phones = [{"phone": _as_text(phone), "type": "phone"}] if phone else []
    return [*phones, {"phone": _as_text(sms), "type": "sms"}] if sms else phones


def _address(tag: str, value: Mapping[str, Any]) -> Json:
    part = value.get
    return {
        "type": tag,
        "street_1": _as_text(part("addr1")),
        "street_2": _as_text(part("addr2")),
        "city": _as_text(part("city")),
        "state": _as_text(part("state")),
        "postal_code": _as_text(part("zip")),
        "country": _as_text(part("country")),
    }


def _location(location: Any) -> Any:
    """Return the place, None where Mailchimp gives zeros and empty texts because it knows none."""
    if type(location) is not dict:
        return location or None
    return _nulled(location) if any(location.values()) else None


def to_mailchimp(contact: Mapping[str, Any], merge_fields: Mapping[str, MergeField], *, clear_empty: bool = False) -> Json:
    """Return the body of a member call for a unified contact: who it is and what it carries, without status and tags.

    `merge_fields` are the audience's own definitions by tag. Properties in READ_ONLY are ignored; those in ROUTING are for
    the planner. A null leaves Mailchimp's value alone, or clears it with `clear_empty`.
    Raises InvalidValueError for the first value that its field cannot take, and UnknownMergeFieldError, which is one, for
    a value whose merge field the audience does not have.
    """
    body: Json = {"email_address": str(contact["email"]).strip()}
    body.update({name: contact[name] for name in _PASSED_ON if contact.get(name) is not None})
    body.update({name: _time(name, contact[name]) for name in _TIMES if contact.get(name)})
    location = nested(contact, "location")
    if location.get("latitude") or location.get("longitude"):
        # Zeros mean that no place is known: sent back they would erase one.
        body["location"] = {name: location.get(name) or 0 for name in ("latitude", "longitude")}
    if permissions := contact.get("marketing_permissions"):
        body["marketing_permissions"] = [{name: row[name] for name in ("marketing_permission_id", "enabled")} for row in permissions]
    values = _merge_values(contact, merge_fields, clear_empty=clear_empty)
    return {**body, "merge_fields": values} if values else body


def _time(name: str, value: Any) -> str:
    # A warehouse may have dropped the zone and kept fractions of a second: what has no zone is UTC.
    text = timestamp(re.sub(r"\.[0-9]+", "", value)) if isinstance(value, str) else None
    if text is None:
        raise InvalidValueError(name, "the field takes a time such as 2026-01-31T12:00:00Z")
    return text


def _merge_values(contact: Mapping[str, Any], merge_fields: Mapping[str, MergeField], *, clear_empty: bool) -> Json:
    sent = {}
    for tag, value in merge_values(contact).items():
        if value is None and not clear_empty:
            continue
        # Mailchimp's tags are upper case; a warehouse may have changed that.
        definition = merge_fields.get(tag) or merge_fields.get(tag.upper())
        if definition is not None:
            sent[definition.tag] = value_to_mailchimp(definition, value)
        elif value is not None:
            raise UnknownMergeFieldError(tag)
    return sent


def merge_values(contact: Mapping[str, Any]) -> Json:
    """Return every merge value of a unified contact by tag, unconverted. `custom_fields` wins over the unified names."""
    return {**_named_values(contact), **nested(contact, "custom_fields")}


def _named_values(contact: Mapping[str, Any]) -> Json:
    """Return the merge values that have a unified name."""
    named: Json = {}
    for name, tag in (("first_name", FIRST_NAME_TAG), ("last_name", LAST_NAME_TAG)):
        if name in contact:
            named[tag] = contact[name]
    phone = next((p.get("phone") for p in contact.get("phones") or [] if p.get("type") != "sms"), None)
    if phone is not None:
        named[PHONE_TAG] = phone
    for address in contact.get("addresses") or []:
        named[address.get("type") or ADDRESS_TAG] = address_to_mailchimp(address)
    return named
