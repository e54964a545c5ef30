"""How the stream of events writes: what waits for what, which call an event goes by, and whose failure is whose; on a virtual clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import bulk_is_cheaper
from destination_mailchimp_unified.config import parse_destination_config
from destination_mailchimp_unified.intake.arrivals import NOWHERE, Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.intake.lines import Unusable
from destination_mailchimp_unified.live.events import event_of
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.lane import LiveBacklog
from destination_mailchimp_unified.live.room import Room
from destination_mailchimp_unified.live.service import Service
from destination_mailchimp_unified.live.writer import LiveSettlement
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import rejected
from destination_mailchimp_unified.settling.report import Report
from integration_tests.simulation.clock import run
from integration_tests.simulation.people import new_list
from integration_tests.streaming.simulated import Live, live, pipeline_in
from mailchimp_emulator.models import subscriber_hash
from mailchimp_unified.errors import ConfigError, TransientError
from mailchimp_unified.patience import Patience
from unit_tests.account import CONFIG, LOGGER
from unit_tests.destination.writing import Mailchimp, person, record

Json = dict[str, Any]
OTHER = "0000000001"
QUARTER = Patience().total


def crowd(count: int, **more: Any) -> Mailchimp:
    """Return an account with so many people."""
    return Mailchimp(*[person(number, **more) for number in range(count)])


def burst(count: int, first: int = 0, **columns: Any) -> list[Json]:
    """Return events of so many people."""
    return [record(number, **columns) for number in range(first, first + count)]


def methods(world: Mailchimp) -> Counter[str]:
    """Return how many requests there were by method."""
    return Counter(method for _, method, _, _ in world.calls)


def email_of(number: int) -> str:
    """Return the email address of such a person."""
    return f"p{number}@contacts.example"


# What is expected to come.


def backlog(*, known: bool = True, began: bool = True) -> LiveBacklog:
    """Return what waits for an audience, which is nothing yet."""
    found = LiveBacklog(Audience("a", known=known), parse_destination_config({**CONFIG, "list_id": "a"}, LOGGER))
    if began:
        found.began = True
    return found


@pytest.mark.parametrize(("subscribed", "reads"), [(18_000, True), (18_001, False)])
def test_the_statuses_of_up_to_eighteen_thousand_are_read_before_the_first_event(subscribed: int, reads: bool) -> None:
    """So many events are expected at the start that reading these pays, and no more; from then on it is counted what comes."""

    async def story() -> bool:
        return bulk_is_cheaper(backlog(began=False).contacts(), 0, (subscribed, 0), subscribed)

    assert run(story()) == reads


@pytest.mark.parametrize(("now", "count"), [(0.0, 3), (60.0, 3), (60.5, 2), (61.0, 2), (89.0, 1), (90.0, 1), (91.0, 0)])
def test_what_the_last_minute_brought_the_next_may_bring_again(now: float, count: int) -> None:
    """Contacts that were written by calls of their own count for a minute, each from its own call on."""

    async def story() -> int:
        found = backlog()
        found.singly.extend((0.0, 1.0, 30.0))
        await asyncio.sleep(now)
        return found.contacts()

    assert run(story()) == count


def test_events_that_have_just_come_count_with_those_that_wait() -> None:
    """And with those that were lately written."""

    async def story() -> int:
        found = backlog()
        found.singly.append(0.0)
        found.arrived += [Arrival(Entry(NOWHERE, 0, number), MappedContact({})) for number in (1, 2)]
        return found.contacts()

    assert run(story()) == 3


def test_the_tags_of_an_audience_are_asked_for_at_the_start_and_then_only_for_events_that_name_some() -> None:
    """The first event with a tag would have to wait for them."""

    async def story() -> list[bool]:
        return [backlog(known=known).wants_tags() for known in (False, True)]

    assert run(story()) == [True, False]


# Which call an event goes by.


@pytest.mark.parametrize(
    ("count", "calls"), [(1, {"PATCH": 1}), (5, {"PATCH": 5}), (6, {"PATCH": 6, "GET": 5}), (7, {"POST": 1, "GET": 5})]
)
def test_a_burst_waits_for_statuses_and_a_few_events_do_not(count: int, calls: dict[str, int]) -> None:
    """More than two for each worker wait, of three here; fewer go at once, and where reading pays it is done in the meantime."""
    world = crowd(10)

    async def story(told: Live) -> None:
        await told.ask(*burst(10, first_name="A"))
        await asyncio.sleep(70)
        world.calls.clear()
        await told.ask(*burst(count, first_name="B"))
        await asyncio.sleep(3)

    live(world, story, num_workers=3)
    assert methods(world) == calls


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_an_event_that_repeats_what_is_there_is_a_call_and_unchanged(seconds: float) -> None:
    """What was read of the audience says too little by then: Mailchimp says what it changed, in bulk as for a lone event."""
    world = crowd(50)

    async def story(told: Live) -> None:
        await told.ask(*burst(50, first_name="A"))
        await asyncio.sleep(3)
        world.calls.clear()
        assert Counter(await told.kinds(*burst(50, first_name="A"))) == {"unchanged": 50}
        assert methods(world)["POST"] == 1
        await asyncio.sleep(seconds)
        world.calls.clear()
        assert await told.kinds(record(1, first_name="A")) == ["unchanged"]
        assert methods(world) == {"PATCH": 1}

    live(world, story)


@pytest.mark.parametrize(("pause", "first_name", "kind"), [(0.2, "B", "updated"), (1.2, "A", "updated"), (2.2, "A", "unchanged")])
def test_what_changed_more_than_a_second_before_is_not_this_events_doing(pause: float, first_name: str, kind: str) -> None:
    """Mailchimp's times are whole seconds: what changed in this one or in the one before counts as the event's own."""
    world = crowd(1)

    async def story(told: Live) -> None:
        await asyncio.sleep(60 - world.now % 1)
        assert await told.kinds(record(0, first_name="A")) == ["updated"]
        await asyncio.sleep(pause)
        assert await told.kinds(record(0, first_name=first_name)) == [kind]

    live(world, story, write_mode="single")


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_calls_are_under_way_than_there_are_workers(workers: int) -> None:
    """And as many as there are: what finds no room waits. The oldest go first."""
    world = crowd(40)

    async def story(told: Live) -> None:
        await asyncio.sleep(70)
        world.peak = 0
        world.calls.clear()
        assert Counter(await told.kinds(*burst(12, first_name="A"))) == {"updated": 12}

    live(world, story, num_workers=workers, write_mode="single")
    assert world.peak == workers
    assert [path.rpartition("/")[2] for _, _, path, _ in world.calls] == [subscriber_hash(email_of(number)) for number in range(12)]


def test_a_lone_event_goes_by_a_call_of_its_own_and_two_go_together() -> None:
    """Where the statuses are known; a bulk call for one contact would say less about it."""
    world = crowd(30)

    async def story(told: Live) -> None:
        for count, method in ((1, "PATCH"), (2, "POST"), (1, "PATCH")):
            world.calls.clear()
            await told.ask(*burst(count, first_name=f"For {count} {method}"))
            assert [one for one in methods(world) if one != "GET"] == [method]

    live(world, story, write_mode="bulk")


def test_one_contact_that_loses_a_tag_goes_by_the_call_for_tags() -> None:
    """Which changes nothing else."""
    world = crowd(30, tags=("VIP",))

    async def story(told: Live) -> None:
        world.calls.clear()
        assert await told.kinds(record(1, tags_to_remove=["VIP"])) == ["updated"]

    live(world, story, write_mode="bulk")
    assert [(method, path.rpartition("/")[2]) for _, method, path, _ in world.calls] == [("POST", "tags")]
    assert world.member(email_of(1)).tags == {}


def test_the_oldest_events_go_first_whichever_call_they_go_by() -> None:
    """Where only two calls are free: a bulk call is as old as its first event."""
    world = Mailchimp(*[person(number) for number in range(10)], *[person(number, "unsubscribed") for number in (10, 11)])

    async def story(told: Live) -> None:
        await told.ask(*burst(2, first_name="Known"))
        world.calls.clear()
        await told.ask(*[record(number, first_name="A") for number in (20, 1, 10, 2, 21, 11)])

    live(world, story, num_workers=2, write_mode="bulk")
    assert [method for _, method, _, _ in world.calls if method != "GET"] == ["POST", "POST", "PATCH", "PATCH"]


def test_a_call_that_ends_lets_no_event_go_before_its_burst() -> None:
    """Events of contacts who go by calls of their own wait the same moment for others of the same contact."""
    world = Mailchimp(*[person(number) for number in range(10)], *[person(number, "unsubscribed") for number in (10, 11)])

    async def story(told: Live) -> None:
        await told.ask(*burst(2, first_name="Known"))
        await asyncio.sleep(1)
        busy = asyncio.create_task(told.ask(record(0, first_name="Busy")))
        await asyncio.sleep(0.09)
        world.calls.clear()
        await asyncio.gather(busy, told.ask(record(10, first_name="A"), record(11, first_name="A"), record(10, first_name="B")))

    live(world, story, write_mode="bulk")
    assert len({second for second, _, _, _ in world.calls}) == 1
    assert methods(world) == {"PATCH": 2}


# What is known, and when it is forgotten.


def test_statuses_that_are_being_read_are_not_forgotten() -> None:
    """A burst at the very moment at which they are an hour old is written as any other."""
    world = crowd(300)

    async def story(told: Live) -> None:
        for _ in range(4):
            await told.ask(*burst(300, first_name=f"{world.now:.0f}"))
            await asyncio.sleep(899.8)
            assert Counter(await told.kinds(*burst(300, first_name=f"{world.now:.1f}"))) == {"updated": 300}

    live(world, story)


def test_while_an_audience_is_read_again_nobody_is_taken_for_new() -> None:
    """Who was not read yet may be there: an event for somebody who is takes one call."""
    world = crowd(1_100)

    async def story(told: Live) -> None:
        await told.ask(*burst(30, first_name="A"))
        await asyncio.sleep(3_720)
        world.calls.clear()
        for number in range(8):
            assert await told.kinds(record(number, first_name="B")) == ["updated"]
        assert methods(world)["GET"] > 3, "it was read meanwhile"
        assert [method for method in methods(world) if method != "GET"] == ["PATCH"]
        assert methods(world)["PATCH"] == 8

    live(world, story, write_mode="bulk")


def test_settings_and_merge_fields_that_change_are_known_after_ten_minutes() -> None:
    """Without a restart: a merge field that was added is filled, groups are named, double opt-in asks first."""
    world = crowd(3)

    async def story(told: Live) -> None:
        columns = record(1, custom_fields={"CITY": "Berlin"})
        assert await told.kinds(columns) == ["rejected"]
        audience = world.state.account.audiences["abc1234567"]
        audience.add_merge_field("CITY", "City", "text")
        audience.settings["double_optin"] = True
        await asyncio.sleep(500)
        assert await told.kinds(columns) == ["rejected"]
        await asyncio.sleep(220)
        assert await told.kinds(columns) == ["updated"]
        assert await told.kinds(record(90)) == ["created"]

    live(world, story)
    assert world.statuses()[email_of(90)] == "pending"


@pytest.mark.parametrize(("pause", "asked"), [(3_500, False), (3_720, True)])
def test_an_audience_that_only_events_name_is_forgotten_after_an_hour_without_one(pause: int, asked: bool) -> None:
    """Its next event asks for it again; the one that the configuration names is known for good, and nobody's events are lost."""
    world = crowd(1)

    async def story(told: Live) -> None:
        await asyncio.sleep(2_000)
        new_list(world.state, OTHER, int(world.now))
        assert await told.kinds(record(1, list_id=OTHER)) == ["created"]
        tasks = len(asyncio.all_tasks())
        await asyncio.sleep(pause)
        assert len(asyncio.all_tasks()) == tasks - asked
        world.calls.clear()
        assert await told.kinds(record(1, list_id=OTHER, first_name="A")) == ["updated"]
        assert any(path.endswith(f"{OTHER}/merge-fields") for _, _, path, _ in world.calls) == asked
        world.calls.clear()
        assert await told.kinds(record(0, first_name="A")) == ["updated"]
        assert not any(path == "/merge-fields" for _, _, path, _ in world.calls)

    live(world, story)


