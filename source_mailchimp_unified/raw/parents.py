"""What partitions a collection: the items of its parent, read once for all its children, of which only what these need is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, NamedTuple

import orjson

from mailchimp_unified.config import MAX_CONNECTIONS
from mailchimp_unified.errors import BugError, MailchimpError, NotFoundError, PermissionDeniedError
from mailchimp_unified.loops import together
from mailchimp_unified.request import Request
from source_mailchimp_unified.raw.cost import Cost
from source_mailchimp_unified.raw.pages import Values, collection_request, only, read_pages
from source_mailchimp_unified.raw.records import inside
from source_mailchimp_unified.raw_collections import Collection, Parent, lineage, table, told_of
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.shared import Shared
from source_mailchimp_unified.sync.streams import Session

AUDIENCES = "lists"
"""The row of the audiences: the account knows them already, and `list_ids` may choose among them."""

SIDE_BY_SIDE = 2 * MAX_CONNECTIONS
"""So many partitions of a parent are read at once."""

NOT_FOR_US = (NotFoundError, PermissionDeniedError)
"""What says that a collection is not there for this account, because of its plan, its role or because it is gone."""


def below_an_audience(row: Collection) -> bool:
    """Return whether a collection belongs to audiences."""
    return any(parent.row == AUDIENCES for parent in lineage(row))


class Partition(NamedTuple):
    """The keys of the parents of a partition, and what the nearest of them tells, by the name of the field."""

    values: Values
    told: Mapping[str, Any]


@dataclass
class Partitions:
    """The partitions of a collection. Packed by the page: the keys of a million contacts take some 35 MB.

    `names` are the fields of the parent that are kept with its key. `errors` are those of the parents that could not be read: their
    partitions are missing.
    """

    names: Sequence[str] = ()
    count: int = 0
    errors: list[MailchimpError] = field(default_factory=list)
    _packed: list[tuple[Values, bytes, bytes]] = field(default_factory=list)

    def add(self, above: Values, keys: Sequence[Any], told: Sequence[Sequence[Any]] = ()) -> None:
        """Add the partitions that these keys make below the partition `above` of their parent, with what is told of each."""
        if keys:
            self.count += len(keys)
            self._packed.append((above, orjson.dumps(keys), orjson.dumps(told)))

    def __iter__(self) -> Iterator[Partition]:
        for above, keys, told in self._packed:
            for key, values in zip(orjson.loads(keys), orjson.loads(told) or repeat(()), strict=False):
                yield Partition((*above, key), dict(zip(self.names, values, strict=False)))

    def extend(self, others: Partitions) -> None:
        """Add other partitions, and what failed of them."""
        self.count += others.count
        self.errors.extend(others.errors)
        self._packed.extend(others._packed)


@dataclass
class _Undivided(Partitions):
    count: int = 1

    def __iter__(self) -> Iterator[Partition]:
        return iter([Partition((), {})])


class Parents:
    """The parents of all collections of a sync. Each is read when the first of its children asks, in full and without a date."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger, self.progress = logger, Progress(logger)
        self._read: dict[tuple[str, str], Shared[Partitions]] = {}

    async def partitions(self, row: Collection, session: Session) -> Partitions:
        """Return the partitions of a collection. Raises the refusal of a parent that is nowhere to be had for this account."""
        if row.parent is None:
            return _Undivided()
        key = (row.parent.row, row.parent.field)
        if key not in self._read:
            self._read[key] = Shared(_ParentReader(self, row.parent, session).read)
        return await self._read[key].get()


class _ParentReader:
    """Reads the items of one parent collection."""

    def __init__(self, parents: Parents, parent: Parent, session: Session) -> None:
        self._parents, self._session = parents, session
        self._row, self._field = table()[parent.row], parent.field
        self._found = Partitions(told_of(parent.row, parent.field))
        self._cost = Cost(f"Reading the ids of the {self._row.words} takes", parents.logger)
        self._refused: dict[Values, MailchimpError] = {}
        self._answered = False

    async def read(self) -> Partitions:
        """Return the partitions. Raises the refusal of a collection that is nowhere to be had."""
        if self._row.name == AUDIENCES:
            self._add(self._found, (), (await self._session.account.audiences()).chosen)
            return self._found
        partitions = await self._parents.partitions(self._row, self._session)
        self._found.errors.extend(partitions.errors)
        self._cost.expect(partitions.count * len(self._row.listings), partitions.count)
        above = iter(partitions)
        while batch := list(islice(above, SIDE_BY_SIDE)):
            await together(*(self._read_one(one.values) for one in batch))
        self._report(partitions.count)
        return self._found

    def _report(self, partitions: int) -> None:
        first = next(iter(self._refused.values()), None)
        if first is not None and not self._answered:
            raise first
        if first is not None:
            counts = (len(self._refused), partitions, self._row.words)
            self._parents.logger.warning("Skipping what is below %s of %s partitions of the %s: %s", *counts, first.message)

    async def _read_one(self, above: Values) -> None:
        """Read the items of one partition; the partitions below the others are read all the same."""
        names = (self._field, *self._found.names)
        requests = [collection_request(self._row, above, {**listing, **only(self._row, names)}) for listing in self._row.listings]
        try:
            for request in requests:
                self._found.extend(await self._asked_twice(above, request))
        except NOT_FOR_US as error:
            self._refused[above] = error
            return
        except MailchimpError as error:
            self._found.errors.append(error)
        self._answered = True

    async def _asked_twice(self, above: Values, request: Request) -> Partitions:
        try:
            return await self._below(above, request)
        except NotFoundError:
            # One 404 may be trouble in passing; a second one is an answer.
            return await self._below(above, request)

    async def _below(self, above: Values, request: Request) -> Partitions:
        found, counted = Partitions(self._found.names), self._cost.count()
        async for items in read_pages(self._session.pager, self._row, request, (self._field,), counted):
            self._add(found, above, items)
            self._parents.progress.tell("%s ids of %s read so far.", f"{self._found.count + found.count:,}", self._row.words)
        return found

    def _add(self, found: Partitions, above: Values, items: Sequence[Any]) -> None:
        keyed = [(inside(item, self._field), item) for item in items]
        # An empty key would make the path of another collection.
        usable = [(key, item) for key, item in keyed if isinstance(key, str | int) and key != ""]
        if len(usable) < len(keyed):
            found.errors.append(_without_key(self._row, self._field))
        names = found.names
        found.add(above, [key for key, _ in usable], [[inside(item, name) for name in names] for _, item in usable] if names else ())


def _without_key(row: Collection, name: str) -> BugError:
    return BugError(f"Some {row.words} have no {name}, so what is below them could not be read. Everything else was read.")
