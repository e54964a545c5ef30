"""Which records are settled, and which states may therefore be acknowledged. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.intake.states import State
from destination_mailchimp_unified.settling.outcomes import KINDS, OTHER_REASONS, REASONS_COUNTED, Outcome


@dataclass
class Tally:
    """Outcomes of one stream by kind, by reason, and by what was left undone."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; of its reasons so many are told apart, the others are counted together."""
        self.counts[outcome.kind] += 1
        if outcome.reason:
            key = (outcome.kind, outcome.reason)
            full = len(self.reasons) >= REASONS_COUNTED and key not in self.reasons
            self.reasons[(outcome.kind, OTHER_REASONS) if full else key] += 1
        if outcome.notes:
            self.notes.update(outcome.notes)

    @property
    def settled(self) -> int:
        """Records that have their outcome."""
        return self.counts.total()

    def sentence(self) -> str:
        """Return the counts and reasons as a line for the log."""
        counts = ", ".join(f"{self.counts[kind]} {kind}" for kind in KINDS)
        parts = [f"{count} {kind}: {reason}" for (kind, reason), count in self.reasons.most_common()]
        parts += [f"{count} {note}" for note, count in self.notes.most_common()]
        return f"{counts} ({'; '.join(parts)})" if parts else counts


class Ledger:
    """Counts open records by epoch. An epoch is the time between two states; it ends with one.

    A state is released when no record of its epoch or an earlier one is open, so states come out in the order they came in; with
    `holds_last` the last one waits for another, or until that is over.
    """

    def __init__(self) -> None:
        self.epoch = 0
        # How many records came, in all and before the last state.
        self.came = self.came_before_state = 0
        # Whether the last state waits for more than the records before it.
        self.holds_last = False
        self.open_records = 0
        self.open_bytes = 0
        self.tallies: defaultdict[StreamKey, Tally] = defaultdict(Tally)
        self._open: Counter[int] = Counter()
        self._states: deque[tuple[int, State]] = deque()
        self._unreported: defaultdict[StreamKey, Counter[tuple[int, bool]]] = defaultdict(Counter)

    def admit(self, size: int = 0) -> int:
        """Note a record of so many bytes that came in. Returns its epoch, which `settle` wants back."""
        self._open[self.epoch] += 1
        self.came += 1
        self.open_records += 1
        self.open_bytes += size
        return self.epoch

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """Note what became of a record."""
        self.tallies[entry.stream].add(outcome)
        self._unreported[entry.stream][entry.epoch, outcome.kind == "rejected"] += 1
        self._open[entry.epoch] -= 1
        self.open_records -= 1
        self.open_bytes -= entry.size
        if self._open[entry.epoch] < 0:
            raise AssertionError("a record was settled twice")
        if not self._open[entry.epoch]:
            del self._open[entry.epoch]

    def mark(self, state: State) -> None:
        """Note a STATE message that came in."""
        self._states.append((self.epoch, state))
        self.came_before_state = self.came
        self.epoch += 1

    @property
    def may_release(self) -> bool:
        """Whether the next state may be acknowledged: nothing before it is open, and it need not wait as the last one."""
        return len(self._states) > self.holds_last and not (self._open and min(self._open) <= self._states[0][0])

    def released(self) -> Iterator[bytes]:
        """Yield the STATE messages that may be acknowledged, in order, as they came and with their counts."""
        while self.may_release:
            epoch, state = self._states.popleft()
            yield state.with_counts(*self._report(epoch, state.stream))

    def _report(self, epoch: int, stream: StreamKey | None) -> tuple[int, int]:
        """Return accepted and rejected records since the previous state, and count them no more.

        Records that belong to no stream are counted with the next state, of any stream.
        """
        accepted = rejected = 0
        for key in list(self._unreported) if stream is None else [stream, NOWHERE]:
            counts = self._unreported.get(key, Counter())
            for when, is_reject in [entry for entry in counts if entry[0] <= epoch]:
                count = counts.pop((when, is_reject))
                accepted, rejected = accepted + count * (not is_reject), rejected + count * is_reject
        return accepted, rejected
