"""/lists/{list_id}/members: read, write, archive, forget and tag.

Public source: https://mailchimp.com/developer/marketing/api/list-members/
"""

from __future__ import annotations

from typing import Any

import orjson

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.calls import Call
from mailchimp_emulator.links import collection_links
from mailchimp_emulator.listing import MemberQuery
from mailchimp_emulator.member_shapes import PLAIN, linked_member, linked_member_json, member_json, member_object, web_id
from mailchimp_emulator.models import Member
from mailchimp_emulator.problems import not_found, schema_problem
from mailchimp_emulator.projection import Projection
from mailchimp_emulator.replies import Reply, no_content
from mailchimp_emulator.times import format_second
from mailchimp_emulator.validation import check_member, wrong_type


def read_members(call: Call) -> Reply:
    """A page of members; see `mailchimp_emulator.listing`."""
    projection, audience = Projection(call.query), call.audience()
    members, total = MemberQuery(call.query, call.behavior).select(audience, call.page(), call.state.clock.now())
    return Reply(200, members_page(call, audience, projection, members, total))


def members_page(call: Call, audience: Audience, projection: Projection, members: list[Member], total: int) -> bytes:
    """`{members, list_id, total_items, _links}`, put together from cached bytes where the projection allows it."""
    envelope = {
        "list_id": audience.id,
        "total_items": total,
        "_links": collection_links(call.origin, f"/lists/{audience.id}/members", "Lists/Members"),
    }
    shown = projection.apply(envelope)
    rest = orjson.dumps(shown)
    if not projection.shows("members"):
        return rest
    return b'{"members":[%b]%b%b' % (_rows(call, audience, projection, members), b"," if shown else b"", rest[1:])


def _rows(call: Call, audience: Audience, projection: Projection, members: list[Member]) -> bytes:
    names = projection.item_fields("members")
    if names is not None and all(name in PLAIN for name in names):
        makers = [(name, PLAIN[name]) for name in names]
        rows = [{name: make(audience, member) for name, make in makers} for member in members]
        return orjson.dumps(rows)[1:-1]
    tags, unwanted = audience.merge_tags(), projection.unwanted.get("members", {})
    if projection.fields is None and unwanted == {"_links": {}}:
        return b",".join(member_json(audience, member, tags) for member in members)
    if projection.fields is None and not unwanted:
        return b",".join(linked_member_json(audience, member, tags, call.origin) for member in members)
    # Links are two thirds of a member, and seldom wanted here.
    wanted = (projection.fields or {}).get("members", {})
    linked = "_links" in wanted if wanted else unwanted.get("_links") != {}
    shaped = {"members": [_shape(call, audience, member, tags, linked=linked) for member in members]}
    return orjson.dumps(projection.apply(shaped).get("members", []))[1:-1]


def _shape(call: Call, audience: Audience, member: Member, tags: list[str], *, linked: bool) -> dict[str, Any]:
    return linked_member(audience, member, call.origin) if linked else member_object(audience, member, tags)


def create_member(call: Call) -> Reply:
    """Add a contact."""
    body = _checked(call)
    audience = call.audience()
    return _show(call, audience, call.writer().create(body))


def _checked(call: Call) -> dict[str, Any]:
    call.audience()
    body = call.body()
    check_member(body)
    return body


def _show(call: Call, audience: Audience, member: Member) -> Reply:
    reply = call.show(linked_member(audience, member, call.origin))
    view = f"https://{call.account.datacenter}.admin.mailchimp.com/lists/members/view?id={web_id(audience, member)}"
    reply.headers["Link"] = f'<{call.origin}/schema/3.0/Lists/Members/Instance.json>; rel="describedBy", <{view}>; rel="dashboard"'
    return reply


def _member(call: Call) -> Member:
    found = call.audience().find(call.params["subscriber_hash"])
    if found is None:
        raise not_found()
    return found


def read_member(call: Call) -> Reply:
    """One contact, archived ones included."""
    return _show(call, call.audience(), _member(call))


def put_member(call: Call) -> Reply:
    """Add or update a contact."""
    body = _checked(call)
    return _show(call, call.audience(), call.writer().upsert(call.params["subscriber_hash"], body))


def patch_member(call: Call) -> Reply:
    """Update a contact."""
    body = _checked(call)
    return _show(call, call.audience(), call.writer().update(call.params["subscriber_hash"], body))


def archive_member(call: Call) -> Reply:
    """Archive a contact."""
    call.writer().archive(call.params["subscriber_hash"])
    return no_content()


def delete_permanent(call: Call) -> Reply:
    """Delete a contact for good."""
    call.writer().forget(call.params["subscriber_hash"])
    return no_content()


def read_tags(call: Call) -> Reply:
    """All tags of a contact, with the time at which each was added."""
    audience, member = call.audience(), _member(call)
    rows = [{"id": tag, "name": audience.segments[tag].name, "date_added": format_second(added)} for tag, added in member.tags.items()]
    path = f"/lists/{audience.id}/members/{member.id}/tags"
    document = {
        "tags": call.page().cut(rows),
        "total_items": len(rows),
        "_links": collection_links(call.origin, path, "Lists/Members/Tags"),
    }
    return call.show(document)


def edit_tags(call: Call) -> Reply:
    """`{"tags": [{"name", "status": active|inactive}], "is_syncing"}`; tags not named stay as they are."""
    member, rows = _member(call), call.body().get("tags", [])
    if isinstance(rows, dict):
        # A bare object is accepted and ignored (mailchimp/mailchimp-client-lib-codegen issue 141 on GitHub).
        return no_content()
    _check_tag_rows(rows)
    writer = call.writer()
    writer.untag(member, [row["name"] for row in rows if row["status"] == "inactive"])
    writer.tag(member, [row["name"] for row in rows if row["status"] == "active"], readd_moves=True)
    return no_content()


def _check_tag_rows(rows: Any) -> None:
    if not isinstance(rows, list):
        raise schema_problem([wrong_type("tags", "array", rows)])
    errors = [error for place, row in enumerate(rows) for error in _tag_row_errors(place, row)]
    if errors:
        raise schema_problem(errors)


def _tag_row_errors(place: int, row: Any) -> list[dict[str, str]]:
    field = f"tags.item:{place}"
    if not isinstance(row, dict):
        return [wrong_type(field, "object", row)]
    missing = [name for name in ("name", "status") if name not in row]
    if missing:
        return [{"field": field, "message": f"Required fields were not provided: {', '.join(missing)}"}]
    if not isinstance(row["name"], str):
        return [wrong_type(f"{field}.name", "string", row["name"])]
    if row["status"] not in ("active", "inactive"):
        return [{"field": f"{field}.status", "message": "Value must be one of: inactive, active"}]
    return []
