"""`fields` and `exclude_fields`: comma-separated paths in dot notation, from the top of the response.

Public source: https://mailchimp.com/developer/marketing/docs/methods-parameters/#partial-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailchimp_emulator.problems import bad_request

# Field paths as a tree: {"members": {"id": {}}, "total_items": {}}.
Tree = dict[str, "Tree"]


def tree(paths: str) -> Tree:
    """Paths, separated by commas, as a tree."""
    root: Tree = {}
    for path in filter(None, (part.strip() for part in paths.split(","))):
        node = root
        for name in path.split("."):
            node = node.setdefault(name, {})
    return root


def keep(document: Any, wanted: Tree) -> Any:
    """What the tree names; an empty tree names everything below."""
    if not wanted:
        return document
    if isinstance(document, list):
        return [keep(item, wanted) for item in document]
    if not isinstance(document, dict):
        return document
    return {name: keep(document[name], below) for name, below in wanted.items() if name in document}


def drop(document: Any, unwanted: Tree) -> Any:
    """What the tree does not name."""
    if isinstance(document, list):
        return [drop(item, unwanted) for item in document]
    if not isinstance(document, dict):
        return document
    kept = {}
    for name, inner in document.items():
        below = unwanted.get(name)
        if below is None:
            kept[name] = inner
        elif below:
            kept[name] = drop(inner, below)
    return kept


class Projection:
    """The part of a response that the caller asked for."""

    __slots__ = ("fields", "unwanted")

    def __init__(self, query: Mapping[str, str]) -> None:
        if query.get("fields") and query.get("exclude_fields"):
            raise bad_request("You can not use both 'fields' and 'exclude_fields' in one request.")
        self.fields: Tree | None = tree(query["fields"]) if query.get("fields") else None
        self.unwanted: Tree = tree(query.get("exclude_fields", ""))

    def apply(self, document: dict[str, Any]) -> Any:
        """The document as the caller wants it."""
        if self.fields is not None:
            return keep(document, self.fields)
        return drop(document, self.unwanted) if self.unwanted else document

    def shows(self, name: str) -> bool:
        """Whether anything of a top-level key is shown at all."""
        if self.fields is not None:
            return name in self.fields
        return self.unwanted.get(name) != {}

    def item_fields(self, name: str) -> list[str] | None:
        """The plain field names asked of each item of a collection, or None when it is not as simple as that."""
        below = None if self.fields is None else self.fields.get(name)
        if not below or any(below.values()):
            return None
        return list(below)
