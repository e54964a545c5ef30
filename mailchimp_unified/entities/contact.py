"""The unified contact: a member of an audience, both directions.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mailchimp_unified.entities.contact_fields import (
    FIELDS,
    FIRST_NAME_TAG,
    LAST_NAME_TAG,
    PHONE_TAG,
    STATUSES,
    fields_of,
)
from mailchimp_unified.entities.entity import NO_DAY, Entity, Json, timestamp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, UnknownMergeFieldError, converted, is_empty
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.text import is_blank

__all__ = ["ARCHIVED", "ENTITY", "STATUSES", "from_mailchimp", "merge_values", "to_mailchimp"]

ARCHIVED = "archived"

_MAY_BE_BLANK = frozenset({str, dict, list})

ENTITY = Entity("contacts", ("list_id", "id"), frozenset(field.name for field in fields_of("read only")))

_BODY = fields_of("body")

OnInvalid = Callable[[InvalidValueError], None]
"""What is done about a value that its field cannot take: raise it, or note it and leave the field out."""


def refuse(error: InvalidValueError) -> None:
    """Raise the error: the record is rejected."""
    raise error


def from_mailchimp(member: Json, *, remote: bool = False, strict: bool = False) -> Json:
    """Return the unified contact of a Mailchimp member, with the whole member under `remote_data` when `remote`.

    What has an odd type is passed on as it is, for the schema to tell. Raises ValueError for a time that is none when `strict`.
    """
    get = member.get
    merge_fields = get("merge_fields") or {}
    custom_fields, addresses = _custom_fields(merge_fields)
    email, status = get("email_address") or None, get("status")
    name, moment = get("full_name") or None, _moment if strict else _moment_or_oddity
    signed_up, opted_in, changed = get("timestamp_signup") or None, get("timestamp_opt") or None, get("last_changed") or None
    signed_up, opted_in = signed_up and moment(signed_up), opted_in and moment(opted_in)
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
        "addresses": addresses,
        "status": status or None,
        "tags": get("tags") or [],
        "tags_count": get("tags_count"),
        "custom_fields": custom_fields if type(merge_fields) is dict else merge_fields,
        "interests": get("interests"),
        "language": get("language") or None,
        "vip": get("vip"),
        "email_type": get("email_type") or None,
        "location": _location(get("location")),
        "marketing_permissions": _nulled(get("marketing_permissions") or None),
        "consents_to_one_to_one_messaging": get("consents_to_one_to_one_messaging"),
        "sms_phone_number": get("sms_phone_number") or None,
        "sms_subscription_status": get("sms_subscription_status") or None,
        "sms_subscription_last_updated": moment(sms) if (sms := get("sms_subscription_last_updated")) else None,
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
        "updated_at": changed and moment(changed),
        "is_deleted": status == ARCHIVED,
    }
    if remote:
        contact["remote_data"] = member
    return contact if strict else _with_an_id(contact)


def _with_an_id(contact: Json) -> Json:
    """Return a contact with the id that its email address makes, where Mailchimp gives none that can be read."""
    if type(contact["id"]) is not str or not contact["id"]:
        contact["id"] = subscriber_hash(contact["email"]) if type(contact["email"]) is str else contact["contact_id"]
    return contact


def _custom_fields(merge_fields: Any) -> tuple[Json, list[Json]]:
    """Return the merge fields with null for what is cleared, and those of them that are postal addresses, in the unified shape."""
    if type(merge_fields) is not dict:
        return {}, []
    custom_fields = {tag: (None if value == "" else value) for tag, value in merge_fields.items()}
    postal = [tag for tag, value in custom_fields.items() if type(value) is dict]
    if postal:
        custom_fields.update((tag, _nothing_blank(custom_fields[tag])) for tag in postal)
    return custom_fields, [_address(tag, value) for tag in postal if (value := custom_fields[tag])]


def _moment(value: Any) -> str | None:
    """Return a time, None where Mailchimp has none. Raises ValueError for other strings, and another error for other types."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        if value[:10] == NO_DAY:
            return None
        raise
    return timestamp(value) if value[19:] != "+00:00" or value[10] != "T" else value


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
    if value is None or (type(value) is dict and _MAY_BE_BLANK.isdisjoint(map(type, value.values()))):
        return value
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
