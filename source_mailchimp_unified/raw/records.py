"""What an item of a collection becomes: the record, as Mailchimp gives it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from mailchimp_unified.entities.entity import timestamp
from source_mailchimp_unified.raw.table import Collection, Flatten

Json = dict[str, Any]
Times = dict[str, "Times"]
"""The properties of a schema that are times or hold some, as a tree; a time, or a list of times, has nothing below it."""

TIME_FORMAT = "date-time"

DIGEST_BYTES = 16

LINKS = "_links"
"""Mailchimp's links to its own interface, in every object: https://mailchimp.com/developer/marketing/docs/fundamentals/."""


def times_of(schema: Mapping[str, Any]) -> Times:
    """Return where a record of this schema holds times."""
    found: Times = {}
    for name, below in {**schema.get("properties", {}), **schema.get("items", {}).get("properties", {})}.items():
        inside = times_of(below)
        if inside or TIME_FORMAT in (below.get("format"), below.get("items", {}).get("format")):
            found[name] = inside
    return found


def records_of(row: Collection, items: Iterable[Json], keys: Mapping[str, Any], times: Times) -> Iterator[Json]:
    """Yield the records of some items: without links, with the `keys` of the parents where absent, and null for an empty time.

    The items are changed: they are a page, and nobody else's.
    """
    for item in items:
        drop_links(item)
        for name, value in keys.items():
            if item.get(name) is None:
                item[name] = value
        for record in entries(item, row.flatten) if row.flatten else (item,):
            blank_times(record, times)
            yield record


def drop_links(value: Any) -> None:
    """Remove the links at any depth of a value."""
    if type(value) is dict:
        value.pop(LINKS, None)
        for below in value.values():
            if type(below) is dict or type(below) is list:
                drop_links(below)
    elif type(value) is list:
        for below in value:
            drop_links(below)


def entries(item: Json, flatten: Flatten) -> Iterator[Json]:
    """Yield the item once for each of its entries, with what the entry says and the digest that tells it from the others."""
    whole = {name: value for name, value in item.items() if name != flatten.field}
    for entry in item.get(flatten.field) or ():
        digest = hashlib.blake2b(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS), digest_size=DIGEST_BYTES)
        yield {**whole, **entry, flatten.id: digest.hexdigest()}


def blank_times(value: Any, times: Times) -> None:
    """Put null in the place of every empty text that should be a time: no warehouse can read it as one."""
    if isinstance(value, list):
        for one in value:
            blank_times(one, times)
    elif isinstance(value, dict):
        for name, below in times.items():
            if below:
                blank_times(value.get(name), below)
            elif name in value:
                value[name] = _time(value[name])


def _time(value: Any) -> Any:
    if isinstance(value, list):
        return [_time(one) for one in value]
    return None if value == "" else value


def newest(row: Collection, items: Iterable[Json]) -> str | None:
    """Return the newest time under the cursor of some items, None when none has one."""
    if row.cursor is None:
        return None
    if row.flatten is not None:
        items = (entry for item in items for entry in item.get(row.flatten.field) or ())
    moments = (timestamp(item.get(row.cursor.field)) for item in items)
    return max((moment for moment in moments if moment), default=None)
