"""What an item of a collection becomes: the record, as Mailchimp gives it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from mailchimp_unified.entities.entity import timestamp
from mailchimp_unified.entities.readable import Readable
from mailchimp_unified.request import Json
from source_mailchimp_unified.raw_collections import Collection, Flatten

Times = dict[str, "Times"]
"""The properties of a schema that are times or hold some, as a tree; a time, or a list of times, has nothing below it."""

TIME_FORMAT = "date-time"

DIGEST_BYTES = 16
"""Keys of entries stay the same from version to version: their length and their making are part of the tables of users."""

NO_DATE = "0000-00-00"
"""Begins a time that is none, as databases write it."""

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


def records_of(row: Collection, items: Iterable[Json], keys: Mapping[str, Any], times: Times) -> Iterator[Readable]:
    """Yield the records of some items: without links, with the `keys` of the parents where absent, and times that are times.

    With each come the names of the fields that could not be read and are null. The items are changed: they are a page, and nobody
    else's.
    """
    for item in items:
        drop_links(item)
        for name, value in keys.items():
            if item.get(name) is None:
                item[name] = value
        for record in entries(item, row.flatten) if row.flatten else (item,):
            unread: list[str] = []
            normalize_times(record, times, unread)
            yield Readable(record, unread)


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
    """Yield the item once for each of its entries, with what the entry says and the digest that tells it from the others.

    The digest is of what never changes in an entry, and of its number among those that are equal in it.
    """
    whole = {name: value for name, value in item.items() if name != flatten.field}
    copies: dict[str, int] = {}
    for entry in _entries(item, flatten.field):
        steady = {name: value for name, value in entry.items() if name in flatten.of} if flatten.of else entry
        plain = _key(steady)
        copy = copies[plain] = copies.get(plain, -1) + 1
        yield {**whole, **entry, flatten.id: _key([plain, copy]) if copy else plain}


def _key(value: Any) -> str:
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=DIGEST_BYTES).hexdigest()


def _entries(item: Json, field: str) -> list[Json]:
    found = item.get(field)
    return [entry for entry in found if type(entry) is dict] if isinstance(found, list) else []


def odd_entries(row: Collection, items: Iterable[Json]) -> int:
    """Return how many entries of some items are no objects."""
    if row.flatten is None:
        return 0
    field = row.flatten.field
    found = [(item.get(field), _entries(item, field)) for item in items]
    return sum(len(given) - len(read) if isinstance(given, list) else given is not None for given, read in found)


def normalize_times(value: Any, times: Times, unread: list[str], path: str = "") -> None:
    """Write every time as RFC 3339, in UTC where it names no zone; null for what is none, and its name in `unread`."""
    if isinstance(value, list):
        for one in value:
            normalize_times(one, times, unread, path)
    elif isinstance(value, dict):
        for name, below in times.items():
            if below:
                normalize_times(value.get(name), below, unread, f"{path}{name}.")
            elif value.get(name) is not None:
                value[name] = _time(value[name], path + name, unread)


def _time(value: Any, path: str, unread: list[str]) -> Any:
    if isinstance(value, list):
        return [_time(one, path, unread) for one in value]
    moment = timestamp(value)
    if moment is None:
        if value not in ("", None) and not str(value).startswith(NO_DATE) and path not in unread:
            unread.append(path)
        return None
    # What has a zone stays as Mailchimp wrote it, fractions of a second included.
    return value if value[10:11] == "T" and (value.endswith("Z") or value[-6:-5] in ("+", "-")) else moment


def newest(record: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """Return the newest of some times of a record, by their names, with dots for what is inside; None when it has none."""
    moments = (timestamp(inside(record, name)) for name in names)
    return max((moment for moment in moments if moment), default=None)


def inside(value: Any, name: str) -> Any:
    """Return what an object holds under a name, with dots for what is inside; None when it does not."""
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
