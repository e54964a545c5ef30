"""A rule for faults: which requests it means, how often, and what its kind needs to know."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_emulator.vendor import DEFAULT_COUNT

# What a rule tells about itself.
TOLD = ("matched", "hits", "failure")


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

    def _matches(self, asked: Asked) -> bool:
        return (
            self.method in ("", asked.method)
            and (not self.path or re.search(self.path, asked.path) is not None)
            and all(re.search(pattern, asked.query.get(name, "")) for name, pattern in self.query.items())
            and (self.count_over is None or asked.count > self.count_over)
        )
