"""The fields of a unified contact in one table: what each is for, how a cell becomes it, and what it puts into a member call.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mailchimp_unified.entities import readers
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.entities.postal_address import address_to_mailchimp
from mailchimp_unified.request import Json
from mailchimp_unified.text import is_blank, says_nothing

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
"""Every status of a contact; the last is not in an unfiltered listing: https://mailchimp.com/developer/marketing/api/list-members/."""

NEW_STATUSES = ("subscribed", "unsubscribed", "pending", "transactional")
"""Statuses that a new contact may be given: https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/."""

FIRST_NAME_TAG, LAST_NAME_TAG, PHONE_TAG, ADDRESS_TAG = "FNAME", "LNAME", "PHONE", "ADDRESS"
"""Merge fields that every new audience carries: https://mailchimp.com/developer/marketing/docs/merge-fields/."""

_NAMES = ("first_name", "last_name")

Role = Literal["derived", "read only", "routing", "body", "merge field"]
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Json]


@dataclass(frozen=True)
class ContactField:
    """A field of the unified contact.

    `role`: `derived` and `read only` are ignored by a writer; `routing` decides which calls are made; `body` is a part of a
    member call; `merge field` is written as a merge field, `merge_tag` if it is always the same one. `read` turns a cell that is not
    blank into the field's value, and `write` turns that value into what the call, or its merge fields, hold. `takes` says in words
    what cells it reads. A column of `any_table` fills the field by its name, several columns fill one that `is_list` together, and
    a contact can be written without one that is `optional`.
    """

    name: str
    role: Role
    read: Reader | None = None
    write: Writer | None = None
    takes: str = ""
    merge_tag: str = ""
    any_table: bool = False
    is_list: bool = False
    optional: bool = False


_TAGS = "names: a list of texts or of objects with a name, JSON text of one, or text with commas between the names"
_BOOLEANS = "true or false, also yes, no, y, n, t, f, on, off, 1, 0"
_TIMES = "a time or a day, ISO; without a zone it is UTC"


def _as(name: str) -> Writer:
    return lambda value: {name: value}


def _location(place: Json) -> Json:
    # Zeros mean that no place is known: sent back they would erase one.
    known = place.get("latitude") or place.get("longitude")
    return {"location": {name: place.get(name) or 0 for name in ("latitude", "longitude")}} if known else {}


def _permissions(rows: list[Json]) -> Json:
    named = [{name: row[name] for name in ("marketing_permission_id", "enabled")} for row in rows]
    return {"marketing_permissions": named} if named else {}


def _phone(phones: list[Json]) -> Json:
    found = next((phone.get("phone") for phone in phones if phone.get("type") != "sms"), None)
    return {} if found is None else {PHONE_TAG: found}


def _addresses(addresses: list[Json]) -> Json:
    return {address.get("type") or ADDRESS_TAG: address_to_mailchimp(address) for address in addresses}


