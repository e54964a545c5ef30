"""What the state of one list says while a sync with a filter on statuses is under way."""

from __future__ import annotations

from typing import Any

import pytest

from mailchimp_unified.clock import moment_of
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.rows import Member
from mailchimp_unified.windows import Window
from source_mailchimp_unified.contacts.listings import Listing
from source_mailchimp_unified.contacts.position import Bounds, Position
from source_mailchimp_unified.sync.state import ListState, SeenState

HORIZON = 1_700_010_000
AUDIENCE = {"id": "a", "name": "A"}


EVERYBODY = frozenset(STATUSES)


def bounds(horizon: int = HORIZON, wanted: frozenset[str] = frozenset({"subscribed"}), **more: Any) -> Bounds:
    """The bounds of a sync that reads up to `horizon`."""
    return Bounds(**{"horizon": horizon, "now": horizon + 1, "start": 0, "lookback": 120, "remembered": 100, "wanted": wanted, **more})


def member(second: int, status: object) -> Member:
    """A member as a listing has it."""
    return Member(id=f"{second}{status}", status=status, last_changed=moment_of(second))


def test_a_filtered_first_sync_has_a_state_before_its_first_contact() -> None:
    """A sync that resumes one killed before it emitted anybody emits who left the chosen statuses since that one began."""
    begun = Position(AUDIENCE, None, bounds(HORIZON)).state()
    assert begun is not None
    resumed = Position(AUDIENCE, begun, bounds(HORIZON + 600))
    [everything] = [listing for listing in resumed.left if listing.status is None]

    chosen = resumed.chosen(everything, [member(HORIZON - 500, "unsubscribed"), member(HORIZON + 5, "unsubscribed")])

    assert [one.last_changed for one in chosen] == [moment_of(HORIZON + 5)]
    assert {(listing.key, one.after, one.until) for listing, left in resumed.left.items() for one in left.windows} == {
        ("subscribed", 0, HORIZON),
        ("", HORIZON - 120, HORIZON + 600),
        ("archived", HORIZON - 120, HORIZON + 600),
    }


def test_a_first_sync_of_all_statuses_needs_no_such_state() -> None:
    """Without a filter a sync that emitted nobody is simply begun again."""
    assert Position(AUDIENCE, None, bounds(HORIZON, EVERYBODY)).state() is None


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


@pytest.mark.parametrize("odd", [None, 5, ["subscribed"], {"is": "subscribed"}])
def test_an_odd_status_is_of_none_that_are_chosen(odd: object) -> None:
    """A row whose status is no text stops nobody: a first sync with a filter leaves it out, a later one emits it as a change."""
    wanted = frozenset({"subscribed", "pending"})
    first = Position(AUDIENCE, None, bounds(HORIZON, wanted))
    [listing] = first.left
    assert first.chosen(listing, [member(HORIZON, odd), member(HORIZON, "pending")]) == [member(HORIZON, "pending")]
    later = Position(AUDIENCE, first.state(), bounds(HORIZON + 600, wanted))
    [everything] = [one for one in later.left if one.status is None and one.keep is None]
    assert later.chosen(everything, [member(HORIZON - 500, odd), member(HORIZON + 5, odd)]) == [member(HORIZON + 5, odd)]


def windows(position: Position) -> dict[str, list[tuple[int, int]]]:
    """Return what is left of each listing."""
    return {listing.key: [(one.after, one.until) for one in left.windows] for listing, left in position.left.items()}


def saved(second: int, **more: Any) -> ListState:
    """Return the state of a list that was read up to a second."""
    return ListState(updated_at=moment_of(second), **more)


@pytest.mark.parametrize("state", [None, ListState(), ListState(others_after=moment_of(HORIZON)), ListState(left={}, horizon=moment_of(5))])
def test_a_list_without_a_cursor_is_read_from_the_start(state: ListState | None) -> None:
    """Nothing of it counts as read, and nothing is read again."""
    position = Position(AUDIENCE, state, bounds(HORIZON, EVERYBODY, start=700))

    assert (position.is_first, position.is_distrusted, position.repeated, position.is_gone) == (True, False, None, False)
    assert windows(position) == {"": [(700, HORIZON)], "archived": [(700, HORIZON)]}
    assert (position.total, position.taken) == (0, 0)


