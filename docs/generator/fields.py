"""The fields of a unified stream: where each comes from, when it is null, and what a writer makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from destination_mailchimp_unified.intake.values import WRITABLE
from docs.generator.tables import code, table
from mailchimp_unified.entities import audience, contact, tag, user
from mailchimp_unified.entities.contact import READ_ONLY, ROUTING
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

# What the last column says is not said twice.
_SAID_ELSEWHERE = ("Read only.", "Write only.", "The cursor.", *_WHEN_NULL)


def field_table(stream: str) -> str:
    """Return the table of a stream's fields, in the order of its schema."""
    properties = load_schema(stream)["properties"]
    head = ("Field", "Type", "Mailchimp's field", "When null", *(["Written back"] if stream == "contacts" else []))
    return table(head, [_row(stream, name, value) for name, value in properties.items()])


def _row(stream: str, name: str, value: Json) -> tuple[str, ...]:
    cells = (code(name), _type(value), _origin(value), _null(value, always=_OF_NOTHING[stream].get(name) is not None))
    return (*cells, written_back(name)) if stream == "contacts" else cells


def written_back(name: str) -> str:
    """Return what the destination does with a field of a contact."""
    if name in READ_ONLY:
        return "no, ignored"
    if name == "email":
        return "finds the contact"
    if name in ROUTING:
        return "decides the call" if name in WRITABLE else "no, derived from `email`"
    return "yes" if name in WRITABLE else "no"


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
