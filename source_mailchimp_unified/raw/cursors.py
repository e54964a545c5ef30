"""How far the partitions of a raw stream were read, and when it is worth saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from source_mailchimp_unified.sync.state import Moment, epoch, key_values, moment_of, parse_state

STATES_PER_SYNC = 50
"""A state holds the cursors of all partitions: of many partitions, so many states are emitted in all."""


class RawState(BaseModel):
    """Per partition the time up to and including which it was read; a partition is the JSON array of its parents' keys."""

    model_config = ConfigDict(extra="ignore")

    cursors: dict[str, Moment] = {}


class Cursors:
    """The cursors of one stream. A cursor goes to the newest time seen, never beyond it nor beyond the horizon.

    What Mailchimp shows late, such as the report of a campaign that is still being sent, is thus not passed over.
    """

    def __init__(self, stream: str, state: Mapping[str, Any]) -> None:
        self._cursors = parse_state(RawState, stream, state).cursors
        for key in self._cursors:
            # Raises ConfigError for one that is none.
            key_values(key)
        self._visited: set[str] = set()
        self._unsaid = 0

    def of(self, values: Sequence[Any]) -> int | None:
        """Return the second up to which a partition was read, None when it never was."""
        cursor = self._cursors.get(_key(values))
        return None if cursor is None else epoch(cursor)

    def advance(self, values: Sequence[Any], seen: str | None, horizon: int) -> bool:
        """Note that a partition was read and what was the newest in it. Returns whether a state should follow."""
        key = _key(values)
        self._visited.add(key)
        if seen is not None:
            self._cursors[key] = moment_of(max(min(epoch(seen), horizon), self.of(values) or 0))
        self._unsaid += 1
        if self._unsaid * STATES_PER_SYNC < len(self._cursors):
            return False
        self._unsaid = 0
        return True

    def forget_unvisited(self) -> None:
        """Drop the partitions that are there no more."""
        self._cursors = {key: cursor for key, cursor in self._cursors.items() if key in self._visited}

    def state(self) -> dict[str, Any]:
        """Return what a sync may go on from."""
        return {"cursors": dict(self._cursors)}


def _key(values: Sequence[Any]) -> str:
    return orjson.dumps(list(values)).decode()