@pytest.mark.parametrize(("cursor", "after"), [(HORIZON - 50, HORIZON - 170), (900, 780), (810, 700), (705, 700)])
def test_a_later_sync_begins_the_lookback_before_its_cursor(cursor: int, after: int) -> None:
    """But never before the start date; it reads the listings of everybody, as who left the chosen statuses is among these."""
    position = Position(AUDIENCE, saved(cursor), bounds(HORIZON, start=700))

    assert (position.is_first, position.repeated) == (False, Window(after, cursor))
    assert windows(position) == {"": [(after, HORIZON)], "archived": [(after, HORIZON)]}


def test_what_is_left_of_an_interrupted_sync_comes_first_and_then_what_is_new() -> None:
    """From its newest contact on, no matter when it began; a listing that is not read any more is left out."""
    left = {"": [(5, 9), (20, 30)], "no such": [(1, 2)]}
    state = ListState(newest=moment_of(HORIZON - 500), left=left, others_after=moment_of(HORIZON - 900))

    assert windows(Position(AUDIENCE, state, bounds(HORIZON, EVERYBODY))) == {
        "": [(5, 9), (20, 30), (HORIZON - 620, HORIZON)],
        "archived": [(HORIZON - 620, HORIZON)],
    }


def test_an_earlier_start_date_adds_its_seconds_to_the_chosen_listings() -> None:
    """Only to these: who is not chosen was not wanted then either."""
    position = Position(AUDIENCE, saved(HORIZON), bounds(HORIZON, start=100, widened=Window(100, 300)))

    assert windows(position) == {
        "": [(HORIZON - 120, HORIZON)],
        "archived": [(HORIZON - 120, HORIZON)],
        "subscribed": [(100, 300)],
    }


@pytest.mark.parametrize(("ahead", "is_distrusted"), [(0, False), (119, False), (120, False), (121, True), (9_000, True)])
@pytest.mark.parametrize("slow", ["horizon", "now"])
def test_a_cursor_two_minutes_ahead_of_both_clocks_is_still_believed(ahead: int, is_distrusted: bool, slow: str) -> None:
    """One of a clock that was wrong is not: the list is read again, and remembers nothing."""
    state = saved(HORIZON + ahead, seen=SeenState(until=HORIZON, all_rows="1-2"))
    position = Position(AUDIENCE, state, bounds(wanted=EVERYBODY, **{"now": HORIZON, slow: HORIZON - 500}))

    assert (position.is_distrusted, position.is_first, position.repeated is None) == (is_distrusted,) * 3
    assert any(after == 0 for after, _ in windows(position)[""]) == is_distrusted
    assert (position.lookback.newest is None) == is_distrusted


@pytest.mark.parametrize(("age", "is_emitted"), [(119, True), (120, False), (None, False)])
def test_who_has_another_status_is_emitted_when_changed_since_the_first_sync(age: int | None, is_emitted: bool) -> None:
    """Less the lookback, as the last sync may not have seen it; without a time nobody can tell, and it was never wanted."""
    state = Position(AUDIENCE, None, bounds(HORIZON)).state()
    later = Position(AUDIENCE, state, bounds(HORIZON + 600))
    [everything] = [listing for listing in later.left if listing.status is None]
    one = Member(id="x", status="cleaned", last_changed=None if age is None else moment_of(HORIZON - age))
    wanted = Member(id="y", status="subscribed", last_changed=moment_of(5))

    assert later.chosen(everything, [one, wanted]) == ([one, wanted] if is_emitted else [wanted])


def test_a_first_sync_takes_a_listing_of_one_status_as_it_is() -> None:
    """Mailchimp has picked already."""
    position = Position(AUDIENCE, None, bounds(HORIZON))
    [listing] = position.left
    odd = member(HORIZON - 500, None)

    assert position.chosen(listing, [odd]) == [odd]


