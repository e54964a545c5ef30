"""What partitions a collection: the items of its parent, read once for all its children, and kept as ids only."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.config import MAX_CONNECTIONS
from mailchimp_unified.errors import MailchimpError, NotFoundError, PermissionDeniedError
from source_mailchimp_unified.raw.pages import Steps, Values, collection_request, first_page, items_of, only, read_offsets
from source_mailchimp_unified.raw.table import Collection, Parent, lineage, table
from source_mailchimp_unified.sync.once import Once
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.reading import Step, Taken
from source_mailchimp_unified.sync.streams import Account

AUDIENCES = "lists"
"""The row of the audiences: the account knows them already, and `list_ids` may choose among them."""

SIDE_BY_SIDE = 2 * MAX_CONNECTIONS
"""So many first pages of a parent are asked for at once."""

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
        self._read: dict[tuple[str, str], Once[Partitions]] = {}

    def partitions(self, row: Collection, account: Account | None) -> Generator[Step, list[Any], Partitions]:
        """Return the partitions of a collection. Raises the refusal of a parent that is nowhere to be had for this account."""
        if row.parent is None:
            return _Undivided()
        key = (row.parent.row, row.parent.field)
        if key not in self._read:
            self._read[key] = Once(_Family(self, row.parent, account).read)
        return (yield from self._read[key].get())


class _Family:
    """Reads the items of one parent collection."""

    def __init__(self, parents: Parents, parent: Parent, account: Account | None) -> None:
        self._parents, self._account = parents, account
        self._row, self._field = table()[parent.row], parent.field
        self._found = Partitions()
        self._refused: dict[Values, MailchimpError] = {}
        self._answered = False

    def read(self) -> Generator[Step, list[Any], Partitions]:
        """Return the partitions. Raises the refusal of a collection that is nowhere to be had."""
        if self._row.name == AUDIENCES:
            assert self._account is not None, "audiences are known before what belongs to them is read"
            self._found.add((), self._account.chosen_ids)
            return self._found
        partitions = yield from self._parents.partitions(self._row, self._account)
        self._found.errors.extend(partitions.errors)
        above = iter(partitions)
        while batch := list(islice(above, SIDE_BY_SIDE)):
            yield from self._read_batch(batch)
        self._report(partitions.count)
        return self._found

    def _report(self, partitions: int) -> None:
        first = next(iter(self._refused.values()), None)
        if first is not None and not self._answered:
            raise first
        if first is not None:
            counts = (len(self._refused), partitions, self._row.words)
            self._parents.logger.warning("What belongs to %s of %s parts of the %s is left out: %s", *counts, first.message)

    def _read_batch(self, batch: Sequence[Values]) -> Steps:
        row = self._row
        asked = [(above, collection_request(row, above, {**sweep, **only(row, self._field)})) for above in batch for sweep in row.sweeps]
        replies = yield Step([first_page(row, request) for _, request in asked], tolerate=(MailchimpError,))
        for (above, request), reply in zip(asked, replies, strict=True):
            yield from self._read_one(above, request, reply)

    def _read_one(self, above: Values, request: Request, reply: Any) -> Steps:
        try:
            if isinstance(reply, MailchimpError):
                raise reply
            yield from self._take(above, request, items_of(self._row, reply))
            self._answered = True
        except NOT_FOR_US as error:
            self._refused[above] = error
        except MailchimpError as error:
            # The partitions below the others are read all the same.
            self._answered = True
            self._found.errors.append(error)

    def _take(self, above: Values, request: Request, first: list[dict[str, Any]]) -> Steps:
        """Add what a collection makes; `first` is its first page, which in a bigger one is read again in its turn."""

        def take(items: list[dict[str, Any]]) -> Taken:
            # An empty key would make the path of another collection.
            self._found.add(above, [item[self._field] for item in items if item.get(self._field) not in (None, "")])
            self._parents.progress.tell("%s keys of %s so far.", f"{self._found.count:,}", self._row.words)
            return Taken()

        if self._row.paging == "offset" and self._row.records_key and len(first) >= PAGE_SIZE:
            yield from read_offsets(self._row, request, (self._field,), take)
        else:
            take(first)
