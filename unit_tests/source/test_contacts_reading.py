"""One list read by the real stream, with pages of ten rows and answers in random order, while its members change."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from integration_tests.simulation.clock import run
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.entities import CONTACT
from mailchimp_unified.entities.rows import Contact
from mailchimp_unified.paging import Page, Pager
from mailchimp_unified.request import Reply, Request
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.contacts.stream import ContactsStream
from source_mailchimp_unified.sync.account import Account, Audiences
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.streams import Session

START = 1_700_000_000
HORIZON = START + 10_000
CREDENTIALS = {"auth_type": "apikey", "apikey": f"{'0' * 32}-us1"}
PAGE = 10


class Audience:
    """A list whose members change between any two requests: an edit moves `last_changed` past every window."""

    def __init__(self, seconds: list[int], seed: int, edits_per_request: int, thought: int = 0) -> None:
        self.changed = dict(enumerate(seconds))
        self.random = random.Random(seed)
        self.edits_per_request = edits_per_request
        self.thought = thought
        self.requests = self.open = self.asked_first = 0

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer after some time, so that answers come in any order."""
        self.open += 1
        await asyncio.sleep(self.random.random())
        self.asked_first = self.asked_first or self.open
        self.open -= 1
        self.requests += 1
        self.edit()
        return self.answer(request)

    def answer(self, request: Request) -> Reply:
        """Return a page as Mailchimp does: bounds exclusive and inclusive, sorted, a row per member."""
        params = request.params
        after = epoch(str(params["since_last_changed"])) if "since_last_changed" in params else -1
        until = epoch(str(params["before_last_changed"]))
        changed = {} if params.get("status") == "archived" else self.changed
        rows = sorted((second, number) for number, second in changed.items() if after < second <= until)
        page = rows[int(params["offset"]) : int(params["offset"]) + int(params["count"])]
        members = [{"id": str(number), "list_id": "a", "last_changed": moment_of(second)} for second, number in page]
        return Reply({"members": members, "total_items": len(rows)})

    def edit(self) -> None:
        """Change some members: they leave every window, and the next sync's window will hold them."""
        for _ in range(self.edits_per_request):
            if self.changed:
                self.changed[self.random.choice(list(self.changed))] = HORIZON + 100

    async def audiences(self) -> Audiences:
        """Return the account of this one list."""
        one = {"id": "a", "stats": {"member_count": self.thought}}
        return Audiences({"a": one}, [one], [], datetime.fromtimestamp(HORIZON + 1, UTC))


@dataclass
class Emitted:
    """What a stream emitted, and every state it could have been killed with."""

    stream: ContactsStream
    ids: list[str] = field(default_factory=list)
    states: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    async def emit(self, records: Iterable[Contact]) -> None:
        """Take records, some time later."""
        await asyncio.sleep(0.1)
        self.ids += [record.id for record in records]

    def estimate(self, rows: int) -> None:
        """Take no notice."""

    def checkpoint(self) -> None:
        """Note the state of this moment."""
        self.states.append((len(self.ids), self.stream.state()))


def read(audience: Audience, state: dict[str, Any] | None = None, workers: int = 4, pager: type[Pager] = Pager, **config: Any) -> Emitted:
    """Read the list with the real stream."""
    parsed = SourceConfig.model_validate({"credentials": CREDENTIALS, "num_workers": workers, **config})
    logger = logging.getLogger("test")
    stream = ContactsStream(CONTACT, parsed, full_refresh=False, logger=logger, incoming=state or {}, now=lambda: HORIZON + 1)
    client = cast("MailchimpClient", SimpleNamespace(call=audience.call))
    emitted = Emitted(stream)
    session = Session(client, pager(client, logger, PAGE), cast("Account", audience), logger)
    run(stream.read(session, cast("Output", emitted)))
    assert stream.errors == []
    return emitted


members = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 35)), min_size=0, max_size=25).map(
    lambda groups: [START + second for second, size in groups for _ in range(size)]
)


def missing(audience: Audience, emitted: Iterable[str]) -> set[str]:
    """Return the members that neither this sync emitted nor the next will: the lost ones."""
    return {str(number) for number, second in audience.changed.items() if second <= HORIZON} - set(emitted)


@settings(max_examples=60)
@given(
    seconds=members,
    seed=st.integers(0, 10_000),
    edits=st.integers(0, 12),
    workers=st.integers(1, 10),
    thought=st.one_of(st.just(0), st.integers(0, 1000)),
)
@example(seconds=[START + 1] * 33 + [START + 2] * 70, seed=1, edits=7, workers=5, thought=0).via("the last sample leaves nothing")
def test_no_member_is_lost_whatever_changes_during_the_sweep(seconds: list[int], seed: int, edits: int, workers: int, thought: int) -> None:
    """Every member before the horizon is emitted, with any ties, edits between any two requests, and a wrong count beforehand."""
    audience = Audience(seconds, seed, edits, thought)

    emitted = read(audience, workers=workers)

    assert missing(audience, emitted.ids) == set()
    assert "left" not in emitted.stream.state()["lists"].get("a", {})


SHRINKING = [START + second for second, size in [(1, 107), (2, 66), (4, 105), (121, 1)] for _ in range(size)]


