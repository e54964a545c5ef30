from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.request import PAGE_SIZE
from mailchimp_unified.windows import Cuts, Left, Sample, Window, further_offsets, offsets_of_whole_pages, rows_per_window, sample_offsets
from source_mailchimp_unified.contacts.listings import Listing, listings
from source_mailchimp_unified.contacts.sweep import members_request


def test_a_window_begins_while_samples_are_awaited() -> None:
    """Two neighboring samples are enough for what lies between them."""
    cuts = Cuts(Window(0, 100))
    cuts.expect(3)

    assert cuts.learn(2, Sample(70, 80)) == []
    assert cuts.learn(1, Sample(40, 50)) == [Window(49, 70)]
    assert cuts.learn(0, Sample(0, 10)) == [Window(9, 40), Window(79, 100)]


samples = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(lambda pair: Sample(min(pair), max(pair)))


@given(st.integers(1, 50), st.lists(st.none() | samples, max_size=8), st.randoms(use_true_random=False))
def test_every_second_is_sampled_or_left(first: int, later: list[Sample | None], chance: random.Random) -> None:
    """Each second lies strictly inside a sample or in a window, in any order of the samples, reversed or not."""
    window = Window(0, 60)
    found = dict(enumerate([Sample(0, first), *later]))
    cuts = Cuts(window)
    cuts.expect(len(found))
    arrivals = list(found)
    chance.shuffle(arrivals)

    left = [one for number in arrivals for one in cuts.learn(number, found[number])]

    inside = {second for sample in found.values() if sample for second in range(sample.first + 1, sample.last)}
    covered = [second for one in left for second in range(one.after + 1, one.until + 1)]
    assert set(covered) | inside == set(range(1, 61))
    ordered = [sample.first for sample in later if sample] + [60]
    if ordered == sorted(ordered) and first <= ordered[0]:
        assert len(covered) == len(set(covered))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_what_is_left_is_what_was_added_and_is_not_done(steps: list[tuple[bool, int, int]]) -> None:
    """However windows are added and taken away, the seconds left are exactly those, in windows in order that do not touch."""
    left, seconds = Left(), set()
    for adds, after, until in steps:
        window, covered = Window(after, until), set(range(after + 1, until + 1))
        if adds:
            left.add(window)
            seconds |= covered
        else:
            left.done(window)
            seconds -= covered

    assert {second for one in left.windows for second in range(one.after + 1, one.until + 1)} == seconds
    assert all(one.until < other.after for one, other in zip(left.windows, left.windows[1:], strict=False))
    assert all(one.after < one.until for one in left.windows)


def test_the_page_size_is_mailchimps() -> None:
    """A page holds a thousand items, the most Mailchimp gives."""
    assert PAGE_SIZE == 1000


@pytest.mark.parametrize(("status", "rows"), [(None, 8), ("subscribed", 5), ("cleaned", 1), ("pending", 0), ("archived", 0)])
def test_an_audience_tells_how_many_a_listing_holds(status: str | None, rows: int) -> None:
    """What Mailchimp counts is believed as a size to begin with; what it does not count, or counts in words, is unknown."""
    audience = {"stats": {"member_count": 5, "unsubscribe_count": 2, "cleaned_count": 1}}

    assert Listing(status).rows(audience) == rows
    assert Listing(status).rows({"stats": {**audience["stats"], "member_count": -5}}) == rows - (5 if status in (None, "subscribed") else 0)
    assert Listing(status).rows({}) == Listing(status).rows({"stats": dict.fromkeys(audience["stats"], "many")}) == 0


ALL = frozenset(STATUSES)


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        (ALL, [(None, None), ("archived", None)]),
        (ALL - {"archived"}, [(None, None)]),
        (ALL - {"archived", "cleaned"}, [(None, ALL - {"archived", "cleaned"})]),
        ({"subscribed", "cleaned", "archived"}, [(None, {"subscribed", "cleaned"}), ("archived", None)]),
        ({"subscribed", "archived"}, [("subscribed", None), ("archived", None)]),
        ({"subscribed"}, [("subscribed", None)]),
        ({"archived"}, [("archived", None)]),
        ((), []),
    ],
    ids=lambda value: ",".join(sorted(value)) if isinstance(value, (set, frozenset)) else None,
)
def test_the_wanted_statuses_are_read_from_the_fewest_listings(wanted: set[str], read: list[tuple[str | None, set[str] | None]]) -> None:
    """One status has a listing of its own, several are picked from that of all, and archived contacts are in no listing but their own."""
    assert [(one.status, one.keep) for one in listings(frozenset(wanted))] == read


def test_a_listing_has_a_name_in_a_state() -> None:
    """That of its status, or of those that are picked, in the order of the alphabet; none for the listing of all."""
    wanted = [ALL, ALL - {"archived", "cleaned"}, {"cleaned"}]

    assert [one.key for each in wanted for one in listings(frozenset(each))] == [
        "", "archived", "pending,subscribed,transactional,unsubscribed", "cleaned",
    ]  # fmt: skip


@pytest.mark.parametrize(("after", "bound"), [(0, None), (1, "1970-01-01T00:00:01+00:00"), (60, "1970-01-01T00:01:00+00:00")])
@pytest.mark.parametrize("status", [None, "archived"])
def test_a_window_is_asked_for_by_its_bounds(after: int, bound: str | None, status: str | None) -> None:
    """The window that begins with 1970 has no lower bound: a contact may be without a time."""
    params = members_request("a", Window(after, 90), Listing(status)).params

    assert {name: params.get(name) for name in ("since_last_changed", "before_last_changed", "status")} == {
        "since_last_changed": bound, "before_last_changed": "1970-01-01T00:01:30+00:00", "status": status,
    }  # fmt: skip


