"""The fields of an audience as a mapping form offers them: each once, under the name and type by which it is written. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.intake.fields import INTEREST_PREFIX, MERGE_FIELD_PREFIX, PERMISSION_PREFIX
from mailchimp_unified.entities.contact_fields import FIELDS, FIRST_NAME_TAG, LAST_NAME_TAG, WRITABLE
from mailchimp_unified.entities.merge_field import MergeField, value_schema
from mailchimp_unified.request import Json
from mailchimp_unified.schemas import load_schema

_UNIFIED_NAMES = {FIRST_NAME_TAG: "first_name", LAST_NAME_TAG: "last_name"}
"""Merge fields that are offered under their unified names, which say more and have the same type."""

# The object is the audience, the operation says whether to delete, and merge fields, PHONE and ADDRESS too, have columns of
# their own, whose types are those of one value.
_NOT_OFFERED = {"list_id", "is_deleted", "custom_fields", "phones", "addresses", *_UNIFIED_NAMES.values()}


def offered_fields(audience: Audience) -> dict[str, Json]:
    """Return the JSON schema of each field by the name of its column, what people map most first.

    That is: the email address, first and last name, tags, the other merge fields in Mailchimp's order, groups and marketing
    permissions by name, and the other fields of a unified contact in the order of its schema.
    """
    rest = {name: _written(name) for name in load_schema("contacts")["properties"] if name in WRITABLE and name not in _NOT_OFFERED}
    merge_fields = {column_of(tag): _merge_field_schema(one) for tag, one in audience.merge_fields.items()}
    first = [*(name for name in _UNIFIED_NAMES.values() if name in merge_fields), "tags"]
    return {
        "email": rest["email"],
        **{name: {**rest, **merge_fields}[name] for name in first},
        **merge_fields,
        **dict(_groups(audience)),
        **rest,
    }


def column_of(tag: str) -> str:
    """Return the name of the column that fills a merge field in a stream with a destination object."""
    # A column that is named like a unified field is that field.
    return _UNIFIED_NAMES.get(tag) or (f"{MERGE_FIELD_PREFIX}{tag}" if tag.casefold() in FIELDS else tag)


def _written(name: str) -> Json:
    field: Json = load_schema("contacts")["properties"][name]
    return {word: value for word, value in field.items() if word != "writeOnly"}


def _merge_field_schema(merge_field: MergeField) -> Json:
    unified = _UNIFIED_NAMES.get(merge_field.tag)
    if unified and not merge_field.choices and value_schema(merge_field.type) == value_schema("text"):
        return _written(unified)
    words = f"Merge field {merge_field.tag} ({merge_field.type}): {merge_field.name}."
    choices: Json = {"enum": [*dict.fromkeys(merge_field.choices), None]} if merge_field.choices else {}
    return {**value_schema(merge_field.type), **choices, "description": words}


def _groups(audience: Audience) -> Iterator[tuple[str, Json]]:
    if audience.groups is None:
        return
    for name, _ in audience.groups.interests.values():
        yield f"{INTEREST_PREFIX}{name}", _switch(f"Whether the contact is in the group {name}.")
    for text, _ in audience.groups.permissions.values():
        yield f"{PERMISSION_PREFIX}{text}", _switch(f"Whether the contact grants the marketing permission {text}.")


def _switch(description: str) -> Json:
    return {"type": ["null", "boolean"], "description": description}
