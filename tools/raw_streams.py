"""Derives the schemas of the raw streams from Mailchimp's API description (Swagger 2.0).

`make raw` runs it. The description itself is not part of the project; it is looked for at ../shared/facts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Any

from source_mailchimp_unified.raw.schemas import TIME
from source_mailchimp_unified.raw_collections import Collection, lineage, table

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTION = ROOT.parent / "shared" / "facts" / "mailchimp-openapi.json"
SCHEMAS = ROOT / "source_mailchimp_unified" / "raw" / "schemas"

LINKS = "_links"
TIMES_WITHOUT_TYPE = frozenset(
    {"ends_at", "sms_subscription_last_updated", "last_open", "date", "send_time_winner", "first_tweet", "last_tweet"}
)
"""Properties that hold a time although Mailchimp's description types them as texts only."""

DAYS = ("daily_stats", "weekly_stats", "audience_activity")
"""Below these a `date` is a day, not a time."""

DRAFT = "http://json-schema.org/draft-07/schema#"
SCALARS = ("string", "integer", "number", "boolean")


def described_item(row: Collection, paths: Json) -> Json | None:
    """Return the description of an item of a collection, None when the answer is not described."""
    answer = paths[row.path]["get"]["responses"]["200"].get("schema")
    if answer is None or row.records_key is None:
        return answer
    item: Json = answer["properties"][row.records_key]["items"]
    return item


def nullable(described: Json) -> Json:
    """Return a described value as a catalog may have it: nullable, open, without enumerations, variants and references."""
    variants = [*described.get("allOf", ()), *described.get("x-oneOf", ())]
    own = _own(described) if "type" in described or not variants else None
    return reduce(both, [one for one in (own, *map(nullable, variants)) if one is not None])


def _own(described: Json) -> Json:
    kind = described.get("type", "object")
    if kind in SCALARS:
        return TIME if described.get("format") == "date-time" else {"type": ["null", kind]}
    if kind == "array":
        return {"type": ["null", "array"], "items": nullable(described.get("items", {}))}
    properties = {name: _property(name, one) for name, one in described.get("properties", {}).items() if name != LINKS}
    whole: Json = {"type": ["null", "object"], "additionalProperties": True}
    return {**whole, "properties": properties} if properties else whole


def _property(name: str, described: Json) -> Json:
    if name in DAYS:
        return nullable(_days(described))
    if name in TIMES_WITHOUT_TYPE and described.get("type") == "string" and not described.get("x-day"):
        return TIME
    return nullable(described)


def _days(described: Json) -> Json:
    """Return a description in which every `date` is marked as a day."""
    below = {name: {**_days(one), **({"x-day": True} if name == "date" else {})} for name, one in described.get("properties", {}).items()}
    items = {"items": _days(described["items"])} if "items" in described else {}
    return {**described, **({"properties": below} if below else {}), **items}


def both(one: Json, other: Json) -> Json:
    """Return the schema that takes the values of both."""
    types = list(dict.fromkeys([*one["type"], *other["type"]]))
    if "number" in types and "integer" in types:
        types.remove("integer")
    merged: Json = {**one, **other, "type": types}
    for name in ("format", "airbyte_type"):
        if one.get(name) != other.get(name):
            merged.pop(name, None)
    if "properties" in one and "properties" in other:
        merged["properties"] = _merged(one["properties"], other["properties"])
    if "items" in one and "items" in other:
        merged["items"] = both(one["items"], other["items"])
    return merged


def _merged(one: Json, other: Json) -> Json:
    return {**one, **{name: both(one[name], schema) if name in one else schema for name, schema in other.items()}}


def derived(row: Collection, paths: Json) -> Json | None:
    """Return the schema of a row's records, None when Mailchimp does not describe what is in them."""
    described = described_item(row, paths)
    if described is None:
        return None
    properties = nullable(described).get("properties")
    if properties is None:
        return None
    if row.flatten is not None:
        entries = properties.pop(row.flatten.field)["items"]["properties"]
        digest = {"type": ["null", "string"], "description": f"Digest of the entry, to tell it from the others under {row.flatten.field}."}
        properties = {**properties, **entries, row.flatten.id: digest}
    for parent in lineage(row):
        properties.setdefault(parent.column, _key_of(table()[parent.row], parent.field, paths))
    return {"$schema": DRAFT, "type": "object", "additionalProperties": True, "properties": dict(sorted(properties.items()))}


def _key_of(parent: Collection, field: str, paths: Json) -> Json:
    described = described_item(parent, paths)
    types = nullable(described)["properties"][field]["type"] if described else ["null", "string"]
    return {"type": types, "description": f"Key of the parent in {parent.stream}, under {field} there."}


def schema_files(paths: Json) -> dict[str, str]:
    """Return the content of every schema file by name."""
    schemas = {row.name: derived(row, paths) for row in table().values()}
    return {f"{name}.json": _lines(schema) for name, schema in schemas.items() if schema is not None}


def _lines(schema: Json) -> str:
    """Return a schema with one property a line."""
    head = json.dumps({**schema, "properties": None}).removesuffix("null}")
    return head + "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in schema["properties"].items()) + "\n}}\n"


def write_schemas(contents: dict[str, str]) -> None:
    """Write the schema files, and remove those of rows that are gone."""
    SCHEMAS.mkdir(exist_ok=True)
    for path in SCHEMAS.glob("*.json"):
        if path.name not in contents:
            path.unlink()
    for name, content in contents.items():
        (SCHEMAS / name).write_text(content)


def main(arguments: Iterable[str]) -> None:
    """Write everything that is derived."""
    path = Path(next(iter(arguments), DESCRIPTION))
    write_schemas(schema_files(json.loads(path.read_text())["paths"]))


if __name__ == "__main__":
    main(sys.argv[1:])
