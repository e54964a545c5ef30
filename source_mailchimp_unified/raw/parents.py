"""What partitions a collection: the items of its parent, read once for all its children, and kept as ids only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from mailchimp_unified.config import MAX_CONNECTIONS
from mailchimp_unified.errors import MailchimpError, NotFoundError, PermissionDeniedError
from mailchimp_unified.request import Request
from source_mailchimp_unified.raw.pages import Values, collection_request, only, read_pages
from source_mailchimp_unified.raw.table import Collection, Parent, lineage, table
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
    """Tell whether a collection belongs to audiences."""
    return any(parent.row == AUDIENCES for parent in lineage(row))


@dataclass
class Partitions:
    """The keys of the parents of each partition. Packed by the page: those of a million contacts take some 35 MB.

    `errors` are those of the parents that could not be read: their partitions are missing.
    """

    count: int = 0
    errors: list[MailchimpError] = field(default_factory=list)
    _packed: list[tuple[Values, bytes]] = field(default_factory=list)

    def add(self, above: Values, keys: Sequence[Any]) -> None:
        """Add the partitions that these keys make below the partition `above` of their parent."""
        if keys:
            self.count += len(keys)
            self._packed.append((above, orjson.dumps(keys)))

    def __iter__(self) -> Iterator[Values]:
        return ((*above, key) for above, packed in self._packed for key in orjson.loads(packed))


@dataclass
class _Undivided(Partitions):
    count: int = 1

    def __iter__(self) -> Iterator[Values]:
        return iter([()])


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
            self._read[key] = Shared(_Family(self, row.parent, session).read)
        return await self._read[key].get()


class _Family:
    """Reads the items of one parent collection."""

    def __init__(self, parents: Parents, parent: Parent, session: Session) -> None:
        self._parents, self._session = parents, session
        self._row, self._field = table()[parent.row], parent.field
        self._found = Partitions()
        self._refused: dict[Values, MailchimpError] = {}
        self._answered = False

    async def read(self) -> Partitions:
        """Return the partitions. Raises the refusal of a collection that is nowhere to be had."""
        if self._row.name == AUDIENCES:
            self._found.add((), (await self._session.account.audiences()).chosen_ids)
            return self._found
        partitions = await self._parents.partitions(self._row, self._session)
        self._found.errors.extend(partitions.errors)
        above = iter(partitions)
        while batch := list(islice(above, SIDE_BY_SIDE)):
            await self._read_batch(batch)
        self._report(partitions.count)
        return self._found

    def _report(self, partitions: int) -> None:
        first = next(iter(self._refused.values()), None)
        if first is not None and not self._answered:
            raise first
        if first is not None:
            counts = (len(self._refused), partitions, self._row.words)
            self._parents.logger.warning("What belongs to %s of %s parts of the %s is left out: %s", *counts, first.message)

    async def _read_batch(self, batch: Sequence[Values]) -> None:
        row = self._row
        asked = [(above, collection_request(row, above, {**sweep, **only(row, self._field)})) for above in batch for sweep in row.sweeps]
        found = await asyncio.gather(*(self._read_one(above, request) for above, request in asked))
        for (above, _), keys in zip(asked, found, strict=True):
            for some in keys:
                self._found.add(above, some)

    async def _read_one(self, above: Values, request: Request) -> list[list[Any]]:
        """Return the keys of the items of one partition, by the page."""
        found: list[list[Any]] = []
        try:
            async for items in read_pages(self._session.pager, self._row, request, (self._field,), lambda _: None):
                # An empty key would make the path of another collection.
                found.append([item[self._field] for item in items if item.get(self._field) not in (None, "")])
                self._parents.progress.tell("%s keys of %s so far.", f"{self._found.count:,}", self._row.words)
            self._answered = True
        except NOT_FOR_US as error:
            self._refused[above] = error
        except MailchimpError as error:
            # The partitions below the others are read all the same.
            self._answered = True
            self._found.errors.append(error)
        return found
