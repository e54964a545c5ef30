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
from mailchimp_unified.errors import BugError, MailchimpError, ServerError, TimedOutError, TransientError
from mailchimp_unified.paging import PARTS, Pager
from mailchimp_unified.patience import Patience
from mailchimp_unified.request import PAGE_SIZE, Request
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.kernel.conftest import Scripted, answer

PING = Request("/ping", "a ping")
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
        if offset < 0 or not 0 < count <= PAGE_SIZE:
            return answer({"title": "Invalid Resource"}, 400)
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
    silent = Scripted(lambda _: TimedOutError("Mailchimp did not answer"), seconds=130)

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

    with pytest.raises(BugError, match="no matter the offset"):
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


def asked_for(*pages: int | tuple[int, int]) -> list[tuple[int, int]]:
    """Return requests by their offsets, for whole pages unless a count is given."""
    return [(page, PAGE_SIZE) if isinstance(page, int) else page for page in pages]


STEPS_BACK = [99_000, 98_500, 97_500, 95_500, 91_500, 83_500, 67_500, 35_500, 0]
ENDS: dict[str, tuple[Collection, int, list[tuple[int, int]]]] = {
    "the count leads to the last page": (
        Collection(list(range(4_345))), 0, asked_for(0, 4_000, 3_000, 2_000, 1_000, 0)),
    "a guess that is right is as good": (Collection(list(range(2_001))), 2_001, asked_for(2_000, 1_000, 0)),
    "one more than a page": (Collection(list(range(1_001))), 1_001, asked_for(1_000, 0)),
    "one less than a page": (Collection(list(range(999))), 999, asked_for(0)),
    "a page that one has left": (Collection(list(range(999))), 1_000, asked_for(0)),
    "nothing": (Collection([]), 0, asked_for(0)),
    "a full page is not the end": (Collection(list(range(2_000))), 2_000, asked_for(1_000, 2_000, 1_500, 500, (0, 500))),
    "an empty page is not, either: from its count half a page back": (Collection(list(range(900))), 1_001, asked_for(1_000, 400, (0, 400))),
    "without a count page by page": (
        Collection(list(range(2_300)), total_off_by=-5_000), 0, asked_for(0, 1_000, 2_000, 1_000, 0)),
    "with a count that stays wrong by twice as much each time": (
        Collection([0], total_off_by=99_999), 100_000,
        [page for at in STEPS_BACK[:-1] for page in asked_for(at, at)] + asked_for(0, (1, 999), (1, 999))),
    "without a count and with a wrong guess by halves of what is between": (
        Collection(list(range(4_300)), total_off_by=-5_000), 100_000,
        asked_for(99_000, 0, 50_000, 49_500, 48_500, 46_500, 42_500, 34_500, 18_500, 0, 9_750, 9_250, 8_250, 6_250, 2_250, 4_750, 4_250)
        + asked_for(3_250, 2_250, 1_250, 250, (0, 250))),
}  # fmt: skip


@pytest.mark.parametrize(("collection", "rows", "asked"), ENDS.values(), ids=ENDS)
def test_the_end_is_found_in_few_requests(collection: Collection, rows: int, asked: list[tuple[int, int]]) -> None:
    """By the count where it helps; else in steps that double backward and halve forward. Then every item is read once."""
    collection.asked.clear()

    assert sorted(collection.read(rows)) == collection.items
    assert collection.asked == asked


@pytest.mark.parametrize(
    ("overlap", "asked"),
    [
        (0, asked_for(2_000, 1_000, 0)),
        (1, asked_for(2_000, 1_001, 2, (0, 3))),
        (100, asked_for(2_000, 1_100, 200, (0, 300))),
    ],
)
def test_pages_share_as_many_items_as_they_overlap(overlap: int, asked: list[tuple[int, int]]) -> None:
    """None, unless it is asked for; the last one is no longer than it must be."""
    collection = Collection(list(range(2_500)))

    assert len(collection.read(2_500, overlap)) == 2_500 + overlap * (len(asked) - 1)
    assert collection.asked == asked


