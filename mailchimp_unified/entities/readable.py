"""What does not fit the schema of a record is null and named: one odd row harms nothing but itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from msgspec.structs import astuple

from mailchimp_unified.entities.entity import Entity, timestamp
from mailchimp_unified.entities.rows import Contact, Member
from mailchimp_unified.request import Json
from mailchimp_unified.schemas import readable_schema

_KINDS: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Readable(NamedTuple):
    """A record that fits its schema, and the paths of the fields that did not and are null in it."""

    record: Json
    nulled: Sequence[str] = ()


def readable(record: Json, entity: Entity) -> Readable | None:
    """Return a record with null for every field that does not fit the schema. None when its key does not: then it is no record."""
    nulled: list[str] = []
    fitted: Json = _fitted(record, _shape_of(entity.name), "", nulled)
    if any(fitted.get(name) in (None, "") for name in entity.primary_key):
        return None
    return Readable(fitted, nulled)


def readable_page(
    members: Sequence[Member], entity: Entity, strictly: Callable[[Member], Contact], tolerantly: Callable[[Member], Json]
) -> list[Contact | Readable | Json]:
    """Return the records of a page of members, and leave out anything that is not a record.

    `strictly` maps a member and raises for what it cannot read; `tolerantly` passes that on. Nearly every page is in order: its
    records come as they are, after one look at the types in each of its columns.
    """
    if not members:
        return []
    try:
        contacts = list(map(strictly, members))
        if _are_in_order(contacts, entity):
            return list(contacts)
    except (ValueError, TypeError, AttributeError, KeyError):
        pass
    found = (readable(tolerantly(member), entity) for member in members)
    return [one if one.nulled else one.record for one in found if one is not None]


class _Shape(NamedTuple):
    """A schema, prepared for quick looks: the types it allows (None for all), and what it says of what is inside."""

    kinds: frozenset[type] | None
    choices: frozenset[Any] | None
    is_time: bool
    items: _Shape | None
    properties: Mapping[str, _Shape]
    others: _Shape | None


def _shape(schema: Mapping[str, Any]) -> _Shape:
    names = schema.get("type")
    names = [names] if isinstance(names, str) else names
    others = schema.get("additionalProperties")
    return _Shape(
        kinds=None if names is None else frozenset(kind for name in names for kind in _KINDS[name]),
        choices=frozenset(schema["enum"]) if "enum" in schema else None,
        is_time=schema.get("format") == "date-time",
        items=_shape(schema["items"]) if "items" in schema else None,
        properties={name: _shape(inner) for name, inner in schema.get("properties", {}).items()},
        others=_shape(others) if isinstance(others, dict) else None,
    )


@cache
def _shape_of(name: str) -> _Shape:
    return _shape(readable_schema(name))


def _are_in_order(contacts: Sequence[Contact], entity: Entity) -> bool:
    """Return whether all of some contacts fit the schema."""
    columns = dict(zip(Contact.__struct_fields__, zip(*map(astuple, contacts), strict=True), strict=True))
    if any("" in columns[name] for name in entity.primary_key):
        return False
    properties = _shape_of(entity.name).properties
    return all(_fits(column, properties[name]) for name, column in columns.items() if name in properties)


def _fits(column: Sequence[Any], shape: _Shape) -> bool:
    """Return whether all values of a column fit; times are taken for granted, as `strictly` has looked at them."""
    kinds = set(map(type, column))
    if shape.kinds is not None and not kinds <= shape.kinds:
        return False
    if shape.choices is not None and not shape.choices.issuperset(column):
        return False
    if shape.items is not None:
        # What has items is a list or null.
        return _fits(list(chain.from_iterable(filter(None, column))), shape.items)
    if dict not in kinds:
        return True
    objects = [value for value in column if type(value) is dict]
    if shape.others is not None:
        others = [inner for value in objects for name, inner in value.items() if name not in shape.properties]
        if not _fits(others, shape.others):
            return False
    return all(_fits([value.get(name) for value in objects], inner) for name, inner in shape.properties.items())


def _fitted(value: Any, shape: _Shape, path: str, nulled: list[str]) -> Any:
    """Return a value with null for what does not fit, as deep down as possible, and add the paths of these to `nulled`."""
    if type(value) is float and value.is_integer() and shape.kinds is not None and float not in shape.kinds:
        value = int(value)
    if not _is_of_kind(value, shape):
        nulled.append(path)
        return None
    if type(value) is list and shape.items is not None:
        return [_fitted(item, shape.items, f"{path}.{place}", nulled) for place, item in enumerate(value)]
    if type(value) is dict:
        inside = {name: shape.properties.get(name, shape.others) for name in value}
        prefix = f"{path}." if path else ""
        return {
            name: inner if (one := inside[name]) is None else _fitted(inner, one, f"{prefix}{name}", nulled)
            for name, inner in value.items()
        }
    return value


def _is_of_kind(value: Any, shape: _Shape) -> bool:
    if shape.kinds is not None and type(value) not in shape.kinds:
        return False
    if shape.choices is not None and value not in shape.choices:
        return False
    return not shape.is_time or type(value) is not str or timestamp(value) is not None
