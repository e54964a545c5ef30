"""What the stream of events promises about time and memory: what ages, what is asked for again, and who waits."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry
from destination_mailchimp_unified.intake.lines import Unusable
from destination_mailchimp_unified.live.events import event_of
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.pacing import LivePacing
from destination_mailchimp_unified.live.service import Service
from destination_mailchimp_unified.live.writer import LiveSettlement
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import CREATED, Outcome, rejected
from destination_mailchimp_unified.settling.report import Report
from integration_tests.simulation.clock import run
from integration_tests.streaming.simulated import Live, live, pipeline_in
from unit_tests.account import LOGGER
from unit_tests.destination.writing import Mailchimp, person, record

if TYPE_CHECKING:
    from destination_mailchimp_unified.pipeline.lane import Lane
    from destination_mailchimp_unified.settling.rejected_records import Store

Json = dict[str, Any]
MEBIBYTE = 1 << 20
REFRESHED = {"unsubscribed", "cleaned", "pending", "transactional", "archived"}
"""The statuses that are read again: all but subscribed."""


def burst(count: int, **columns: Any) -> list[Json]:
    """Return events of so many people at once."""
    return [record(number, **columns) for number in range(count)]


# The feed.


def event(size: int = 0) -> Unusable:
    """Return a message of so many bytes."""
    return Unusable("", b"x" * size)


def fed(*sizes: int) -> tuple[Feed, list[Outcome | None]]:
    """Return a feed with events of these sizes, and what their senders were told."""
    feed, told = Feed(), list[Outcome | None]()
    for size in sizes:
        feed.put(event(size), told.append)
    return feed, told


def test_ten_thousand_events_may_wait() -> None:
    """More are told to wait."""
    feed, _ = fed(*[0] * 9_999)

    assert (feed.has_room(), feed.has_room(2)) == (True, False)


def test_events_of_32_mebibytes_may_wait() -> None:
    """More bytes have no room, however few events they are; alone any event has."""
    feed, _ = fed(31 * MEBIBYTE)

    assert (feed.has_room(1, MEBIBYTE), feed.has_room(1, MEBIBYTE + 1)) == (True, False)
    assert Feed().has_room(1, 40 * MEBIBYTE)


def test_room_comes_with_an_outcome() -> None:
    """A sender that waits for room continues as soon as an event is settled, and the sender of that event is told at once."""

    async def story() -> list[str]:
        said: list[str] = []
        feed = Feed(most_waiting=1)
        feed.put(event(), lambda outcome: said.append(outcome.kind if outcome else "unknown"))

        async def wait() -> None:
            await feed.room()
            said.append("room")

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(1)
        assert said == []
        feed.settled(Entry((None, ""), 0, 1), CREATED)
        await waiting
        return said

    assert run(story()) == ["created", "room"]


def test_a_feed_is_drained_when_it_has_ended_and_nothing_waits() -> None:
    """Not before its end, and not before the last outcome."""
    feed, _ = fed(1)
    idle = Feed()
    states = [idle.drained, feed.drained]
    idle.end()
    feed.end()
    states += [idle.drained, feed.drained]
    feed.settled(Entry((None, ""), 0, 1), CREATED)

    assert [*states, feed.drained] == [False, False, True, False, True]


def test_what_broke_is_unknown_to_all() -> None:
    """Senders that wait are told so, and later ones at once."""
    feed, said = fed(1, 1)
    feed.break_off()
    feed.put(event(), said.append)

    assert said == [None] * 3
    assert (feed.waiting, feed.waiting_bytes) == (0, 0)


# Pacing.


@pytest.mark.parametrize(
    ("seconds", "gone"),
    [
        ([0.0], [(0.0, 1)]),
        ([0.0, 0.0], [(0.02, 2)]),
        ([0.0, 0.0, 0.01, 0.01], [(0.03, 4)]),
    ],
    ids=["a lone one goes at once", "a burst waits 20 ms", "and that after its last"],
)
def test_events_wait_a_moment_for_others(seconds: list[float], gone: list[tuple[float, int]]) -> None:
    """Long enough to go in one call with those of the same burst, too short to be felt."""
    assert hurried_after(seconds) == gone


def test_no_event_waits_longer_than_a_fifth_of_a_second_for_others() -> None:
    """However steadily others come; and a tenth at least, so that a call has more than a few of them."""
    seconds = [0.01 * (number // 2) for number in range(80)]
    gone = hurried_after(seconds)
    waited = [next(when for when, last in gone if last >= number) - second for number, second in enumerate(seconds, 1)]

    assert max(waited) == pytest.approx(0.2, abs=0.011)
    assert [when for when, _ in gone] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.41], abs=0.011)


def hurried_after(seconds: list[float]) -> list[tuple[float, int]]:
    """Return when batches were hurried, and up to which event, while events came at these times."""
    hurried: list[tuple[float, int]] = []

    class Hurried:
        def flush(self, number: int) -> None:
            hurried.append((round(clock(), 3), number))

    async def coming() -> None:
        pacing = LivePacing(cast("dict[str, Lane]", {"": Hurried()}))
        for second in sorted(set(seconds)):
            if second > clock():
                pacing.input_pauses()
                await asyncio.sleep(second - clock())
            pacing.came(sum(one <= second for one in seconds), 0)
        pacing.input_pauses()
        await asyncio.sleep(1)

    def clock() -> float:
        return asyncio.get_running_loop().time()

    run(coming())
    return [(when, last) for place, (when, last) in enumerate(hurried) if last not in [one for _, one in hurried[:place]]]


# Rejects.


@pytest.mark.parametrize(("sizes", "kept"), [([1, 1], [5.0]), ([2 * MEBIBYTE, 2 * MEBIBYTE, 1], [0.0, 5.0])], ids=["few", "many"])
def test_rejects_are_kept_after_five_seconds_and_at_once_when_they_fill_the_memory(sizes: list[int], kept: list[float]) -> None:
    """Some seconds' rejects make one object; with four mebibytes of them events would wait. None is left behind."""
    flushed: list[float] = []

    class Kept:
        pending = 0

        def add(self, line: bytes) -> None:
            self.pending += len(line)

        async def flush(self) -> None:
            size = self.pending
            flushed.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.1)
            self.pending -= size

    async def story() -> int:
        ledger, store = Ledger(), Kept()
        report = Report(LOGGER, asyncio.get_running_loop().time, dry_run=False)
        settlement = LiveSettlement(ledger, report, None, lambda _: None, cast("Store", store))
        async with asyncio.TaskGroup() as settlement.tasks:
            for number, size in enumerate(sizes, 1):
                settlement.settle(Entry(NOWHERE, ledger.admit(), number, line=b"x" * size), "", rejected("no contact"))
                await asyncio.sleep(0.01)
            await asyncio.sleep(60)
        return store.pending

    assert run(story()) == 0
    assert flushed == pytest.approx(kept, abs=0.05)


