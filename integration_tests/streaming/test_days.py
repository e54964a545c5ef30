from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from collections import Counter
from typing import Any

import pytest

from destination_mailchimp_unified.live.events import event_of
from destination_mailchimp_unified.live.lane import KEPT_SECONDS
from destination_mailchimp_unified.live.service import Service
from destination_mailchimp_unified.live.writer import RENEWAL_SECONDS
from integration_tests.simulation.people import Person, new_list
from integration_tests.simulation.world import Weather
from integration_tests.streaming.simulated import CALM, LIST, Days, Live, live, pipeline_in

QUIET_DAY = 86_400.0


def crowd(count: int, **more: Any) -> list[Person]:
    """People who have been there for a while."""
    return [Person(LIST, f"p{n}@contacts.example", **more) for n in range(count)]


def burst(count: int, first_name: str, prefix: str = "p") -> list[dict[str, Any]]:
    """Events of so many people at once."""
    return [{"email": f"{prefix}{n}@contacts.example", "first_name": first_name} for n in range(count)]


def test_a_lone_event_after_a_quiet_day_is_one_call() -> None:
    """Statuses that were read long ago are neither read again for one event nor used for it, and it is answered in one request's time."""
    world = Days(1, CALM)
    world.place(*crowd(3000))

    async def story(told: Live) -> None:
        await told.ask(*burst(600, "Morning"))
        await asyncio.sleep(QUIET_DAY)
        before, began = len(world.requests), world.now
        assert await told.kinds({"email": "p7@contacts.example", "first_name": "Evening"}) == ["updated"]
        assert world.methods(before) == {"PATCH": 1}
        assert world.now - began < 0.5

    live(world, story)


def test_an_idle_process_asks_little() -> None:
    """An hour without events costs the renewals of the audience's settings and nothing else: three requests every ten minutes."""
    world = Days(2, CALM)
    world.place(*crowd(3000))

    async def story(told: Live) -> None:
        await told.ask(*burst(600, "Morning"))
        before = len(world.requests)
        await asyncio.sleep(3600)
        assert world.methods(before).keys() == {"GET"}
        assert len(world.requests) - before <= 3 * (3600 / RENEWAL_SECONDS + 1)

    live(world, story)


@pytest.mark.parametrize("pause", [10.0, 61.0, 600.0, KEPT_SECONDS * 1.5])
def test_who_left_between_two_bursts_stays_away(pause: float) -> None:
    """However Mailchimp treats a row without a status: a contact who left over a minute ago is in no bulk call that could resubscribe them."""
    world = Days(3, CALM, readings={"bulk_without_status": "subscribed"})
    world.place(*crowd(1200))

    async def story(told: Live) -> None:
        await told.ask(*burst(1200, "One"))
        for number in range(0, 1200, 7):
            world.act("unsubscribe_self", f"p{number}@contacts.example")
        await asyncio.sleep(max(pause, 61.0))
        assert Counter(await told.kinds(*burst(1200, "Two"))) == {"updated": 1200}

    live(world, story)

    left = [email for email, status in world.statuses().items() if status == "unsubscribed"]
    assert len(left) == len(range(0, 1200, 7))
    assert set(world.values().values()) == {"Two"}


def test_statuses_are_forgotten_after_an_hour_and_read_again_for_a_burst() -> None:
    """A burst after more than an hour reads the audience again: who joined and who left in the meantime is known."""
    world = Days(4, CALM)
    world.place(*crowd(1500))

    async def story(told: Live) -> None:
        await told.ask(*burst(1500, "One"))
        await asyncio.sleep(KEPT_SECONDS + 120)
        before = len(world.requests)
        await told.ask(*burst(1500, "Two"))
        paths = Counter(path for _, _, path, _ in world.requests[before:])
        assert paths["/members"] >= 2
        assert world.methods(before)["POST"] <= 4

    live(world, story)


def test_a_flow_of_new_contacts_is_a_call_each() -> None:
    """While events flow the statuses are kept fresh in the meantime: no new contact costs a look of its own, nor waits for one."""
    world = Days(5, CALM)
    world.place(*crowd(400))
    seconds: list[float] = []

    async def story(told: Live) -> None:
        before = len(world.requests)
        for number in range(1500):
            began = world.now
            await told.put({"email": f"new{number}@contacts.example"}, lambda _, began=began: seconds.append(world.now - began))  # type: ignore[misc]
            await asyncio.sleep(0.2)
        assert len(world.requests) - before <= 1500 * 1.05

    live(world, story)

    assert sorted(seconds)[int(len(seconds) * 0.95)] <= 0.45
    assert len(seconds) == 1500


def test_settings_that_change_are_known_soon() -> None:
    """A merge field that was added, and double opt-in that was switched on, count some minutes later, without a restart."""
    world = Days(6, CALM)
    world.place(*crowd(10))

    async def story(told: Live) -> None:
        columns = {"email": "p1@contacts.example", "custom_fields": {"CITY": "Berlin"}, "list_id": LIST}
        assert await told.kinds(columns) == ["rejected"]
        audience = world.state.account.audiences[LIST]
        audience.add_merge_field("CITY", "City", "text")
        audience.settings["double_optin"] = True
        await asyncio.sleep(RENEWAL_SECONDS + 120)
        assert await told.kinds(columns) == ["updated"]
        assert await told.kinds({"email": "later@contacts.example"}) == ["created"]

    live(world, story)

    assert world.statuses()["later@contacts.example"] == "pending"


