"""The set of contact ids and the table under it: a set, which remembers whom it does without, and small."""

from __future__ import annotations

import random
import tracemalloc
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.audience.contact_ids import ContactIds
from destination_mailchimp_unified.audience.id_table import MARK, IdTable
from destination_mailchimp_unified.audience.statuses import Statuses
from mailchimp_unified.entities.contact import STATUSES

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


# The table under it.

TABLES = 64
"""Over so many tables contacts are spread, by their lowest bits."""

BLOCK = 256
"""Contacts of one block, nine bytes each."""


def in_one_table(number: int) -> str:
    """Return an id; all of them are in the same table."""
    return f"{number * TABLES:016x}{'0' * 16}"


@given(
    st.integers(0, 3),
    st.sampled_from([0, 1_000, 20_000, 40_000]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 7), st.sampled_from(["code", "words", "mark"])), max_size=150),
)
def test_the_table_keeps_codes_words_and_marks(words: int, expected: int, steps: list[tuple[int, int, str]]) -> None:
    """The last code, the last words, and a mark for good, of those who are there; regardless of how many were expected."""
    table = IdTable(words, expected)
    codes, kept, marked = dict[int, int](), dict[int, list[int]](), set[int]()
    for number, code, step in steps:
        if step == "mark":
            table.mark(in_one_table(number))
            marked |= {number} & codes.keys()
            continue
        given_words = [code + place for place in range(words)] if step == "words" else []
        table.put(in_one_table(number), code, given_words)
        codes[number] = code
        if given_words:
            kept[number] = given_words

    for number in range(61):
        code = codes.get(number, 0) | (MARK if number in marked else 0)
        found = table.words(in_one_table(number))
        assert (table.code(in_one_table(number)), found and list(found)) == (code, kept.get(number))
    assert len(table) == len(codes)


@pytest.mark.parametrize("words", [0, 1, 3])
@pytest.mark.parametrize("expected", [0, 64 * BLOCK, 64 * 1_000])
@pytest.mark.parametrize("apart", [1, 2, 7])
def test_a_table_grows_block_by_block(apart: int, expected: int, words: int) -> None:
    """Whether that was expected or not, and however its ids lie: each is found, and nobody else is."""
    table, count = IdTable(words, expected), 4 * BLOCK + 1
    for number in range(count):
        table.put(in_one_table(number * apart), number % 7 + 1, [number + 1] * words if number % 3 else ())
    for number in range(0, count, 5):
        table.mark(in_one_table(number * apart))

    assert len(table) == count
    for number in range(count):
        found = table.words(in_one_table(number * apart))
        assert table.code(in_one_table(number * apart)) == number % 7 + 1 + (0 if number % 5 else MARK)
        assert (found and list(found)) == ([number + 1] * words if words and number % 3 else None)
    assert (table.code(in_one_table(count * apart)), table.words(in_one_table(count * apart))) == (0, None)


def test_half_of_an_id_is_kept() -> None:
    """Ids are told apart by sixteen digits, and by no more."""
    table = IdTable()
    table.put("f" * 16 + "0" * 16, 1)

    codes = [table.code(one) for one in ("f" * 16 + "1" * 16, "f" * 15 + "e" + "0" * 16, "e" + "f" * 15 + "0" * 16)]
    assert codes == [1, 0, 0]


@pytest.mark.parametrize("status", STATUSES)
def test_a_mark_changes_no_status(status: str) -> None:
    """And a status no mark: words are not relied on any more."""
    statuses = Statuses(1)
    statuses.put(id_of(1), status, [5])
    words = statuses.words(id_of(1))
    statuses.mark_written(id_of(1))

    assert (words and list(words), statuses.get(id_of(1)), statuses.words(id_of(1))) == ([5], status, None)
    statuses.put(id_of(1), "pending", [6])
    assert (statuses.get(id_of(1)), statuses.words(id_of(1))) == ("pending", None)
    statuses.mark_written(id_of(2))
    assert (statuses.get(id_of(2)), len(statuses)) == (None, 1)


# What it takes.


class Taken:
    """The bytes that are taken since the beginning."""

    def __enter__(self) -> Self:
        tracemalloc.start()
        self._before, _ = tracemalloc.get_traced_memory()
        return self

    def __exit__(self, *_: object) -> None:
        tracemalloc.stop()

    @property
    def now(self) -> int:
        """The bytes."""
        return tracemalloc.get_traced_memory()[0] - self._before


OVERHEAD = 200
"""Bytes of a block besides its contacts, at most."""


def test_a_place_takes_five_to_seven_bytes_a_contact() -> None:
    """Of a table that grows, besides nine in blocks of 256: it is between three and four fifths full."""
    table, numbers = IdTable(), [in_one_table(number) for number in range(4_000)]
    with Taken() as taken:
        for count, contact_id in enumerate(numbers, 1):
            table.put(contact_id, 1)
            if count > 2 * BLOCK and not count % 8:
                blocks = -(-count // BLOCK)
                places = taken.now - blocks * BLOCK * 9
                assert 5 * count - 4 * count // 10 <= places <= 7 * count + 1_000 + blocks * OVERHEAD


@pytest.mark.parametrize("words", [0, 3])
@pytest.mark.parametrize(("share", "blocks"), [(200, 0), (255, 0), (256, 1), (257, 2), (511, 2), (512, 2), (513, 3), (2_525, 10)])
def test_what_is_expected_is_taken_at_once(share: int, blocks: int, words: int) -> None:
    """With a hundredth to spare; and what comes up to that takes nothing more where it is more than a block."""
    expected = -(-share * TABLES * 100 // 101)
    numbers = [in_one_table(number) for number in range(share)]
    with Taken() as taken:
        table = IdTable(words, expected)
        each = taken.now / TABLES
        assert 0 <= each - blocks * BLOCK * 9 - share * (5 + 8 * words) <= 700 + blocks * OVERHEAD
        at_once = taken.now
        for contact_id in numbers:
            table.put(contact_id, 1, [1] * words)
        assert taken.now - at_once <= (1_000 if blocks else 4_000)


def test_without_words_none_are_taken() -> None:
    """An audience that is only read takes half of what one takes that is compared."""
    numbers = [id_of(number) for number in range(64 * 300)]
    with Taken() as taken:
        table = IdTable(expected=len(numbers))
        for contact_id in numbers:
            table.put(contact_id, 1)
        assert taken.now <= 25 * len(numbers)


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