@pytest.mark.parametrize(("waiting", "begins"), [((4 << 20) - 1, 5.0), (4 << 20, 0.0)])
def test_rejects_of_four_megabytes_are_kept_at_once(waiting: int, begins: float) -> None:
    """Fewer wait some seconds for others: with object storage each time is an object."""
    flushed: list[float] = []

    class Full:
        pending = 0

        def add(self, _: bytes) -> None:
            self.pending = waiting

        async def flush(self) -> None:
            flushed.append(asyncio.get_running_loop().time())
            self.pending = 0

    async def story() -> None:
        ledger, clock = Ledger(), asyncio.get_running_loop().time
        settlement = LiveSettlement(ledger, Report(LOGGER, clock, dry_run=False), None, lambda _: None, cast("Store", Full()))
        async with asyncio.TaskGroup() as settlement.tasks:
            settlement.settle(Entry(NOWHERE, ledger.admit(), 1, line=b"x"), "", rejected("no contact"))
            await asyncio.sleep(60)

    run(story())
    assert flushed == pytest.approx([begins], abs=0.01)


# What is known, and how it ages.


@pytest.mark.parametrize(
    ("pause", "asked"),
    [(30.0, set()), (50.0, REFRESHED), (3_590.0, REFRESHED), (3_700.0, {None, "archived"})],
    ids=["fresh for 45 s", "then those who left are read", "for an hour", "then everybody is read"],
)
def test_what_a_burst_asks_for_depends_on_the_age_of_the_statuses(pause: float, asked: set[str | None]) -> None:
    """Nothing by statuses older than a minute; whole listings are read once an hour at most."""
    statuses: set[str | None] = set()

    async def story(told: Live) -> None:
        await told.ask(*burst(200, first_name="A"))
        await asyncio.sleep(pause)
        world.params.clear()
        world.calls.clear()
        await told.ask(*burst(200, first_name="B"))
        paths = [path for _, _, path, _ in world.calls]
        statuses.update(params.get("status") for path, params in zip(paths, world.params, strict=True) if path == "/members")
        assert [one for one in paths if one == ""], "in bulk"

    world = Mailchimp(*[person(number) for number in range(200)])
    live(world, story)
    assert statuses == asked


