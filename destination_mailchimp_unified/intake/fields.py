"""What a rule of `field_mapping` may fill, read from its text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mailchimp_unified.entities.contact_fields import FIELDS, FIRST_NAME_TAG, LAST_NAME_TAG, LISTS, WRITABLE
from mailchimp_unified.entities.postal_address import address_part
from mailchimp_unified.text import did_you_mean, folded, visible

MERGE_FIELD_PREFIX, TAG_PREFIX, INTEREST_PREFIX, PERMISSION_PREFIX = "custom_fields.", "tag:", "interests.", "marketing_permissions."

FULL_NAME, IGNORE = "full_name", "ignore"

MERGE_TAG = re.compile(r"[A-Z0-9_]{1,10}")
"""Tag of a merge field: https://mailchimp.com/developer/marketing/docs/merge-fields/."""

FORMS = {
    "email": "A unified field, by its name in any case.",
    "custom_fields.TAG": "The merge field with this tag: at most 10 letters, digits and underscores.",
    "custom_fields.ADDRESS.city": "A part of a postal address: street_1, street_2, city, state, postal_code or country.",
    "full_name": "First and last name from one text; `Last, First` is reversed.",
    "tag:NAME": "A column of booleans that adds or removes the tag NAME; blank does neither.",
    "interests.Category/Name": "A column of booleans that adds the contact to the group or removes it.",
    "marketing_permissions.Text": "A column of booleans that grants or withdraws the marketing permission with this text.",
    "ignore": "Nothing: the column is ignored, even if its name matches a field.",
}
"""What a rule may fill, by an example each."""

FieldKind = Literal[
    "unified", "merge field", "address part", "full name", "tag", "interest", "permission", "ignore", "deleted at", "merge tag"
]


@dataclass(frozen=True)
class Field:
    """A place that a column fills: a unified field, a merge field or a part of it, a tag, a group, a permission, or none.

    `name` is the unified name, the tag of the merge field, the name of the tag, `Category/Name`, or the permission's text.
    """

    kind: FieldKind
    name: str
    part: str = ""

    @property
    def label(self) -> str:
        """The field as `field_mapping` names it."""
        prefixes = {"merge field": MERGE_FIELD_PREFIX, "tag": TAG_PREFIX, "interest": INTEREST_PREFIX, "permission": PERMISSION_PREFIX}
        if self.kind == "address part":
            return f"{MERGE_FIELD_PREFIX}{self.name}.{self.part}"
        return prefixes.get(self.kind, "") + self.name

    @property
    def slots(self) -> frozenset[str]:
        """What no two columns of a stream may fill: the same value by any of its names. Empty where several may."""
        if self.kind == "full name":
            return frozenset({FIRST_NAME_TAG, LAST_NAME_TAG})
        if self.kind == "address part":
            return frozenset({f"{self.name}.{self.part}"})
        if self.kind in ("ignore", "merge tag", "deleted at") or (self.kind == "unified" and self.name in LISTS):
            return frozenset()
        name = (
            FIELDS[self.name].merge_tag or self.label if self.kind == "unified" else self.name if self.kind == "merge field" else self.label
        )
        return frozenset({name})

    @property
    def merge_tag(self) -> str | None:
        """The tag of the merge field that it fills or fills a part of, None where it names none."""
        return self.name if self.kind in ("merge field", "address part") else None

    @property
    def decides(self) -> bool:
        """Whether it says who is meant, where the record goes, or with which consent: such a value is never left out."""
        return (
            self.kind == "deleted at"
            or (self.kind == "unified" and FIELDS[self.name].role == "routing" and self.name not in LISTS)
            or (self.kind == "unified" and self.name == "email")
        )


def field_of(text: str) -> Field:
    """Return the field that a rule names, in any case. Raises ValueError that says what is wrong."""
    name = visible(text)
    known = folded(name)
    if known in WRITABLE:
        return Field("unified", known)
    if known in (FULL_NAME, IGNORE):
        return Field("full name" if known == FULL_NAME else "ignore", known)
    if found := _prefixed(name):
        return found
    raise ValueError(_unknown(name, known))


def named_with_prefix(column: str) -> Field | None:
    """Return the field that a column named by hand says as a rule would, such as tag:NAME or custom_fields.TAG; None for others."""
    try:
        return _prefixed(visible(column))
    except ValueError:
        return None


def _prefixed(name: str) -> Field | None:
    known = folded(name)
    for prefix, kind in ((TAG_PREFIX, "tag"), (INTEREST_PREFIX, "interest"), (PERMISSION_PREFIX, "permission")):
        if known.startswith(prefix) and (rest := visible(name[len(prefix) :])):
            return Field(kind, rest)  # type: ignore[arg-type]  # one of the kinds above
    if known.startswith(MERGE_FIELD_PREFIX) and len(known) > len(MERGE_FIELD_PREFIX):
        return _merge_field(name[len(MERGE_FIELD_PREFIX) :])
    return None


def _merge_field(rest: str) -> Field:
    tag, _, part = rest.partition(".")
    tag = visible(tag).upper()
    if not MERGE_TAG.fullmatch(tag):
        raise ValueError(
            f"{MERGE_FIELD_PREFIX}{tag}: the tag of a merge field has at most 10 characters, only letters, digits and underscores"
        )
    if not part:
        return Field("merge field", tag)
    theirs = address_part(part)
    if theirs is None:
        raise ValueError(
            f"{MERGE_FIELD_PREFIX}{rest}: the parts of a postal address are street_1, street_2, city, state, postal_code, country"
        )
    return Field("address part", tag, theirs)


def _unknown(name: str, known: str) -> str:
    if known in FIELDS:
        return f"{name} is set by Mailchimp and cannot be written"
    if MERGE_TAG.fullmatch(name):
        return f"{name} is not a field; for the merge field of this tag, use {MERGE_FIELD_PREFIX}{name}"
    return f"{name} does not exist{did_you_mean(name, [*sorted(WRITABLE), FULL_NAME, IGNORE, 'custom_fields.TAG', 'tag:NAME'])}"
