"""The fields of a unified stream: where each comes from, when it is null, and what a writer makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from destination_mailchimp_unified.intake.columns import ANY_TABLE
from destination_mailchimp_unified.intake.fields import FORMS
from docs.generator.tables import code, table
from mailchimp_unified.entities import audience, contact, tag, user
from mailchimp_unified.entities.contact_fields import FIELDS, WRITABLE
from mailchimp_unified.entities.merge_field import VALUE_TYPES
from mailchimp_unified.schemas import load_schema

Json = Mapping[str, Any]

_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")
_WHEN_NULL = ("Null ", "Never null", "Present only")
# What each stream gives of an object in which Mailchimp says nothing; the reader sees to `updated_at` of the last three.
_OF_NOTHING: Mapping[str, Json] = {
    "contacts": contact.from_mailchimp({}),
    "lists": {**audience.from_mailchimp({}, []), "updated_at": ""},
    "tags": {**tag.from_mailchimp({}, ""), "updated_at": ""},
    "users": {**user.from_mailchimp({}), "updated_at": ""},
}

_ROLES: Mapping[str, str] = {
    "derived": "no, derived from `email`",
    "read only": "no, ignored",
    "routing": "decides the call",
    "body": "yes",
    "merge field": "yes",
}

# What the last column says is not said twice.
_SAID_ELSEWHERE = ("Read only.", "Write only.", "The cursor.", *_WHEN_NULL)


def field_table(stream: str) -> str:
    """Return the table of a stream's fields, in the order of its schema."""
    properties = load_schema(stream)["properties"]
    head = ("Field", "Type", "Mailchimp's field", "When null", *(["Written back", "A cell may hold"] if stream == "contacts" else []))
    return table(head, [_row(stream, name, value) for name, value in properties.items()])


def _row(stream: str, name: str, value: Json) -> tuple[str, ...]:
    cells = (code(name), _type(value), _origin(value), _null(value, always=_OF_NOTHING[stream].get(name) is not None))
    return (*cells, written_back(name), FIELDS[name].takes) if stream == "contacts" else cells


def written_back(name: str) -> str:
    """Return what the destination does with a field of a contact."""
    if name == "email":
        return "finds the contact"
    return _ROLES[FIELDS[name].role]


def _type(value: Json) -> str:
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    names = [name for name in types if name != "null"]
    return "time" if value.get("format") == "date-time" else ", ".join(names)


def _sentences(value: Json) -> list[str]:
    return _SENTENCES.split(str(value["description"]))


def _origin(value: Json) -> str:
    words = " ".join(sentence for sentence in _sentences(value) if not sentence.startswith(_SAID_ELSEWHERE))
    return words.removeprefix("Mailchimp ")


def _null(value: Json, *, always: bool) -> str:
    if "null" not in value["type"] or always:
        return "never"
    if value.get("writeOnly"):
        return "never read"
    said = [sentence.removeprefix("Null ").rstrip(".") for sentence in _sentences(value) if sentence.startswith(_WHEN_NULL)]
    return said[0].replace("Never null", "never").replace("Present", "present") if said else "where Mailchimp gives none"


def value_table() -> str:
    """Return the table of what the types of merge fields take and send; types that do the same share a row."""
    rows = {one: [name for name, other in VALUE_TYPES.items() if other is one] for one in VALUE_TYPES.values()}
    return table(("Type", "Takes", "Sends"), [(", ".join(names), one.takes, one.sends) for one, names in rows.items()])


def rule_table() -> str:
    """Return the table of what a rule of `field_mapping` may fill."""
    return table(("`field`", "What it fills"), [(code(form), words) for form, words in FORMS.items()])


def name_table() -> str:
    """Return which names count without a rule, and where."""
    everywhere = [name for name in FIELDS if name in ANY_TABLE]
    others = [name for name in FIELDS if name in WRITABLE and name not in ANY_TABLE]
    rows = [("any", everywhere), ("one of unified contacts, or with an audience as its object", [*everywhere, *others])]
    return table(("Stream", "Names that count"), [(where, ", ".join(map(code, names))) for where, names in rows])
