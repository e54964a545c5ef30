"""The contract both connectors share: one JSON Schema (Draft 7) per unified stream."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson


def load_schema(name: str) -> dict[str, Any]:
    """Return the schema of the stream `name`, such as `contacts`; a fresh copy at each call."""
    schema: dict[str, Any] = orjson.loads(files(__package__).joinpath(f"{name}.json").read_bytes())
    return schema


def readable_schema(name: str) -> dict[str, Any]:
    """Return the schema of what a source produces: `load_schema` without the properties that are for writing only."""
    schema = load_schema(name)
    schema["properties"] = {key: value for key, value in schema["properties"].items() if not value.get("writeOnly")}
    return schema