def test_events_that_name_audiences_that_nobody_has_leave_nothing_behind() -> None:
    """After a minute each of them is asked for again."""
    world = crowd(1)

    async def story(told: Live) -> None:
        before = len(asyncio.all_tasks())
        for number in range(20):
            assert await told.kinds(record(1, list_id=f"{number:010d}")) == ["rejected"]
        assert len(asyncio.all_tasks()) >= before + 20
        await asyncio.sleep(61)
        assert len(asyncio.all_tasks()) == before

    live(world, story)


def test_an_audience_that_is_deleted_is_not_there_once_it_is_asked_for_again() -> None:
    """Its events are rejected and those of others are written."""
    world = crowd(1)

    async def story(told: Live) -> None:
        new_list(world.state, OTHER, int(world.now))
        assert await told.kinds(record(1, list_id=OTHER)) == ["created"]
        del world.state.account.audiences[OTHER]
        await asyncio.sleep(660)
        assert await told.kinds(record(1, list_id=OTHER)) == ["rejected"]
        assert await told.kinds(record(0, first_name="A")) == ["updated"]

    live(world, story)


# Whose failure is whose.


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("503", QUARTER - 70, QUARTER + 200),
        ("429", QUARTER - 70, QUARTER + 200),
        ("hang", QUARTER - 70, QUARTER + 200),
        ("403_html", QUARTER - 70, QUARTER + 200),
        ("empty_object_200", 0.0, 200.0),
    ],
)
def test_an_event_that_mailchimp_fails_on_harms_no_other(kind: str, least: float, most: float) -> None:
    """A quarter of an hour of failures of one contact's call end with the answer to send it later; others are written meanwhile and after."""
    world = crowd(6)

    async def story(told: Live) -> None:
        world.state.faults.set([{"kind": kind, "path": subscriber_hash(email_of(3))}], 1)
        waits, began = asyncio.create_task(told.ask(record(3, first_name="Stuck"))), world.now
        while not waits.done():
            assert await told.kinds(record(5, first_name=f"{world.now:.0f}")) == ["updated"]
            await asyncio.sleep(50)
        [outcome] = waits.result()
        assert outcome is not None
        assert (outcome.kind, outcome.later) == ("rejected", True)
        assert least <= world.now - began <= most
        world.state.faults.set([], 1)
        assert await told.kinds(record(3, first_name="Later")) == ["updated"]

    live(world, story, write_mode="single")
    assert world.values()[email_of(3)] == "Later"


