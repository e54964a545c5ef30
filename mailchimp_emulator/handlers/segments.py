"""/lists/{list_id}/segments and /tag-search. A tag is a static segment: one object, one id.

Public source: https://mailchimp.com/developer/marketing/api/list-segments/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.calls import Call
from mailchimp_emulator.links import collection_links, list_links
from mailchimp_emulator.listing import Span, flag
from mailchimp_emulator.member_shapes import segment_member, written_member
from mailchimp_emulator.models import Member, Segment, subscriber_hash
from mailchimp_emulator.problems import bad_request, not_found, required, schema_problem
from mailchimp_emulator.replies import Reply, no_content
from mailchimp_emulator.shapes import segment_object
from mailchimp_emulator.validation import typed_fields, wrong_type
from mailchimp_emulator.vendor import MAX_SEGMENT_MEMBERS

# Statuses that a segment counts and shows only when asked.
_ON_REQUEST = {"unsubscribed": "include_unsubscribed", "cleaned": "include_cleaned", "transactional": "include_transactional"}
NOT_ON_LIST = "Email addresses do not exist in the list"
_EDIT_TYPES = {"members_to_add": "array", "members_to_remove": "array"}


def _counted(call: Call) -> set[str]:
    return {"subscribed"} | {status for status, name in _ON_REQUEST.items() if flag(call.query, name)}


def _members(call: Call, audience: Audience, segment: Segment) -> list[Member]:
    """Subscribed members of a segment, and what the include_ parameters add."""
    counted = _counted(call)

    def filtered() -> list[Member]:
        return [member for member in audience.tagged(segment.id) if member.status in counted]

    return audience.ordering(("segment", segment.id, *sorted(counted)), filtered)


def _object(call: Call, audience: Audience, segment: Segment) -> dict[str, Any]:
    return segment_object(audience, segment, len(_members(call, audience, segment)), call.origin)


def _segment(call: Call) -> Segment:
    found = call.audience().segments.get(call.number("segment_id"))
    if found is None:
        raise not_found()
    return found


def read_segments(call: Call) -> Reply:
    """Segments and tags, by type and time."""
    audience, query = call.audience(), call.query
    created, updated = Span.of(query, "created_at"), Span.of(query, "updated_at")
    # An unknown type matches nothing, and is not an error.
    chosen = [
        segment
        for segment in audience.segments.values()
        if query.get("type", segment.type) == segment.type != query.get("exclude_type")
        and created.holds(segment.created_at)
        and updated.holds(segment.updated_at)
    ]
    if call.behavior.segment_order == "name":
        chosen.sort(key=lambda segment: segment.name)
    document = {
        "segments": [_object(call, audience, segment) for segment in call.page().cut(chosen)],
        "list_id": audience.id,
        "total_items": len(chosen),
        "_links": collection_links(call.origin, f"/lists/{audience.id}/segments", "Lists/Segments"),
    }
    return call.show(document)


def create_segment(call: Call) -> Reply:
    """A tag when `static_segment` is sent, a saved segment otherwise; conditions are kept and not evaluated."""
    audience, body = call.audience(), call.body()
    if not body.get("name"):
        raise required("name")
    if audience.tag(body["name"]) is not None:
        raise bad_request("Sorry, that tag already exists.")
    emails = _emails(body, "static_segment")
    kind = "static" if emails is not None else "saved"
    made = Segment(next(call.account.segment_ids), body["name"], kind, call.now, call.now, body.get("options"))
    audience.add_segment(made)
    for member in _known(audience, emails or []):
        call.writer().tag_ids(member, [made.id])
    return Reply.of(_object(call, audience, made))


def _emails(body: dict[str, Any], name: str) -> list[str] | None:
    emails = body.get(name)
    if emails is None:
        return None
    if not isinstance(emails, list):
        raise schema_problem([wrong_type(name, "array", emails)])
    if errors := [wrong_type(f"{name}.item:{n}", "string", e) for n, e in enumerate(emails) if not isinstance(e, str)]:
        raise schema_problem(errors)
    return emails


def _known(audience: Audience, emails: list[str]) -> list[Member]:
    found = (audience.members.get(subscriber_hash(email.strip())) for email in emails)
    return [member for member in found if member is not None]


def read_segment(call: Call) -> Reply:
    """One segment or tag."""
    return call.show(_object(call, call.audience(), _segment(call)))


def change_segment(call: Call) -> Reply:
    """Rename, or replace the members of a static segment; an empty array empties it."""
    audience, segment, body = call.audience(), _segment(call), call.body()
    emails = _emails(body, "static_segment")
    name = body.get("name", segment.name)
    if name != segment.name:
        other = audience.tag(name)
        if other is not None and other is not segment:
            raise bad_request("Sorry, that tag already exists.")
        audience.rename_segment(segment, name, call.now)
    if emails is not None:
        _replace_members(call, audience, segment, _known(audience, emails))
    return Reply.of(_object(call, audience, segment))


def _replace_members(call: Call, audience: Audience, segment: Segment, wanted: list[Member]) -> None:
    writer, ids = call.writer(), {member.id for member in wanted}
    for member in audience.tagged(segment.id).copy():
        if member.id not in ids:
            writer.untag_ids(member, [segment.id])
    for member in wanted:
        writer.tag_ids(member, [segment.id])


def delete_segment(call: Call) -> Reply:
    """Delete a segment; a tag leaves its members."""
    call.audience().remove_segment(_segment(call))
    return no_content()


def edit_segment_members(call: Call) -> Reply:
    """`{members_to_add, members_to_remove}`, at most 500 addresses each."""
    audience, segment, body = call.audience(), _static(call), call.body()
    if errors := typed_fields(body, _EDIT_TYPES):
        raise schema_problem(errors)
    add, remove = (_emails(body, name) or [] for name in _EDIT_TYPES)
    if max(len(add), len(remove)) > MAX_SEGMENT_MEMBERS:
        raise bad_request(f"Maximum allowed members exceeded, please provide at most {MAX_SEGMENT_MEMBERS}")
    writer = call.writer()
    added = _each(audience, add, lambda member: writer.tag_ids(member, [segment.id]) or True)
    removed = _each(audience, remove, lambda member: writer.untag_ids(member, [segment.id]))
    absent = [email for email in (*add, *remove) if subscriber_hash(email.strip()) not in audience.members]
    return Reply.of(_edited(call, audience, added, removed, absent))


def _static(call: Call) -> Segment:
    segment = _segment(call)
    if segment.type != "static":
        raise bad_request("You may only add or remove members of a static segment.")
    return segment


def _each(audience: Audience, emails: list[str], edit: Callable[[Member], bool]) -> list[Member]:
    return [member for member in dict.fromkeys(_known(audience, emails)) if edit(member)]


def _edited(call: Call, audience: Audience, added: list[Member], removed: list[Member], absent: list[str]) -> dict[str, Any]:
    return {
        "members_added": [written_member(audience, member, call.origin) for member in added],
        "members_removed": [written_member(audience, member, call.origin) for member in removed],
        "errors": [{"email_addresses": absent, "error": NOT_ON_LIST}] if absent else [],
        "total_added": len(added),
        "total_removed": len(removed),
        "error_count": len(absent),
        "_links": list_links(call.origin, audience.id)[:2],
    }


def read_segment_members(call: Call) -> Reply:
    """The members of a segment or tag."""
    audience, segment = call.audience(), _segment(call)
    members = _members(call, audience, segment)
    document = {
        "members": [segment_member(audience, member, call.origin) for member in call.page().cut(members)],
        "total_items": len(members),
        "_links": collection_links(call.origin, f"/lists/{audience.id}/segments/{segment.id}/members", "Lists/Segments/Members"),
    }
    return call.show(document)


def add_segment_member(call: Call) -> Reply:
    """Put one contact of the list into a tag."""
    audience, segment, email = call.audience(), _static(call), call.body().get("email_address")
    if not isinstance(email, str):
        raise required("email_address")
    found = _known(audience, [email])
    if not found:
        raise not_found()
    call.writer().tag_ids(found[0], [segment.id])
    return Reply.of(segment_member(audience, found[0], call.origin))


def remove_segment_member(call: Call) -> Reply:
    """Take one contact out of a tag."""
    audience, segment = call.audience(), _static(call)
    member = audience.find(call.params["subscriber_hash"])
    if member is None or segment.id not in member.tags:
        raise not_found()
    call.writer().untag_ids(member, [segment.id])
    return no_content()


def search_tags(call: Call) -> Reply:
    """All tags, or those whose name begins with `name` in any case."""
    prefix = call.query.get("name", "").casefold()
    segments = call.audience().segments.values()
    tags = [tag for tag in segments if tag.type == "static" and tag.name.casefold().startswith(prefix)]
    rows = [{"id": tag.id, "name": tag.name} for tag in tags]
    return call.show({"tags": call.page().cut(rows), "total_items": len(rows)})
