"""The table of Mailchimp's collections: raw_collections.json, a row each, and which of them a configuration asks for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PREFIX = "mailchimp_"
"""Begins the name of every raw stream, so that it stands next to the unified stream of the same name."""

ALL = "all"
"""Asks for every collection but those to be named one by one."""

SUGGESTIONS = 3
"""So many names are suggested for one that does not exist."""

Followed = Literal["fingerprint", "cursor", "parent", "whole"]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parent(_Facts):
    """The collection whose items partition this one: `param` of the path is filled from their `field`.

    The value stands in the records as `as`, where Mailchimp calls it by another name than in the path. What the parent says of its
    children, with dots for what is inside: `tells` changes with them, `dates` are the times of what happened last, `size` adds up
    to about how many they are. Only parents that have one of the values in `settled` are believed.
    """

    row: str
    param: str
    field: str = "id"
    name: str | None = Field(default=None, alias="as")
    tells: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    settled: dict[str, tuple[str, ...]] = {}

    @property
    def column(self) -> str:
        """The property of the records that holds the value."""
        return self.name or self.param

    @property
    def told(self) -> tuple[str, ...]:
        """All that is to be known of an item of the parent, apart from its key."""
        return tuple(dict.fromkeys((*self.tells, *self.dates, *self.size, *self.settled)))


class Cursor(_Facts):
    """A collection that only grows: `field` is the time in the records.

    Mailchimp filters by it with `since`, which excludes its own second, and `before`, which includes it; without `since` everything
    is asked for and only what is new is emitted. What may show late is read again for `lookback_seconds`; `because` says why so long.
    """

    field: str
    lookback_seconds: int
    since: str | None = None
    before: str | None = None
    because: str = ""


class Flatten(_Facts):
    """One record per entry of the list `field` of an item, with a digest under `id` of what never changes in the entry: `of`."""

    field: str
    id: str
    of: tuple[str, ...] = ()


class Collection(_Facts):
    """A row: a collection of Mailchimp, https://mailchimp.com/developer/marketing/api/.

    Without `records_key` the whole answer is the one record. `followed` says how an incremental sync finds what is new, and `because`
    why not otherwise; fields that `varies` names differ from answer to answer and make no new version. `dates` are the times in a
    record that `start_date` is compared with, the newest of them. `params` go with every request, those of `options` with a
    configuration that has the option; `listings` are read one after the other, as one. A collection that is not `partial` does not
    know fields and exclude_fields. One `on_request` needs a request for each of what may be very many. `group` is for people.
    """

    name: str
    path: str
    group: str = "Other"
    parent: Parent | None = None
    records_key: str | None = None
    primary_key: tuple[str, ...]
    paging: Literal["offset", "cursor"] = "offset"
    followed: Followed | None = None
    because: str = ""
    cursor: Cursor | None = None
    varies: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    sort_field: str | None = None
    params: dict[str, str | int] = {}
    options: dict[str, dict[str, str]] = {}
    listings: tuple[dict[str, str], ...] = ({},)
    flatten: Flatten | None = None
    partial: bool = True
    on_request: bool = False

    @property
    def stream(self) -> str:
        """The name of its stream."""
        return PREFIX + self.name

    @property
    def words(self) -> str:
        """Its name in words."""
        return self.name.replace("_", " ")

    @property
    def follows(self) -> Followed:
        """How it is followed; by cursor where it has one, else by fingerprint, unless the row says otherwise."""
        return self.followed or ("cursor" if self.cursor else "fingerprint")

    @property
    def moments(self) -> tuple[str, ...]:
        """The times in a record that `start_date` is compared with."""
        return (self.cursor.field,) if self.cursor else self.dates


def parse_table(content: bytes) -> dict[str, Collection]:
    """Return the rows by name. Raises pydantic's ValidationError for a row that is none."""
    return {row.name: row for row in TypeAdapter(tuple[Collection, ...]).validate_json(content)}


@cache
def table() -> dict[str, Collection]:
    """Return all rows by name, in the order of their paths."""
    return parse_table(files(__package__).joinpath("raw_collections.json").read_bytes())


def by_stream(stream: str) -> Collection | None:
    """Return the row of a stream, None when it is not a raw stream."""
    return table().get(stream.removeprefix(PREFIX)) if stream.startswith(PREFIX) else None


def lineage(row: Collection) -> list[Parent]:
    """Return the parents of a row, the farthest first."""
    parents: list[Parent] = []
    while row.parent is not None:
        parents.insert(0, row.parent)
        row = table()[row.parent.row]
    return parents


def told_of(name: str, field: str) -> tuple[str, ...]:
    """Return all that any child has to know of the items of the row `name`, apart from the key under `field`."""
    parents = (row.parent for row in table().values() if row.parent and (row.parent.row, row.parent.field) == (name, field))
    return tuple(dict.fromkeys(one for parent in parents for one in parent.told))


def chosen(names: Iterable[str]) -> list[Collection]:
    """Return the rows that `raw_streams` names."""
    named = frozenset(names)
    return [row for row in table().values() if row.name in named or (ALL in named and not row.on_request)]


def usable_name(value: str) -> str:
    """Return the name of a row or `all`; the prefix may be there. Raises ValueError with the nearest names for another one."""
    name = value.strip().removeprefix(PREFIX)
    if name != ALL and name not in table():
        raise ValueError(f"names no collection of Mailchimp. The nearest names are {', '.join(_nearest(name))}.")
    return name


def _nearest(name: str) -> list[str]:
    return difflib.get_close_matches(name, [*table(), ALL], SUGGESTIONS, cutoff=0)


def refusal(stream: str, names: Iterable[str]) -> str | None:
    """Return why a stream of a catalog is not read as a raw stream, in words for the user; None when it is."""
    row = by_stream(stream)
    if row is None:
        near = ", ".join(PREFIX + name for name in _nearest(stream.removeprefix(PREFIX)))
        return (
            f"There is no stream {stream}. Please refresh the source schema. The streams are contacts, lists, tags and users,"
            f" and raw streams whose names begin with {PREFIX}; the nearest of them are {near}."
        )
    if row.parent is None or not row.on_request or row.name in names:
        return None
    return (
        f"The stream {stream} takes a request for each of the {table()[row.parent.row].words}."
        f" To read it, please name {row.name} in raw_streams; otherwise remove the stream from the connection."
    )
