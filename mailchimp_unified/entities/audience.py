"""The unified list: Mailchimp's audience, read only.

Mailchimp's list: https://mailchimp.com/developer/marketing/api/lists/.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailchimp_unified.entities.entity import Entity, nested, or_null, timestamp
from mailchimp_unified.entities.merge_field import unified_definition
from mailchimp_unified.request import Json

ENTITY = Entity("lists", ("id",))

_TYPE = "audience"


def from_mailchimp(audience: Json, definitions: Sequence[Json], *, remote: bool = False) -> Json:
    """Return the unified list of a Mailchimp audience and its merge-field `definitions`, without `updated_at`.

    Mailchimp keeps no time of change for an audience: the reader adds when it first saw this version.
    """
    stats, defaults = nested(audience, "stats"), nested(audience, "campaign_defaults")
    unified = {
        "id": audience.get("id"),
        "web_id": audience.get("web_id"),
        "name": or_null(audience.get("name")),
        "type": _TYPE,
        "created_at": timestamp(audience.get("date_created")),
        "member_count": stats.get("member_count"),
        "unsubscribed_count": stats.get("unsubscribe_count"),
        "cleaned_count": stats.get("cleaned_count"),
        "campaign_count": stats.get("campaign_count"),
        "campaign_last_sent": timestamp(stats.get("campaign_last_sent")),
        "last_subscribed_at": timestamp(stats.get("last_sub_date")),
        "last_unsubscribed_at": timestamp(stats.get("last_unsub_date")),
        "open_rate": stats.get("open_rate"),
        "click_rate": stats.get("click_rate"),
        "double_optin": audience.get("double_optin"),
        "marketing_permissions_enabled": audience.get("marketing_permissions"),
        "list_rating": audience.get("list_rating"),
        "visibility": or_null(audience.get("visibility")),
        "permission_reminder": or_null(audience.get("permission_reminder")),
        "default_from_name": or_null(defaults.get("from_name")),
        "default_from_email": or_null(defaults.get("from_email")),
        "default_subject": or_null(defaults.get("subject")),
        "default_language": or_null(defaults.get("language")),
        "contact": _contact(audience),
        "subscribe_url_short": or_null(audience.get("subscribe_url_short")),
        "subscribe_url_long": or_null(audience.get("subscribe_url_long")),
        "merge_fields": [unified_definition(definition) for definition in sorted(definitions, key=_merge_id)],
        "is_deleted": False,
    }
    return {**unified, "remote_data": audience} if remote else unified


def _merge_id(definition: Json) -> int:
    # Mailchimp promises no order, and another order is not another version.
    merge_id = definition.get("merge_id")
    return merge_id if isinstance(merge_id, int) else 0


def _contact(audience: Json) -> Json | None:
    contact = nested(audience, "contact")
    return {name: or_null(value) for name, value in contact.items()} or None
