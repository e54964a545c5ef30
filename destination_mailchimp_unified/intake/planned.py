"""Merge fields that the mapping names, as what they would be created where an audience lacks them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from destination_mailchimp_unified.audience.merge_fields import PlannedField
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.fields import MERGE_TAG
from destination_mailchimp_unified.intake.formats import is_date
from destination_mailchimp_unified.intake.rules import Filler, filler_of
from mailchimp_unified.request import Json
from mailchimp_unified.text import folded, visible

_DATE_FORMATS = ("date", "date-time")


def planned_fields(columns: Columns, properties: Json) -> dict[str, PlannedField]:
    """Return the merge fields that a stream names, by tag: those of its rules, and those that its schema has under custom_fields.

    The type comes from the column's schema: number, date, address (postal), or text for everything else.
    """
    named = {folded(str(name)): schema for name, schema in properties.items()}
    fields = [_planned(filler, named.get(folded(filler.origin))) for filler in columns.rule_fillers() if filler.field.merge_tag]
    return {field.tag: field for field in [*_of_custom_fields(columns, named.get("custom_fields")), *fields]}


def planned_by_rules(config: DestinationConfig) -> dict[str, PlannedField]:
    """Return the merge fields that `field_mapping` names, as far as their types are known before any column is."""
    fillers = [filler_of(rule) for rule in config.field_mapping]
    fields = [_planned(filler, None) for filler in fillers if filler.field.merge_tag]
    return {field.tag: field for field in fields}


def _planned(filler: Filler, schema: Any) -> PlannedField:
    tag = filler.field.merge_tag or ""
    label = visible(filler.rule.column) if filler.rule and filler.rule.column and not filler.field.part else tag
    return PlannedField(tag, label, _type_of(filler, schema))


def _type_of(filler: Filler, schema: Any) -> str:
    if filler.field.part:
        return "address"
    if filler.rule and filler.rule.prefix:
        return "text"
    if filler.rule and filler.rule.format:
        return "date" if is_date(filler.rule.format) else "number"
    return type_of_schema(schema)


def type_of_schema(schema: Any) -> str:
    """Return the type of merge field for a column of this JSON schema."""
    if not isinstance(schema, Mapping):
        return "text"
    types = schema.get("type")
    kinds = {kind for kind in (types if isinstance(types, list) else [types]) if kind != "null"}
    if kinds and kinds <= {"number", "integer"}:
        return "number"
    if kinds == {"string"} and schema.get("format") in _DATE_FORMATS:
        return "date"
    return "address" if kinds == {"object"} else "text"


def _of_custom_fields(columns: Columns, schema: Any) -> Iterator[PlannedField]:
    below = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(below, Mapping) or not columns.is_unified:
        return
    for name, one in below.items():
        tag = visible(str(name)).upper()
        if MERGE_TAG.fullmatch(tag):
            yield PlannedField(tag, tag, type_of_schema(one))
