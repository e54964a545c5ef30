"""What is asked about an audience: its name, its merge fields, its tags."""

from __future__ import annotations

from collections.abc import Iterable

from destination_mailchimp_unified.audience.audience import Audience, Tag
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.audience.tag_names import fold
from mailchimp_unified import endpoints
from mailchimp_unified.entities.entity import nested, rfc3339
from mailchimp_unified.entities.merge_field import merge_field_of
from mailchimp_unified.loops import task_group, together
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Json


async def load_audience(audience: Audience, pager: Pager) -> None:
    """Learn what an audience is called and which merge fields it has. Raises NotFoundError when it is not there."""
    async with task_group() as tasks:
        described = tasks.create_task(pager.client.call(endpoints.audience(audience.id)))
        definitions = tasks.create_task(pager.all(endpoints.merge_fields(audience.id)))
    reply = described.result()
    audience.name, audience.double_optin = str(reply.body["name"]), bool(reply.body.get("double_optin"))
    audience.subscribed = int(nested(reply.body, "stats").get("member_count") or 0)
    audience.began = rfc3339(reply.date) if reply.date else ""
    define(audience, definitions.result())
    audience.known = True


def define(audience: Audience, definitions: Iterable[Json]) -> None:
    """Add merge fields to what is known of an audience."""
    audience.definitions += definitions
    audience.merge_fields = {str(one["tag"]): merge_field_of(one) for one in audience.definitions}


async def load_tags(audience: Audience, pager: Pager) -> None:
    """Read the tags of an audience; those that it is about to get are kept."""
    segments = await pager.all(endpoints.tags(audience.id))
    read = {fold(str(one.get("name"))): Tag(str(one.get("name")), one.get("id")) for one in segments}
    audience.tags = {**(audience.tags or {}), **read}


async def load_groups(audience: Audience, pager: Pager) -> None:
    """Read the names of an audience's groups and marketing permissions."""
    found = Groups()
    categories = await pager.all(endpoints.interest_categories(audience.id))
    listed = await together(*(pager.all(endpoints.interests(audience.id, str(one["id"]))) for one in categories))
    for category, rows in zip(categories, listed, strict=True):
        found.add_interests(str(category.get("title")), rows)
    for member in (await pager.client.call(endpoints.known_permissions(audience.id))).body["members"]:
        found.add_permissions(member.get("marketing_permissions") or [])
    audience.groups = found
