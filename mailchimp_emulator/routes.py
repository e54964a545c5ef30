"""Which handler answers which method of which path."""

from __future__ import annotations

from collections.abc import Callable

from mailchimp_emulator.calls import Call
from mailchimp_emulator.handlers import account, interests, lists, members, merge_fields, oauth, segments
from mailchimp_emulator.problems import method_not_allowed, not_found
from mailchimp_emulator.replies import Reply

Handler = Callable[["Call"], "Reply"]
Methods = dict[str, Handler]

_LIST = "/lists/{list_id}"
_MEMBER = _LIST + "/members/{subscriber_hash}"
_SEGMENT = _LIST + "/segments/{segment_id}"
_CATEGORY = _LIST + "/interest-categories/{interest_category_id}"

API: dict[str, Methods] = {
    "/": {"GET": account.read_account},
    "/ping": {"GET": account.ping},
    "/lists": {"GET": lists.read_lists, "POST": lists.create_list},
    _LIST: {
        "GET": lists.read_list,
        "POST": lists.bulk_write,
        "PATCH": lists.change_list,
        "DELETE": lists.delete_list,
    },
    _LIST + "/members": {"GET": members.read_members, "POST": members.create_member},
    _MEMBER: {
        "GET": members.read_member,
        "PUT": members.put_member,
        "PATCH": members.patch_member,
        "DELETE": members.archive_member,
    },
    _MEMBER + "/actions/delete-permanent": {"POST": members.delete_permanent},
    _MEMBER + "/tags": {"GET": members.read_tags, "POST": members.edit_tags},
    _LIST + "/tag-search": {"GET": segments.search_tags},
    _LIST + "/segments": {"GET": segments.read_segments, "POST": segments.create_segment},
    _SEGMENT: {
        "GET": segments.read_segment,
        "POST": segments.edit_segment_members,
        "PATCH": segments.change_segment,
        "DELETE": segments.delete_segment,
    },
    _SEGMENT + "/members": {"GET": segments.read_segment_members, "POST": segments.add_segment_member},
    _SEGMENT + "/members/{subscriber_hash}": {"DELETE": segments.remove_segment_member},
    _LIST + "/merge-fields": {"GET": merge_fields.read_merge_fields, "POST": merge_fields.create_merge_field},
    _LIST + "/merge-fields/{merge_id}": {
        "GET": merge_fields.read_merge_field,
        "PATCH": merge_fields.change_merge_field,
        "DELETE": merge_fields.delete_merge_field,
    },
    _LIST + "/interest-categories": {"GET": interests.read_categories, "POST": interests.create_category},
    _CATEGORY: {"GET": interests.read_category},
    _CATEGORY + "/interests": {"GET": interests.read_interests, "POST": interests.create_interest},
}
# Where the items of a collection stand, by the last part of its path.
RECORDS: dict[str, str] = {
    "lists": "lists",
    "members": "members",
    "tags": "tags",
    "tag-search": "tags",
    "segments": "segments",
    "merge-fields": "merge_fields",
    "interest-categories": "categories",
    "interests": "interests",
}
OAUTH: dict[str, Methods] = {
    "/oauth2/authorize": {"GET": oauth.authorize},
    "/oauth2/token": {"POST": oauth.token},
    "/oauth2/metadata": {"GET": oauth.metadata},
}


class Router:
    """Finds the handler of a path, part by part; a literal part wins over a variable one."""

    def __init__(self, table: dict[str, Methods]) -> None:
        self._by_length: dict[int, list[tuple[list[str], Methods]]] = {}
        for template, methods in table.items():
            parts = template.strip("/").split("/")
            self._by_length.setdefault(len(parts), []).append((parts, methods))

    def match(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """Raises 404 for a path that is not there, 405 for one that does not know the method."""
        parts = path.strip("/").split("/")
        for template, methods in self._by_length.get(len(parts), []):
            params = _params(template, parts)
            if params is None:
                continue
            if method not in methods:
                raise method_not_allowed(", ".join(methods))
            return methods[method], params
        raise not_found()


def _params(template: list[str], parts: list[str]) -> dict[str, str] | None:
    params = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params if all(params.values()) else None