@given(size=st.integers(0, 320), guess=st.integers(0, 400), clamp=st.sampled_from([100, 60, 50, 33, 7]))
@settings(max_examples=100)
def test_a_collection_that_rests_is_read_once(size: int, guess: int, clamp: int) -> None:
    """However its pages are cut, no item comes twice."""
    assert sorted(Collection(list(range(size)), clamp=clamp).read(guess, page_size=100)) == list(range(size))


def test_the_search_for_an_end_that_moves_faster_than_it_is_read_ends() -> None:
    """After twenty turns, as trouble that passes."""
    full: list[bool] = []

    def answers(outgoing: Outgoing) -> Received:
        offset = int(outgoing.params["offset"])
        full.append(len(full) % 2 == 0)
        things = [{"id": offset + number} for number in range(PAGE_SIZE)] if full[-1] else []
        return answer({"things": things, "total_items": offset + len(things)})

    with pytest.raises(TransientError) as raised:
        run(Pager(Scripted(answers).client(), logging.getLogger("test")).all(THINGS))

    assert type(raised.value) is TransientError
    assert raised.value.answered
    assert full.count(False) == 21


@pytest.mark.parametrize(
    ("too_big", "sizes"),
    [
        (1_001, [1_000]),
        (1_000, [1_000, 500]),
        (501, [1_000, 500]),
        (500, [1_000, 500, 250]),
        (250, [1_000, 500, 250, 100]),
        (101, [1_000, 500, 250, 100]),
    ],
)
def test_a_page_is_asked_for_in_halves_quarters_and_tenths(too_big: int, sizes: list[int]) -> None:
    """Each size twice before the next smaller one; pages that come are asked for once."""
    collection = Collection(list(range(1_000)), too_big=too_big)

    page = run(Pager(Scripted(collection).client(), logging.getLogger("test")).page(THINGS))

    assert [item["id"] for item in page.items] == list(range(1_000))
    assert sorted({count for _, count in collection.asked if count in sizes}, reverse=True) == sizes
    assert [[count for _, count in collection.asked].count(size) for size in sizes[:-1]] == [2] * (len(sizes) - 1)
    assert len(set(collection.asked)) == len(collection.asked) - (len(sizes) - 1)


def test_the_smallest_pages_are_asked_for_with_the_whole_patience() -> None:
    """A tenth of a page is not given up sooner, and nothing smaller is asked for."""
    collection = Collection(list(range(1_000)), too_big=100)

    with pytest.raises(ServerError):
        run(Pager(Scripted(collection).client(), logging.getLogger("test")).page(THINGS))

    counts = [count for _, count in collection.asked]
    assert counts[:6] == [1_000, 1_000, 500, 500, 250, 250]
    # A quarter ends with half a tenth, which comes.
    assert counts[6] == 50
    assert set(counts[7:]) == {100}
    assert len(counts) > 7 + 10


@pytest.mark.parametrize(("too_big", "least"), [(2, 1), (1, None)])
def test_a_page_of_a_few_items_is_divided_to_single_ones_and_no_further(too_big: int, least: int | None) -> None:
    """A tenth of four is one."""
    collection = Collection(list(range(6)), too_big=too_big)

    if least is None:
        with pytest.raises(ServerError):
            collection.read(page_size=4)
    else:
        assert sorted(collection.read(page_size=4)) == list(range(6))
    assert min(count for _, count in collection.asked) == 1


def failing(times: int, then: Collection) -> Callable[[Outgoing], Received]:
    """Return a server that fails so many times."""
    left = iter(range(times))
    return lambda outgoing: answer({}, 503) if next(left, None) is not None else then(outgoing)


