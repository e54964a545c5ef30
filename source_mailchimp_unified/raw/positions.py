"""How far the partitions of a raw stream were read, what of them is known, and when it is worth saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from mailchimp_unified.clock import epoch, moment_of
from source_mailchimp_unified.sync.fingerprints import packed, unpacked
from source_mailchimp_unified.sync.state import Moment, key_values, parse_state

STATES_PER_SYNC = 50
"""A state holds all partitions: of many partitions, so many states are emitted in all."""

MOST_KNOWN = 20_000
"""A state knows at most so many versions, some 170 KB of them; what is beyond is emitted again."""


class RawState(BaseModel):
    """What is known per partition; a partition is the JSON array of its parents' keys.

    `cursors`: the newest time in it. `seen`: fingerprints of the versions that need not be emitted again, packed. `parents`: a
    fingerprint of what its parent told when nothing was left to be read. `start_date` is the one it holds for. A state of the
    released version has cursors only.
    """

    model_config = ConfigDict(extra="ignore")

    cursors: dict[str, Moment] = {}
    seen: dict[str, str] = {}
    parents: dict[str, str] = {}
    start_date: Moment | None = None


@dataclass
class PartitionPosition:
    """One partition: the second of its cursor, the versions known, and what is new of both in this sync.

    `seen` maps a version to its second, None where it has none. Of a partition with a lookback only the versions of its last seconds
    are kept.
    """

    cursor: int | None = None
    known: frozenset[bytes] = frozenset()
    lookback: int | None = None
    newest: int | None = None
    seen: dict[bytes, int | None] = field(default_factory=dict)
    beyond: int = 0
    _dropped_at: int | None = None

    def __post_init__(self) -> None:
        self.newest = self.cursor

    def keeps(self, second: int | None) -> bool:
        """Return whether a version of this second has to be known by the next sync."""
        return self.lookback is None or second is None or self.newest is None or second > self.newest - self.lookback

    def note(self, version: bytes, second: int | None) -> None:
        """Note that a version is there; beyond what a state may hold, only how many there are."""
        if len(self.seen) >= MOST_KNOWN and self.newest != self._dropped_at:
            self._dropped_at = self.newest
            self.seen = {one: at for one, at in self.seen.items() if self.keeps(at)}
        if len(self.seen) < MOST_KNOWN:
            self.seen[version] = second
        else:
            self.beyond += 1

    def see(self, second: int | None, limit: int) -> None:
        """Note a second of a record; none beyond `limit` is taken for the newest."""
        if second is not None:
            self.newest = max(self.newest or 0, min(second, limit))

    def kept(self) -> list[bytes]:
        """Return the versions that the next sync has to know."""
        return [version for version, second in self.seen.items() if self.keeps(second)]


class Positions:
    """The partitions of one stream. A cursor goes to the newest time seen, never beyond it nor beyond the horizon."""

    def __init__(self, stream: str, state: Mapping[str, Any]) -> None:
        saved = parse_state(RawState, stream, state)
        for key in {**saved.cursors, **saved.seen, **saved.parents}:
            # Raises ConfigError for one that is none.
            key_values(key)
        self._cursors, self._seen, self._parents = saved.cursors, saved.seen, saved.parents
        self._sizes = {key: len(unpacked(text)) for key, text in saved.seen.items()}
        self._known = sum(self._sizes.values())
        self.start_date = saved.start_date
        self.forgotten = self.in_the_future = 0
        self._visited: set[str] = set()
        self._unsaid = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not (self._cursors or self._seen or self._parents)

    @property
    def of_cursors_only(self) -> bool:
        """Whether the released version wrote it."""
        return bool(self._cursors) and not (self._seen or self._parents)

    def clear(self) -> None:
        """Forget everything."""
        for part in (self._cursors, self._seen, self._parents, self._sizes):
            part.clear()
        self._known = 0

    def open(self, values: Sequence[Any], lookback: int | None, horizon: int) -> PartitionPosition:
        """Return what is known of a partition, to be completed while it is read.

        A cursor beyond the horizon is that of a clock that was wrong: what it has hidden since nobody knows, so it does not count.
        """
        key = _key(values)
        cursor = self._cursors.get(key)
        reached = None if cursor is None else epoch(cursor)
        usable = reached is None or reached <= horizon
        self.in_the_future += not usable
        return PartitionPosition(reached if usable else None, unpacked(self._seen.get(key, "")), lookback)

    def parent(self, values: Sequence[Any]) -> str | None:
        """Return the fingerprint of what the parent of a partition told when nothing was left to be read, None when something was."""
        return self._parents.get(_key(values))

    def keep(self, values: Sequence[Any]) -> None:
        """Note that a partition is there and need not be read."""
        self._visited.add(_key(values))

    def close(self, values: Sequence[Any], position: PartitionPosition, parent: str | None) -> bool:
        """Note that a partition was read, and what its parent tells where nothing is left. Returns whether a state should follow."""
        key = _key(values)
        self._visited.add(key)
        if position.newest is not None and position.lookback is not None:
            self._cursors[key] = moment_of(position.newest)
        self._know(key, position.kept())
        self.forgotten += position.beyond
        self._parents.pop(key, None)
        if parent is not None:
            self._parents[key] = parent
        self._unsaid += 1
        if self._unsaid * STATES_PER_SYNC < max(len(self._cursors), len(self._seen), len(self._parents)):
            return False
        self._unsaid = 0
        return True

    def _know(self, key: str, versions: list[bytes]) -> None:
        self._drop(key)
        kept = versions[: max(0, MOST_KNOWN - self._known)]
        self.forgotten += len(versions) - len(kept)
        if kept:
            self._seen[key] = packed(kept)
            self._sizes[key] = len(kept)
            self._known += len(kept)

    def _drop(self, key: str) -> None:
        self._seen.pop(key, None)
        self._known -= self._sizes.pop(key, 0)

    def forget_unvisited(self) -> None:
        """Drop the partitions that are there no more."""
        for key in {*self._cursors, *self._seen, *self._parents} - self._visited:
            self._drop(key)
            self._cursors.pop(key, None)
            self._parents.pop(key, None)

    def state(self) -> dict[str, Any]:
        """Return what a sync may continue from."""
        state: dict[str, Any] = {"cursors": dict(self._cursors), "seen": dict(self._seen), "parents": dict(self._parents)}
        return {**{name: part for name, part in state.items() if part or name == "cursors"}, **self._dated()}

    def _dated(self) -> dict[str, str]:
        return {"start_date": self.start_date} if self.start_date else {}


def _key(values: Sequence[Any]) -> str:
    return orjson.dumps(list(values)).decode()