def test_without_a_filter_everybody_is_emitted() -> None:
    """At a first sync and at a later one, no matter what they are and when they changed."""
    for state in (None, saved(HORIZON)):
        position = Position(AUDIENCE, state, bounds(HORIZON, EVERYBODY))
        assert position.chosen(Listing(None), [member(5, None)]) == [member(5, None)]


@pytest.mark.parametrize(("newest", "is_kept"), [(HORIZON, True), (HORIZON + 119, True), (HORIZON + 120, False), (HORIZON + 500, False)])
def test_a_whole_sync_forgets_when_the_first_began_once_no_later_one_meets_earlier_changes(newest: int, is_kept: bool) -> None:
    """While the lookback of the next one reaches before it, the state names it."""
    before = ListState(updated_at=moment_of(HORIZON - 10), others_after=moment_of(HORIZON))
    position = Position(AUDIENCE, before, bounds(HORIZON + 500))
    position.lookback.note([member(newest, "subscribed")])
    for listing in position.left:
        position.done(listing, Window(0, HORIZON + 500))
    state = position.state()

    assert state is not None
    assert (state.updated_at, state.others_after) == (moment_of(newest), moment_of(HORIZON) if is_kept else None)
    assert (state.left, state.newest, state.horizon) == (None, None, None)


def test_a_whole_sync_that_emitted_nobody_has_no_state() -> None:
    """The next one begins at the start again, with a filter or without."""
    for wanted in (EVERYBODY, frozenset({"subscribed"})):
        position = Position(AUDIENCE, None, bounds(HORIZON, wanted))
        for listing in position.left:
            position.done(listing, Window(0, HORIZON))
        assert position.state() is None


def test_a_state_in_the_middle_says_what_is_left_and_up_to_where() -> None:
    """And what was emitted last; one fingerprint for all rows means nothing before all of them have come."""
    position = Position(AUDIENCE, None, bounds(HORIZON, EVERYBODY, remembered=10))
    everything, archived = position.left
    position.done(everything, Window(0, HORIZON))
    position.done(archived, Window(50, HORIZON))
    position.lookback.note([member(HORIZON - 5, "subscribed")])
    state = position.state()
    position.lookback.note([member(HORIZON - 4, number) for number in range(20)])
    crowded = position.state()

    assert state is not None
    assert crowded is not None
    assert (state.updated_at, state.newest, state.left, state.horizon, state.others_after) == (
        None, moment_of(HORIZON - 5), {"archived": [(0, 50)]}, moment_of(HORIZON), None,
    )  # fmt: skip
    assert state.seen is not None
    assert state.seen.rows is not None
    assert crowded.seen is None


def test_a_first_sync_with_a_filter_says_when_it_began_all_the_time() -> None:
    """By the earlier of both clocks, and with what is left."""
    state = Position(AUDIENCE, None, bounds(HORIZON, now=HORIZON - 7)).state()

    assert state == ListState(left={"subscribed": [(0, HORIZON)]}, horizon=moment_of(HORIZON), others_after=moment_of(HORIZON - 7))


def test_a_sync_continues_with_what_the_last_one_remembered() -> None:
    """What is known is left out, and the newest contact stays the newest."""
    first = Position(AUDIENCE, None, bounds(HORIZON, EVERYBODY))
    first.lookback.note([member(HORIZON - 5, "subscribed")])
    for listing in first.left:
        first.done(listing, Window(0, HORIZON))
    second = Position(AUDIENCE, first.state(), bounds(HORIZON + 9, EVERYBODY))

    assert second.lookback.newest == HORIZON - 5
    assert second.lookback.fresh([member(HORIZON - 5, "subscribed"), member(HORIZON, "x")]) == [member(HORIZON, "x")]


@pytest.mark.parametrize("name", ["News", "", None])
def test_a_list_is_called_by_its_name(name: str | None) -> None:
    """Or by its id where it has none."""
    assert Position({"id": "a1", "name": name}, None, bounds(HORIZON)).name == (name or "a1")
