"""The steps that fill in a form, made from its specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integration_tests.forms.browser import Step
from unit_tests.specs import Schema, discriminator

LOOK: Step = {"act": "look"}
SUBMIT: Step = {"act": "submit"}
UNFOLD: Step = {"act": "unfold"}

INSTEAD = ("value",)
"""What is given in place of another field: a rule has a column or a value."""

MADE_UP = "made-up-secret"
"""What is typed where a field has no example: secrets have none."""

PICKED = "2024-01-31T10:00"
"""What a date picker is given; its time zone is UTC."""


def visible(schema: Schema) -> list[str]:
    """Return the names of an object's fields in the order of the form: those that show, then those that are folded."""
    properties = schema["properties"]
    names = [name for name, below in properties.items() if not below.get("airbyte_hidden") and "const" not in below]
    return sorted(names, key=lambda name: (is_folded(schema, name), properties[name]["order"]))


def is_folded(schema: Schema, name: str) -> bool:
    """Return whether a field is among the optional ones."""
    return name not in schema.get("required", ()) and not schema["properties"][name].get("always_show")


def choose(path: str, option: str) -> Step:
    """Return the step that selects an option."""
    return {"act": "choose", "path": path, "option": option}


def enter(path: str, value: Any) -> Step:
    """Return the step that types a value and leaves the field."""
    return {"act": "type", "path": path, "value": str(value)}


def fill(path: str, schema: Schema, option: str) -> Iterator[Step]:
    """Yield the steps that give a field a value which is not its default; of a oneOf the option with that constant is taken."""
    if "oneOf" in schema:
        yield from _fill_option(path, next(one for one in schema["oneOf"] if discriminator(one)[1] == option))
    elif schema["type"] == "object":
        yield from _fill_object(path, schema)
    elif schema["type"] == "array":
        yield from _fill_array(path, schema, option)
    elif schema["type"] == "boolean":
        yield {"act": "tick", "path": path, "option": schema["title"]}
    elif "enum" in schema:
        yield choose(path, next(value for value in reversed(schema["enum"]) if value != schema.get("default")))
    elif schema.get("format") == "date-time":
        yield enter(path, PICKED)
    else:
        yield enter(path, schema.get("examples", [MADE_UP])[0])


def _fill_option(path: str, option: Schema) -> Iterator[Step]:
    yield choose(path, option["title"])
    yield from _fill_object(path, option)


def _fill_object(path: str, option: Schema) -> Iterator[Step]:
    for name in visible(option):
        if is_folded(option, name):
            yield UNFOLD
        yield from fill(f"{path}.{name}", option["properties"][name], "")


def _fill_array(path: str, schema: Schema, option: str) -> Iterator[Step]:
    items = schema["items"]
    if "enum" in items:
        yield {"act": "tick", "path": path, "option": items["enum"][0]}
        return
    yield {"act": "add", "path": path}
    if "properties" not in items:
        yield from fill(f"{path}.0", items, option)
        return
    for name in visible(items):
        if name in INSTEAD:
            continue
        if is_folded(items, name):
            yield UNFOLD
        yield from fill(f"{path}.0.{name}", items["properties"][name], option)
