"""What the state of one list says while a sync with a filter on statuses is under way."""

from __future__ import annotations

import pytest

from source_mailchimp_unified.contacts.position import Bounds, Position
from source_mailchimp_unified.contacts.windows import Window
from source_mailchimp_unified.sync.state import moment_of

HORIZON = 1_700_010_000
AUDIENCE = {"id": "a", "name": "A"}


def bounds(horizon: int, wanted: frozenset[str] = frozenset({"subscribed"})) -> Bounds:
    """The bounds of a sync that reads up to `horizon`."""
    return Bounds(horizon=horizon, now=horizon + 1, start=0, lookback=120, remembered=100, wanted=wanted)


def member(second: int, status: str) -> dict[str, str]:
    """A member as a listing has it."""
    return {"id": f"{second}{status}", "status": status, "last_changed": moment_of(second)}


def test_a_filtered_first_sync_has_a_state_before_its_first_contact() -> None:
    """A sync that resumes one killed before it emitted anybody emits who left the chosen statuses since that one began."""
    begun = Position(AUDIENCE, None, bounds(HORIZON)).state()
    assert begun is not None
    resumed = Position(AUDIENCE, begun, bounds(HORIZON + 600))
    [everything] = [listing for listing in resumed.left if listing.status is None]

    chosen = resumed.chosen(everything, [member(HORIZON - 500, "unsubscribed"), member(HORIZON + 5, "unsubscribed")])

    assert [one["last_changed"] for one in chosen] == [moment_of(HORIZON + 5)]
    assert {(listing.key, one.after, one.until) for listing, left in resumed.left.items() for one in left.windows} == {
        ("subscribed", 0, HORIZON),
        ("", HORIZON - 120, HORIZON + 600),
        ("archived", HORIZON - 120, HORIZON + 600),
    }


def test_a_first_sync_of_all_statuses_needs_no_such_state() -> None:
    """Without a filter a sync that emitted nobody is simply begun again."""
    everybody = frozenset({"subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"})
    assert Position(AUDIENCE, None, bounds(HORIZON, everybody)).state() is None


@pytest.mark.parametrize("kills", [1, 2, 3])
def test_a_killed_sync_still_knows_since_when_those_who_leave_count(kills: int) -> None:
    """However far the newest contact emitted is ahead, a state with something left keeps the moment after which others are emitted."""
    first = Position(AUDIENCE, None, bounds(HORIZON))
    for listing in first.left:
        first.lookback.note([member(HORIZON, "subscribed")])
        first.done(listing, Window(0, HORIZON))
    state = first.state()
    for number in range(1, kills + 1):
        killed = Position(AUDIENCE, state, bounds(HORIZON + number * 600))
        killed.lookback.note([member(HORIZON + number * 600 - 10, "subscribed")])
        state = killed.state()
        assert state is not None
        assert state.left
    last = Position(AUDIENCE, state, bounds(HORIZON + 10_000))
    [everything] = [listing for listing in last.left if listing.status is None]

    assert last.chosen(everything, [member(HORIZON + 1, "unsubscribed")])
