"""Values made up from a JSON schema: the same for the same place and number, and of the described shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from mailchimp_emulator.times import format_second

Schema = Mapping[str, Any]

FIRST_MOMENT = 1_704_067_200
"""Made-up times begin with 2024, an hour apart."""

ENTRIES = 2
"""So many entries have lists inside of items."""

EMPTY_EVERY = 3
"""Of so many times one is empty: Mailchimp gives "" for none."""


def made_up(schema: Schema, name: str, number: int) -> Any:
    """Return the value called `name` of the item with this number."""
    if variants := schema.get("x-oneOf"):
        return made_up(variants[number % len(variants)], name, number)
    if parts := schema.get("allOf"):
        return {key: value for part in parts for key, value in made_up(part, name, number).items()}
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    return _MAKERS[_kind(schema)](schema, name, number)


def moment(name: str, number: int) -> str:
    """Return the time called `name` of an item; of other names it lies some seconds apart."""
    return format_second(FIRST_MOMENT + number * 3600 + crc32(name.encode()) % 600)


def _kind(schema: Schema) -> str:
    kind = schema.get("type", "object")
    return kind if isinstance(kind, str) else next(one for one in kind if one != "null")


def _text(schema: Schema, name: str, number: int) -> str:
    if schema.get("format") != "date-time":
        return f"{name}-{number}"
    return "" if number % EMPTY_EVERY == EMPTY_EVERY - 1 else moment(name, number)


def _array(schema: Schema, name: str, number: int) -> list[Any]:
    return [made_up(schema.get("items", {}), name, number * ENTRIES + entry) for entry in range(ENTRIES)]


def _object(schema: Schema, _: str, number: int) -> dict[str, Any]:
    return {name: made_up(below, name, number) for name, below in schema.get("properties", {}).items()}


def _integer(_: Schema, __: str, number: int) -> int:
    return number + 1


def _number(_: Schema, __: str, number: int) -> float:
    return number + 0.5


def _boolean(_: Schema, __: str, number: int) -> bool:
    return number % 2 == 0


_MAKERS: dict[str, Callable[[Schema, str, int], Any]] = {
    "string": _text,
    "array": _array,
    "object": _object,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