@pytest.mark.parametrize(("pages", "bigger"), [(6, False), (7, False), (8, True), (9, True)])
def test_after_ten_pages_of_a_smaller_size_the_next_bigger_one_is_tried(pages: int, bigger: bool) -> None:
    """Two come in the place of the page that failed; pieces that are smaller still do not count."""
    collection = Collection(list(range(5_000)))

    async def reading() -> None:
        pager = Pager(Scripted(failing(2, collection)).client(), logging.getLogger("test"))
        await pager.page(THINGS)
        for number in range(pages):
            await pager.page(THINGS, number * 500, 500)
            await pager.page(THINGS, 0, 100)
        collection.asked.clear()
        await pager.page(THINGS)

    run(reading())
    assert collection.asked == ([(0, 1_000)] if bigger else [(500, 500), (0, 500)])


def test_from_tenths_on_every_bigger_size_is_tried_in_turn() -> None:
    """Ten pages of each, once Mailchimp gives them again."""
    collection = Collection(list(range(50_000)))

    async def reading() -> list[int]:
        pager = Pager(Scripted(failing(6, collection)).client(), logging.getLogger("test"))
        await pager.page(THINGS)
        collection.asked.clear()
        for number in range(1, 20):
            await pager.page(THINGS, number * 1_000)
        return [count for _, count in collection.asked]

    counts = run(reading())
    assert list(dict.fromkeys(counts)) == [100, 250, 500, 1_000]
    # A page is read to its end in the size in which it was begun.
    assert [counts.count(size) for size in (100, 250, 500)] == [10, 12, 10]


@pytest.mark.parametrize(("limit", "smaller"), [(500, 250), (1_000, 500)])
def test_a_bigger_size_that_fails_again_is_not_tried_a_third_time(limit: int, smaller: int) -> None:
    """Then it was the size, and no passing trouble."""
    collection = Collection(list(range(60_000)), too_big=limit)

    async def reading() -> list[int]:
        pager = Pager(Scripted(collection).client(), logging.getLogger("test"))
        for number in range(60):
            await pager.page(THINGS, number * 1_000)
        return [count for _, count in collection.asked]

    counts = run(reading())
    assert counts.count(limit) == 4
    assert set(counts[-100:]) == {smaller}


def test_a_size_to_which_pages_were_cut_stays_the_biggest() -> None:
    """Also after trouble made pages smaller for a while."""
    collection = Collection(list(range(60_000)), clamp=500)
    trouble = {"now": False}

    def answers(outgoing: Outgoing) -> Received:
        return answer({}, 503) if trouble["now"] and int(outgoing.params["count"]) > 250 else collection(outgoing)

    async def reading() -> list[int]:
        pager = Pager(Scripted(answers).client(), logging.getLogger("test"))
        await pager.page(THINGS)
        trouble["now"] = True
        await pager.page(THINGS, 1_000)
        trouble["now"] = False
        collection.asked.clear()
        for number in range(2, 20):
            await pager.page(THINGS, number * 1_000)
        return [count for _, count in collection.asked]

    assert set(run(reading())) == {250}


@pytest.mark.parametrize(("clamp", "pages"), [(500, 1), (250, 1), (100, 1), (300, 1), (137, 1), (999, 2)])
def test_a_cut_is_believed_at_once_where_it_is_round_and_else_the_second_time(clamp: int, pages: int) -> None:
    """Halves, quarters and tenths are limits that servers have; another short page may be an accident, be it one of a page's pieces."""
    collection = Collection(list(range(9_000)), clamp=clamp)

    async def reading() -> list[int]:
        pager, biggest = Pager(Scripted(collection).client(), logging.getLogger("test")), []
        for number in range(4):
            collection.asked.clear()
            page = await pager.page(THINGS, number * 1_000)
            assert [item["id"] for item in page.items] == list(range(number * 1_000, number * 1_000 + 1_000))
            biggest.append(max(count for _, count in collection.asked))
        return biggest

    biggest = run(reading())
    assert biggest == [1_000] * pages + [clamp] * (4 - pages)