def test_each_event_is_tried_for_its_own_quarter_of_an_hour() -> None:
    """One that fails with another, which began before it, is not given up with that."""
    world, waited = crowd(6), dict[int, float]()

    async def stuck(told: Live, number: int) -> None:
        began = world.now
        assert await told.kinds(record(number, first_name="Stuck")) == ["rejected"]
        waited[number] = world.now - began

    async def story(told: Live) -> None:
        await asyncio.sleep(600)
        world.state.faults.set([{"kind": "503", "path": subscriber_hash(email_of(number))} for number in (3, 4)], 1)
        first = asyncio.create_task(stuck(told, 3))
        await asyncio.sleep(300)
        await asyncio.gather(first, stuck(told, 4))

    live(world, story, write_mode="single")
    assert all(seconds >= QUARTER for seconds in waited.values()), waited


def test_a_bulk_call_that_fails_for_good_is_written_one_by_one() -> None:
    """Where Mailchimp fails on one contact of a bulk call, the others of it are written, and that one is answered."""
    world = crowd(40)

    async def story(told: Live) -> None:
        world.state.faults.set(
            [{"kind": "500", "method": "POST", "path": "/lists/abc1234567$"}, {"kind": "500", "path": subscriber_hash(email_of(3))}], 1
        )
        assert Counter(await told.kinds(*burst(20, first_name="New"))) == {"updated": 19, "rejected": 1}

    live(world, story, write_mode="bulk")
    assert sum(value == "New" for value in world.values().values()) == 19


