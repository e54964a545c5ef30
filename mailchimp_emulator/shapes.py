"""Audiences and what belongs to them, as Mailchimp shows them: every key, in its order, `""` for what is not there.

Public source: https://mailchimp.com/developer/marketing/api/lists/
"""

from __future__ import annotations

from typing import Any

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.links import item_links, list_links
from mailchimp_emulator.models import Interest, InterestCategory, MergeField, Segment, stable_hex
from mailchimp_emulator.times import format_second


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
        "campaign_count": len(audience.sent),
        "campaign_last_sent": format_second(max(audience.sent, default=0)),
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
