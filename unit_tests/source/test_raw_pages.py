"""Pages of raw streams: nothing that stays is lost while others come and go."""

from __future__ import annotations

import asyncio
import logging
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_tests.simulation.clock import run
from mailchimp_unified.errors import BugError, FirewallError, ServerError, TimedOutError, TransientError
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import PAGE_SIZE, Reply, Request
from source_mailchimp_unified.raw.pages import collection_request, keys_of_items, only, read_pages, without_links
from source_mailchimp_unified.raw.parents import Partitions
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import lineage, table
from source_mailchimp_unified.sync.shared import Shared

Items = list[dict[str, Any]]


class Moving:
    """A collection that Mailchimp does not sort, in which items come and go between any two requests."""

    def __init__(self, size: int, seed: int, joining: int, leaving: int) -> None:
        self.items: Items = [{"id": number} for number in range(size)]
        self.stayed = set(range(size))
        self.offsets: list[int] = []
        self._chance, self._joining, self._leaving = random.Random(seed), joining, leaving

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer a request, then let items join and leave anywhere."""
        offset, count = int(request.params["offset"]), int(request.params["count"])
        self.offsets.append(offset)
        page = self.items[offset : offset + count]
        total = len(self.items)
        for _ in range(self._chance.randint(0, self._joining)):
            self.items.insert(self._chance.randint(0, len(self.items)), {"id": -len(self.items) - self._chance.randint(1, 1 << 40)})
        for _ in range(self._chance.randint(0, min(self._leaving, len(self.items)))):
            gone = self.items.pop(self._chance.randrange(len(self.items)))
            self.stayed.discard(gone.get("id"))
        return Reply({request.items: page, "total_items": total})


def read(client: Any, name: str = "reports", page_size: int = PAGE_SIZE, above: tuple[str, ...] = ()) -> Items:
    """Return what a reading of a row gives."""

    async def reading() -> Items:
        row, pager = table()[name], Pager(client, logging.getLogger("test"), page_size)
        pages = read_pages(pager, row, collection_request(row, above, {}), keys_of_items(row), lambda _: None)
        return [item async for items in pages for item in items]

    return run(reading())


@settings(max_examples=25)
@given(st.integers(0, 5500), st.integers(0, 1 << 20), st.sampled_from([(50, 0), (0, 400), (50, 100)]))
def test_an_item_that_stays_is_read_whatever_comes_and_goes(size: int, seed: int, moves: tuple[int, int]) -> None:
    """Items that join or leave between the requests push no other item out of what is read."""
    collection = Moving(max(size, 500), seed, *moves)

    emitted = {item["id"] for item in read(collection)}

    assert collection.stayed <= emitted


def test_pages_that_do_not_overlap_would_lose_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlap is what saves them: without it the same collection loses items that never left."""
    monkeypatch.setattr("source_mailchimp_unified.raw.pages.OVERLAP", 0)
    collection = Moving(5000, 1, 50, 0)

    emitted = {item["id"] for item in read(collection)}

    assert collection.stayed - emitted


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1900, 1901, 2000, 2800, 4321])
def test_an_item_of_a_collection_at_rest_is_read_once(size: int) -> None:
    """Pages overlap, records do not."""
    emitted = [item["id"] for item in read(Moving(size, 0, 0, 0))]

    assert sorted(emitted) == list(range(size))


@pytest.mark.parametrize("key", [None, {"odd": 1}, [1]])
def test_items_without_a_key_are_never_taken_for_repetitions(key: Any) -> None:
    """Where Mailchimp leaves the key out, or gives none that is one, an item may come twice, but none is left out."""
    collection = Moving(2500, 0, 0, 0)
    collection.items = [{"n": number, "id": key} for number in range(2500)]

    emitted = {item["n"] for item in read(collection)}

    assert emitted == set(range(2500))


@pytest.mark.parametrize(
    ("name", "above", "size", "page_size", "steps"),
    [
        ("reports", (), 2_950, 1_000, {900}),  # Mailchimp says no order, and each item has a key
        ("campaigns", (), 2_950, 1_000, {1_000}),  # sorted by time
        ("report_advice", ("c",), 2_950, 1_000, {1_000}),  # no key, so repetitions could not be told
        ("segments", ("a",), 2_950, 1_000, {900}),  # the key of the parent is not among the fields of an item
        ("reports", (), 38, 10, {5}),
        ("reports", (), 41, 7, {4}),
    ],
)
def test_pages_share_a_hundred_items_where_items_may_move_unseen(
    name: str, above: tuple[str, ...], size: int, page_size: int, steps: set[int]
) -> None:
    """Half of them where pages are smaller than two hundred, and nothing where the order or the lack of a key forbids it."""
    collection = Moving(size, 0, 0, 0)

    emitted = [item["id"] for item in read(collection, name, page_size, above)]

    assert sorted(emitted) == list(range(size))
    downwards = [offset for offset in collection.offsets[collection.offsets.index(max(collection.offsets)) :] if offset]
    assert {before - after for before, after in pairwise(downwards)} == steps


