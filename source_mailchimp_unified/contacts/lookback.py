"""What a sync remembers of the last seconds it emitted, so that the next one can read them again without emitting them again. Pure.

A change may become visible some time after the second it is stamped with. So each sync begins `seconds` before the newest second of
the last one, and leaves out the rows that are known by their fingerprints.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.entities.entity import second_of, timestamp
from mailchimp_unified.entities.rows import Member
from source_mailchimp_unified.sync.fingerprints import digest, packed, unpacked
from source_mailchimp_unified.sync.state import SeenState

_what_changes = attrgetter(
    "id", "contact_id", "status", "last_changed", "email_address", "merge_fields", "interests", "tags", "language", "vip"
)


def fingerprint_of(member: Member) -> bytes:
    """Return what tells a version of a member from others."""
    return digest(_what_changes(member))


class Lookback:
    """The last rows of one list: those of the state (`saved`), which are not emitted again, and those of this sync.

    `cursor` is the newest second of the last sync, None at the first one; no second after `limit` is taken for the newest.
    At most `bound` fingerprints are kept; of more rows only one for all of them.
    """

    def __init__(self, seconds: int, cursor: int | None, limit: int, bound: int, saved: SeenState | None) -> None:
        self.newest = cursor
        self._seconds, self._limit, self._bound = seconds, limit, bound
        self._saved = saved if saved and saved.rows else None
        self._rows = dict.fromkeys(unpacked(saved.rows), saved.until) if saved and saved.rows else dict[bytes, int]()
        self._known = frozenset(self._rows)
        # The second after which rows are remembered, and the newest one of which not all have found room: none yet.
        self._after = self._unnamed_until = -seconds
        self._whole: dict[int, tuple[int, int]] = {}

    def fresh(self, members: Sequence[Member]) -> Sequence[Member]:
        """Return the members of a page, in order of their change, that were not emitted by the last sync."""
        first = second_of(members[0].last_changed) if members else None
        if self._saved is None or (first is not None and first > self._saved.until):
            return members
        return [member for member in members if fingerprint_of(member) not in self._known]

    def note(self, members: Sequence[Member]) -> None:
        """Note that the members of a page, in order of their change, were emitted or need not be."""
        last = second_of(members[-1].last_changed) if members else None
        if last is None:
            return
        self.newest = max(self.newest or 0, min(last, self._limit))
        self._after = self.newest - self._seconds
        self._forget()
        if last > self._after:
            after = moment_of(self._after)
            for member in members:
                moment = timestamp(member.last_changed)
                # Times of one form compare like the moments they name.
                if moment is not None and moment > after:
                    self._note(epoch(moment), fingerprint_of(member))

    def _note(self, second: int, fingerprint: bytes) -> None:
        count, whole = self._whole.get(second, (0, 0))
        self._whole[second] = count + 1, whole ^ int.from_bytes(fingerprint, "big")
        if len(self._rows) < self._bound or fingerprint in self._rows:
            self._rows[fingerprint] = second
        else:
            self._unnamed_until = max(self._unnamed_until, second)

    def _forget(self) -> None:
        after = self._after
        if any(second <= after for second in self._whole):
            self._whole = {second: one for second, one in self._whole.items() if second > after}
        if any(second <= after for second in self._rows.values()):
            self._rows = {row: second for row, second in self._rows.items() if second > after}

    def state(self) -> SeenState | None:
        """Return what the next sync needs to know."""
        if not self._seconds or not self._rows:
            return None
        until = max([*self._rows.values(), *self._whole])
        if self._unnamed_until > self._after:
            return SeenState(until=until, all_rows=self.all_rows())
        return SeenState(until=until, rows=packed(self._rows))

    def all_rows(self) -> str:
        """Return one fingerprint of all rows that were noted."""
        count, whole = sum(count for count, _ in self._whole.values()), 0
        for _, one in self._whole.values():
            whole ^= one
        return f"{count}-{whole:x}"
