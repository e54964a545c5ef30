"""What a sync remembers of the last seconds that it emitted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.clock import moment_of
from mailchimp_unified.entities.rows import Member
from source_mailchimp_unified.contacts.lookback import Lookback, fingerprint_of
from source_mailchimp_unified.sync.fingerprints import digest, packed, unpacked
from source_mailchimp_unified.sync.state import SeenState

SECONDS = 120
END = 1_700_000_000


def member(second: int | None, name: str = "a") -> Member:
    """Return a member that changed in a second, or one without a time."""
    return Member(id=name, status="subscribed", last_changed="" if second is None else moment_of(second))


def lookback(
    *pages: Sequence[Member], seconds: int = SECONDS, bound: int = 100, limit: int = END, saved: SeenState | None = None
) -> Lookback:
    """Return a lookback that has noted some pages, at a first sync or after a saved one."""
    found = Lookback(seconds, saved.until if saved else None, limit, bound, saved)
    for page in pages:
        found.note(page)
    return found


def named(*members: Member) -> str:
    """Return how a state names members."""
    return packed(fingerprint_of(one) for one in members)


@pytest.mark.parametrize("seconds", [[], [0], [-5], [1], [30], [30, 60]], ids=str)
def test_the_newest_second_is_that_of_the_last_member(seconds: list[int]) -> None:
    """A page is in the order of change; a time before 1970 counts as its beginning."""
    assert lookback([member(second) for second in seconds]).newest == (max(0, *seconds, 0) if seconds else None)


def test_the_newest_second_never_goes_back_nor_beyond_the_limit() -> None:
    """Pages come in any order, and a change stamped by a clock that is ahead must hide no other."""
    assert lookback([member(END - 7)], [member(END - 9)]).newest == END - 7
    assert lookback([member(END - 7)], [member(END + 9)]).newest == END


@pytest.mark.parametrize("missing", [0, 1])
def test_a_page_with_a_member_without_a_time_is_noted_all_the_same(missing: int) -> None:
    """Such a member is not remembered; with it as the last one of a page the page says nothing of the time."""
    page = [member(END - 1), member(END)]
    page[missing] = member(None)

    assert lookback(page).state() == (None if missing else SeenState(until=END, rows=named(member(END))))


@pytest.mark.parametrize(("age", "is_remembered"), [(1, True), (SECONDS - 1, True), (SECONDS, False), (SECONDS + 1, False)])
def test_what_the_next_sync_reads_again_is_remembered(age: int, is_remembered: bool) -> None:
    """It begins after the second that is the lookback before the newest one."""
    expected = SeenState(until=END, rows=named(member(END), *([member(END - age)] if is_remembered else [])))

    assert lookback([member(END - age), member(END)]).state() == expected
    assert lookback([member(END)], [member(END - age)]).state() == expected
    assert lookback([member(END - age)], [member(END)]).state() == expected


@pytest.mark.parametrize(("age", "rows"), [(SECONDS - 1, 2), (SECONDS, 1)])
def test_the_one_fingerprint_is_of_what_is_remembered(age: int, rows: int) -> None:
    """What a newer member pushes out of the lookback is not in it any more."""
    assert lookback([member(END - age)], [member(END)]).all_rows() == lookback([member(END - age), member(END)][-rows:]).all_rows()


def test_the_beginning_of_time_is_remembered_as_any() -> None:
    """An audience whose clock stood at 1970: no second before it is needed."""
    page = [member(0, "a"), member(0, "b"), member(1), member(60)]

    assert lookback(page).state() == SeenState(until=60, rows=named(*page))


def test_without_a_lookback_nothing_is_remembered() -> None:
    """Not even what is stamped after the limit."""
    assert lookback([member(END), member(END + 5)], seconds=0).state() is None
    assert lookback().state() is None
    assert lookback([member(END), member(END + 5)], seconds=1).state() == SeenState(until=END + 5, rows=named(member(END), member(END + 5)))


@pytest.mark.parametrize(("rows", "is_named"), [(2, True), (3, True), (4, False)])
def test_so_many_rows_are_named_and_no_more(rows: int, is_named: bool) -> None:
    """Of more of them the state has one fingerprint of all."""
    page = [member(END, str(number)) for number in range(rows)]
    found = lookback(page, bound=3)

    assert found.state() == SeenState(until=END, **({"rows": named(*page)} if is_named else {"all_rows": found.all_rows()}))


def test_a_row_that_comes_again_takes_no_room() -> None:
    """Pages share rows."""
    page = [member(END, str(number)) for number in range(3)]

    assert lookback(page, page, bound=3).state() == SeenState(until=END, rows=named(*page))


@pytest.mark.parametrize(("later", "is_named"), [(SECONDS - 1, False), (SECONDS, True)])
def test_rows_are_named_again_once_those_without_room_are_behind(later: int, is_named: bool) -> None:
    """What found no room counts while it is in the lookback."""
    crowd, last = [member(END, str(number)) for number in range(4)], member(END + later)
    state = lookback(crowd, [last], bound=3, limit=END + later).state()

    assert state is not None
    assert (state.rows, state.all_rows is None, state.until) == (named(last) if is_named else None, is_named, END + later)


def test_of_several_crowds_the_newest_counts() -> None:
    """Pages come in any order."""
    crowds = [[member(END - age, str(number)) for number in range(4)] for age in (0, SECONDS - 10)]
    state = lookback(*crowds, [member(END + 100)], bound=3, limit=END + 100).state()

    assert state is not None
    assert state.all_rows


def test_the_one_fingerprint_is_as_earlier_versions_wrote_it() -> None:
    """The number of rows and a hash of them: with another one all that a state covers would come again."""
    page = [member(END - 1, "a"), member(END, "a"), member(END, "b")]

    assert lookback(page).all_rows() == "3-6458c9404d0c"
    assert lookback(page, page).all_rows() == "6-0"
    assert lookback(page[:1]).all_rows() == "1-" + fingerprint_of(page[0]).hex().lstrip("0")
    assert lookback().all_rows() == "0-0"


@given(st.lists(st.tuples(st.integers(0, 50), st.text("ab", max_size=3)), min_size=1, max_size=20), st.integers(0, 20))
def test_the_one_fingerprint_does_not_depend_on_the_pages(rows: list[tuple[int, str]], cut: int) -> None:
    """However the rows come in pages, the same rows have the same one, and one more row has another."""
    page = [member(END + second, name) for second, name in sorted(rows)]
    whole = lookback(page, limit=END + 50).all_rows()

    assert lookback(page[cut:], page[:cut], limit=END + 50).all_rows() == whole
    assert lookback([*page, member(END + 51)], limit=END + 50).all_rows() != whole


def test_what_the_state_names_is_not_emitted_again() -> None:
    """A page whose first row is within the time of the state is looked through; rows without a time come first."""
    old, new = member(END - 1, "a"), member(END - 1, "b")
    found = lookback(saved=SeenState(until=END, rows=named(old)))

    assert found.fresh([old, new]) == [new]
    assert found.fresh([old]) == []
    assert found.fresh([member(None), old, new]) == [member(None), new]
    assert found.fresh([member(END), old, member(END + 9)]) == [member(END), member(END + 9)]
    assert found.fresh([]) == []


def test_a_page_after_the_time_of_the_state_is_not_looked_through() -> None:
    """Nothing in it can be known: that is nearly every page, and it is passed on as it is."""
    page = [member(END + 1), member(END + 2)]
    old = member(END + 1)

    assert lookback(saved=SeenState(until=END, rows=named(old))).fresh(page) is page
    assert lookback(saved=SeenState(until=END, all_rows="1-2")).fresh(page) is page
    assert lookback().fresh(page) is page


def test_a_state_that_names_rows_is_kept_while_nothing_new_comes() -> None:
    """And what it named is forgotten once the newest second has left it behind."""
    saved = SeenState(until=END, rows=named(member(END)))

    assert lookback(saved=saved).state() == saved
    assert lookback([member(END + 5)], saved=saved, limit=END + 900).state() == SeenState(
        until=END + 5, rows=named(member(END), member(END + 5))
    )
    assert lookback([member(END + 500)], saved=saved, limit=END + 900).state() == SeenState(until=END + 500, rows=named(member(END + 500)))


def test_rows_of_the_state_take_room_too() -> None:
    """They are named again, unless there are more than fit."""
    saved = SeenState(until=END, rows=named(member(END, "a"), member(END, "b")))

    full, over = (lookback([member(END + 1, name) for name in names], saved=saved, bound=3, limit=END + 1).state() for names in ("c", "cd"))
    assert full
    assert over
    assert (full.all_rows, over.rows) == (None, None)


@given(st.dictionaries(st.text(max_size=3) | st.integers(-5, 5).map(str), st.integers(), max_size=5))
def test_a_fingerprint_does_not_depend_on_the_order_of_names(value: dict[str, int]) -> None:
    """Mailchimp promises none. Numbers of any size have one."""
    assert digest(value) == digest(dict(reversed(value.items())))
    assert digest([value]) != digest(value)


def test_a_fingerprint_is_as_earlier_versions_made_it() -> None:
    """Of names that are no text, too: a state that names rows by others would name none."""
    assert [digest(one).hex() for one in ({"b": 1, "a": None}, {1: "x"}, 2**70)] == ["d5d59892852d", "de1cdac45e71", "d4143f62825f"]


@given(st.sets(st.binary(min_size=6, max_size=6), max_size=9))
def test_what_is_packed_is_unpacked(fingerprints: set[bytes]) -> None:
    """In any order."""
    assert unpacked(packed(fingerprints)) == fingerprints


@pytest.mark.parametrize("text", ["no such text!", "AAAA!AAAA", "A"])
def test_a_text_that_is_none_of_ours_names_nothing(text: str) -> None:
    """Not even in part."""
    assert unpacked(text) == frozenset()
