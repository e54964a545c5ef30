"""Answers that are almost right: what a rule changes in the body of a real answer.

Bodies are read and written by the standard library, which keeps lone surrogates and NaN as Mailchimp's PHP may send them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mailchimp_emulator.rule import Rule

Json = dict[str, Any]

NEXT_CURSOR = "next_cursor"
"""Where the next page begins: https://mailchimp.com/developer/marketing/api/audiences/."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A document on its way out: where its items stand (None: it is one item), and the query that it answers."""

    document: Json
    key: str | None
    query: Mapping[str, str]

    @property
    def items(self) -> list[Any] | None:
        """The items of a collection, None for a single item, or where an earlier rule took them away."""
        found = self.document.get(self.key) if self.key else None
        return found if isinstance(found, list) else None

    def having(self, items: Any) -> Json:
        """The document with other items; what has no items stays as it is."""
        return self.document if self.items is None or self.key is None else {**self.document, self.key: items}


def rewritten(body: bytes, rules: list[Rule], key: str | None, query: Mapping[str, str]) -> bytes:
    """Return the body after each rule had its turn; what is not a JSON object stays as it is."""
    document = json.loads(body)
    if not isinstance(document, dict):
        return body
    for rule in rules:
        document = REWRITES[rule.kind](Answer(document, key, query), rule)
    return json.dumps(document, separators=(",", ":")).encode()


def _without(name: str | None, answer: Answer) -> Json:
    return {kept: value for kept, value in answer.document.items() if kept != name}


def _total_items(answer: Answer, rule: Rule) -> Json:
    document = answer.document
    if "total_items" not in document:
        return document
    return {**document, "total_items": max(0, document["total_items"] + rule.by)}


def _repeat_cursor(answer: Answer, _: Rule) -> Json:
    cursor = answer.query.get("cursor") or answer.document.get(NEXT_CURSOR)
    return answer.document if cursor is None else {**answer.document, NEXT_CURSOR: cursor}


def _set_values(answer: Answer, rule: Rule) -> Json:
    # What the caller did not ask for by `fields` stays out of the answer.
    only_present = bool(answer.query.get("fields"))

    def change(item: Any) -> list[Any]:
        return [_changed(item, rule, only_present=only_present) if isinstance(item, dict) else item]

    if answer.items is not None:
        return _each(answer, rule, change)
    document: Json = change(answer.document)[0] if answer.key is None and _meant(answer.document, 0, rule) else answer.document
    return document


def _changed(item: Json, rule: Rule, *, only_present: bool) -> Json:
    changed: Json = copy.deepcopy(item)
    for path in rule.remove:
        holder, last = _holder(changed, path)
        holder.pop(last, None)
    for path, value in rule.values.items():
        holder, last = _holder(changed, path)
        if last in holder or not only_present:
            holder[last] = value
    return changed


def _holder(item: Json, path: str) -> tuple[Json, str]:
    """The object in which the last part of a dotted path stands; one that leads nowhere is set on nothing that is sent."""
    *above, last = path.split(".")
    holder: Any = item
    for name in above:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return (holder if isinstance(holder, dict) else {}), last


def _each(answer: Answer, rule: Rule, change: Callable[[Any], list[Any]]) -> Json:
    """Let each item that the rule means become other items, none or several."""
    if answer.items is None:
        return answer.document
    changed = [change(item) if _meant(item, place, rule) else [item] for place, item in enumerate(answer.items)]
    return answer.having([item for items in changed for item in items])


def _meant(item: Any, place: int, rule: Rule) -> bool:
    if rule.index is not None and rule.index != place:
        return False
    return not rule.where or (isinstance(item, dict) and all(item.get(name) == value for name, value in rule.where.items()))


REWRITES: dict[str, Callable[[Answer, Any], Json]] = {
    "no_records_key": lambda answer, _: _without(answer.key, answer),
    "null_records": lambda answer, _: answer.having(None),
    "no_records": lambda answer, _: answer.having([]),
    "clamp": lambda answer, rule: answer.having((answer.items or [])[: rule.rows]),
    "total_items": _total_items,
    "no_total_items": lambda answer, _: _without("total_items", answer),
    "repeat_cursor": _repeat_cursor,
    "set_values": _set_values,
    "replace_items": lambda answer, rule: _each(answer, rule, lambda _: [rule.value]),
    "repeat_items": lambda answer, rule: _each(answer, rule, lambda item: [item, item]),
    "drop_items": lambda answer, rule: _each(answer, rule, lambda _: []),
}
