"""The reference of a configuration, from its specification: one row per key, nested ones under the key that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from docs.generator.tables import code, table

Json = Mapping[str, Any]
Row = tuple[str, ...]

MOST_SHOWN = 12
"""Of a longer choice the beginning is shown: the form offers the rest."""


def configuration_table(package: str) -> str:
    """Return the table of every key that a connector's configuration may hold."""
    specification = json.loads(files(package).joinpath("spec.json").read_text())["connectionSpecification"]
    head = ("Key", "Title", "Type", "Default", "What it does")
    return table(head, rows_of(specification))


def rows_of(specification: Json) -> Iterator[Row]:
    """Yield the rows of an object's properties; those of a group follow its title."""
    titles = {group["id"]: group.get("title", "") for group in specification.get("groups", [])}
    groups = list(titles)
    properties = sorted(specification["properties"].items(), key=lambda item: (_place(groups, item[1]), item[1].get("order", 0)))
    last = None
    for name, value in properties:
        group = value.get("group")
        if group != last and titles.get(group):
            yield (f"**{titles[group]}**", "", "", "", "")
        last = group
        yield from _rows(name, value, required=name in specification.get("required", []))


def _place(groups: list[str], value: Json) -> int:
    group = value.get("group")
    return groups.index(group) if group in groups else len(groups)


def _rows(path: str, value: Json, *, required: bool) -> Iterator[Row]:
    """Yield the row of one key, then those of what it holds: options, items, properties."""
    yield (code(path), value.get("title", ""), _type(value), _default(value, required=required), _words(value))
    for option in value.get("oneOf", []):
        yield from _option(path, option)
    items = value.get("items", {})
    if "properties" in items or "oneOf" in items:
        yield from _held(f"{path}[]", items)
    if "properties" in value:
        yield from _held(path, value)


def _option(path: str, option: Json) -> Iterator[Row]:
    yield (f"{code(path)}, {option.get('title', 'option')}", "", "object", "", option.get("description", ""))
    yield from _held(path, option)


def _held(path: str, value: Json) -> Iterator[Row]:
    for option in value.get("oneOf", []):
        yield from _option(path, option)
    properties = sorted(value.get("properties", {}).items(), key=lambda item: item[1].get("order", 0))
    for name, held in properties:
        yield from _rows(f"{path}.{name}", held, required=name in value.get("required", []))


def _type(value: Json) -> str:
    types = value.get("type", "object")
    name = "/".join(types) if isinstance(types, list) else types
    if name == "array":
        items = value.get("items", {})
        return f"list of {_type(items)}s" if items else "list"
    return f"{name}, secret" if value.get("airbyte_secret") else str(name)


def _default(value: Json, *, required: bool) -> str:
    if "const" in value:
        return f"always {code(value['const'])}"
    if "default" in value:
        return code(json.dumps(value["default"]).strip('"')) or "empty"
    return "required" if required else ""


def _words(value: Json) -> str:
    """Return the description, and the rules that the form checks."""
    allowed = value.get("enum") or value.get("items", {}).get("enum") or []
    rules = [
        _choice(allowed) if allowed else "",
        f"{value['minimum']} to {value['maximum']}." if "minimum" in value and "maximum" in value else "",
        f"Form: {value['pattern_descriptor']}." if value.get("pattern_descriptor") else "",
        "Not shown in the form." if value.get("airbyte_hidden") else "",
    ]
    return " ".join(part for part in (value.get("description", ""), *rules) if part)


def _choice(allowed: list[Any]) -> str:
    shown = ", ".join(code(one) for one in allowed[:MOST_SHOWN])
    left = len(allowed) - MOST_SHOWN
    return f"One of {shown}, and {left} more." if left > 0 else f"One of {shown}."
