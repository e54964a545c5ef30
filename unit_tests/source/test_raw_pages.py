"""Pages of raw streams: nothing that stays is lost while others come and go."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_tests.simulation.clock import run
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Reply, Request
from source_mailchimp_unified.raw.pages import OVERLAP, collection_request, keys_of_items, read_pages
from source_mailchimp_unified.raw.parents import Partitions
from source_mailchimp_unified.raw_collections import table
from source_mailchimp_unified.sync.shared import Shared

Items = list[dict[str, Any]]


class Moving:
    """A collection that Mailchimp does not sort, in which items come and go between any two requests."""

    def __init__(self, size: int, seed: int, joining: int, leaving: int) -> None:
        self.items: Items = [{"id": number} for number in range(size)]
        self.stayed = set(range(size))
        self._chance, self._joining, self._leaving = random.Random(seed), joining, leaving

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer a request, then let items join and leave anywhere."""
        offset, count = int(request.params["offset"]), int(request.params["count"])
        page = self.items[offset : offset + count]
        total = len(self.items)
        for _ in range(self._chance.randint(0, self._joining)):
            self.items.insert(self._chance.randint(0, len(self.items)), {"id": -len(self.items) - self._chance.randint(1, 1 << 40)})
        for _ in range(self._chance.randint(0, min(self._leaving, len(self.items)))):
            gone = self.items.pop(self._chance.randrange(len(self.items)))
            self.stayed.discard(gone.get("id"))
        return Reply({"reports": page, "total_items": total})


def read(client: Any) -> Items:
    """Return what a reading of the reports gives."""

    async def reading() -> Items:
        row, pager = table()["reports"], Pager(client, logging.getLogger("test"))
        pages = read_pages(pager, row, collection_request(row, (), {}), keys_of_items(row), lambda _: None)
        return [item async for items in pages for item in items]

    return run(reading())


@settings(max_examples=25)
@given(st.integers(0, 5500), st.integers(0, 1 << 20), st.sampled_from([(OVERLAP // 2, 0), (0, 400), (OVERLAP // 2, OVERLAP)]))
def test_an_item_that_stays_is_read_whatever_comes_and_goes(size: int, seed: int, moves: tuple[int, int]) -> None:
    """Items that join or leave between the requests push no other item out of what is read."""
    collection = Moving(max(size, 500), seed, *moves)

    emitted = {item["id"] for item in read(collection)}

    assert collection.stayed <= emitted


def test_pages_that_do_not_overlap_would_lose_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlap is what saves them: without it the same collection loses items that never left."""
    monkeypatch.setattr("source_mailchimp_unified.raw.pages.OVERLAP", 0)
    collection = Moving(5000, 1, OVERLAP // 2, 0)

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
