"""The tags of one contact that was just written: which it has, and the call that edits them."""

from __future__ import annotations

from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.tags import Delta, tag_rows
from destination_mailchimp_unified.sending.scope import Scope
from mailchimp_unified import endpoints
from mailchimp_unified.request import Json


async def tags_of(member: Json, scope: Scope) -> list[str]:
    """Return the names of all tags of a contact; an answer holds the first fifty only, or none.

    Raises NotFoundError when the contact is gone.
    """
    rows = member.get("tags") or []
    if "tags" not in member or int(member.get("tags_count") or 0) > len(rows):
        rows = await scope.pager.all(endpoints.member_tags(scope.list_id, str(member["id"])))
    scope.audience.note_tags(rows)
    return [str(row.get("name")) for row in rows]


async def edit_tags(member: Json, scope: Scope, wanted: Delta) -> None:
    """Edit the tags of a contact, under the id that Mailchimp answered. Raises NotFoundError when the contact is gone."""
    request = endpoints.edit_tags(
        scope.list_id, str(member["id"]), tag_rows(wanted), is_syncing=scope.config.suppress_automations
    )  # fmt: skip
    await scope.pager.client.call(request)


async def retag(change: Change, scope: Scope, member: Json) -> bool:
    """Give a contact the tags that a change asks for. Returns whether there was anything to edit. Raises NotFoundError as above."""
    if not change.tagging:
        return False
    wanted = scope.delta(change, await tags_of(member, scope))
    if wanted:
        await edit_tags(member, scope, wanted)
    return bool(wanted)
