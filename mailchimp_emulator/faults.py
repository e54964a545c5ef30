"""Faults on demand: which requests go wrong, how, and before or after they took effect."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mailchimp_emulator.canned import CANNED_KINDS
from mailchimp_emulator.rewriting import REWRITES
from mailchimp_emulator.vendor import DEFAULT_COUNT

# Faults of the connection, which the server plays out on the socket.
CONNECTION_KINDS = ("reset", "truncate", "hang", "drip")
ANSWER, RUN, IGNORE_OFFSET, DATE = "answer", "run", "ignore_offset", "date"
INSTEAD_KINDS = (*CANNED_KINDS, *CONNECTION_KINDS, ANSWER)
KINDS = (*INSTEAD_KINDS, RUN, IGNORE_OFFSET, DATE, *REWRITES)
# What a rule tells about itself.
_TOLD = ("matched", "hits", "failure")


@dataclass(slots=True)
class Rule:
    """Requests that match go wrong in the way of `kind`.

    They match by `method`, `path` and each parameter of `query` (regular expressions, searched for; a parameter that was not
    sent is ""), and by asking for more than `count_over` items. The first `after` matches pass; of the others each is hit
    with `probability`, at most `times` in all. With `when` "after" the request takes effect and only its answer is lost.
    The other keys belong to one kind or a few; the README has them.
    """

    kind: str
    method: str = ""
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    count_over: int | None = None
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    when: str = "before"
    # What the kinds need.
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    retry_after: Any = None
    seconds: float = 0.05
    commands: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    by: int = 0
    skew: float = 0
    text: str | None = None
    where: dict[str, Any] = field(default_factory=dict)
    index: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    value: Any = None
    matched: int = 0
    hits: int = 0
    failure: str = ""

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Rule:
        """Read a rule; unknown keys and kinds are errors."""
        known = {item.name for item in fields(cls)} - set(_TOLD)
        if unknown := sorted(set(raw) - known):
            raise ValueError(f"unknown keys in a fault: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        rule = cls(**raw)
        if rule.kind not in KINDS:
            raise ValueError(f"unknown fault {rule.kind!r}; known: {', '.join(KINDS)}")
        if rule.when not in ("before", "after"):
            raise ValueError("when is 'before' or 'after'")
        return rule

    def strikes(self, asked: Asked, chance: random.Random) -> bool:
        """Whether this request is hit; counts matches and hits."""
        if not self._matches(asked):
            return False
        self.matched += 1
        spent = self.times is not None and self.hits >= self.times
        if spent or self.matched <= self.after or chance.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def _method(self) -> str:
        # What changes bodies means those of reads, unless it says otherwise.
        return self.method or ("GET" if self.kind in REWRITES else "")

    def _matches(self, asked: Asked) -> bool:
        return (
            self._method() in ("", asked.method)
            and (not self.path or re.search(self.path, asked.path) is not None)
            and all(re.search(pattern, asked.query.get(name, "")) for name, pattern in self.query.items())
            and (self.count_over is None or asked.count > self.count_over)
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides whether a rule strikes."""

    method: str
    path: str
    query: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many items are asked for."""
        sent = self.query.get("count", "")
        return int(sent) if sent.isdecimal() else DEFAULT_COUNT


@dataclass(slots=True)
class Faults:
    """The rules in force and the chance that decides among equals."""

    rules: list[Rule] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def set(self, rules: list[dict[str, Any]], seed: int = 0) -> None:
        """Replace the rules and begin the chance again."""
        self.rules = [Rule.of(rule) for rule in rules]
        self.chance = random.Random(seed)

    def striking(self, asked: Asked, kinds: tuple[str, ...], when: str | None = None) -> list[Rule]:
        """Every rule of these kinds that hits this request, in their order."""
        return [rule for rule in self.rules if rule.kind in kinds and when in (None, rule.when) and rule.strikes(asked, self.chance)]

    def instead(self, asked: Asked) -> Rule | None:
        """The first rule that hits this request and takes the place of its answer."""
        return next((rule for rule in self.rules if rule.kind in INSTEAD_KINDS and rule.strikes(asked, self.chance)), None)

    def counts(self) -> list[dict[str, Any]]:
        """What became of each rule: {kind, path, matched, hits, failure}, in their order."""
        return [{name: getattr(rule, name) for name in ("kind", "path", *_TOLD)} for rule in self.rules]