def test_an_audience_that_cannot_be_looked_at_harms_no_other() -> None:
    """Its events are answered with `retry`, and those of others are written; later it is looked at again."""
    world = crowd(3)

    async def story(told: Live) -> None:
        new_list(world.state, OTHER, int(world.now))
        world.state.faults.set([{"kind": "503", "path": f"{OTHER}/merge-fields"}], 1)
        outcomes = await told.ask(*[record(number, list_id=OTHER) for number in (1, 2)])
        assert [(one.kind, one.later) for one in outcomes if one] == [("rejected", True)] * 2
        assert await told.kinds(record(1, first_name="Here")) == ["updated"]
        world.state.faults.set([], 1)
        assert await told.kinds(record(1, list_id=OTHER)) == ["created"]

    live(world, story)


def test_while_mailchimp_is_away_nothing_is_answered() -> None:
    """Away for longer than calls are tried, it ends the pipeline; no event is answered as if its own call were to blame."""
    world, told = crowd(5), list[Live]()

    async def story(one: Live) -> None:
        told.append(one)
        world.state.faults.set([{"kind": "503"}], 1)
        for number in range(5):
            await one.put(record(number, first_name="Never"))
        await asyncio.sleep(10 * QUARTER)

    with pytest.raises(TransientError):
        live(world, story)
    assert told[0].told == []