def test_refreshed_statuses_begin_two_minutes_before_the_last() -> None:
    """A change may show in listings so much later than it happened."""
    since: list[str] = []
    read: list[float] = []

    async def story(told: Live) -> None:
        await told.ask(*burst(200, first_name="A"))
        read.append(told.world.now)
        await asyncio.sleep(50.0)
        world.params.clear()
        await told.ask(*burst(200, first_name="B"))
        since.extend(str(one["since_last_changed"]) for one in world.params if "since_last_changed" in one)

    world = Mailchimp(*[person(number) for number in range(200)])
    live(world, story)
    seconds = {datetime.fromisoformat(one).timestamp() for one in since}
    assert all(115 <= read[0] - second <= 125 for second in seconds)
    assert since


def test_an_audience_is_renewed_every_ten_minutes() -> None:
    """Its settings, its merge fields, its tags: three requests, and nothing else while nothing comes."""

    async def story(told: Live) -> None:
        await told.ask(record(1))
        await asyncio.sleep(60)
        world.calls.clear()
        await asyncio.sleep(3_600)

    world = Mailchimp(person(1))
    live(world, story)
    assert [method for _, method, _, _ in world.calls] == ["GET"] * 18


def test_an_audience_that_was_not_there_is_asked_for_again_after_a_minute() -> None:
    """Not with each event, and not for good."""
    asked: list[int] = []

    async def story(told: Live) -> None:
        for _ in range(4):
            assert await told.kinds({"email": "a@contacts.example", "list_id": "0000000001"}) == ["rejected"]
            asked.append(sum("/lists/0000000001" in path for _, _, path, _ in world.calls))
            await asyncio.sleep(31)

    world = Mailchimp()
    live(world, story)
    assert asked[0] < asked[-1] < 4 * asked[0]


def test_columns_of_events_are_forgotten_only_when_they_are_very_many() -> None:
    """Events may name other columns every time: beyond 5,000 nothing is kept of them, and what is usual is kept."""
    names: dict[str, list[int]] = {"few": [], "many": []}

    async def story(told: Live) -> None:
        known = next(target for key, target in told.pipeline.targets.items() if key == told.pipeline.streams.plain).columns
        for kind, numbers in (("few", range(4)), ("many", range(4, 14))):
            for number in numbers:
                await told.ask({"email": "p1@contacts.example", **{f"c{number}_{one}": "x" for one in range(500)}})
            await asyncio.sleep(61)
            await told.ask({"email": "p1@contacts.example", f"last of {kind}": "x"})
            names[kind] = [len(known.names)]

    live(Mailchimp(person(1)), story)
    assert names == {"few": [2_002], "many": [7_002]}


def test_a_pipeline_that_gave_up_rests_for_five_seconds() -> None:
    """Then the next one asks Mailchimp again: neither at once, nor long after it is back."""
    world = Mailchimp()

    async def story() -> float:
        service = Service(pipeline_in(world))
        serving = asyncio.create_task(service.run())
        await service.pipeline.opened.wait()
        world.state.faults.set([{"kind": "503"}], 1)
        assert await service.settle([event_of(record(1), service.pipeline.streams)]) is None
        gave_up = world.now
        world.state.faults.set([], 1)
        await service.pipeline.opened.wait()
        service.end()
        await serving
        return world.now - gave_up

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        assert 5.0 <= runner.run(story()) <= 6.0


def test_what_the_first_event_would_wait_for_is_asked_for_before_it_comes() -> None:
    """The audience, its merge fields, its tags, and who is in it, where that is little."""
    before: list[str] = []

    async def story(told: Live) -> None:
        await asyncio.sleep(5)
        before.extend(path for _, _, path, _ in world.calls)
        world.calls.clear()
        await told.ask(record(1, tags=["VIP"], first_name="A"))

    world = Mailchimp(person(1))
    live(world, story)

    assert {"", "/merge-fields", "/segments", "/members"} <= set(before)
    assert "GET" not in {method for _, method, path, _ in world.calls if path in ("/segments", "/merge-fields", "")}
