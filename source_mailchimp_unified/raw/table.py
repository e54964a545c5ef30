"""The table of Mailchimp's collections: collections.json, a row each, and which of them a configuration asks for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PREFIX = "mailchimp_"
"""Begins the name of every raw stream, so that it stands beside the unified stream of the same name."""

ALL = "all"
"""Asks for every collection but those to be named one by one."""

SUGGESTIONS = 3
"""So many names are suggested for one that does not exist."""


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parent(_Facts):
    """The collection whose items partition this one: `param` of the path is filled from their `field`.

    The value stands in the records as `as`, where Mailchimp calls it by another name than in the path.
    """

    row: str
    param: str
    # "id" unless told.
    field: str = "id"
    name: str | None = Field(default=None, alias="as")

    @property
    def column(self) -> str:
        """The property of the records that holds the value."""
        return self.name or self.param


class Cursor(_Facts):
    """How Mailchimp filters by time: `since` excludes its own second, `before` includes it.

    `field` is the time in the records. A collection that `ignores_start_date` is read from its beginning.
    """

    field: str
    since: str
    before: str | None = None
    ignores_start_date: bool = False


class Flatten(_Facts):
    """One record per entry of the list `field` of an item, with a digest of the entry under `id`."""

    field: str
    id: str


class Collection(_Facts):
    """A row: a collection of Mailchimp, https://mailchimp.com/developer/marketing/api/.

    Without `records_key` the whole answer is the one record. `params` go with every request; `sweeps` are read one after
    the other, as one. A collection that is not `partial` does not know fields and exclude_fields. One `on_request` needs a
    request for each of what may be very many.
    """

    name: str
    path: str
    parent: Parent | None = None
    records_key: str | None = None
    primary_key: tuple[str, ...]
    paging: Literal["offset", "cursor", "none"]
    cursor: Cursor | None = None
    sort_field: str | None = None
    params: dict[str, str | int] = {}
    sweeps: tuple[dict[str, str], ...] = ({},)
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


def parse_table(content: bytes) -> dict[str, Collection]:
    """Return the rows by name. Raises pydantic's ValidationError for a row that is none."""
    return {row.name: row for row in TypeAdapter(tuple[Collection, ...]).validate_json(content)}


@cache
def table() -> dict[str, Collection]:
    """Return all rows by name, in the order of their paths."""
    return parse_table(files(__package__).joinpath("collections.json").read_bytes())


def by_stream(stream: str) -> Collection | None:
    """Return the row of a stream, None when it is no raw stream."""
    return table().get(stream.removeprefix(PREFIX)) if stream.startswith(PREFIX) else None


def lineage(row: Collection) -> list[Parent]:
    """Return the parents of a row, the farthest first."""
    parents: list[Parent] = []
    while row.parent is not None:
        parents.insert(0, row.parent)
        row = table()[row.parent.row]
    return parents


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
