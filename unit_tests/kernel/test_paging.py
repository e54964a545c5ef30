"""Pages: nothing is lost while items come and go, and no odd answer is taken for the end."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from integration_tests.simulation.clock import run
from mailchimp_unified.errors import BugError, MailchimpError, TimedOutError
from mailchimp_unified.paging import PARTS, Pager
from mailchimp_unified.patience import Patience
from mailchimp_unified.request import PAGE_SIZE, Request
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.kernel.conftest import Scripted, answer

THINGS = Request("/things", "the things", {"sort": "x"}, items="things")


@dataclass
class Collection:
    """A collection that may change before each request, and a server that gives its pages as odd as it likes."""

    items: list[int]
    clamp: int = PAGE_SIZE
    total_off_by: int = 0
    too_big: int = PAGE_SIZE + 1
    change: Callable[[list[int], int], None] = lambda _items, _n: None
    short_once: dict[int, int] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> Received:
        """Answer a page."""
        self.change(self.items, len(self.asked))
        offset, count = int(outgoing.params["offset"]), int(outgoing.params["count"])
        self.asked.append((offset, count))
        if count >= self.too_big:
            return answer({}, 504)
        count = self.short_once.pop(len(self.asked), min(count, self.clamp))
        total = max(0, len(self.items) + self.total_off_by)
        return answer({"things": [{"id": item} for item in self.items[offset : offset + count]], "total_items": total})

    def read(self, rows: int = 0, overlap: int = 0, page_size: int = PAGE_SIZE) -> list[int]:
        """Read all of it from its far end, and return the ids in the order in which they came."""

        async def reading() -> list[int]:
            pager = Pager(Scripted(self).client(), logging.getLogger("test"), page_size)
            return [item["id"] async for page in pager.down(THINGS, rows, overlap) for item in page.items]

        return run(reading())


@given(
    size=st.integers(1, 4_200),
    guess=st.integers(0, 6_000),
    clamp=st.sampled_from([PAGE_SIZE, 500, 300, 137]),
    off=st.sampled_from([0, 0, 3, -3, 700, -5_000]),
)
@settings(max_examples=150)
def test_whatever_the_server_clamps_or_counts_all_is_read(size: int, guess: int, clamp: int, off: int) -> None:
    """All items come of a collection that rests: pages may be cut short, or the count be wrong, but not both at once."""
    if clamp < PAGE_SIZE:
        off = max(off, 0)

    assert set(Collection(list(range(size)), clamp=clamp, total_off_by=off).read(guess)) == set(range(size))


@given(
    size=st.integers(0, 3_500),
    guess=st.integers(0, 5_000),
    short=st.dictionaries(st.integers(1, 6), st.integers(1, 999), max_size=3) | st.dictionaries(st.integers(1, 6), st.just(0), max_size=1),
)
@settings(max_examples=150)
def test_a_page_that_comes_short_once_loses_nothing(size: int, guess: int, short: dict[int, int]) -> None:
    """What a short page leaves out is asked for behind it."""
    assert set(Collection(list(range(size)), short_once=short).read(guess)) == set(range(size))


@pytest.mark.parametrize("size", [PAGE_SIZE // parts for parts in PARTS])
def test_a_page_that_is_too_big_is_asked_for_in_halves(size: int) -> None:
    """Pages that time out are asked for twice, then in smaller pieces; a bigger size is tried once more, and no more."""
    collection = Collection(list(range(20_345)), too_big=size + 1)

    assert sorted(collection.read()) == list(range(20_345))
    tries = [count for _, count in collection.asked if count > size]
    assert len(tries) <= 2 * (2 + PARTS.index(PAGE_SIZE // size))


def test_passing_trouble_does_not_make_small_pages_for_good() -> None:
    """After some pages of a smaller size bigger ones are tried again: a minute of errors does not cost ten times the requests."""
    collection = Collection(list(range(60_000)))
    failures = iter(range(6))

    def answers(outgoing: Outgoing) -> Received:
        return answer({}, 503) if next(failures, None) is not None else collection(outgoing)

    async def reading() -> int:
        pager = Pager(Scripted(answers).client(), logging.getLogger("test"))
        return len({item["id"] async for page in pager.down(THINGS, 60_000) for item in page.items})

    assert run(reading()) == 60_000
    assert len(collection.asked) < 120


def test_the_time_for_retries_is_that_of_all_sizes_together() -> None:
    """A collection that never answers is given up after the time of one request, not after that of each size."""
    silent = Scripted(lambda _: TimedOutError("Mailchimp did not respond"), seconds=130)

    async def reading() -> float:
        with pytest.raises(TimedOutError):
            await Pager(silent.client(), logging.getLogger("test")).page(THINGS)
        return asyncio.get_running_loop().time()

    assert run(reading()) <= Patience().total + 2 * 130


def test_a_page_that_fails_at_every_size_fails() -> None:
    """At the smallest size the client's whole patience is used, and then the error is raised."""
    with pytest.raises(MailchimpError):
        Collection(list(range(10)), too_big=1).read()


