"""How parts of the demo say what they serve: a collection, and its items by path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailchimp_emulator.described import Collection

Json = dict[str, Any]

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Served:
    """A collection and its items at each path below which there are some."""

    collection: Collection
    items: dict[str, list[Json]]


def collection(path: str, key: str, items: dict[str, list[Json]], **more: Any) -> Served:
    """A collection whose items stand under `key`; more: parent, parent_field, names, time, since, before."""
    return Served(Collection(path, _OBJECT, key, envelope=_envelope(more.pop("around", ())), items=0, **more), items)


def alone(path: str, items: dict[str, Json], parent: str, **more: Any) -> Served:
    """A path that answers with one item."""
    whole = Collection(path, _OBJECT, items=0, paging="none", parent=parent, **more)
    return Served(whole, {place: [item] for place, item in items.items()})


_OBJECT: Json = {"type": "object"}


def _envelope(names: tuple[str, ...]) -> Json:
    """`total_items`, and the parts of the path that stand next to the items."""
    return {"properties": {**{name: {"type": "string"} for name in names}, "total_items": {"type": "integer"}}}