@pytest.mark.parametrize(
    ("name", "key"),
    [("reports", ("id",)), ("segments", ("id",)), ("email_activity", ("email_id",)), ("campaign_content", ()), ("report_advice", ())],
)
def test_items_are_told_apart_by_what_is_theirs_of_the_key(name: str, key: tuple[str, ...]) -> None:
    """Neither by what is of their parents, nor by what is of their entries."""
    assert keys_of_items(table()[name]) == key


def test_what_a_reading_counts_is_what_each_answer_says() -> None:
    """Of a collection with offsets."""
    heard: list[int] = []
    collection: Any = Moving(1_500, 0, 0, 0)

    async def reading() -> None:
        row = table()["campaigns"]
        pager = Pager(collection, logging.getLogger("test"))
        async for _ in read_pages(pager, row, collection_request(row, (), {}), keys_of_items(row), heard.append):
            pass

    run(reading())
    assert heard == [1_500, 1_500]


class Failing:
    """A collection with cursors, of which Mailchimp gives pages of at most so many items; bigger ones fail with an error."""

    def __init__(self, most: int, error: TransientError) -> None:
        self.most, self.error = most, error
        self.tried: list[tuple[int, int | None]] = []

    async def call(self, request: Request, tries: int | None = None, **_: object) -> Reply:
        """Answer a request, or fail."""
        count = int(request.params["count"])
        self.tried.append((count, tries))
        if count > self.most:
            raise self.error
        return Reply({"contacts": [{"id": 1}]})