def test_the_audience_of_the_configuration_must_be_there_before_any_event() -> None:
    """Where it cannot be looked at the pipeline gives up, and says so if somebody has to correct something."""
    world = crowd(1)
    world.state.faults.set([{"kind": "503", "path": "merge-fields"}], 1)

    async def story(_: Live) -> None:
        raise AssertionError("nothing is ready")

    with pytest.raises(TransientError):
        live(world, story)
    world.state.faults.set([], 1)
    with pytest.raises(ConfigError):
        live(world, story, list_id=OTHER)


def test_statuses_that_cannot_be_read_keep_no_event_from_being_written() -> None:
    """They go by calls of their own."""
    world = crowd(30)

    async def story(told: Live) -> None:
        await asyncio.sleep(70)
        world.state.faults.set([{"kind": "500", "path": "/members$"}], 1)
        assert Counter(await told.kinds(*burst(20, first_name="A"))) == {"updated": 20}
        assert methods(world)["PATCH"] == 20

    live(world, story)


# The service.


def served(world: Mailchimp, story: Any) -> None:
    """Tell a story to a service, and end it in order."""

    async def telling() -> None:
        service = Service(pipeline_in(world))
        working = asyncio.create_task(service.run())
        await story(service)
        service.end()
        await asyncio.wait_for(working, 100)

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(telling())


def test_a_service_that_is_ended_while_mailchimp_is_away_ends() -> None:
    """It does not wait for a pipeline that has nothing to write."""
    world = crowd(1)

    async def story(service: Service) -> None:
        await service.pipeline.opened.wait()
        assert service.ready
        world.state.faults.set([{"kind": "503"}], 1)
        assert await service.settle([event_of(record(0, first_name="A"), service.pipeline.streams)]) is None
        assert not service.ready

    served(world, story)


def test_outcomes_come_in_the_order_of_the_events() -> None:
    """Each once, also of none."""
    world = crowd(2)

    async def story(service: Service) -> None:
        columns = [{"email": "nobody"}, record(0, first_name="A"), record(90), {"email": "nobody"}]
        events = [event_of(one, service.pipeline.streams) for one in columns]
        outcomes = await service.settle(events)
        assert outcomes is not None
        assert [one.kind for one in outcomes] == ["rejected", "updated", "created", "rejected"]
        assert await service.settle([]) == []

    served(world, story)


