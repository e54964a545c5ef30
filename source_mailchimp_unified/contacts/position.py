"""Where a sync stands in one list: what is left to be read, what was emitted last, and the state that says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.entity import second_of
from mailchimp_unified.entities.rows import Member
from mailchimp_unified.windows import Left, Window
from source_mailchimp_unified.contacts.listings import EVERYTHING, Listing, listings
from source_mailchimp_unified.contacts.lookback import Lookback
from source_mailchimp_unified.sync.account import CLOCK_TOLERANCE_SECONDS
from source_mailchimp_unified.sync.state import ListState, SeenState


@dataclass(frozen=True)
class Bounds:
    """The bounds of one sync, in seconds since 1970: reading ends with `horizon` and begins after `start`.

    `now` is the time of this machine. `lookback` is how many seconds before the end of the last sync this one begins, `remembered`
    how many rows a list's state may name, and `widened` what an earlier start date adds to lists that were read before.
    """

    horizon: int
    now: int
    start: int
    lookback: int
    remembered: int
    wanted: frozenset[str] = frozenset(STATUSES)
    widened: Window | None = None

    @property
    def limit(self) -> int:
        """The earlier of both clocks: no cursor goes beyond it, so that a wrong clock hides no change from later syncs."""
        return min(self.horizon, self.now)


class Position:
    """How far one list is read."""

    def __init__(self, audience: Mapping[str, Any], saved: ListState | None, bounds: Bounds) -> None:
        self.list_id = str(audience["id"])
        self.name = str(audience.get("name") or self.list_id)
        self.audience = audience
        self.bounds = bounds
        self.left: dict[Listing, Left] = {}
        self.total = self.taken = 0
        self.is_gone = False
        cursor = _cursor_of(saved)
        # Only a clock that was wrong leaves such a cursor; what it has hidden since nobody knows.
        self.is_distrusted = cursor is not None and cursor > max(bounds.horizon, bounds.now) + CLOCK_TOLERANCE_SECONDS
        self._cursor = None if self.is_distrusted else cursor
        if self._cursor is None or saved is None:
            self.lookback = self._new_lookback(None, None)
            self._begin()
        else:
            self.lookback = self._new_lookback(_newest_of(saved), saved.seen)
            self._continue(saved, self._cursor)

    def _new_lookback(self, cursor: int | None, seen: SeenState | None) -> Lookback:
        bounds = self.bounds
        return Lookback(bounds.lookback, cursor, bounds.limit, bounds.remembered, seen)

    def _begin(self) -> None:
        chosen = listings(self.bounds.wanted)
        self.left = {listing: Left([Window(self.bounds.start, self.bounds.horizon)]) for listing in chosen}
        self.others_after = None if _is_everything(self.bounds.wanted) else self.bounds.limit

    def _continue(self, saved: ListState, cursor: int) -> None:
        first = listings(self.bounds.wanted)
        known = {listing.key: listing for listing in (*first, *EVERYTHING)}
        self.left = {known[key]: Left(Window(*one) for one in windows) for key, windows in (saved.left or {}).items() if key in known}
        for listing in EVERYTHING:
            self.left.setdefault(listing, Left()).add(Window(max(cursor - self.bounds.lookback, self.bounds.start), self.bounds.horizon))
        if self.bounds.widened:
            for listing in first:
                self.left.setdefault(listing, Left()).add(self.bounds.widened)
        self.others_after = None
        if not _is_everything(self.bounds.wanted):
            self.others_after = epoch(saved.others_after) if saved.others_after else cursor

    @property
    def is_first(self) -> bool:
        """Whether nothing of the list counts as read."""
        return self._cursor is None

    @property
    def repeated(self) -> Window | None:
        """The seconds that are read again, None at a first sync."""
        return None if self._cursor is None else Window(max(self._cursor - self.bounds.lookback, self.bounds.start), self._cursor)

    def chosen(self, listing: Listing, members: list[Member]) -> list[Member]:
        """Return the members of a listing that are emitted.

        A first sync emits those of the wanted statuses. A later one emits everybody who changed since: who left them is among these.
        """
        if listing.keep is not None:
            return [member for member in members if _has_one_of(member, listing.keep)]
        if self.others_after is None or self.is_first:
            return members
        after, wanted = self.others_after - self.bounds.lookback, self.bounds.wanted
        return [member for member in members if _has_one_of(member, wanted) or _changed_after(member, after)]

    def done(self, listing: Listing, window: Window) -> None:
        """Note that a window of a listing was emitted."""
        self.left[listing].done(window)

    def state(self) -> ListState | None:
        """Return the state of the list after what was emitted, None when that was nothing.

        With a filter on statuses even nothing is a state while something is left: if this sync is killed, what it emitted after its
        last state may be kept, so the next one looks for those who leave from here on.
        """
        newest, others_after, left, seen = self.lookback.newest, self.others_after, self._windows_left(), self.lookback.state()
        if not left:
            return None if newest is None else self._state_of_all(newest, others_after, seen)
        if newest is None and others_after is None:
            return None
        # One fingerprint for all rows means nothing before all of them have come.
        seen = None if seen is None or seen.all_rows else seen
        return ListState(
            newest=_moment(newest), left=left, horizon=moment_of(self.bounds.horizon), others_after=_moment(others_after), seen=seen
        )

    def _state_of_all(self, newest: int, others_after: int | None, seen: SeenState | None) -> ListState:
        # Later syncs begin after that: they do not meet contacts of other statuses that changed before the first one.
        if others_after is not None and others_after <= newest - self.bounds.lookback:
            others_after = None
        return ListState(updated_at=moment_of(newest), others_after=_moment(others_after), seen=seen)

    def _windows_left(self) -> dict[str, list[tuple[int, int]]]:
        return {
            listing.key: [(window.after, window.until) for window in left.windows] for listing, left in self.left.items() if left.windows
        }


def _has_one_of(member: Member, statuses: frozenset[str]) -> bool:
    return type(member.status) is str and member.status in statuses


def _changed_after(member: Member, second: int) -> bool:
    changed = second_of(member.last_changed)
    return changed is not None and changed > second


def _moment(second: int | None) -> str | None:
    return None if second is None else moment_of(second)


def _cursor_of(saved: ListState | None) -> int | None:
    """Return the second from which on changes are new, None at a first sync."""
    newest = _newest_of(saved)
    # A first sync that was killed before it emitted anybody.
    begun = saved.others_after if saved and saved.left else None
    return epoch(begun) if newest is None and begun else newest


def _newest_of(saved: ListState | None) -> int | None:
    moment = saved and (saved.updated_at or saved.newest)
    return epoch(moment) if moment else None


def _is_everything(wanted: frozenset[str]) -> bool:
    return wanted == frozenset(STATUSES)
