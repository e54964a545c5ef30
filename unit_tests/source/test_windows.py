from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.request import PAGE_SIZE
from source_mailchimp_unified.contacts.listings import Listing
from source_mailchimp_unified.contacts.windows import Cuts, Left, Sample, Window


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


def test_the_page_size_is_mailchimps() -> None:
    """A page holds a thousand items, the most Mailchimp gives."""
    assert PAGE_SIZE == 1000


@pytest.mark.parametrize(("status", "rows"), [(None, 8), ("subscribed", 5), ("cleaned", 1), ("pending", 0), ("archived", 0)])
def test_an_audience_tells_how_many_a_listing_holds(status: str | None, rows: int) -> None:
    """What Mailchimp counts is believed as a size to begin with; what it does not count, or counts in words, is unknown."""
    audience = {"stats": {"member_count": 5, "unsubscribe_count": 2, "cleaned_count": 1}}

    assert Listing(status).rows(audience) == rows
    assert Listing(status).rows({}) == Listing(status).rows({"stats": dict.fromkeys(audience["stats"], "many")}) == 0
