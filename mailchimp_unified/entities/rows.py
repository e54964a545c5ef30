"""A member and its unified contact as objects: small, quick to read from an answer and quick to print. Nothing here checks a value.

Mailchimp's member: https://mailchimp.com/developer/marketing/api/list-members/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import msgspec

from mailchimp_unified.request import Json


class Member(msgspec.Struct, gc=False):
    """What the unified contact is made of; None for what Mailchimp does not give.

    `whole` is the member with everything in it, where that is wanted. No member is part of a cycle, so the garbage collector does not
    look at one.
    """

    id: Any = None
    email_address: Any = None
    unique_email_id: Any = None
    contact_id: Any = None
    full_name: Any = None
    web_id: Any = None
    email_type: Any = None
    status: Any = None
    unsubscribe_reason: Any = None
    consents_to_one_to_one_messaging: Any = None
    sms_phone_number: Any = None
    sms_subscription_status: Any = None
    sms_subscription_last_updated: Any = None
    merge_fields: Any = None
    interests: Any = None
    stats: Any = None
    ip_signup: Any = None
    timestamp_signup: Any = None
    ip_opt: Any = None
    timestamp_opt: Any = None
    member_rating: Any = None
    last_changed: Any = None
    language: Any = None
    vip: Any = None
    email_client: Any = None
    location: Any = None
    marketing_permissions: Any = None
    last_note: Any = None
    source: Any = None
    tags_count: Any = None
    tags: Any = None
    list_id: Any = None
    whole: Json | None = None


_GIVEN = frozenset(Member.__struct_fields__) - {"whole"}


def member_of(row: Json) -> Member:
    """Return a row of Mailchimp's as a member."""
    return Member(**{name: row[name] for name in _GIVEN & row.keys()}, whole=row)


def rows_of(items: Sequence[Any]) -> list[Member | None]:
    """Return the rows of a page, which may have been read whole, as members; None for a row that is no object."""
    return [item if type(item) is Member else member_of(item) if type(item) is dict else None for item in items]


class MembersPage(TypedDict, total=False):
    """What is kept of a page of members: all but what no contact is made of."""

    members: list[Member]
    total_items: Any
    error: Any


class Contact(msgspec.Struct, omit_defaults=True, gc=False):
    """The properties of the schema `contacts` that a source produces, in its order. As JSON it has no nulls at the top."""

    id: Any = None
    list_id: Any = None
    contact_id: Any = None
    unique_email_id: Any = None
    web_id: Any = None
    email: Any = None
    first_name: Any = None
    last_name: Any = None
    name: Any = None
    phones: Any = None
    addresses: Any = None
    status: Any = None
    tags: Any = None
    tags_count: Any = None
    custom_fields: Any = None
    interests: Any = None
    language: Any = None
    vip: Any = None
    email_type: Any = None
    location: Any = None
    marketing_permissions: Any = None
    consents_to_one_to_one_messaging: Any = None
    sms_phone_number: Any = None
    sms_subscription_status: Any = None
    sms_subscription_last_updated: Any = None
    ip_signup: Any = None
    timestamp_signup: Any = None
    ip_opt: Any = None
    timestamp_opt: Any = None
    source: Any = None
    member_rating: Any = None
    email_client: Any = None
    unsubscribe_reason: Any = None
    last_note: Any = None
    stats: Any = None
    created_at: Any = None
    updated_at: Any = None
    is_deleted: Any = None
    remote_data: Any = None
