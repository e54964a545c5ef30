"""The requests of the destination, each with what it is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from mailchimp_unified.client import PAGE_SIZE, Request

Json = dict[str, Any]


class MemberKept(TypedDict, total=False):
    """What is kept of a member in an answer, whose links alone are four times as long."""

    id: Any
    email_address: Any
    status: Any
    last_changed: Any
    tags: Any
    tags_count: Any
    timestamp_opt: Any
    timestamp_signup: Any


class MembersKept(TypedDict, total=False):
    """What is kept of an answer with up to 500 members."""

    new_members: list[MemberKept]
    updated_members: list[MemberKept]
    members_removed: list[MemberKept]


ACCOUNT = Request(path="/", what="the account", params={"fields": "account_name,account_id,role"})
"""https://mailchimp.com/developer/marketing/api/root/."""

AUDIENCES = Request(path="/lists", what="the audiences of the account", params={"exclude_fields": "lists._links,_links"})
"""https://mailchimp.com/developer/marketing/api/lists/get-lists-info/."""


def read_audience(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/lists/get-list-info/."""
    return Request(f"/lists/{list_id}", f"audience {list_id}", {"fields": "id,name,double_optin,stats.member_count"})


def read_merge_fields(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-merges/list-merge-fields/."""
    return Request(f"/lists/{list_id}/merge-fields", f"audience {list_id}", {"exclude_fields": "merge_fields._links,_links"})


def read_tags(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/list-segments/; tags are static segments."""
    params = {"type": "static", "fields": "segments.id,segments.name,total_items"}
    return Request(f"/lists/{list_id}/segments", f"the tags of audience {list_id}", params)


def page(request: Request, offset: int, count: int = PAGE_SIZE, filters: Mapping[str, str] | None = None) -> Request:
    """Return a page of a collection."""
    return Request(request.path, request.what, {**request.params, **(filters or {}), "count": count, "offset": offset})


def read_members(list_id: str, fields: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/list-members-info/, in an order that edits keep."""
    params = {"sort_field": "last_changed", "sort_dir": "ASC", "fields": f"{fields},total_items"}
    return Request(f"/lists/{list_id}/members", f"the contacts of audience {list_id}", params)


def create_merge_field(list_id: str, definition: Mapping[str, Any]) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-merges/add-merge-field/; a second time it is refused, nothing worse."""
    return Request(f"/lists/{list_id}/merge-fields", f"audience {list_id}", method="POST", body=dict(definition))


def bulk(list_id: str, rows: Sequence[Mapping[str, Any]], *, update_existing: bool) -> Request:
    """https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/.

    Repeatable either way: an address is created once, and whom a lost call has created is reported as existing by the next.
    """
    body = {"members": list(rows), "update_existing": update_existing}
    return Request(f"/lists/{list_id}", f"audience {list_id}", method="POST", body=body, keeps=MembersKept)


def put_member(list_id: str, contact_id: str, body: Json) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/."""
    return _member(list_id, contact_id, "PUT", body)


def patch_member(list_id: str, contact_id: str, body: Json) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/update-list-member/; never creates a contact."""
    return _member(list_id, contact_id, "PATCH", body)


def archive_member(list_id: str, contact_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/archive-list-member/."""
    return _member(list_id, contact_id, "DELETE", None)


def read_member(list_id: str, contact_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/get-member-info/."""
    return Request(_path(list_id, contact_id), f"contact in audience {list_id}", {"fields": "id,status"})


def read_member_tags(list_id: str, contact_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-member-tags/list-member-tags/."""
    return Request(f"{_path(list_id, contact_id)}/tags", f"contact in audience {list_id}", {"fields": "tags.id,tags.name,total_items"})


def edit_tags(list_id: str, contact_id: str, rows: Sequence[Json], *, is_syncing: bool) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-member-tags/add-or-remove-member-tags/."""
    body = {"tags": list(rows), **({"is_syncing": True} if is_syncing else {})}
    return Request(f"{_path(list_id, contact_id)}/tags", f"contact in audience {list_id}", method="POST", body=body)


def untag(list_id: str, tag_id: int, emails: Sequence[str]) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/batch-add-or-remove-members/."""
    path = f"/lists/{list_id}/segments/{tag_id}"
    return Request(path, f"a tag of audience {list_id}", method="POST", body={"members_to_remove": list(emails)}, keeps=MembersKept)


def _member(list_id: str, contact_id: str, method: str, body: Json | None) -> Request:
    return Request(_path(list_id, contact_id), f"audience {list_id}", method=method, body=body, keeps=MemberKept)


def _path(list_id: str, contact_id: str) -> str:
    return f"/lists/{list_id}/members/{contact_id}"