@settings(max_examples=60)
@given(seconds=members, seed=st.integers(0, 10_000), edits=st.integers(0, 6), workers=st.integers(1, 10), kills=st.integers(1, 4))
@example(seconds=SHRINKING, seed=13, edits=6, workers=4, kills=1).via("a page came empty because so many rows had left in front of it")
def test_a_state_says_what_is_left(seconds: list[int], seed: int, edits: int, workers: int, kills: int) -> None:
    """Killed at any checkpoint, several times, and continued from its state, a sync loses no member."""
    audience = Audience(seconds, seed, edits)
    emitted, state = [], None
    for _ in range(kills):
        attempt = read(audience, state, workers)
        if attempt.states:
            number, state = audience.random.choice(attempt.states)
            emitted += attempt.ids[:number]
    emitted += read(audience, state, workers).ids

    assert missing(audience, emitted) == set()


def test_a_kill_repeats_hardly_anything() -> None:
    """Killed four times in a list at rest, the sync emits at most 1.15 times what the list holds."""
    audience = Audience([START + n // 3 for n in range(4000)], 0, 0)
    emitted, state = [], None
    for part in (0.2, 0.4, 0.6, 0.8):
        attempt = read(audience, state, workers=10)
        # Killed when so much of the list was out; the last page is lost with the pipe.
        number, state = next(one for one in attempt.states if len(emitted) + one[0] >= part * 4000)
        emitted += attempt.ids[: number + PAGE]
    emitted += read(audience, state, workers=10).ids

    assert len(set(emitted)) == 4000
    assert len(emitted) <= 1.15 * 4000


@settings(max_examples=40)
@given(seconds=members, seed=st.integers(0, 1000), workers=st.integers(1, 10), thought=st.one_of(st.just(0), st.integers(0, 1000)))
def test_a_quiet_list_is_emitted_exactly_once(seconds: list[int], seed: int, workers: int, thought: int) -> None:
    """Without edits no member comes twice, however wrong the count beforehand, and the next sync emits nothing."""
    audience = Audience(seconds, seed, 0, thought)

    first = read(audience, workers=workers)
    second = read(audience, first.stream.state(), workers)
    third = read(audience, second.stream.state(), workers)

    assert sorted(first.ids) == sorted(map(str, audience.changed))
    assert second.ids == third.ids == []


class Upwards(Pager):
    """Reads from offset 0 upwards, as one would without a second thought."""

    async def down(self, collection: Request, rows: int = 0, overlap: int = 0) -> AsyncIterator[Page]:
        """Yield the pages in their order."""
        page = await self.page(collection)
        yield page
        while len(page.items) == self.page_size:
            page = await self.page(collection, page.offset + self.page_size)
            yield page


def test_reading_upwards_loses_members() -> None:
    """The proof that the order matters: the same trial read from offset 0 upwards misses members."""
    lost = 0
    for seed in range(20):
        audience = Audience([START + n // 3 for n in range(400)], seed, 4)
        lost += len(missing(audience, read(audience, pager=Upwards).ids))

    assert lost > 0


def test_a_list_that_fits_a_page_costs_one_request() -> None:
    """Nothing is sampled and nothing is asked twice where one page holds all; archived contacts are a listing of their own."""
    audience = Audience([START + n for n in range(9)], 0, 0)

    read(audience)

    assert audience.requests == 2


@pytest.mark.parametrize(("thought", "most"), [(0, 1.1), (2000, 1.1), (1900, 1.4), (2100, 1.1)])
def test_a_big_list_costs_little_more_than_its_pages(thought: int, most: float) -> None:
    """Samples are read as pages, so that cutting the time line costs less than a tenth; a wrong count beforehand costs some more."""
    audience = Audience([START + n for n in range(2000)], 0, 0, thought)

    read(audience, workers=10)

    assert audience.requests <= 200 * most + 1


@pytest.mark.parametrize(("thought", "asked_first"), [(0, 2), (2000, 10)])
def test_a_list_known_to_be_big_is_sampled_with_its_first_page(thought: int, asked_first: int) -> None:
    """No worker waits for the first page where a count says beforehand that more will come."""
    audience = Audience([START + n for n in range(2000)], 0, 0, thought)

    read(audience, workers=10)

    assert audience.asked_first == asked_first


def test_a_list_of_one_second_is_read_once() -> None:
    """Samples inside one tie leave one window, not one each."""
    audience = Audience([START] * 2000, 0, 0)

    read(audience, workers=10)

    assert audience.requests <= 200 * 1.3


@given(st.integers(1, 60), st.integers(0, 200), st.integers(0, 1000))
@settings(max_examples=40)
def test_what_becomes_visible_late_is_read_by_the_next_sync(rows: int, age: int, seed: int) -> None:
    """A change stamped up to the lookback before the end of a sync, and visible only after it, is emitted by the next one, alone."""
    audience = Audience([HORIZON - 7 * n for n in range(rows)], seed, 0)
    first = read(audience)
    audience.changed[rows] = HORIZON - age

    second = read(audience, first.stream.state())

    assert second.ids == ([str(rows)] if age < 120 else [])
