"""From the columns of a stream to the unified contact: by rule, by name, by merge tag. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.config import Rule
from destination_mailchimp_unified.intake.contact import Draft, MappedContact
from destination_mailchimp_unified.intake.fields import Field, named_with_prefix
from destination_mailchimp_unified.intake.rules import Filler, filler_of
from mailchimp_unified.entities import readers
from mailchimp_unified.entities.contact_fields import FIELDS, LISTS, WRITABLE
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.text import folded

DELETED_AT = "_ab_cdc_deleted_at"
"""Set by Airbyte's database sources on rows that are gone: https://docs.airbyte.com/platform/understanding-airbyte/cdc."""

ANY_TABLE = frozenset(name for name, field in FIELDS.items() if field.any_table)
"""Fields that a column of any table fills by its name. The others need a rule, or a stream of unified contacts."""

SIGNS_OF_CONTACTS = {"email", "list_id"}
"""A stream with both columns is one of unified contacts, as the source's is."""

PLATFORM_PREFIXES = ("_airbyte_", "_ab_")
"""Columns that Airbyte adds begin so: they fill nothing."""


@dataclass
class Columns:
    """The columns of one stream. `known` holds their names where the schema tells them; else the records do.

    `by_hand` says that the stream has a destination object, so its columns were named for it. With `merge_extras`, columns
    that fill nothing are matched to merge fields by tag. `ignored` are unified names that do nothing here. With `leave_out`
    a value that cannot be read is noted and left out. `announce` is told once what the columns fill.
    """

    rules: Sequence[Rule] = ()
    known: Sequence[str] = ()
    by_hand: bool = False
    merge_extras: bool = False
    ignored: frozenset[str] = frozenset()
    leave_out: bool = False
    announce: Callable[[Columns], None] | None = None
    names: dict[str, str] = field(default_factory=dict, init=False)
    """Every column seen: the folded name to the one as written."""
    constants: list[Filler] = field(default_factory=list, init=False)
    _mapped: dict[str, list[Filler]] = field(default_factory=dict, init=False)
    _paths: dict[str, list[Filler]] = field(default_factory=dict, init=False)
    _found: dict[str, tuple[Filler, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for rule in self.rules:
            if rule.column is None:
                self.constants.append(filler_of(rule))
                continue
            self._mapped.setdefault(folded(rule.column), []).append(filler_of(rule))
            root, *rest = rule.column.split(".")
            if rest:
                self._paths.setdefault(folded(root), []).append(filler_of(rule, tuple(rest)))
        self._learn(self.known)

    @property
    def is_unified(self) -> bool:
        """Whether all unified names count: a stream of unified contacts, or one whose columns were named by hand."""
        return self.by_hand or self.names.keys() >= SIGNS_OF_CONTACTS

    def _learn(self, columns: Iterable[str]) -> None:
        new = {folded(column): column for column in columns}
        if new.keys() <= self.names.keys():
            return
        self.names = {**self.names, **{name: column for name, column in new.items() if name not in self.names}}
        self._found.clear()

    def fillers(self, column: str) -> tuple[Filler, ...]:
        """Return what a column of the stream fills."""
        if column not in self._found:
            self._found[column] = self._find(column)
        return self._found[column]

    def _find(self, column: str) -> tuple[Filler, ...]:
        name = folded(column)
        # A column that is called like a path is meant by it.
        paths = [filler for filler in self._paths.get(name, ()) if folded(filler.origin) not in self.names]
        if name in self._mapped:
            return (*self._mapped[name], *paths)
        return (*self._by_name(column, name), *paths)

    def _by_name(self, column: str, name: str) -> tuple[Filler, ...]:
        if name == DELETED_AT:
            return (Filler(Field("deleted at", "is_deleted")),)
        if name.startswith(PLATFORM_PREFIXES):
            return ()
        if name in WRITABLE and name not in self.ignored and (name in ANY_TABLE or self.is_unified):
            # A column that is named like a field gives way to one that was mapped to it.
            return () if self._is_taken(name) else (Filler(Field("unified", name)),)
        if self.by_hand and (named := named_with_prefix(column)):
            return (Filler(named),)
        # A column that the writer ignores is ignored even if a merge field has the same name.
        return (Filler(Field("merge tag", column)),) if self.merge_extras and name not in FIELDS else ()

    def _is_taken(self, name: str) -> bool:
        own = Field("unified", name)
        others = [filler.field for filler in self.rule_fillers() if not (name in LISTS and filler in self.constants)]
        return any(own == other or own.slots & other.slots for other in others)

    def rule_fillers(self) -> list[Filler]:
        """Return what the rules fill here: those whose column is there, and the constants."""
        mapped = [filler for name, fillers in self._mapped.items() if name in self.names for filler in fillers]
        roots = [filler for root, fillers in self._paths.items() if root in self.names for filler in fillers]
        return [*mapped, *(filler for filler in roots if folded(filler.origin) not in self.names), *self.constants]

    def contact(self, columns: Mapping[str, Any]) -> MappedContact:
        """Return the contact of a record. Raises InvalidValueError for the first value that cannot be read, or leaves it out."""
        if not columns.keys() <= self._found.keys():
            self._learn(columns)
            self.told()
        draft = Draft()
        for column, value in columns.items():
            for filler in self.fillers(column):
                self._fill(draft, filler, _below(value, filler.path))
        for filler in self.constants:
            self._fill(draft, filler, filler.rule.value if filler.rule else None)
        return draft.contact()

    def told(self) -> None:
        """Tell what the columns fill, the first time."""
        if self.announce:
            told, self.announce = self.announce, None
            told(self)

    def _fill(self, draft: Draft, filler: Filler, value: Any) -> None:
        try:
            draft.put(filler, value)
        except InvalidValueError as error:
            if not self.leave_out or filler.field.decides:
                raise
            draft.left_out.append(error.tag)

    def email_text(self, columns: Mapping[str, Any]) -> str:
        """Return what stands in the column of the email address, whether it is one or not: to say whose record is meant."""
        return self.text_of("email", columns)

    def text_of(self, name: str, columns: Mapping[str, Any]) -> str:
        """Return what stands in the column that fills a unified field, "" where there is none."""
        wanted = Field("unified", name)
        found = (_below(value, f.path) for column, value in columns.items() for f in self.fillers(column) if f.field == wanted)
        return str(next(found, None) or "")


def _below(value: Any, path: tuple[str, ...]) -> Any:
    """Return what is under a path in a value, None where there is nothing; objects may be JSON text, lists have numbers."""
    for name in path:
        held = readers.parsed(value)
        if isinstance(held, list) and name.isdecimal() and int(name) < len(held):
            value = held[int(name)]
        elif isinstance(held, dict):
            value = held[name] if name in held else {folded(str(key)): below for key, below in held.items()}.get(folded(name))
        else:
            return None
    return value
