"""/lists/{list_id}/merge-fields.

Public source: https://mailchimp.com/developer/marketing/api/list-merges/
"""

from __future__ import annotations

import re
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.calls import Call
from mailchimp_emulator.links import collection_links
from mailchimp_emulator.listing import flag
from mailchimp_emulator.models import MergeField
from mailchimp_emulator.problems import bad_request, not_found, required, schema_problem
from mailchimp_emulator.replies import Reply, no_content
from mailchimp_emulator.shapes import merge_field_object
from mailchimp_emulator.validation import typed_fields
from mailchimp_emulator.vendor import MAX_MERGE_TAG, MERGE_FIELD_TYPES

_TYPES = {
    "tag": "string",
    "name": "string",
    "type": "string",
    "required": "boolean",
    "default_value": "string",
    "public": "boolean",
    "display_order": "integer",
    "options": "object",
    "help_text": "string",
}
_TAG = re.compile(rf"[A-Z0-9_]{{1,{MAX_MERGE_TAG}}}")


def read_merge_fields(call: Call) -> Reply:
    """The definitions, by type or by whether they are required."""
    audience, query = call.audience(), call.query
    # By tag, as recorded answers are.
    chosen = sorted(audience.merge_fields.values(), key=lambda field: field.tag)
    if query.get("type"):
        chosen = [field for field in chosen if field.type == query["type"]]
    if "required" in query:
        chosen = [field for field in chosen if field.required == flag(query, "required")]
    document = {
        "merge_fields": [merge_field_object(audience, field, call.origin) for field in call.page().cut(chosen)],
        "list_id": audience.id,
        "total_items": len(chosen),
        "_links": collection_links(call.origin, f"/lists/{audience.id}/merge-fields", "Lists/MergeFields"),
    }
    return call.show(document)


def create_merge_field(call: Call) -> Reply:
    """Add a definition; without a tag it is numbered."""
    audience, body = call.audience(), _checked(call)
    if missing := [name for name in ("name", "type") if name not in body]:
        raise required(*missing)
    if body["type"] not in MERGE_FIELD_TYPES:
        message = f"Value must be one of: {', '.join(MERGE_FIELD_TYPES)}"
        raise schema_problem([{"field": "type", "message": message}])
    limit = call.behavior.merge_field_limit
    if limit and len(audience.merge_fields) >= limit:
        raise bad_request(f"You have reached the limit of {limit} merge fields for this list.")
    tag = body.get("tag") or f"MMERGE{max(audience.merge_fields, default=0) + 1}"
    _check_tag(audience, tag)
    more = {name: setting for name, setting in body.items() if name in _TYPES and name not in ("tag", "name", "type")}
    made = audience.add_merge_field(tag, body["name"], body["type"], **more)
    return Reply.of(merge_field_object(audience, made, call.origin))


def _checked(call: Call) -> dict[str, Any]:
    body = call.body()
    if errors := typed_fields(body, _TYPES):
        raise schema_problem(errors)
    return body


def _check_tag(audience: Audience, tag: str) -> None:
    if not _TAG.fullmatch(tag) or tag == "EMAIL":
        message = f"Merge tags have at most {MAX_MERGE_TAG} of the characters A-Z, 0-9 and _."
        raise schema_problem([{"field": "tag", "message": message}])
    if audience.merge_field(tag) is not None:
        raise bad_request(f'A Merge Field with the tag "{tag}" already exists for this list.')


def _field(call: Call) -> MergeField:
    found = call.audience().merge_fields.get(call.number("merge_id"))
    if found is None:
        raise not_found()
    return found


def read_merge_field(call: Call) -> Reply:
    """One definition."""
    return call.show(merge_field_object(call.audience(), _field(call), call.origin))


def change_merge_field(call: Call) -> Reply:
    """Everything but the type, which stays; `name` is required."""
    audience, field, body = call.audience(), _field(call), _checked(call)
    if "name" not in body:
        raise required("name")
    tag = body.pop("tag", field.tag)
    if tag != field.tag:
        _check_tag(audience, tag)
        _rename(audience, field, tag)
    body.pop("type", None)
    field.options = {**field.options, **body.pop("options", {})}
    for name in body.keys() & _TYPES.keys():
        setattr(field, name, body[name])
    audience.forget_fragments()
    return Reply.of(merge_field_object(audience, field, call.origin))


def _rename(audience: Audience, field: MergeField, tag: str) -> None:
    for member in audience.members.values():
        if field.tag in member.merge_fields:
            value = member.merge_fields[field.tag]
            kept = {name: other for name, other in member.merge_fields.items() if name != field.tag}
            member.merge_fields = {**kept, tag: value}
    field.tag = tag


def delete_merge_field(call: Call) -> Reply:
    """The definition and every value of it are gone; last_changed of the members stays."""
    audience, field = call.audience(), _field(call)
    del audience.merge_fields[field.merge_id]
    for member in audience.members.values():
        member.merge_fields.pop(field.tag, None)
    audience.forget_fragments()
    return no_content()
