"""A draft: rows, an audience, and what each column does. It is all that the destination needs to be told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.problems import NotThereError
from mailchimp_workbench.send.fields import UNIFIED_NAMES
from mailchimp_workbench.send.outcomes import OPTIONS
from mailchimp_workbench.send.rows import Rows

KEPT_DRAFTS = 30
DETAILS = ("prefix", "separator", "format")
LEAVE = ""
"""The field of a column that is left alone."""


@dataclass(frozen=True)
class Rule:
    """What one column, or one value for all rows, fills."""

    field: str
    column: str | None = None
    value: str | None = None
    prefix: str = ""
    separator: str = ""
    format: str = ""

    def config(self) -> Json:
        """Return the rule as `field_mapping` takes it."""
        origin = {"column": self.column} if self.column is not None else {"value": self.value}
        details = {name: getattr(self, name) for name in DETAILS if getattr(self, name)}
        return {**origin, "field": self.field, **details}


@dataclass
class Draft:
    """Rows on their way into an audience. `options` are further keys of the destination's configuration."""

    rows: Rows
    list_id: str = ""
    rules: dict[str, Rule] = field(default_factory=dict)
    constants: list[Rule] = field(default_factory=list)
    options: Json = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    preview: asyncio.Task[Any] | None = None

    def fill(self, rule: Rule) -> None:
        """Let a column fill a field; what filled it before is left alone."""
        assert rule.column is not None
        if rule.field:
            self._free(rule.field)
        self.rules[rule.column] = rule
        self.reasons.pop(rule.column, None)

    def add_constant(self, rule: Rule) -> None:
        """Give every row the same value; what filled the field before is left alone."""
        self._free(rule.field)
        self.constants.append(rule)

    def target(self, column: str) -> str:
        """Return the field that a column fills, "" for none."""
        rule = self.rules.get(column)
        return rule.field if rule else LEAVE

    def mapping(self) -> list[Json]:
        """Return `field_mapping`: the rules, and `ignore` for columns that would be taken by their name."""
        used = [rule for rule in self.rules.values() if rule.field]
        idle = [Rule("ignore", column=name) for name in self.rows.names if not self.target(name) and self._taken_by_name(name)]
        return [rule.config() for rule in (*used, *self.constants, *idle)]

    def config(self) -> Json:
        """Return the destination's configuration, all but the credentials."""
        return {"list_id": self.list_id, "field_mapping": self.mapping(), **self.options}

    def load(self, config: Mapping[str, Any]) -> None:
        """Take a configuration over; notes say what was left out."""
        rules = [_rule(one) for one in config.get("field_mapping") or [] if isinstance(one, dict) and one.get("field")]
        names = {name.casefold(): name for name in self.rows.names}
        known = [rule for rule in rules if rule.column is None or rule.column.casefold() in names]
        self.rules = {name: _on(rule, name) for rule in known if rule.column and (name := names[rule.column.casefold()])}
        self.rules = {name: rule for name, rule in self.rules.items() if rule.field != "ignore"}
        self.constants = [rule for rule in known if rule.column is None]
        self.reasons = dict.fromkeys(self.rules, "from the configuration")
        missing = [rule.column for rule in rules if rule not in known]
        self.notes = [f"No column is called {name}: its rule was left out." for name in missing]
        self.options = {name: value for name, value in config.items() if name not in NOT_OPTIONS}
        self.list_id = str(config.get("list_id") or self.list_id)

    def _free(self, target: str) -> None:
        # Several columns may bring tags to add under names of their own; every other field has one origin.
        self.rules = {name: rule for name, rule in self.rules.items() if rule.field != target}
        self.constants = [rule for rule in self.constants if rule.field != target]

    def _taken_by_name(self, column: str) -> bool:
        return self.options.get("unmapped_columns") == "merge_fields" or column.casefold() in UNIFIED_NAMES


NOT_OPTIONS = frozenset({"credentials", "api_url", "num_workers", "list_id", "field_mapping", "dry_run", *OPTIONS})
"""Keys that a draft does not take over from a configuration: they are its own, or the account's."""


def _rule(given: Mapping[str, Any]) -> Rule:
    column, value = given.get("column"), given.get("value")
    details = {name: str(given[name]) for name in DETAILS if given.get(name)}
    return Rule(str(given["field"]), None if column is None else str(column), None if value is None else str(value), **details)


def _on(rule: Rule, column: str) -> Rule:
    return Rule(rule.field, column, None, rule.prefix, rule.separator, rule.format)


class Drafts:
    """The drafts of this process; the oldest go first."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}

    def add(self, draft: Draft) -> Draft:
        """Keep a draft."""
        self._drafts = {**dict(list(self._drafts.items())[-KEPT_DRAFTS + 1 :]), draft.id: draft}
        return draft

    def get(self, draft_id: str) -> Draft:
        """Return a draft. Raises NotThereError."""
        if draft_id not in self._drafts:
            raise NotThereError("This draft is no longer known.", "Drafts are remembered until the workbench ends. Choose the rows again.")
        return self._drafts[draft_id]

    def all(self) -> Iterable[Draft]:
        """Return the drafts, the newest first."""
        return reversed(self._drafts.values())
