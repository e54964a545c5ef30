"""The reading of one partition: which of its items become records, and what the next sync has to know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailchimp_unified.clock import epoch
from mailchimp_unified.entities.readable import Readable
from mailchimp_unified.request import Json
from source_mailchimp_unified.raw.pages import Items, Values
from source_mailchimp_unified.raw.parents import AUDIENCES
from source_mailchimp_unified.raw.positions import PartitionPosition
from source_mailchimp_unified.raw.records import Times, newest, odd_entries, records_of
from source_mailchimp_unified.raw_collections import Collection, lineage
from source_mailchimp_unified.sync.fingerprints import digest


class Versions:
    """The versions of the records of one reading. Equal records are told apart by their order, so that none passes for another."""

    def __init__(self, varies: Iterable[str]) -> None:
        self._varies = frozenset(varies)
        self._copies: dict[bytes, int] = {}

    def of(self, record: Mapping[str, Any]) -> bytes:
        """Return the fingerprint of a record, without the fields that differ from answer to answer."""
        version = digest({name: value for name, value in record.items() if name not in self._varies})
        copy = self._copies[version] = self._copies.get(version, -1) + 1
        return digest([version.hex(), copy]) if copy else version


@dataclass
class Reading:
    """A partition on its way. Records older than the second `after` were emitted before, or are not wanted.

    No second after `limit` is taken for the newest. `odd` counts items that are no objects, `keyless` records that lack a part of their key.
    """

    row: Collection
    values: Values
    position: PartitionPosition
    after: int | None
    limit: int
    times: Times
    list_ids: Sequence[str] = ()
    odd: int = 0
    keyless: int = 0
    _versions: Versions = field(init=False)

    def __post_init__(self) -> None:
        self._versions = Versions(self.row.varies)
        self._keys = {parent.column: value for parent, value in zip(lineage(self.row), self.values, strict=True)}

    def records(self, items: Items, *, remember: bool) -> list[Json | Readable]:
        """Return the records of a page that are to be emitted; where `remember`, those that are known are not.

        At once, not when they are emitted: the position speaks of them from now on.
        """
        found = [item for item in items if type(item) is dict]
        self.odd += len(items) - len(found) + odd_entries(self.row, found)
        if self.row.name == AUDIENCES and self.list_ids:
            found = [item for item in found if item.get("id") in self.list_ids]
        made = records_of(self.row, found, self._keys, self.times)
        return [one if one.nulled else one.record for one in made if self._is_new(one.record, remember=remember)]

    def _is_new(self, record: dict[str, Any], *, remember: bool) -> bool:
        moment = newest(record, self.row.moments)
        second = None if moment is None else epoch(moment)
        if self.after is not None and second is not None and second <= self.after:
            return False
        if remember and self._is_known(record, second):
            return False
        self.keyless += any(record.get(name) is None for name in self.row.primary_key)
        return True

    def _is_known(self, record: dict[str, Any], second: int | None) -> bool:
        """Note a record. Tells whether its version was emitted by an earlier sync."""
        if self.row.follows == "parent":
            return False
        self.position.see(second, self.limit)
        looked_back = second is None or self.position.cursor is None or second <= self.position.cursor
        if not (looked_back and self.position.known) and not self.position.keeps(second):
            return False
        version = self._versions.of(record)
        self.position.note(version, second)
        return version in self.position.known