_TABLE = (
    ContactField("id", "derived"),
    ContactField("list_id", "routing", readers.list_id, takes="the id of an audience"),
    ContactField("contact_id", "read only"),
    ContactField("unique_email_id", "read only"),
    ContactField("web_id", "read only"),
    ContactField(
        "email",
        "body",
        readers.email,
        lambda value: {"email_address": str(value).strip()},
        takes="one email address; invisible characters are removed",
        any_table=True,
    ),
    ContactField("previous_email", "routing", readers.email, takes="one email address"),
    ContactField(
        "first_name", "merge field", readers.scalar, _as(FIRST_NAME_TAG), "text or number", merge_tag=FIRST_NAME_TAG, any_table=True
    ),
    ContactField("last_name", "merge field", readers.scalar, _as(LAST_NAME_TAG), "text or number", merge_tag=LAST_NAME_TAG, any_table=True),
    ContactField("name", "read only"),
    ContactField(
        "phones",
        "merge field",
        readers.phones,
        _phone,
        takes="a phone as text or number, an object with phone, or a list of such",
        merge_tag=PHONE_TAG,
    ),
    ContactField(
        "addresses", "merge field", readers.addresses, _addresses, takes="a postal address as an object or JSON text, or a list of such"
    ),
    ContactField("status", "routing", readers.one_of(*STATUSES), takes=f"one of {', '.join(STATUSES)}, in any case"),
    ContactField("status_if_new", "routing", readers.one_of(*NEW_STATUSES), takes=f"one of {', '.join(NEW_STATUSES)}, in any case"),
    ContactField("tags", "routing", readers.tag_names, takes=_TAGS, any_table=True, is_list=True),
    ContactField("tags_count", "read only"),
    ContactField("tags_to_remove", "routing", readers.tag_names, takes=_TAGS, any_table=True, is_list=True),
    ContactField("custom_fields", "merge field", readers.mapping, dict, takes="an object by merge tag, or one as JSON text"),
    ContactField(
        "interests",
        "body",
        readers.interests,
        _as("interests"),
        takes="an object of booleans by group id or `Category/Name`, or a list or text with commas of those chosen",
        optional=True,
    ),
    ContactField("language", "body", readers.text, _as("language"), takes="text", optional=True),
    ContactField("vip", "body", readers.boolean, _as("vip"), takes=_BOOLEANS),
    ContactField("email_type", "body", readers.one_of("html", "text"), _as("email_type"), takes="html or text, in any case"),
    ContactField(
        "location", "body", readers.location, _location, takes="an object with latitude and longitude, or one as JSON text", optional=True
    ),
    ContactField(
        "marketing_permissions",
        "body",
        readers.permissions,
        _permissions,
        takes="an object with marketing_permission_id or text, and enabled, or a list of such",
        optional=True,
    ),
    ContactField("consents_to_one_to_one_messaging", "read only"),
    ContactField("sms_phone_number", "read only"),
    ContactField("sms_subscription_status", "read only"),
    ContactField("sms_subscription_last_updated", "read only"),
    ContactField("ip_signup", "body", readers.text, _as("ip_signup"), takes="an IP address", optional=True),
    ContactField("timestamp_signup", "body", readers.moment, _as("timestamp_signup"), takes=_TIMES, optional=True),
    ContactField("ip_opt", "body", readers.text, _as("ip_opt"), takes="an IP address", optional=True),
    ContactField("timestamp_opt", "body", readers.moment, _as("timestamp_opt"), takes=_TIMES, optional=True),
    ContactField("source", "read only"),
    ContactField("member_rating", "read only"),
    ContactField("email_client", "read only"),
    ContactField("unsubscribe_reason", "read only"),
    ContactField("last_note", "read only"),
    ContactField("stats", "read only"),
    ContactField("created_at", "read only"),
    ContactField("updated_at", "read only"),
    ContactField("is_deleted", "routing", readers.boolean, takes=_BOOLEANS),
    ContactField("remote_data", "read only"),
)

FIELDS: dict[str, ContactField] = {field.name: field for field in _TABLE}
"""Every property of the schema `contacts` by name."""

WRITABLE = frozenset(field.name for field in _TABLE if field.read)
"""The fields that a writer takes."""

LISTS = tuple(field.name for field in _TABLE if field.is_list)
"""The fields that several columns may fill together."""


def fields_of(*roles: Role) -> tuple[ContactField, ...]:
    """Return the fields with one of these roles, in the order of the schema."""
    return tuple(field for field in _TABLE if field.role in roles)


def is_nothing(name: str, value: Any) -> bool:
    """Return whether a cell has no value for the unified field `name`: it is blank, or a word for nothing.

    An empty list of tags is a value: it says that the contact has none. So are merge fields that are null: they may be cleared.
    """
    if (name == "tags" and (isinstance(value, list) or value == "[]")) or (name == "custom_fields" and isinstance(value, dict)):
        return False
    return is_blank(value) if name in _NAMES else says_nothing(value)


def read_field(name: str, value: Any) -> Any:
    """Return a cell as the unified field `name` wants it, None when it has none. Raises InvalidValueError."""
    return None if is_nothing(name, value) else read_value(name, value)


def read_value(name: str, value: Any) -> Any:
    """Return a cell that is some value as the unified field `name` wants it. Raises InvalidValueError."""
    read = FIELDS[name].read
    assert read is not None
    try:
        return read(value)
    except ValueError as error:
        raise InvalidValueError(name, str(error)) from None