def test_of_members_only_what_contacts_are_made_of_is_kept() -> None:
    """Unless the whole member is wanted."""
    assert members_request("a", Window(0, 9), Listing(None)).keeps is not None
    assert members_request("a", Window(0, 9), Listing(None), whole=False).keeps is not None
    assert members_request("a", Window(0, 9), Listing(None), whole=True).keeps is None


def test_no_window_is_left_between_samples_that_meet() -> None:
    """Nor behind a last sample that reaches the end: it would cost a request for nothing."""
    cuts = Cuts(Window(0, 20))
    cuts.expect(3)

    assert [cuts.learn(0, Sample(0, 10)), cuts.learn(1, Sample(9, 15)), cuts.learn(2, Sample(14, 21))] == [[], [], []]


def test_equal_samples_are_different_places() -> None:
    """Samples inside one tie are alike: what follows the second of them is left all the same."""
    cuts = Cuts(Window(0, 20))
    cuts.expect(4)

    assert [cuts.learn(number, Sample(5, 5)) for number in (1, 2)] == [[], []]
    assert cuts.learn(3, Sample(9, 9)) == [Window(5, 9)]
    assert cuts.learn(0, Sample(0, 0)) == [Window(0, 5), Window(9, 20)]


def test_a_sample_that_found_nothing_leaves_one_window_around_it() -> None:
    """The list ended before it: everything behind the sample before it is one window."""
    cuts = Cuts(Window(0, 100))
    cuts.expect(3)

    assert cuts.learn(1, None) == []
    assert cuts.learn(0, Sample(0, 10)) == []
    assert cuts.learn(2, Sample(40, 50)) == [Window(9, 40), Window(49, 100)]


def test_samples_may_be_expected_until_the_first_has_come() -> None:
    """What is behind the last one known is left only then."""
    cuts = Cuts(Window(0, 100))
    cuts.expect(1)
    cuts.expect(1)
    assert cuts.learn(1, Sample(40, 50)) == []
    cuts.expect(1)

    assert cuts.learn(0, Sample(0, 10)) == [Window(9, 40)]
    assert cuts.learn(2, Sample(70, 80)) == [Window(49, 70), Window(79, 100)]


@pytest.mark.parametrize(("known", "further"), [([], [33, 66]), ([17], [66]), ([33], [66]), ([49], [66]), ([50], []), ([10, 40], [66])])
def test_a_listing_that_is_longer_than_was_thought_is_sampled_further(known: list[int], further: list[int]) -> None:
    """Behind what is sampled already, and nowhere nearer to it than half a window: a hundred rows are cut in three here."""
    assert sample_offsets(100, 15, 3) == [33, 66]
    assert further_offsets(known, 100, 15, 3) == further


def test_a_listing_that_is_shorter_than_was_thought_is_not_sampled_further() -> None:
    """Not even one that fits a window."""
    assert further_offsets([50], 20, 15, 3) == further_offsets([50], 0, 15, 3) == further_offsets([], 0, 15, 3) == []


@pytest.mark.parametrize(("offsets", "rows"), [([], 100), ([5_000], 4_100), ([7_000, 14_000], 6_100)])
def test_a_window_holds_what_is_between_two_samples(offsets: list[int], rows: int) -> None:
    """Without the page of a sample, and with a tenth of one for the seconds that it shares; so its last page is found at once."""
    assert rows_per_window(offsets, 1_000) == rows


@pytest.mark.parametrize(
    ("rows", "workers", "windows"),
    [
        (0, 3, 1), (1_500, 3, 1), (37_303, 2, 2), (118_000, 2, 20), (198_978, 5, 10), (256_000, 7, 14),
        (479_476, 1, 44), (880_614, 7, 112), (1_810_494, 1, 91),
    ],
)  # fmt: skip
def test_a_list_is_cut_so_that_the_fewest_pages_come_one_after_another(rows: int, workers: int, windows: int) -> None:
    """With the ties and the sample of each window: in as many equal parts as that takes, and of two ways alike in the finer one."""
    assert sample_offsets(rows, 1_000, workers) == [rows * number // windows for number in range(1, windows)]


@pytest.mark.parametrize(
    ("rows", "windows", "offsets"),
    [
        (0, 4, []),
        (1_000, 1, []),
        (3_000, 3, [1_900, 2_800]),
        (30_000, 6, [5_900, 10_800, 15_700, 20_600, 25_500]),
        (35_000, 6, [5_900, 11_800, 17_700, 23_600, 29_500]),
    ],
)
def test_a_listing_is_cut_into_whole_pages(rows: int, windows: int, offsets: list[int]) -> None:
    """Each window ends a tenth of a page early, for those who share its last second; some have a page more than others."""
    assert offsets_of_whole_pages(rows, PAGE_SIZE, windows) == offsets


@given(st.integers(0, 3_000_000), st.integers(0, 10))
def test_windows_of_whole_pages_cost_one_more_page_than_there_are(rows: int, windows: int) -> None:
    """A sample and the rows behind it, with the last row of the sample and the first of the next; no window is two pages bigger than another."""
    pages = -(-rows // PAGE_SIZE)
    starts = [0, *offsets_of_whole_pages(rows, PAGE_SIZE, min(windows, pages))]
    behind = [end - start - PAGE_SIZE + 2 for start, end in pairwise([*starts, rows])]
    costs = [1 + -(-max(0, one) // PAGE_SIZE) for one in behind]

    assert len(starts) <= max(1, windows)
    assert sum(costs) <= pages + 1
    assert max(costs) - min(costs) <= 2
