"""The unified tag: Mailchimp's static segment, read only.

Tags are static segments: https://mailchimp.com/developer/marketing/docs/segments/; their ids are the same.
"""

from __future__ import annotations

from mailchimp_unified.entities.entity import Entity, or_null, timestamp
from mailchimp_unified.request import Json

ENTITY = Entity("tags", ("list_id", "id"))


def from_mailchimp(segment: Json, list_id: str, *, remote: bool = False) -> Json:
    """Return the unified tag of a static segment of the list `list_id`, without `updated_at` where Mailchimp gives none."""
    unified = {
        "id": segment.get("id"),
        "list_id": list_id,
        "name": or_null(segment.get("name")),
        "type": or_null(segment.get("type")),
        "member_count": segment.get("member_count"),
        "created_at": timestamp(segment.get("created_at")),
        "updated_at": timestamp(segment.get("updated_at")),
        "is_deleted": False,
    }
    return {**unified, "remote_data": segment} if remote else unified
