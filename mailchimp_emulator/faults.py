"""Faults on demand: which requests go wrong, how, and before or after they took effect."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from typing import Any

from mailchimp_emulator.canned import CANNED_KINDS
from mailchimp_emulator.rewriting import REWRITES
from mailchimp_emulator.rule import TOLD, Asked, Rule

# Faults of the connection, which the server plays out on the socket.
CONNECTION_KINDS = ("reset", "truncate", "hang", "drip")
ANSWER, RUN, IGNORE_OFFSET, DATE = "answer", "run", "ignore_offset", "date"
INSTEAD_KINDS = (*CANNED_KINDS, *CONNECTION_KINDS, ANSWER)
KINDS = (*INSTEAD_KINDS, RUN, IGNORE_OFFSET, DATE, *REWRITES)


def _rule(raw: dict[str, Any]) -> Rule:
    """Read a rule; unknown keys and kinds are errors of the test, not faults that never come."""
    known = {item.name for item in fields(Rule)} - set(TOLD)
    if unknown := sorted(set(raw) - known):
        raise ValueError(f"unknown keys in a fault: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    rule = Rule(**raw)
    if rule.kind not in KINDS:
        raise ValueError(f"unknown fault {rule.kind!r}; known: {', '.join(KINDS)}")
    if rule.when not in ("before", "after"):
        raise ValueError("when is 'before' or 'after'")
    if rule.kind in REWRITES and not rule.method:
        # What changes bodies means those of reads, unless it says otherwise.
        rule.method = "GET"
    return rule


@dataclass(slots=True)
class Faults:
    """The rules in force and the chance that decides among equals."""

    rules: list[Rule] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def set(self, rules: list[dict[str, Any]], seed: int = 0) -> None:
        """Replace the rules and begin the chance again."""
        self.rules = [_rule(raw) for raw in rules]
        self.chance = random.Random(seed)

    def striking(self, asked: Asked, kinds: tuple[str, ...], when: str | None = None) -> list[Rule]:
        """Every rule of these kinds that hits this request, in their order."""
        return [rule for rule in self.rules if rule.kind in kinds and when in (None, rule.when) and rule.strikes(asked, self.chance)]

    def instead(self, asked: Asked) -> Rule | None:
        """The first rule that hits this request and takes the place of its answer."""
        return next((rule for rule in self.rules if rule.kind in INSTEAD_KINDS and rule.strikes(asked, self.chance)), None)

    def counts(self) -> list[dict[str, Any]]:
        """What became of each rule: {kind, path, matched, hits, failure}, in their order."""
        return [{name: getattr(rule, name) for name in ("kind", "path", *TOLD)} for rule in self.rules]
