"""A record as a unified contact, filled field by field. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.intake.fields import Field
from destination_mailchimp_unified.intake.rules import Filler
from mailchimp_unified.entities import readers
from mailchimp_unified.entities.contact_fields import LISTS, is_nothing, read_value
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.request import Json
from mailchimp_unified.text import is_blank, visible


@dataclass(frozen=True)
class MappedContact:
    """A record as a unified contact, its values not yet those of an audience.

    `unified` holds unified fields, `extras` columns that may be merge fields of the audience, `left_out` the names of fields
    whose values could not be read.
    """

    unified: Json
    extras: Json = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


@dataclass
class Draft:
    """A contact that is being filled."""

    unified: Json = field(default_factory=dict)
    extras: Json = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    _custom: Json = field(default_factory=dict)
    _parts: dict[str, Json] = field(default_factory=dict)

    def put(self, filler: Filler, value: Any) -> None:
        """Fill a field with a cell. Raises InvalidValueError that names the field."""
        put = _PUT.get(filler.field.kind)
        try:
            if put:
                put(self, filler, None if _is_nothing(filler.field, value) else value)
        except InvalidValueError:
            raise
        except ValueError as error:
            raise InvalidValueError(filler.field.merge_tag or filler.field.label, str(error)) from None

    def contact(self) -> MappedContact:
        """Return the contact."""
        whole = {tag: (None if is_blank(parts) else parts) for tag, parts in self._parts.items()}
        if self._custom or whole:
            self.unified["custom_fields"] = {**(self.unified.get("custom_fields") or {}), **whole, **self._custom}
        return MappedContact(self.unified, self.extras, tuple(self.left_out))

    def put_unified(self, filler: Filler, value: Any) -> None:
        """Fill a unified field."""
        name = filler.field.name
        if name in LISTS:
            self._add_names(name, None if value is None else _names(filler, value))
        elif name == "is_deleted":
            self._mark_deleted(is_deleted=value is not None and bool(read_value(name, value)))
        else:
            self.unified[name] = None if value is None else read_value(name, _converted(filler, value))

    def put_merge_field(self, filler: Filler, value: Any) -> None:
        """Fill a merge field."""
        self._custom[filler.field.name] = _converted(filler, value)

    def put_part(self, filler: Filler, value: Any) -> None:
        """Fill a part of a postal address."""
        self._parts.setdefault(filler.field.name, {})[filler.field.part] = None if value is None else readers.text(value)

    def put_full_name(self, filler: Filler, value: Any) -> None:
        """Fill first and last name from both in one text."""
        first, last = (None, None) if value is None else split_name(str(_converted(filler, readers.text(value))))
        self.unified["first_name"], self.unified["last_name"] = first, last

    def put_tag(self, filler: Filler, value: Any) -> None:
        """Add a tag, or take it away."""
        if value is not None:
            self._add_names("tags" if readers.boolean(value) else "tags_to_remove", [filler.field.name])

    def put_interest(self, filler: Filler, value: Any) -> None:
        """Put the contact into a group, or take it out."""
        if value is not None:
            self.unified["interests"] = {**(self.unified.get("interests") or {}), filler.field.name: readers.boolean(value)}

    def put_permission(self, filler: Filler, value: Any) -> None:
        """Give a marketing permission, or withdraw it."""
        if value is not None:
            row = {"text": filler.field.name, "enabled": readers.boolean(value)}
            self.unified["marketing_permissions"] = [*(self.unified.get("marketing_permissions") or []), row]

    def put_deletion(self, filler: Filler, value: Any) -> None:
        """Note the mark of a deleted row."""
        self._mark_deleted(is_deleted=value is not None and readers.deletion_mark(value))

    def put_extra(self, filler: Filler, value: Any) -> None:
        """Keep a column that may be a merge field of the audience."""
        self.extras[filler.field.name] = value

    def _add_names(self, name: str, names: list[str] | None) -> None:
        known = self.unified.get(name)
        self.unified[name] = known if names is None else [*(known or []), *names]

    def _mark_deleted(self, *, is_deleted: bool) -> None:
        # One sign that a row is gone is enough.
        self.unified["is_deleted"] = is_deleted or bool(self.unified.get("is_deleted"))


def _is_nothing(target: Field, value: Any) -> bool:
    return is_nothing(target.name, value) if target.kind == "unified" else is_blank(value)


def _converted(filler: Filler, value: Any) -> Any:
    """Return a cell as the rule says: read in its format, behind its prefix."""
    if value is None:
        return None
    read = filler.read(value) if filler.read else value
    return f"{filler.rule.prefix}{readers.text(read)}" if filler.rule and filler.rule.prefix else read


def _names(filler: Filler, value: Any) -> list[str]:
    rule = filler.rule
    names = readers.tag_names(value, (rule and rule.separator) or readers.SEPARATOR)
    return [visible(f"{rule.prefix}{name}") for name in names] if rule and rule.prefix else names


def split_name(name: str) -> tuple[str | None, str | None]:
    """Return first and last name: the last word, with the small words before it, is the last name; `Last, First` is turned."""
    if "," in name:
        last, _, first = name.partition(",")
        return visible(first) or None, visible(last) or None
    words = visible(name).split()
    start = max(len(words) - 1, 1)
    while start > 1 and words[start - 1].islower():
        start -= 1
    return " ".join(words[:start]) or None, " ".join(words[start:]) or None


_PUT: dict[str, Callable[[Draft, Filler, Any], None]] = {
    "unified": Draft.put_unified,
    "merge field": Draft.put_merge_field,
    "address part": Draft.put_part,
    "full name": Draft.put_full_name,
    "tag": Draft.put_tag,
    "interest": Draft.put_interest,
    "permission": Draft.put_permission,
    "deleted at": Draft.put_deletion,
    "merge tag": Draft.put_extra,
}