@pytest.mark.parametrize("short", [1, 300, 700, 999])
def test_a_page_that_comes_short_once_is_no_reason_to_ask_for_less(short: int) -> None:
    """It was an accident."""
    collection = Collection(list(range(5_000)), short_once={1: short})

    async def reading() -> None:
        pager = Pager(Scripted(collection).client(), logging.getLogger("test"))
        await pager.page(THINGS)
        collection.asked.clear()
        await pager.page(THINGS, 1_000)

    run(reading())
    assert collection.asked == [(1_000, 1_000)]


def test_pages_of_a_collection_share_nothing_unless_it_is_asked_for() -> None:
    """From the far end, or as a whole."""

    async def reading() -> tuple[list[int], list[int]]:
        pager = Pager(Scripted(Collection(list(range(2_500)))).client(), logging.getLogger("test"))
        down = [item["id"] async for page in pager.down(THINGS) for item in page.items]
        return sorted(down), [item["id"] for item in await pager.all(THINGS)]

    assert run(reading()) == (list(range(2_500)), list(range(2_500)))


def test_a_page_of_several_requests_is_as_old_as_the_first_and_its_count_as_new_as_the_last() -> None:
    """What changed after the first may be missing; the count is only a hint."""
    times: list[float] = []

    def answers(outgoing: Outgoing) -> Received:
        times.append(asyncio.get_running_loop().time() - 1.0)
        offset, count = int(outgoing.params["offset"]), int(outgoing.params["count"])
        if count > 250:
            return answer({}, 504)
        things = [{"id": offset + number} for number in range(count)]
        date = f"Wed, 25 Nov 2026 12:{len(times):02}:00 GMT"
        return answer({"things": things, "total_items": 5_000 + len(times)}, Date=date)

    async def reading() -> None:
        pager = Pager(Scripted(answers, seconds=1.0).client(), logging.getLogger("test"))
        await pager.page(THINGS, 1_000)
        times_before = len(times)
        page = await pager.page(THINGS)
        assert page.date is not None
        assert len(times) == times_before + 4
        assert (page.asked, page.date.minute, page.total) == (times[times_before], times_before + 1, 5_000 + len(times))

    run(reading())


def test_a_page_that_was_completed_is_as_old_as_its_first_request() -> None:
    """What came short was asked for in front of what completed it."""
    collection = Collection(list(range(900)), short_once={1: 100})
    times: list[float] = []

    def answers(outgoing: Outgoing) -> Received:
        times.append(asyncio.get_running_loop().time() - 1.0)
        return collection(outgoing)

    page = run(Pager(Scripted(answers, seconds=1.0).client(), logging.getLogger("test")).page(THINGS))

    assert collection.asked == [(0, 1_000), (100, 900), (0, 100)]
    assert (page.asked, page.total, len(page.items)) == (times[0], 900, 900)


@pytest.mark.parametrize(("again", "requests"), [([0], 2), ([1, 0], 4), ([1, 1], 3)])
def test_a_page_that_comes_empty_is_asked_for_once_more(again: list[int], requests: int, caplog: pytest.LogCaptureFixture) -> None:
    """What comes then is completed like any other; empty twice means that the count is wrong, which is said."""
    things = Collection(list(range(1_500)))
    left = [0, *[3 if one else 0 for one in again]]

    def answers(outgoing: Outgoing) -> Received:
        most = left.pop(0) if left else PAGE_SIZE
        offset, count = int(outgoing.params["offset"]), int(outgoing.params["count"])
        things.asked.append((offset, count))
        found = [{"id": item} for item in things.items[offset : offset + min(count, most)]]
        return answer({"things": found, "total_items": 1_500})

    async def reading() -> tuple[int, bool]:
        pager = Pager(Scripted(answers).client(), logging.getLogger("test"))
        page = await pager.page(THINGS, 1_000)
        return len(page.items), pager.disagrees(THINGS)

    with caplog.at_level(logging.WARNING):
        found, disagrees = run(reading())

    assert disagrees is (again == [0])
    assert found == (0 if disagrees else 500)
    assert len(caplog.records) == disagrees


