"""Further options of the destination, as its specification describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.send.draft import NOT_OPTIONS

FIRST = ("status_if_new", "apply_status", "empty_values", "tag_mode", "managed_tags", "invalid_values")
"""Options that many people need; the others follow in the order of the form."""


@dataclass(frozen=True)
class Option:
    """An option that a form can hold: a choice, a switch, a number, a text or a list of texts."""

    name: str
    title: str
    description: str
    kind: str
    choices: tuple[str, ...]
    default: Any
    value: Any


def options(specification: Json, chosen: Mapping[str, Any]) -> list[Option]:
    """Return the options in the order of the form, those that many need first."""
    properties = {
        name: one for name, one in specification["properties"].items() if name not in NOT_OPTIONS and not one.get("airbyte_hidden")
    }
    ordered = sorted(properties, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), properties[name].get("order", 0)))
    return [_option(name, properties[name], kind, chosen.get(name)) for name in ordered if (kind := _kind(properties[name]))]


def read_option(option: Option, given: str) -> Any:
    """Return what was typed as a value of the configuration; None for the default."""
    typed = given.strip()
    if not typed:
        return None
    if option.kind == "switch":
        value: Any = typed == "true"
    elif option.kind == "number":
        value = _number(typed)
    elif option.kind == "list":
        value = [part.strip() for part in typed.split(",") if part.strip()]
    else:
        value = typed
    return None if value == option.default else value


def _option(name: str, schema: Json, kind: str, value: Any) -> Option:
    default = schema.get("default")
    shown = default if value is None else value
    if kind == "list":
        shown = ", ".join(shown or [])
    choices = tuple(str(choice) for choice in schema.get("enum", ()))
    return Option(name, schema.get("title", name), schema.get("description", ""), kind, choices, default, shown)


def _kind(schema: Json) -> str | None:
    if "enum" in schema:
        return "choice"
    if schema.get("type") == "array" and (schema.get("items") or {}).get("type") == "string":
        return "list"
    return {"boolean": "switch", "integer": "number", "number": "number", "string": "text"}.get(str(schema.get("type")))


def _number(typed: str) -> Any:
    try:
        value = float(typed)
    except ValueError:
        return typed
    return int(value) if value.is_integer() else value