@pytest.mark.parametrize("error", [ServerError("HTTP 500"), TimedOutError("no answer")], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("sizes", [(1_000, 500, 250, 100), (4, 2, 1, 1)])
@pytest.mark.parametrize("good", range(5))
def test_a_page_by_cursor_that_fails_is_asked_for_in_smaller_sizes(good: int, sizes: tuple[int, ...], error: TransientError) -> None:
    """Twice in each size; the smallest one is tried as long as any other request, and never for no item."""
    failing = Failing(sizes[good] if good < len(sizes) else 0, error)
    emitted: list[Any] = []
    if good < len(sizes):
        emitted = read(failing, "audience_contacts", sizes[0], ("a",))
    else:
        with pytest.raises(type(error)):
            read(failing, "audience_contacts", sizes[0], ("a",))

    tried = list(zip(sizes, (2, 2, 2, None), strict=True))
    assert failing.tried == tried[: sizes.index(failing.most) + 1 if emitted else len(tried)]


def test_a_page_by_cursor_that_fails_for_another_reason_is_not_asked_for_in_other_sizes() -> None:
    """A firewall does not mind the size."""
    failing = Failing(0, FirewallError("blocked"))

    with pytest.raises(FirewallError):
        read(failing, "audience_contacts", above=("a",))

    assert failing.tried == [(1_000, 2)]


class Cursors:
    """A collection with cursors: for each page its items and the cursor behind them, the last one again and again."""

    def __init__(self, *pages: tuple[list[int], Any]) -> None:
        self.pages, self.asked = pages, 0

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer with the next page."""
        items, cursor = self.pages[min(self.asked, len(self.pages) - 1)]
        assert request.params.get("cursor") == (
            self.pages[self.asked - 1][1] if 0 < self.asked < len(self.pages) else request.params.get("cursor")
        )
        self.asked += 1
        return Reply({"contacts": [{"id": one} for one in items], "next_cursor": cursor})


def empty(number: int, name: str = "e") -> list[tuple[list[int], Any]]:
    """Return so many empty pages, each with a cursor of its own."""
    return [([], f"{name}{at}") for at in range(number)]


END: tuple[list[int], Any] = ([3], None)


@pytest.mark.parametrize(
    ("pages", "emitted"),
    [
        ([([1], "a"), END], [1, 3]),
        ([*empty(20), END], [3]),
        ([([1], "a"), *empty(20), ([2], "b"), *empty(20, "f"), END], [1, 2, 3]),
        ([*empty(21), END], None),
        ([([1], "a"), *empty(21), END], None),
        ([([1], "a"), ([1], "b"), END], None),  # the same page again
        ([([1], "a"), ([2], "b"), ([1], "c"), END], [1, 2, 1, 3]),
        ([([1], "a"), ([2], "b"), ([4], "a"), ([5], "b"), END], None),  # the cursors go in a circle
        ([([1], 7), ([2], "7"), END], None),
        ([([1], "a"), ([1], None)], [1, 1]),  # the last page leads nowhere else
        ([*empty(20), ([], "")], []),
    ],
)
def test_cursors_are_followed_until_one_leads_nowhere(pages: list[tuple[list[int], Any]], emitted: list[int] | None) -> None:
    """Twenty empty pages may come in a row. One more, a page again, or a cursor again is an error, not an end."""
    collection = Cursors(*pages)

    if emitted is None:
        with pytest.raises(BugError):
            read(collection, "audience_contacts", above=("a",))
    else:
        assert [item["id"] for item in read(collection, "audience_contacts", above=("a",))] == emitted


@pytest.mark.parametrize(
    ("name", "links", "brief"),
    [
        ("campaigns", "campaigns._links,_links", "campaigns.id,campaigns.status,total_items"),
        ("campaign_content", "_links", None),
        ("list_webhooks", None, None),  # knows neither
    ],
)
def test_only_what_is_wanted_is_asked_for(name: str, links: str | None, brief: str | None) -> None:
    """Everything but the links, or some fields and the count, where Mailchimp knows how to leave out the rest."""
    row = table()[name]

    assert without_links(row).get("exclude_fields") == links
    if row.records_key:
        assert only(row, ["id", "status"]).get("fields") == brief


@pytest.mark.parametrize("name", [name for name, row in table().items() if row.records_key is None])
def test_an_answer_that_is_one_item_holds_something_that_belongs_to_it(name: str) -> None:
    """Neither the keys that are in the path nor a count make an answer one."""
    row = table()[name]
    request = collection_request(row, tuple("abc"[: len(lineage(row))]), {})

    assert request.items == ""
    assert set(request.one_of) == set(stream_schema(row)["properties"]) - {parent.column for parent in lineage(row)} - {"total_items"}


@pytest.mark.parametrize("keys", [(), ("a", "b")])
def test_a_partition_has_a_key_for_each_parent(keys: tuple[str, ...]) -> None:
    """Neither fewer nor more: the path would be that of something else."""
    with pytest.raises(ValueError, match="argument"):
        collection_request(table()["segments"], keys, {})


def test_keys_are_quoted_in_the_path() -> None:
    """A store chooses its ids: a slash, a blank or a question mark in one stays part of it."""
    request = collection_request(table()["store_order_lines"], ("my store", "a/b?c=ü"), {})

    assert request.path == "/ecommerce/stores/my%20store/orders/a%2Fb%3Fc%3D%C3%BC/lines"


@given(st.lists(st.tuples(st.integers(), st.lists(st.integers(-9, 1 << 40) | st.text(), max_size=5)), max_size=5), st.booleans())
def test_partitions_come_back_as_they_were_added(pages: list[tuple[int, list[Any]]], tells: bool) -> None:
    """Packing loses no key, no type, no order and nothing that is told, and the partitions can be gone through again and again."""
    partitions = Partitions(("size",) if tells else ())
    for above, keys in pages:
        partitions.add((above,), keys, [[str(key)] for key in keys] if tells else ())

    expected = [((above, key), {"size": str(key)} if tells else {}) for above, keys in pages for key in keys]
    assert [(one.values, one.told) for one in partitions] == [(one.values, one.told) for one in partitions] == expected
    assert partitions.count == len(expected)


def test_partitions_of_which_nothing_is_told_have_nothing_to_tell() -> None:
    """Whether or not something would be kept of them; no keys are no partitions."""
    for names in ((), ("size",)):
        partitions = Partitions(names)
        partitions.add((), ["a", "b"])
        partitions.add((), [])

        assert [(one.values, one.told) for one in partitions] == [(("a",), {}), (("b",), {})]
        assert partitions.count == 2


def test_the_keys_of_a_million_contacts_take_little_memory() -> None:
    """Partitions are kept packed: 32 digits a contact and hardly more."""
    partitions = Partitions()
    for page in range(10):
        partitions.add(("list",), [f"{page * 1000 + number:032x}" for number in range(1000)])

    assert sum(len(keys) + len(told) for _, keys, told in partitions._packed) < 10_000 * 36


def test_what_is_shared_is_done_once() -> None:
    """Who asks first starts it; everybody gets the result, or the error."""
    started = []

    async def failing() -> int:
        started.append(1)
        await asyncio.sleep(1)
        raise LookupError("gone")

    async def ask() -> list[Any]:
        shared: Shared[int] = Shared(failing)
        return await asyncio.gather(*(shared.get() for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in run(ask())] == ["gone"] * 3
    assert started == [1]
