"""Which records are settled, and which states may therefore be acknowledged. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from destination_mailchimp_unified.settling.outcomes import Outcome, Tally

Json = dict[str, Any]
StreamKey = tuple[str | None, str]
"""Namespace and name."""


class Ledger:
    """Counts open records by epoch. An epoch is the time between two states; it ends with one.

    A state is released when no record of its epoch or an earlier one is open, so states come out in the order they came in.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.open_records = 0
        self.tallies: dict[StreamKey, Tally] = {}
        self._open: Counter[int] = Counter()
        self._states: deque[tuple[int, StreamKey | None, Json]] = deque()
        self._unreported: dict[StreamKey, Counter[tuple[int, bool]]] = {}

    def admit(self, stream: StreamKey) -> int:
        """Note a record that came in. Returns its epoch, which `settle` wants back."""
        self._open[self.epoch] += 1
        self.open_records += 1
        return self.epoch

    def settle(self, stream: StreamKey, epoch: int, outcome: Outcome) -> None:
        """Note what became of a record."""
        self.tallies.setdefault(stream, Tally()).add(outcome)
        self._unreported.setdefault(stream, Counter())[epoch, outcome.kind == "rejected"] += 1
        self._open[epoch] -= 1
        self.open_records -= 1
        if self._open[epoch] < 0:
            raise AssertionError("a record was settled twice")
        if not self._open[epoch]:
            del self._open[epoch]

    def mark(self, message: Json, stream: StreamKey | None) -> None:
        """Note a STATE message that came in, of one stream or, with None, of all."""
        self._states.append((self.epoch, stream, message))
        self.epoch += 1

    def released(self) -> Iterator[Json]:
        """Yield the STATE messages that may be acknowledged, in order and with their counts."""
        while self._states:
            epoch, stream, message = self._states[0]
            if self._open and min(self._open) <= epoch:
                return
            self._states.popleft()
            yield _with_counts(message, self._report(epoch, stream))

    def _report(self, epoch: int, stream: StreamKey | None) -> tuple[int, int]:
        """Return accepted and rejected records since the previous state, and count them no more."""
        accepted = rejected = 0
        for key in list(self._unreported) if stream is None else [stream]:
            counts = self._unreported.get(key, Counter())
            for when, is_reject in [entry for entry in counts if entry[0] <= epoch]:
                count = counts.pop((when, is_reject))
                accepted, rejected = accepted + count * (not is_reject), rejected + count * is_reject
        return accepted, rejected


def _with_counts(message: Json, counts: tuple[int, int]) -> Json:
    accepted, rejected = counts
    # The protocol has them as floating-point numbers.
    statistics = {"recordCount": float(accepted)}
    if rejected:
        statistics["rejectedRecordCount"] = float(rejected)
    return {**message, "state": {**message["state"], "destinationStats": statistics}}