# The feed and the room.


def test_the_pipeline_takes_as_much_as_a_bulk_call_holds() -> None:
    """Then it is on its way while more is looked at; and the sender of the events is told once all of them are taken."""

    async def story() -> list[Any]:
        feed, said = Feed(), list[Any]()
        for _ in range(501):
            feed.put(Unusable("", b"xy"), lambda _: None)

        async def wait() -> None:
            await feed.taken()
            said.append("taken")

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(1)
        said += [feed.empty, feed.waiting_bytes, len(await feed.take() or ())]
        await asyncio.sleep(1)
        said += [feed.empty, len(await feed.take() or ())]
        await waiting
        feed.end()
        return [*said, feed.empty, await feed.take()]

    assert run(story()) == [False, 1_002, 500, False, 1, "taken", True, None]


def test_who_waits_until_its_events_are_taken_is_not_kept_waiting_by_a_pipeline_that_broke() -> None:
    """Nobody takes them any more; and a feed from which everything was taken keeps nobody waiting."""

    async def story() -> None:
        feed = Feed()
        await feed.taken()
        assert asyncio.get_running_loop().time() == 0.0
        feed.put(Unusable("", b""), lambda _: None)
        waiting = asyncio.create_task(feed.taken())
        await asyncio.sleep(1)
        assert not waiting.done()
        feed.break_off()
        await asyncio.wait_for(waiting, 1)

    run(story())


def test_what_comes_later_is_taken_when_it_comes() -> None:
    """The pipeline waits for it, and for the end."""

    async def story() -> list[int | None]:
        feed, taken = Feed(), list[int | None]()

        async def taking() -> None:
            while (some := await feed.take()) is not None:
                taken.append(len(some))
            taken.append(None)

        task = asyncio.create_task(taking())
        for count in (1, 2):
            await asyncio.sleep(1)
            for _ in range(count):
                feed.put(Unusable("", b""), lambda _: None)
        await asyncio.sleep(1)
        assert taken == [1, 2]
        feed.end()
        await task
        return taken

    assert run(story()) == [1, 2, None]


def test_room_is_taken_by_a_call_and_given_back_however_it_ends() -> None:
    """And those who wait for it are told each time."""
    left: list[int] = []
    room = Room(2, lambda: left.append(room.free))
    with contextlib.suppress(ZeroDivisionError), room.taken():
        assert room.free == 1
        with room.taken():
            assert room.free == 0
        raise ZeroDivisionError
    assert (room.free, left) == (2, [1, 2])


# Rejects.


def test_a_reject_is_kept_as_a_sync_would_have_been_given_it(tmp_path: Path) -> None:
    """So that either can send it again; what was no event is kept as it came."""
    path = tmp_path / "rejects.jsonl"
    events = [{"email": "nobody", "x": 1}, ["nothing"]]

    async def story(told: Live) -> None:
        assert await told.kinds(*events, record(1)) == ["rejected", "rejected", "created"]  # type: ignore[arg-type]

    live(Mailchimp(), story, rejected_records="file", rejected_records_file=str(path))
    kept = [orjson.loads(line) for line in path.read_text().splitlines()]
    assert [one.get("record") or one.get("line") for one in kept] == [events[0], '["nothing"]']


def test_where_no_rejects_are_kept_nothing_is_done_about_them() -> None:
    """However many there are."""
    begun: list[object] = []

    class Tasks:
        def create_task(self, work: Coroutine[Any, Any, None]) -> None:
            begun.append(work)
            work.close()

    async def story() -> None:
        ledger = Ledger()
        report = Report(LOGGER, asyncio.get_running_loop().time, dry_run=False)
        settlement = LiveSettlement(ledger, report, None, lambda _: None, None)
        settlement.tasks = cast("asyncio.TaskGroup", Tasks())
        settlement.settle(Entry(NOWHERE, ledger.admit(), 1), "", rejected("no contact"))
        await asyncio.sleep(60)

    run(story())
    assert begun == []
