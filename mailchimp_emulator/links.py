"""The `_links` that every resource carries.

Public source: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-structure
"""

from __future__ import annotations

from functools import lru_cache

import orjson

# One row a link: (rel, path below the resource, method, target schema, own schema).
_Row = tuple[str, str, str, str, str]
Links = list[dict[str, str]]

_MEMBER: tuple[_Row, ...] = (
    ("self", "", "GET", "Lists/Members/Response", ""),
    ("parent", "..", "GET", "Lists/Members/CollectionResponse", "Paths/Lists/Members/Collection"),
    ("update", "", "PATCH", "Lists/Members/Response", "Definitions/Lists/Members/PATCH"),
    ("upsert", "", "PUT", "Lists/Members/Response", "Definitions/Lists/Members/PUT"),
    ("delete", "", "DELETE", "", ""),
    ("activity", "/activity", "GET", "Lists/Members/Activity/Response", ""),
    ("goals", "/goals", "GET", "Lists/Members/Goals/Response", ""),
    ("notes", "/notes", "GET", "Lists/Members/Notes/CollectionResponse", ""),
    ("events", "/events", "POST", "Lists/Members/Events/POST", ""),
    ("delete_permanent", "/actions/delete-permanent", "POST", "", ""),
)
_LIST: tuple[_Row, ...] = (
    ("self", "", "GET", "Lists/Response", ""),
    ("parent", "..", "GET", "Lists/CollectionResponse", "Paths/Lists/Collection"),
    ("update", "", "PATCH", "Lists/Response", "Definitions/Lists/PATCH"),
    ("batch-sub-unsub-members", "", "POST", "Lists/BatchPOST-Response", "Definitions/Lists/BatchPOST"),
    ("delete", "", "DELETE", "", ""),
    ("abuse-reports", "/abuse-reports", "GET", "Lists/Abuse/CollectionResponse", "Paths/Lists/Abuse/Collection"),
    ("activity", "/activity", "GET", "Lists/Activity/Response", ""),
    ("clients", "/clients", "GET", "Lists/Clients/Response", ""),
    ("growth-history", "/growth-history", "GET", "Lists/Growth/CollectionResponse", "Paths/Lists/Growth/Collection"),
    (
        "interest-categories",
        "/interest-categories",
        "GET",
        "Lists/InterestCategories/CollectionResponse",
        "Paths/Lists/InterestCategories/Collection",
    ),
    ("members", "/members", "GET", "Lists/Members/CollectionResponse", "Paths/Lists/Members/Collection"),
    (
        "merge-fields",
        "/merge-fields",
        "GET",
        "Lists/MergeFields/CollectionResponse",
        "Paths/Lists/MergeFields/Collection",
    ),
    ("segments", "/segments", "GET", "Lists/Segments/CollectionResponse", "Paths/Lists/Segments/Collection"),
    ("webhooks", "/webhooks", "GET", "Lists/Webhooks/CollectionResponse", "Paths/Lists/Webhooks/Collection"),
    (
        "signup-forms",
        "/signup-forms",
        "GET",
        "Lists/SignupForms/CollectionResponse",
        "Paths/Lists/SignupForms/Collection",
    ),
    ("locations", "/locations", "GET", "Lists/Locations/CollectionResponse", "Paths/Lists/Locations/Collection"),
)


def _link(origin: str, href: str, row: _Row) -> dict[str, str]:
    rel, _, method, target, own = row
    link = {"rel": rel, "href": href, "method": method}
    if target:
        link["targetSchema"] = f"{origin}/schema/3.0/Definitions/{target}.json"
    if own:
        link["schema"] = f"{origin}/schema/3.0/{own}.json"
    return link


def _links(origin: str, path: str, rows: tuple[_Row, ...]) -> Links:
    base = f"{origin}/3.0{path}"
    parent = base.rsplit("/", 1)[0]
    return [_link(origin, parent if row[1] == ".." else base + row[1], row) for row in rows]


def list_links(origin: str, list_id: str) -> Links:
    """Links of a list."""
    return _links(origin, f"/lists/{list_id}", _LIST)


def member_links(origin: str, list_id: str, member_id: str) -> Links:
    """Links of a member."""
    return _links(origin, f"/lists/{list_id}/members/{member_id}", _MEMBER)


@lru_cache(maxsize=256)
def _member_template(origin: str, list_id: str) -> tuple[bytes, ...]:
    return tuple(orjson.dumps(member_links(origin, list_id, "{id}")).split(b"{id}"))


def member_links_json(origin: str, list_id: str, member_id: str) -> bytes:
    """The same links as bytes, for pages of a thousand members."""
    return member_id.encode().join(_member_template(origin, list_id))


def item_links(origin: str, path: str, kind: str) -> Links:
    """Links of a merge field, segment, interest category or interest: self, parent, update, delete."""
    rows: tuple[_Row, ...] = (
        ("self", "", "GET", f"Lists/{kind}/Response", ""),
        ("parent", "..", "GET", f"Lists/{kind}/CollectionResponse", f"Paths/Lists/{kind}/Collection"),
        ("update", "", "PATCH", f"Lists/{kind}/Response", f"Definitions/Lists/{kind}/PATCH"),
        ("delete", "", "DELETE", "", ""),
    )
    return _links(origin, path, rows)


def collection_links(origin: str, path: str, kind: str) -> Links:
    """Links of a collection: self, create and, below a list, parent."""
    # A recorded oddity: the parent of members is said to look like a member.
    parent = kind if kind == "Lists/Members" else kind.rsplit("/", 1)[0]
    rows: tuple[_Row, ...] = (
        ("self", "", "GET", f"{kind}/CollectionResponse", f"Paths/{kind}/Collection"),
        *((("parent", "..", "GET", f"{parent}/Response", ""),) if "/" in kind else ()),
        ("create", "", "POST", f"{kind}/Response", f"Definitions/{kind}/POST"),
    )
    return _links(origin, path, rows)