def test_an_audience_that_was_away_is_found_again() -> None:
    """An audience that a record names and that is not there yet is asked for again some minutes later, not rejected for good."""
    world = Days(7, CALM)

    async def story(told: Live) -> None:
        columns = {"email": "a@contacts.example", "list_id": "0000000001"}
        assert await told.kinds(columns) == ["rejected"]
        new_list(world.state, "0000000001", int(world.now))
        await asyncio.sleep(130)
        assert await told.kinds(columns) == ["created"]

    live(world, story)


def test_names_of_audiences_that_nobody_has_are_not_kept() -> None:
    """Events that name a thousand audiences that are not there leave nothing behind."""
    world = Days(8, CALM)

    async def story(told: Live) -> None:
        for number in range(300):
            assert await told.kinds({"email": "a@contacts.example", "list_id": f"{number:010d}"}) == ["rejected"]
        tasks = len(asyncio.all_tasks())
        await asyncio.sleep(130)
        assert tasks - len(asyncio.all_tasks()) >= 290

    live(world, story)


def test_a_repeated_event_is_unchanged() -> None:
    """An event that changes nothing is `unchanged`, also when this process itself changed the contact some seconds before."""
    world = Days(9, CALM)
    world.place(*crowd(1))

    async def story(told: Live) -> None:
        columns = {"email": "p0@contacts.example", "first_name": "Ada"}
        assert await told.kinds(columns) == ["updated"]
        await asyncio.sleep(5)
        assert await told.kinds(columns) == ["unchanged"]

    live(world, story)


def test_a_server_goes_on_when_mailchimp_comes_back() -> None:
    """Away for longer than a call is tried, Mailchimp ends the pipeline, not the server: waiting senders are told, the next event is written."""
    world = Days(10, CALM)

    async def run() -> None:
        service = Service(pipeline_in(world))
        serving = asyncio.create_task(service.run())
        await service.pipeline.opened.wait()
        event = event_of({"email": "a@contacts.example"}, service.pipeline.streams)
        world.state.faults.set([{"kind": "503"}], 1)
        assert await service.settle([event]) is None
        assert not service.ready
        world.state.faults.set([], 1)
        await service.pipeline.opened.wait()
        (outcome,) = await service.settle([event]) or []
        assert outcome.kind == "created"
        service.end()
        await serving

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(run())


class Hour:
    """Events at a steady rate with bursts, for people of whom some leave meanwhile."""

    def __init__(self, seed: int, events: int, people: int) -> None:
        self.chance, self.events = random.Random(seed), events
        self.emails = [f"p{n}@contacts.example" for n in range(people)]
        self.world = Days(seed, Weather(usual=0.2, slowest=5.0, slow_every=200))
        self.world.place(*(Person(LIST, email) for email in self.emails[: people // 2]))
        self.last: dict[str, str] = {}
        self.left: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.held: list[int] = []

    async def tell(self, told: Live) -> None:
        """Send everything, at some 28 events a second."""
        number = 0
        while number < self.events:
            size = 800 if self.chance.random() < 0.003 else self.chance.choice((1, 1, 1, 1, 2, 5))
            for _ in range(min(size, self.events - number)):
                email = self.chance.choice(self.emails)
                self.last[email] = str(number)
                await told.put({"email": email, "first_name": str(number), "status": "subscribed", "list_id": LIST}, self._note)
                number += 1
            if self.chance.random() < 0.01:
                self._leave()
            # Nothing of the world's own grows: what is measured is the stream.
            if len(self.world.requests) > 1000:
                self.world.requests.clear()
                self.held.append(_held())
            await asyncio.sleep(size * 0.036)

    def _note(self, outcome: Any) -> None:
        self.outcomes[outcome.kind] += 1

    def _leave(self) -> None:
        there = [email for email, status in self.world.statuses().items() if status == "subscribed"]
        if there and len(self.left) < len(self.emails) // 3:
            email = self.chance.choice(there)
            self.world.act("unsubscribe_self", email)
            self.left.add(email)


def _held() -> int:
    """Return the bytes that the stream's own code holds."""
    if not tracemalloc.is_tracing():
        return 0
    gc.collect()
    own = (tracemalloc.Filter(True, "*destination_mailchimp_unified*"), tracemalloc.Filter(True, "*mailchimp_unified*"))
    return sum(one.size for one in tracemalloc.take_snapshot().filter_traces(own).statistics("filename"))


@pytest.mark.parametrize(("events", "seed"), [(6_000, 11), pytest.param(100_000, 12, marks=pytest.mark.slow)])
def test_an_hour_of_events(events: int, seed: int) -> None:
    """Everything is answered, the last value of each contact stays, nobody who left is back, and memory stays what it was."""
    hour = Hour(seed, events, people=300)
    tracemalloc.start()
    try:
        live(hour.world, hour.tell)
    finally:
        tracemalloc.stop()

    assert hour.outcomes.total() == events
    assert set(hour.outcomes) <= {"created", "updated", "unchanged"}
    assert {email: hour.world.values()[email] for email in hour.last} == hour.last
    assert [email for email in hour.left if hour.world.statuses()[email] != "unsubscribed"] == []
    assert hour.left
    # Now and then a listing is being read: peaks are compared with peaks, and lows with lows.
    settled = hour.held[len(hour.held) // 3 :]
    earlier, later = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    assert max(later, default=0) <= 1.5 * max(earlier, default=0) + 1_000_000
    assert min(later, default=0) <= 1.5 * min(earlier, default=0) + 100_000
