"""Contacts as Mailchimp shows them: every key, in its order, `""` for what is not there.

Public source: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import orjson

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.links import member_links, member_links_json
from mailchimp_emulator.models import Member, stable_hex
from mailchimp_emulator.times import format_second
from mailchimp_emulator.vendor import INLINE_TAGS

_NOWHERE = {
    "latitude": 0,
    "longitude": 0,
    "gmtoff": 0,
    "dstoff": 0,
    "country_code": "",
    "timezone": "",
    "region": "",
}
PERMISSION_TEXT = "Email"


def full_name(member: Member) -> str:
    """First and last name, as far as they are there."""
    names = (member.merge_fields.get("FNAME", ""), member.merge_fields.get("LNAME", ""))
    return " ".join(str(name) for name in names if name != "")


def member_object(audience: Audience, member: Member, merge_tags: list[str]) -> dict[str, Any]:
    """A member without `_links`."""
    shape: dict[str, Any] = {
        "id": member.id,
        "email_address": member.email,
        "unique_email_id": member.unique_email_id,
        "contact_id": audience.contact_id(member),
        "full_name": full_name(member),
        "web_id": web_id(audience, member),
        "email_type": member.email_type,
        "status": member.status,
    }
    if member.status == "unsubscribed":
        shape["unsubscribe_reason"] = member.reason
    shape["consents_to_one_to_one_messaging"] = True
    shape["merge_fields"] = {tag: member.merge_fields.get(tag, "") for tag in merge_tags}
    if audience.categories:
        chosen = member.rare("interests", {})
        shape["interests"] = {interest: chosen.get(interest, False) for interest in audience.interest_ids()}
    shape.update(_history(member))
    if audience.settings["marketing_permissions"]:
        shape["marketing_permissions"] = [_permission(audience, member)]
    shape.update(_belongings(audience, member))
    return shape


def _history(member: Member) -> dict[str, Any]:
    return {
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": member.rare("ip_signup", ""),
        "timestamp_signup": format_second(member.timestamp_signup),
        "ip_opt": member.ip_opt,
        "timestamp_opt": format_second(member.timestamp_opt),
        "member_rating": 2,
        "last_changed": format_second(member.last_changed),
        "language": member.rare("language", ""),
        "vip": member.rare("vip", False),
        "email_client": "",
        "location": {**_NOWHERE, **member.rare("location", {})} if member.rarities else _NOWHERE,
    }


def _belongings(audience: Audience, member: Member) -> dict[str, Any]:
    segments = audience.segments
    return {
        "source": member.source,
        "tags_count": len(member.tags),
        "tags": [{"id": tag, "name": segments[tag].name} for tag in islice(member.tags, INLINE_TAGS)],
        "list_id": audience.id,
    }


def permission_id(audience: Audience) -> str:
    """The id of the audience's one marketing permission."""
    return stable_hex(f"permission:{audience.id}", 10)


def _permission(audience: Audience, member: Member) -> dict[str, Any]:
    identity = permission_id(audience)
    enabled = member.rare("marketing_permissions", {}).get(identity, False)
    return {"marketing_permission_id": identity, "text": PERMISSION_TEXT, "enabled": enabled}


def web_id(audience: Audience, member: Member) -> int:
    """The number of the contact in the web application."""
    return 400_000_000 + (audience.web_id % 1000) * 1_000_000 + member.seq


def member_json(audience: Audience, member: Member, merge_tags: list[str]) -> bytes:
    """A member without `_links`, serialized once per change."""
    if member.fragment is None:
        # Copied, because what orjson returns keeps the whole of its buffer: eight times the memory.
        member.fragment = bytes(memoryview(orjson.dumps(member_object(audience, member, merge_tags))))
    return member.fragment


def linked_member_json(audience: Audience, member: Member, merge_tags: list[str], origin: str) -> bytes:
    """A member with `_links`, as bytes."""
    fragment = member_json(audience, member, merge_tags)
    return b'%b,"_links":%b}' % (fragment[:-1], member_links_json(origin, audience.id, member.id))


def linked_member(audience: Audience, member: Member, origin: str) -> dict[str, Any]:
    """A member with `_links`, as an object."""
    links = member_links(origin, audience.id, member.id)
    return {**member_object(audience, member, audience.merge_tags()), "_links": links}


# Answers to bulk and segment calls show less of a member than reads of members do.
_NOT_IN_SEGMENTS = frozenset(
    {
        "contact_id",
        "web_id",
        "unsubscribe_reason",
        "consents_to_one_to_one_messaging",
        "marketing_permissions",
        "source",
        "tags_count",
        "tags",
    }
)
_NOT_IN_WRITES = _NOT_IN_SEGMENTS - {"tags_count", "tags"} | {"full_name"}


def segment_member(audience: Audience, member: Member, origin: str) -> dict[str, Any]:
    """A member of a segment: https://mailchimp.com/developer/marketing/api/list-segment-members/list-members-in-segment/."""
    return _brief(linked_member(audience, member, origin), _NOT_IN_SEGMENTS)


def written_member(audience: Audience, member: Member, origin: str) -> dict[str, Any]:
    """A member in a bulk answer: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/."""
    return _brief(linked_member(audience, member, origin), _NOT_IN_WRITES)


def written_member_json(audience: Audience, member: Member, merge_tags: list[str], origin: str) -> bytes:
    """The same as bytes, for five hundred members at once."""
    brief = orjson.dumps(_brief(member_object(audience, member, merge_tags), _NOT_IN_WRITES))
    return b'%b,"_links":%b}' % (brief[:-1], member_links_json(origin, audience.id, member.id))


def _brief(shape: dict[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    location = {name: value for name, value in shape["location"].items() if name != "region"}
    return {name: location if name == "location" else value for name, value in shape.items() if name not in left_out}


# What a page of a few plain fields is made of, without shaping whole members.
PLAIN: dict[str, Callable[[Audience, Member], Any]] = {
    "id": lambda _, member: member.id,
    "email_address": lambda _, member: member.email,
    "unique_email_id": lambda _, member: member.unique_email_id,
    "contact_id": lambda audience, member: audience.contact_id(member),
    "status": lambda _, member: member.status,
    "last_changed": lambda _, member: format_second(member.last_changed),
    "timestamp_opt": lambda _, member: format_second(member.timestamp_opt),
    "tags_count": lambda _, member: len(member.tags),
    "list_id": lambda audience, _: audience.id,
}
