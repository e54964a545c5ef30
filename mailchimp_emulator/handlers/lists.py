"""/lists: read, create, change, delete, and the bulk write.

Public source: https://mailchimp.com/developer/marketing/api/lists/
"""

from __future__ import annotations

from typing import Any

import orjson

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.bulk import BulkWrite, check_body
from mailchimp_emulator.calls import Call
from mailchimp_emulator.links import collection_links, list_links
from mailchimp_emulator.listing import Span, flag
from mailchimp_emulator.member_shapes import written_member_json
from mailchimp_emulator.models import Member, subscriber_hash
from mailchimp_emulator.problems import bad_request, required, schema_problem
from mailchimp_emulator.replies import Reply, no_content
from mailchimp_emulator.shapes import list_object
from mailchimp_emulator.validation import typed_fields

_TYPES = {
    "name": "string",
    "contact": "object",
    "permission_reminder": "string",
    "use_archive_bar": "boolean",
    "campaign_defaults": "object",
    "notify_on_subscribe": "string",
    "notify_on_unsubscribe": "string",
    "email_type_option": "boolean",
    "double_optin": "boolean",
    "marketing_permissions": "boolean",
    "visibility": "string",
}
_REQUIRED = ("name", "contact", "permission_reminder", "campaign_defaults", "email_type_option")


def read_lists(call: Call) -> Reply:
    """All lists, filtered by creation date or by an address on them."""
    chosen = _chosen(call)
    contacts = flag(call.query, "include_total_contacts")
    page = call.page().cut(chosen)
    document = {
        "lists": [list_object(call.account, audience, call.origin, total_contacts=contacts) for audience in page],
        "total_items": len(chosen),
        "constraints": _constraints(call),
        "_links": collection_links(call.origin, "/lists", "Lists"),
    }
    return call.show(document)


def _chosen(call: Call) -> list[Audience]:
    created = Span.of(call.query, "date_created")
    chosen = [audience for audience in call.account.audiences.values() if created.holds(audience.date_created)]
    if email := call.query.get("email"):
        chosen = [audience for audience in chosen if subscriber_hash(email) in audience.members]
    if call.query.get("sort_field") == "date_created":
        descending = call.query.get("sort_dir", "").upper() == "DESC"
        chosen.sort(key=lambda audience: audience.date_created, reverse=descending)
    return chosen


def _constraints(call: Call) -> dict[str, Any]:
    count, most = len(call.account.audiences), call.behavior.list_limit
    return {"may_create": count < most, "max_instances": most, "current_total_instances": count}


def create_list(call: Call) -> Reply:
    """Add a list; five keys are required."""
    body = _checked(call)
    if missing := [name for name in _REQUIRED if name not in body]:
        raise required(*missing)
    if not _constraints(call)["may_create"]:
        raise bad_request("You have reached the limit of audiences for this account.")
    settings = {name: setting for name, setting in body.items() if name in _TYPES and name != "name"}
    made = call.account.new_audience(body["name"], call.now, settings)
    return Reply.of(list_object(call.account, made, call.origin))


def _checked(call: Call) -> dict[str, Any]:
    body = call.body()
    if errors := typed_fields(body, _TYPES):
        raise schema_problem(errors)
    return body


def read_list(call: Call) -> Reply:
    """One list."""
    contacts = flag(call.query, "include_total_contacts")
    return call.show(list_object(call.account, call.audience(), call.origin, total_contacts=contacts))


def change_list(call: Call) -> Reply:
    """Change the keys that are sent."""
    audience, body = call.audience(), _checked(call)
    audience.name = body.get("name", audience.name)
    audience.settings |= {name: setting for name, setting in body.items() if name in _TYPES and name != "name"}
    if "marketing_permissions" in body:
        audience.forget_fragments()
    return call.show(list_object(call.account, audience, call.origin))


def delete_list(call: Call) -> Reply:
    """Delete a list with its contacts."""
    del call.account.audiences[call.audience().id]
    return no_content()


def bulk_write(call: Call) -> Reply:
    """Write up to 500 contacts; see `mailchimp_emulator.bulk`."""
    audience, body = call.audience(), call.body()
    check_body(body)
    skip = flag(call.query, "skip_duplicate_check")
    bulk = BulkWrite(call.writer(), body.get("update_existing", False), body.get("sync_tags", False), skip)
    bulk.run(body["members"])
    return Reply(200, _bulk_json(call, audience, bulk))


def _bulk_json(call: Call, audience: Audience, bulk: BulkWrite) -> bytes:
    tags = audience.merge_tags()

    def rows(members: list[Member]) -> bytes:
        return b",".join(written_member_json(audience, member, tags, call.origin) for member in members)

    rest = {
        "errors": bulk.errors,
        "total_created": len(bulk.new_members),
        "total_updated": len(bulk.updated_members),
        "error_count": len(bulk.errors),
        "_links": list_links(call.origin, audience.id)[:2],
    }
    return b'{"new_members":[%b],"updated_members":[%b],%b' % (
        rows(bulk.new_members),
        rows(bulk.updated_members),
        orjson.dumps(rest)[1:],
    )
