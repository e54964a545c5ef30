"""Resources as Mailchimp shows them: every key, in its order, `""` for what is not there.

Public source: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from mailchimp_emulator.links import item_links, list_links, member_links, member_links_json
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.times import format_second
from mailchimp_emulator.vendor import INLINE_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailchimp_emulator.account import Account
    from mailchimp_emulator.audience import Audience
    from mailchimp_emulator.models import Interest, InterestCategory, Member, MergeField, Segment

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


def list_object(account: Account, audience: Audience, origin: str, *, total_contacts: bool = False) -> dict[str, Any]:
    """An audience."""
    settings = audience.settings
    short, long = stable_hex(f"short:{audience.id}", 6), f"https://{account.username}.{account.datacenter}"
    return {
        "id": audience.id,
        "web_id": audience.web_id,
        "name": audience.name,
        "contact": settings["contact"],
        "permission_reminder": settings["permission_reminder"],
        "use_archive_bar": settings["use_archive_bar"],
        "campaign_defaults": settings["campaign_defaults"],
        "notify_on_subscribe": settings["notify_on_subscribe"],
        "notify_on_unsubscribe": settings["notify_on_unsubscribe"],
        "date_created": format_second(audience.date_created),
        "list_rating": 0,
        "email_type_option": settings["email_type_option"],
        "subscribe_url_short": f"http://eepurl.com/{short}",
        "subscribe_url_long": f"{long}.list-manage.com/subscribe?u={account.account_id}&id={audience.id}",
        "beamer_address": f"{account.datacenter}-{stable_hex(audience.id, 10)}@inbound.mailchimp.com",
        "visibility": settings["visibility"],
        "double_optin": settings["double_optin"],
        "has_welcome": False,
        "marketing_permissions": settings["marketing_permissions"],
        "modules": [],
        "stats": list_stats(audience, total_contacts=total_contacts),
        "_links": list_links(origin, audience.id),
    }


def list_stats(audience: Audience, *, total_contacts: bool) -> dict[str, Any]:
    """Counts of an audience; Mailchimp caches them for minutes, the emulator does not."""
    counts = {status: len(index) for status, index in audience.ordered.items()}
    total = counts["subscribed"] + counts["unsubscribed"] + counts["transactional"]
    return {
        "member_count": counts["subscribed"],
        **({"total_contacts": total} if total_contacts else {}),
        "unsubscribe_count": counts["unsubscribed"],
        "cleaned_count": counts["cleaned"],
        "member_count_since_send": counts["subscribed"],
        "unsubscribe_count_since_send": counts["unsubscribed"],
        "cleaned_count_since_send": counts["cleaned"],
        "campaign_count": 0,
        "campaign_last_sent": "",
        "merge_field_count": len(audience.merge_fields),
        "avg_sub_rate": 0,
        "avg_unsub_rate": 0,
        "target_sub_rate": 0,
        "open_rate": 0,
        "click_rate": 0,
        "last_sub_date": format_second(audience.last_sub),
        "last_unsub_date": format_second(audience.last_unsub),
    }


def merge_field_object(audience: Audience, field: MergeField, origin: str) -> dict[str, Any]:
    """A merge field."""
    return {
        "merge_id": field.merge_id,
        "tag": field.tag,
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "default_value": field.default_value,
        "public": field.public,
        "display_order": field.display_order,
        "options": field.options,
        "help_text": field.help_text,
        "list_id": audience.id,
        "_links": item_links(origin, f"/lists/{audience.id}/merge-fields/{field.merge_id}", "MergeFields"),
    }


def segment_object(audience: Audience, segment: Segment, member_count: int, origin: str) -> dict[str, Any]:
    """A segment or tag."""
    condition = {
        "condition_type": "StaticSegment",
        "field": "static_segment",
        "op": "static_is",
        "value": segment.id,
    }
    return {
        "id": segment.id,
        "name": segment.name,
        "member_count": member_count,
        "type": segment.type,
        "created_at": format_second(segment.created_at),
        "updated_at": format_second(segment.updated_at),
        "options": segment.options or {"match": "any", "conditions": [condition]},
        "list_id": audience.id,
        "_links": item_links(origin, f"/lists/{audience.id}/segments/{segment.id}", "Segments"),
    }


def category_object(audience: Audience, category: InterestCategory, origin: str) -> dict[str, Any]:
    """A group of interests."""
    path = f"/lists/{audience.id}/interest-categories/{category.id}"
    return {
        "list_id": audience.id,
        "id": category.id,
        "title": category.title,
        "display_order": category.display_order,
        "type": category.type,
        "_links": item_links(origin, path, "InterestCategories"),
    }


def interest_object(audience: Audience, category: InterestCategory, interest: Interest, origin: str) -> dict[str, Any]:
    """An interest."""
    chosen = sum(1 for member in audience.ordered["subscribed"] if member.rare("interests", {}).get(interest.id))
    path = f"/lists/{audience.id}/interest-categories/{category.id}/interests/{interest.id}"
    return {
        "category_id": category.id,
        "list_id": audience.id,
        "id": interest.id,
        "name": interest.name,
        # A string, oddly.
        "subscriber_count": str(chosen),
        "display_order": interest.display_order,
        "_links": item_links(origin, path, "Interests"),
    }
