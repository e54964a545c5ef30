"""What a column fills, and how: a rule of `field_mapping` made ready for every record, or the column's own name. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from destination_mailchimp_unified.config import Rule
from destination_mailchimp_unified.intake.fields import Field, field_of
from destination_mailchimp_unified.intake.formats import reader_of
from mailchimp_unified.entities.contact_fields import LISTS

_TIMES = ("timestamp_signup", "timestamp_opt")
_NAMES = ("first_name", "last_name", "full_name")


@dataclass(frozen=True)
class Filler:
    """What a column, a path in one, or a constant fills. `rule` is None for what a column fills by its name.

    `read` reads what is written in the rule's format.
    """

    field: Field
    rule: Rule | None = None
    path: tuple[str, ...] = ()
    read: Callable[[Any], Any] | None = None

    @property
    def origin(self) -> str:
        """The column or path, or the constant in quotes."""
        if self.rule is None:
            return ""
        return self.rule.column or f'"{self.rule.value}"'


def filler_of(rule: Rule, path: tuple[str, ...] = ()) -> Filler:
    """Return what a rule makes of its column. Raises ValueError that says what is wrong with the rule."""
    filler = Filler(field_of(rule.field), rule, path, _reader(rule))
    field = filler.field
    is_list = field.kind == "unified" and field.name in LISTS
    if rule.separator and not is_list:
        raise ValueError(f"{rule.field}: separator is for tags and tags_to_remove only")
    if rule.prefix and not (is_list or field.kind == "merge field" or field.name in _NAMES):
        raise ValueError(f"{rule.field}: prefix is for tags, names and merge fields only")
    if rule.format and not (field.kind == "merge field" or field.name in _TIMES):
        raise ValueError(f"{rule.field}: format is for merge fields, timestamp_signup and timestamp_opt only")
    if rule.value is not None and field.kind == "ignore":
        raise ValueError("ignore needs a column")
    return filler


def _reader(rule: Rule) -> Callable[[Any], Any] | None:
    if not rule.format:
        return None
    try:
        return reader_of(rule.format)
    except ValueError as error:
        raise ValueError(f"{rule.field}: the format {rule.format} is unknown; {error}") from None
