"""Every call of the API that the unified streams and the destination make, once, with the page that documents it. Pure.

The raw streams have a table of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from mailchimp_unified.request import Json, Request


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


class RowError(TypedDict, total=False):
    """What is kept of the refusal of one row of a bulk call."""

    email_address: Any
    error_code: Any


class MembersKept(TypedDict, total=False):
    """What is kept of an answer with up to 500 members."""

    new_members: list[MemberKept]
    updated_members: list[MemberKept]
    members_removed: list[MemberKept]
    errors: list[RowError]


ACCOUNT = Request("/", "the account", {"exclude_fields": "_links"}, needs=("account_id",))
"""https://mailchimp.com/developer/marketing/api/root/."""

PING = Request("/ping", "the time")
"""https://mailchimp.com/developer/marketing/api/ping/ping/."""

AUDIENCES = Request(
    "/lists",
    "the audiences of the account",
    # Never a date here: an old audience may hold new contacts.
    {"sort_field": "date_created", "sort_dir": "ASC", "exclude_fields": "lists._links,_links"},
    items="lists",
)
"""https://mailchimp.com/developer/marketing/api/lists/get-lists-info/."""


def audience(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/lists/get-list-info/."""
    return Request(f"/lists/{list_id}", f"audience {list_id}", {"exclude_fields": "_links"}, needs=("id", "name"))


def merge_fields(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-merges/list-merge-fields/."""
    params = {"exclude_fields": "merge_fields._links,_links"}
    return Request(f"/lists/{list_id}/merge-fields", f"the merge fields of audience {list_id}", params, items="merge_fields")


def tags(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/list-segments/; tags are static segments."""
    params = {"type": "static", "exclude_fields": "segments._links,_links"}
    return Request(f"/lists/{list_id}/segments", f"the tags of audience {list_id}", params, items="segments")


def tag(list_id: str, tag_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/get-segment-info/."""
    return Request(f"/lists/{list_id}/segments/{tag_id}", f"a tag of audience {list_id}", {"fields": "id,name"}, needs=("id",))


def tag_members(list_id: str, tag_id: int) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segment-members/list-members-in-segment/.

    Subscribed contacts, and those of the three statuses that can be asked for: pending and archived ones are not shown.
    """
    asked = dict.fromkeys(("include_cleaned", "include_transactional", "include_unsubscribed"), "true")
    fields = "members.id,members.email_address,members.last_changed,total_items"
    path = f"/lists/{list_id}/segments/{tag_id}/members"
    return Request(path, f"the contacts with a tag of audience {list_id}", {**asked, "fields": fields}, items="members")


def members(list_id: str, filters: Mapping[str, str | int] | None = None, fields: str = "", keeps: Any = None) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/list-members-info/, in an order that edits keep.

    `fields` are those of a member that are wanted, such as "members.id,members.status"; all but links without it. `keeps` is a
    TypedDict of what is kept of the answer.
    """
    wanted = {"fields": f"{fields},total_items"} if fields else {"exclude_fields": "members._links,_links"}
    params = {**(filters or {}), "sort_field": "last_changed", "sort_dir": "ASC", **wanted}
    return Request(f"/lists/{list_id}/members", f"the contacts of audience {list_id}", params, items="members", keeps=keeps)


def member(list_id: str, contact_id: str, *, whole: bool = False) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/get-member-info/; `whole` is with everything but links."""
    wanted = {"exclude_fields": "_links"} if whole else {"fields": "id,email_address,status"}
    return Request(_member_path(list_id, contact_id), f"a contact of audience {list_id}", wanted, needs=("id", "status"))


def known_permissions(list_id: str) -> Request:
    """The marketing permissions of an audience, as far as any contact shows them: no call of the API lists them.

    https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
    """
    request = members(list_id, fields="members.marketing_permissions")
    return replace(request, params={**request.params, "count": 1, "offset": 0})


def interest_categories(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/interest-categories/list-interest-categories/."""
    params = {"fields": "categories.id,categories.title,total_items"}
    return Request(f"/lists/{list_id}/interest-categories", f"the groups of audience {list_id}", params, items="categories")


def interests(list_id: str, category_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/interests/list-interests-in-category/."""
    path = f"/lists/{list_id}/interest-categories/{category_id}/interests"
    return Request(path, f"the groups of audience {list_id}", {"fields": "interests.id,interests.name,total_items"}, items="interests")


def without_validation(request: Request) -> Request:
    """Return a writing call that Mailchimp takes although required merge fields are missing (`skip_merge_validation`)."""
    return replace(request, params={**request.params, "skip_merge_validation": "true"})


def member_tags(list_id: str, contact_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-member-tags/list-member-tags/."""
    params = {"fields": "tags.id,tags.name,total_items"}
    return Request(f"{_member_path(list_id, contact_id)}/tags", f"the tags of a contact of audience {list_id}", params, items="tags")


def totals(collection: Request) -> Request:
    """Return the request for nothing but the count of a collection."""
    # Not with a count of 0, which nobody documents.
    return replace(collection, params={**collection.params, "count": 1, "offset": 0})


def create_merge_field(list_id: str, definition: Mapping[str, Any]) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-merges/add-merge-field/; a second time it is refused, nothing worse."""
    return Request(f"/lists/{list_id}/merge-fields", f"audience {list_id}", method="POST", body=dict(definition))


def bulk(list_id: str, rows: Sequence[Mapping[str, Any]], *, update_existing: bool) -> Request:
    """https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/.

    Repeatable either way: a contact is created once, and one that a lost call created is reported as existing by the next.
    """
    body = {"members": list(rows), "update_existing": update_existing}
    return Request(f"/lists/{list_id}", f"audience {list_id}", method="POST", body=body, keeps=MembersKept)


def put_member(list_id: str, contact_id: str, body: Json) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/."""
    return _write_member(list_id, contact_id, "PUT", body)


def patch_member(list_id: str, contact_id: str, body: Json) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/update-list-member/; never creates a contact."""
    return _write_member(list_id, contact_id, "PATCH", body)


def archive_member(list_id: str, contact_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-members/archive-list-member/."""
    return _write_member(list_id, contact_id, "DELETE", None)


def edit_tags(list_id: str, contact_id: str, rows: Sequence[Json], *, is_syncing: bool) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-member-tags/add-or-remove-member-tags/."""
    body = {"tags": list(rows), **({"is_syncing": True} if is_syncing else {})}
    return Request(f"{_member_path(list_id, contact_id)}/tags", f"a contact of audience {list_id}", method="POST", body=body)


def untag(list_id: str, tag_id: int, emails: Sequence[str]) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/batch-add-or-remove-members/."""
    path = f"/lists/{list_id}/segments/{tag_id}"
    return Request(path, f"a tag of audience {list_id}", method="POST", body={"members_to_remove": list(emails)}, keeps=MembersKept)


def _write_member(list_id: str, contact_id: str, method: str, body: Json | None) -> Request:
    # Archiving a contact returns no body; every other write returns the contact.
    needs = () if body is None else ("id", "status")
    what = f"a contact of audience {list_id}"
    return Request(_member_path(list_id, contact_id), what, method=method, body=body, keeps=MemberKept, needs=needs)


def _member_path(list_id: str, contact_id: str) -> str:
    return f"/lists/{list_id}/members/{contact_id}"