def test_the_time_for_retries_begins_again_once_a_piece_has_come() -> None:
    """A collection of which parts come is not given up for the time that those took."""
    left = {"pieces": 1}

    def answers(outgoing: Outgoing) -> Received | Exception:
        count = int(outgoing.params["count"])
        if count > 100 or left["pieces"] == 0:
            return answer({}, 503)
        left["pieces"] -= 1
        return answer({"things": [{"id": number} for number in range(count)], "total_items": 1_000})

    async def reading() -> float:
        pager = Pager(Scripted(answers, seconds=60.0).client(), logging.getLogger("test"))
        with pytest.raises(ServerError):
            await pager.page(THINGS)
        return asyncio.get_running_loop().time()

    assert 6 * 60 + 60 + 900 <= run(reading()) < 2 * 900


@pytest.mark.parametrize("waited", [0.0, 500.0])
def test_a_page_has_the_time_that_is_left_of_its_callers(waited: float) -> None:
    """From when the caller began, or from now on."""

    async def reading() -> float:
        clock = asyncio.get_running_loop().time
        pager = Pager(Scripted(lambda _: answer({}, 503)).client(), logging.getLogger("test"))
        await asyncio.sleep(1_000)
        began = clock()
        with pytest.raises(ServerError):
            await pager.page(THINGS, count=100, since=began - waited if waited else None)
        return clock() - began

    assert 900 - waited <= run(reading()) <= 900 - waited + 1


@pytest.mark.parametrize("same", [2, 3])
def test_an_offset_is_without_effect_when_three_pages_are_the_same(same: int) -> None:
    """Two may be by chance, where as many joined in front as a page holds."""
    collection = Collection(list(range(3_500)))

    def answers(outgoing: Outgoing) -> Received:
        given = len(collection.asked)
        received = collection(outgoing)
        if given < same:
            return answer({"things": [{"id": number} for number in range(PAGE_SIZE)], "total_items": 1_500 + given})
        return received

    pager = Pager(Scripted(answers).client(), logging.getLogger("test"))
    if same == 3:
        with pytest.raises(BugError):
            run(pager.all(THINGS))
    else:
        assert len(run(pager.all(THINGS))) >= 3_500
    assert len(collection.asked) == 3 or same == 2


def test_nothing_smaller_is_asked_for_when_the_time_is_over() -> None:
    """A request that took longer than there was time is the only one."""
    silent = Scripted(lambda _: TimedOutError("Mailchimp did not answer"), seconds=600)

    with pytest.raises(TimedOutError):
        run(Pager(silent.client(), logging.getLogger("test")).page(THINGS))

    assert [one.params["count"] for one in silent.seen] == [PAGE_SIZE]


@pytest.mark.parametrize(("status", "count", "least"), [(429, PAGE_SIZE, PAGE_SIZE), (504, 100, 100), (504, PAGE_SIZE, 50)])
def test_a_smaller_page_is_asked_for_only_where_it_may_help(status: int, count: int, least: int) -> None:
    """Not after a throttle, and not below a tenth, when another call has given Mailchimp up with time left for this one."""

    async def reading() -> tuple[float, int]:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(1_000)
        began, scripted = clock(), Scripted(lambda _: answer({}, status))
        client = scripted.client()
        pager = Pager(client, logging.getLogger("test"))
        results = await asyncio.gather(client.call(PING, since=began - 890), pager.page(THINGS, count=count), return_exceptions=True)
        assert [result.is_final for result in results if isinstance(result, TransientError)] == [True, False]
        return clock() - began, min(int(one.params.get("count", PAGE_SIZE)) for one in scripted.seen)

    seconds, found = run(reading())
    assert seconds < 100
    assert found == least
