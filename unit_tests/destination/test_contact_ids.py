"""The set of contact ids and the table under it: a set, which remembers whom it does without, and small."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.audience.contact_ids import ContactIds
from destination_mailchimp_unified.audience.id_table import IdTable

MOST_BYTES = 16.5
"""Most bytes for each contact of a big set."""


def id_of(number: int) -> str:
    """Return an id that two neighbors do not share the beginning of."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:016x}"


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=300))
def test_it_holds_what_was_added_last(steps: list[tuple[int, bool]]) -> None:
    """After any adding and discarding it has the contacts, their number, and those it was told to do without."""
    ids, wanted, out = ContactIds(), set[int](), set[int]()
    for number, adds in steps:
        if adds:
            assert ids.add(id_of(number)) == (number not in wanted)
            wanted.add(number)
            out.discard(number)
        else:
            ids.discard(id_of(number))
            wanted.discard(number)
            out.add(number)

    assert {number for number in range(41) if id_of(number) in ids} == wanted
    assert {number for number in range(41) if ids.is_out(id_of(number))} == out
    assert len(ids) == len(wanted)


def test_the_ids_that_look_like_empty_slots() -> None:
    """An id of zeros is an id."""
    ids = ContactIds()
    assert ids.add("0" * 32)

    assert "0" * 32 in ids
    assert len(ids) == 1


def test_a_contact_takes_few_bytes() -> None:
    """A set of 200,000 contacts takes at most sixteen bytes for each, however they come."""
    numbers = list(range(200_000))
    random.Random(1).shuffle(numbers)
    tracemalloc.start()
    try:
        ids = ContactIds()
        for number in numbers:
            ids.add(id_of(number))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(ids) == 200_000
    assert size <= MOST_BYTES * 200_000


@pytest.mark.parametrize("expected", [0, 100])
def test_a_small_audience_takes_little(expected: int) -> None:
    """A thousand audiences of a hundred contacts each are known in fifty megabytes."""
    tracemalloc.start()
    try:
        table = IdTable(expected=expected)
        for number in range(100):
            table.put(id_of(number), 1)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(table) == 100
    assert size <= 50_000
