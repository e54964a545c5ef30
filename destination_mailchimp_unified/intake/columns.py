"""From the columns of a stream to the unified contact: by name, by `field_mapping`, by merge tag. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.config import Mapping as FieldMapping
from destination_mailchimp_unified.intake.values import WRITABLE, unified_value
from mailchimp_unified.entities.contact import READ_ONLY
from mailchimp_unified.entities.entity import Json

MERGE_FIELD_PREFIX = "custom_fields."

DELETED_AT = "_ab_cdc_deleted_at"
"""Set by Airbyte's database sources on rows that are gone: https://docs.airbyte.com/platform/understanding-airbyte/cdc."""

# What a writer ignores is ignored whatever a merge field is called.
_UNIFIED = WRITABLE | READ_ONLY | {"id"}

# Columns that Airbyte adds.
_PLATFORM_PREFIXES = ("_airbyte_", "_ab_")


@dataclass(frozen=True)
class Contact:
    """A record as a unified contact, its values not yet those of an audience.

    `unified` holds unified properties, `extras` columns that may be merge fields of the audience.
    """

    unified: Json
    extras: Json = field(default_factory=dict)


@dataclass
class Columns:
    """The columns of one stream. With `merge_extras`, columns mapped nowhere are matched to merge fields by tag.

    `known` holds the names of the stream's columns, case-folded, where its schema tells them; mappings are for all streams.
    """

    mappings: Iterable[FieldMapping] = ()
    merge_extras: bool = False
    known: frozenset[str] = frozenset()
    _targets: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    _mapped: dict[str, list[str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for mapping in self.mappings:
            self._mapped.setdefault(mapping.column.casefold(), []).append(mapping.field)
        here = (names for column, names in self._mapped.items() if not self.known or column in self.known)
        self._taken = {name.casefold() for names in here for name in names}

    def targets(self, column: str) -> tuple[str, ...]:
        """Return what a column fills: unified names, `custom_fields.TAG`, or `+` and its own name for a possible merge field."""
        if column not in self._targets:
            self._targets[column] = self._find(column)
        return self._targets[column]

    def _find(self, column: str) -> tuple[str, ...]:
        folded = column.casefold()
        if folded in self._mapped:
            return tuple(self._mapped[folded])
        if folded == DELETED_AT:
            return (DELETED_AT,)
        if folded.startswith(_PLATFORM_PREFIXES):
            return ()
        # A column that is named like a field gives way to one that was mapped to it.
        if folded in WRITABLE and folded not in self._taken:
            return (folded,)
        return (f"+{column}",) if self.merge_extras and folded not in _UNIFIED else ()

    def contact(self, columns: Mapping[str, Any]) -> Contact:
        """Return the contact of a record. Raises InvalidValueError for the first value of a wrong type."""
        unified: Json = {}
        extras: Json = {}
        mapped: Json = {}
        for column, value in columns.items():
            for target in self.targets(column):
                if target.startswith(MERGE_FIELD_PREFIX):
                    mapped[target.removeprefix(MERGE_FIELD_PREFIX)] = value
                elif target.startswith("+"):
                    extras[column] = value
                elif target == DELETED_AT:
                    unified["is_deleted"] = unified.get("is_deleted") or bool(value)
                else:
                    _put(unified, target, unified_value(target, value))
        if mapped:
            unified["custom_fields"] = {**(unified.get("custom_fields") or {}), **mapped}
        return Contact(unified, extras)

    def address(self, columns: Mapping[str, Any]) -> str:
        """Return what stands in the column of the address, whether it is one or not: to say whose record is meant."""
        found = (value for column, value in columns.items() if "email" in self.targets(column))
        return str(next(found, None) or "")


def _put(unified: Json, name: str, value: Any) -> None:
    # One sign that a row is gone is enough.
    unified[name] = bool(value) or unified.get(name) if name == "is_deleted" else value


def known_field(name: str) -> bool:
    """Return whether `field_mapping` may name this field."""
    return name in WRITABLE or (name.startswith(MERGE_FIELD_PREFIX) and len(name) > len(MERGE_FIELD_PREFIX))
