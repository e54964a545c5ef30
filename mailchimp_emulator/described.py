"""Collections that a test describes: served from made-up items of the described shape, for all that has no handler of its own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from zlib import crc32

from mailchimp_emulator.account import Account
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.listing import Page, Span
from mailchimp_emulator.problems import not_found
from mailchimp_emulator.rewriting import NEXT_CURSOR
from mailchimp_emulator.synthesis import made_up, moment
from mailchimp_emulator.times import parse_second

Json = dict[str, Any]

_NO_PARAMETER = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """What a described collection is asked: the query, in which account, under which flags, and when."""

    query: Mapping[str, str]
    account: Account
    behavior: Behavior
    now: float


@dataclass(frozen=True)
class Collection:
    """A collection of Mailchimp as its API description has it.

    `item` is the JSON schema of an item, `key` where items stand in the answer (None: the answer is the item), `envelope` the
    schema of what stands next to them, `parent` the path of the collection whose items have `parent_field` in this one's path, `names` the parts of the path that stand in
    the items, by property. `time` is the property, or "list.property" of entries, that `since` and `before` filter by.
    """

    path: str
    item: Json
    key: str | None = None
    envelope: Json = field(default_factory=lambda: {"properties": {"total_items": {"type": "integer"}}})
    items: int = 3
    paging: Literal["offset", "cursor", "none"] = "offset"
    parent: str | None = None
    parent_field: str = "id"
    names: dict[str, str] = field(default_factory=dict)
    time: str = ""
    since: str = ""
    before: str = ""

    def made(self, number: int, params: dict[str, str]) -> Json:
        """Return the item with this number below its parents."""
        item: Json = made_up(self.item, self.path, number)
        # What is filtered by is never empty.
        *above, last = self.time.split(".")
        for position, holder in enumerate(item.get(above[0], ()) if above else [item]):
            if last:
                holder[last] = moment(last, number + position)
        return {**item, **{name: _typed(item.get(name), params[part]) for name, part in self.names.items()}}

    def enveloped(self, items: list[Json], total: int, params: dict[str, str]) -> Json:
        """Return the answer with these items of so many."""
        assert self.key is not None, "an answer that is one item has no envelope"
        around: Json = made_up(self.envelope, self.path, 0)
        known = {"total_items": total, **{name: params[part] for name, part in self.names.items()}}
        return {**around, **{name: known[name] for name in around.keys() & known.keys()}, self.key: items}

    def within(self, items: list[Json], holds: Callable[[int], bool]) -> list[Json]:
        """Return the items of a time; where entries have the time, all items with those entries only."""
        *above, last = self.time.split(".")
        if not last:
            return items
        if not above:
            return [item for item in items if _dated(item.get(last), holds)]
        return [{**item, above[0]: [one for one in item[above[0]] if _dated(one.get(last), holds)]} for item in items]

    def seen(self, items: list[Json], question: Question) -> list[Json]:
        """Return the items that are seen by now and lie between the bounds of the query."""
        if late := question.behavior.visible_after:
            items = self.within(items, lambda second: second + late <= question.now)
        span = Span.of(question.query, "", self.since or _NO_PARAMETER, self.before or _NO_PARAMETER)
        return items if span.open else self.within(items, span.holds)


def _dated(written: Any, holds: Callable[[int], bool]) -> bool:
    second = parse_second(written or "")
    return bool(second) and holds(second or 0)


def _typed(made: Any, text: str) -> Any:
    return int(text) if isinstance(made, int) and text.isdigit() else text


class Described:
    """All described collections, and the items of those that were asked for."""

    def __init__(self) -> None:
        self._collections: dict[str, Collection] = {}
        self._items: dict[str, list[Json]] = {}

    def replace(self, described: list[Json]) -> int:
        """Forget what was described before. Returns the number of collections."""
        self._collections = {one["path"]: Collection(**one) for one in described}
        self._items.clear()
        return len(self._collections)

    def keep(self, collection: Collection, items: dict[str, list[Json]]) -> None:
        """Serve one more collection, with its items at each path."""
        self._collections[collection.path] = collection
        self._items |= items

    def answer(self, path: str, question: Question) -> Json | None:
        """Return the answer to a GET, None where nothing is described. Raises 404 for parents that do not exist."""
        for collection, params in self._matches(path):
            self._require_parents(question.account, collection, params)
            items = self._of(collection, path, params)
            if collection.key is None:
                if not items:
                    raise not_found()
                return items[0]
            return _page(question, collection, _sorted(question.query, collection.seen(items, question)), params)
        return None

    def paths(self) -> list[str]:
        """The paths of all collections, with their variables."""
        return list(self._collections)

    def key(self, path: str) -> str | None:
        """Where the items of the answer at a path stand; None where nothing is described, or the answer is the item."""
        return next((collection.key for collection, _ in self._matches(path)), None)

    def items(self, path: str) -> list[Json]:
        """Return all items at a path. Raises ValueError where nothing is described."""
        for collection, params in self._matches(path):
            return self._of(collection, path, params)
        raise ValueError(f"nothing is described at {path}")

    def add(self, path: str, items: list[Json]) -> list[Json]:
        """Add items to those at a path, each made up but for what is given."""
        for collection, params in self._matches(path):
            there = self._of(collection, path, params)
            there.extend({**collection.made(len(there) + number, params), **given} for number, given in enumerate(items))
        return self.items(path)

    def change(self, path: str, where: Json, values: Json) -> int:
        """Set values of the items at a path that have these values. Returns how many there are."""
        meant = [item for item in self.items(path) if where.items() <= item.items()]
        for item in meant:
            item.update(values)
        return len(meant)

    def remove(self, path: str, where: Json) -> int:
        """Take away the items at a path that have these values. Returns how many there were."""
        there = self.items(path)
        kept = [item for item in there if not where.items() <= item.items()]
        gone = len(there) - len(kept)
        there[:] = kept
        return gone

    def _of(self, collection: Collection, path: str, params: dict[str, str]) -> list[Json]:
        if path not in self._items:
            self._items[path] = [collection.made(number, params) for number in range(collection.items)]
        return self._items[path]

    def _matches(self, path: str) -> Iterator[tuple[Collection, dict[str, str]]]:
        parts = path.strip("/").split("/")
        for template, collection in self._collections.items():
            wanted = template.strip("/").split("/")
            if len(wanted) == len(parts) and all(one.startswith("{") or one == part for one, part in zip(wanted, parts, strict=True)):
                yield collection, {one[1:-1]: part for one, part in zip(wanted, parts, strict=True) if one.startswith("{")}

    def _require_parents(self, account: Account, collection: Collection, params: dict[str, str]) -> None:
        if collection.parent is None:
            return
        above = self._collections.get(collection.parent)
        if above is None:
            _require_built_in(account, params)
            return
        above_params = {name: part for name, part in params.items() if f"{{{name}}}" in above.path}
        self._require_parents(account, above, above_params)
        # The last variable of a path is the key of its parent; the parent's own path has the others.
        *_, key = params.values()
        if key not in {str(item.get(collection.parent_field)) for item in self.items(above.path.format(**params))}:
            raise not_found()


def _require_built_in(account: Account, params: dict[str, str]) -> None:
    audience = account.audience(params.get("list_id") or params.get("audience_id") or "")
    if "subscriber_hash" in params and audience.find(params["subscriber_hash"]) is None:
        raise not_found()


def _sorted(query: Mapping[str, str], items: list[Json]) -> list[Json]:
    by = query.get("sort_field")
    if by is None or any(by not in item for item in items):
        # No order worth the name.
        return [item for _, item in sorted(enumerate(items), key=lambda one: crc32(str(one[0]).encode()))]
    return sorted(items, key=lambda item: str(item[by]), reverse=query.get("sort_dir", "").upper() == "DESC")


def _page(question: Question, collection: Collection, items: list[Json], params: dict[str, str]) -> Json:
    query = dict(question.query)
    if collection.paging == "cursor":
        query["offset"] = base64.urlsafe_b64decode(query.get("cursor", "")).decode()
    page = Page.of(query, question.behavior)
    answer = collection.enveloped(page.cut(items), len(items), params)
    if collection.paging == "cursor":
        end = page.offset + page.count
        answer[NEXT_CURSOR] = base64.urlsafe_b64encode(str(end).encode()).decode()
        if end >= len(items):
            del answer[NEXT_CURSOR]
    return answer