def test_a_collection_that_fits_a_page_is_one_request() -> None:
    """Nothing is asked twice without a reason."""
    collection = Collection(list(range(PAGE_SIZE - 1)))

    assert collection.read() == list(range(PAGE_SIZE - 1))
    assert collection.asked == [(0, PAGE_SIZE)]


def test_an_offset_without_effect_is_a_clear_error() -> None:
    """The same full page again and again ends the reading."""

    async def reading() -> None:
        same = answer({"things": [{"id": n} for n in range(PAGE_SIZE)], "total_items": 5_000})
        await Pager(Scripted(lambda _: same).client(), logging.getLogger("test")).all(THINGS)

    with pytest.raises(BugError):
        run(reading())


@given(size=st.integers(1, 4_200), seed=st.integers(0, 10_000), moves=st.integers(0, 150), guess=st.integers(0, 5_000))
@settings(max_examples=150)
def test_an_item_that_stays_is_read_while_others_only_leave(size: int, seed: int, moves: int, guess: int) -> None:
    """Reading from the far end meets everything that stays."""
    rng = random.Random(seed)
    staying = set(rng.sample(range(size), size // 2))

    def leave(items: list[int], _: int) -> None:
        for _ in range(moves):
            gone = rng.choice(items) if items else None
            if gone is not None and gone not in staying:
                items.remove(gone)

    assert staying <= set(Collection(list(range(size)), change=leave).read(guess))


def come_and_go(rng: random.Random, staying: set[int], moves: tuple[int, int]) -> Callable[[list[int], int], None]:
    """Return a change that lets some items leave and some join, at any place, before each request."""

    def change(items: list[int], n: int) -> None:
        for _ in range(rng.randint(0, moves[0])):
            gone = rng.randrange(len(items)) if items else 0
            if items and items[gone] not in staying:
                del items[gone]
        for number in range(rng.randint(0, moves[1])):
            items.insert(rng.randint(0, len(items)), 1_000_000 + n * 1_000 + number)

    return change


@given(
    size=st.integers(0, 4_200),
    seed=st.integers(0, 10_000),
    moves=st.integers(0, 150).flatmap(lambda overlap: st.tuples(st.integers(0, 150), st.integers(0, overlap), st.just(overlap))),
)
@example(size=3_058, seed=2_181, moves=(50, 100, 100))
@settings(max_examples=200)
def test_an_item_that_stays_is_read_whatever_comes_and_goes(size: int, seed: int, moves: tuple[int, int, int]) -> None:
    """Pages that overlap by at least as many items as join between two requests meet everything that stays, however many leave."""
    leave, join, overlap = moves
    rng = random.Random(seed)
    staying = set(range(0, size, 2))

    assert staying <= set(Collection(list(range(size)), change=come_and_go(rng, staying, (leave, join))).read(overlap=overlap))


@pytest.mark.parametrize("overlap", [0, 1, 100, 500])
@pytest.mark.parametrize("size", [1, 999, 1_000, 1_001, 3_000, 3_058])
def test_as_many_may_join_at_the_front_as_pages_overlap(size: int, overlap: int) -> None:
    """The worst case of the rule: all that join push everything that is left towards the pages that were read already."""

    def join(items: list[int], n: int) -> None:
        items[:0] = [1_000_000 + n * 1_000 + number for number in range(overlap)]

    assert set(range(size)) <= set(Collection(list(range(size)), change=join).read(overlap=overlap))


@pytest.mark.parametrize("around", [1_000, 2_000, 3_000])
def test_a_collection_around_a_whole_number_of_pages_keeps_its_tail(around: int) -> None:
    """A count that falls below a multiple of a page and rises above it again hides nothing."""

    def swing(items: list[int], n: int) -> None:
        if n % 2:
            items[:] = [item for item in items if item < 1_000_000]
        else:
            items[:0] = [1_000_000 + n * 10 + number for number in range(4)]

    staying = list(range(around - 2))
    read = Collection(list(staying), change=swing).read(overlap=100)

    assert set(staying) <= set(read)


@pytest.mark.parametrize("left", [0, 1, 999, 1_000, 1_001, 4_300])
@pytest.mark.parametrize("off", [0, -5_000])
def test_the_end_of_a_collection_that_nearly_all_left_is_soon_found(left: int, off: int) -> None:
    """Where a hint says a hundred thousand and next to nobody is there, a few requests find the end."""
    collection = Collection(list(range(left)), total_off_by=off)

    assert sorted(collection.read(100_000)) == list(range(left))
    assert len(collection.asked) < 30


def test_a_wrong_count_is_accepted_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A difference that stays after one more look ends nothing, and is never silent."""
    with caplog.at_level(logging.WARNING):
        read = Collection(list(range(10)), total_off_by=7).read()

    assert read == list(range(10))
    assert len(caplog.records) == 1


def test_items_are_returned_in_order() -> None:
    """A whole collection comes in Mailchimp's order."""

    async def reading() -> list[Any]:
        return await Pager(Scripted(Collection(list(range(2_500)))).client(), logging.getLogger("test")).all(THINGS)

    assert [item["id"] for item in run(reading())] == list(range(2_500))


def test_an_offset_without_effect_is_an_error() -> None:
    """A server that gives its first ten of 37 for every offset would pass for one that clamps its pages: it is found out."""
    first_ten = [{"id": number} for number in range(10)]
    pager = Pager(Scripted(lambda _: answer({"things": first_ten, "total_items": 37})).client(), logging.getLogger("test"))

    with pytest.raises(BugError, match="regardless of the offset"):
        run(pager.all(THINGS))


@given(size=st.integers(1, 300), off=st.integers(-400, 400), guess=st.integers(0, 600))
@example(size=10, off=-5, guess=0)
@example(size=300, off=-150, guess=0)
@settings(max_examples=80)
def test_however_wrong_the_count_the_end_is_soon_found(size: int, off: int, guess: int) -> None:
    """A count that is many pages off costs a few requests to find the end, and none of the items."""
    things = Collection(list(range(size)), total_off_by=off)

    assert set(things.read(guess, page_size=10)) == set(things.items)
    assert len(things.asked) <= size / 10 + max(0, -off) / 10 + 40


@pytest.mark.parametrize("joining", range(11))
def test_items_that_join_in_front_of_the_end_are_no_fault_of_the_server(joining: int) -> None:
    """The same page at another offset, because as many items joined in front of it, is read like any other."""

    def join(items: list[int], number: int) -> None:
        if number == 2:
            items[:0] = range(-joining, 0)

    things = Collection(list(range(30)), change=join)

    read = set(things.read(overlap=5, page_size=10))
    assert read >= set(range(30)) or joining > 5


def test_a_page_without_an_offset_is_the_first() -> None:
    """Whole, unless a number of items is asked for."""
    pager = Pager(Scripted(Collection(list(range(2_500)))).client(), logging.getLogger("test"))

    async def pages() -> list[list[Any]]:
        return [[item["id"] for item in page.items] for page in (await pager.page(THINGS), await pager.page(THINGS, count=3))]

    assert run(pages()) == [list(range(PAGE_SIZE)), [0, 1, 2]]


@pytest.mark.parametrize("clamp", [500, 300, 137])
def test_a_server_that_cuts_its_pages_is_soon_asked_for_such_pages(clamp: int) -> None:
    """Once two pages came cut to the same size, no more is asked for than comes: little more requests than the pages there are."""
    collection = Collection(list(range(20_000)), clamp=clamp)

    assert set(collection.read(20_000)) == set(range(20_000))
    assert len(collection.asked) <= 20 * -(-PAGE_SIZE // clamp) + 30
