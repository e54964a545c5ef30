"""How often states come, in what order messages leave, and that nobody reads ahead of their consumer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessage

from integration_tests.simulation.clock import VirtualClockLoop
from source_mailchimp_unified.sync.jobs import Jobs
from source_mailchimp_unified.sync.messages import record_lines, record_messages
from source_mailchimp_unified.sync.output import Format, Output, OutputQueue


class Stream:
    """A stream whose state holds so many lists and the number of pages emitted."""

    name = "contacts"

    def __init__(self, lists: int = 1) -> None:
        self.errors: list[Exception] = []
        self.lists = {f"{number:010d}": {"updated_at": "2026-11-25T12:00:00+00:00"} for number in range(lists)}
        self.pages = 0

    def state(self) -> dict[str, Any]:
        """Return the state of this moment."""
        return {"lists": self.lists, "pages": self.pages}

    final_state = state

    def distinct_errors(self) -> Iterable[Exception]:
        """Return what failed."""
        return self.errors


def messages(outlet: OutputQueue, work: Coroutine[Any, Any, None]) -> list[AirbyteMessage]:
    """Return what comes out while some work is done on a clock of its own."""

    async def ended() -> None:
        await work
        outlet.put(None)

    loop = VirtualClockLoop()
    task = loop.create_task(ended())
    found: Any = list(outlet.messages(loop))
    loop.run_until_complete(task)
    loop.close()
    return found  # type: ignore[no-any-return]


def states(found: list[AirbyteMessage]) -> list[dict[str, Any]]:
    """Return the states among messages."""
    return [vars(one.state.stream.stream_state) for one in found if one.state and one.state.stream and one.state.stream.stream_state]


async def emit_pages(stream: Stream, output: Output, pages: int, seconds: float) -> None:
    """Emit a page every so many seconds, each with a checkpoint."""
    for _ in range(pages):
        await asyncio.sleep(seconds)
        await output.emit([{"id": stream.pages}])
        stream.pages += 1
        output.checkpoint()
    output.end()


def test_a_small_state_follows_every_page() -> None:
    """After any kill, at most one page is repeated."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)

    found = messages(outlet, emit_pages(stream, Output(stream, outlet), 50, 0.2))

    assert [state["pages"] for state in states(found)] == list(range(1, 51))


def test_the_states_of_a_thousand_lists_are_kilobytes_a_minute() -> None:
    """A state of 1,000 lists comes seldom, and the last one always."""
    stream = Stream(1000)
    outlet = OutputQueue(record_messages, 3)

    found = messages(outlet, emit_pages(stream, Output(stream, outlet), 3000, 0.2))

    size = sum(len(str(state)) for state in states(found))
    assert size / 10 < 400_000
    assert len(states(found)) > 20
    assert states(found)[-1]["pages"] == 3000


def test_a_state_speaks_of_what_is_before_it_only() -> None:
    """However many tasks emit at once, the records that a state speaks of have come out before it."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 2)
    output = Output(stream, outlet)

    async def many() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(7):
                group.create_task(emit_one_by_one(stream, output))
        output.end()

    found = messages(outlet, many())

    come = 0
    for message in found:
        come += message.record is not None
        for state in states([message]):
            assert state["pages"] <= come
    assert come == 7 * 20


async def emit_one_by_one(stream: Stream, output: Output) -> None:
    """Emit twenty pages as fast as they are taken."""
    for _ in range(20):
        await output.emit([{"id": stream.pages}])
        stream.pages += 1
        output.checkpoint()


def test_reading_pauses_while_nobody_takes_records() -> None:
    """A few pages at most wait for the consumer of the messages."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    loop = VirtualClockLoop()
    task = loop.create_task(emit_one_by_one(stream, Output(stream, outlet)))

    next(iter(outlet.messages(loop)))

    assert stream.pages <= 4
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


def test_records_that_cannot_be_made_fail_their_stream_and_no_state_follows() -> None:
    """A state would speak of records that never came out."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        await output.emit({"id": 1 // number} for number in (1, 0))
        output.checkpoint()
        output.end()

    found = messages(outlet, work())

    assert [type(error) for error in stream.errors] == [ZeroDivisionError]
    assert states(found) == []
    assert found[-1].trace is not None
    assert found[-1].trace.stream_status is not None
    assert found[-1].trace.stream_status.status.value == "INCOMPLETE"


@pytest.mark.parametrize("limit", [1, 3])
def test_jobs_run_in_the_order_of_their_rank(limit: int) -> None:
    """The oldest work goes first, so many at a time; one that fails stops no other, and a job may add others."""
    order: list[str] = []
    failures: list[Exception] = []
    running: list[int] = [0, 0]

    async def run() -> None:
        jobs = Jobs(limit, failures.append)

        async def job(name: str) -> None:
            running[0] += 1
            running[1] = max(running)
            order.append(name)
            await asyncio.sleep(1)
            running[0] -= 1
            if name == "first":
                jobs.add(lambda: job("child"), (1, 1))
            if name == "bad":
                raise LookupError(name)

        for name, rank in (("last", (3,)), ("bad", (2,)), ("first", (1,))):
            jobs.add(lambda name=name: job(name), rank)  # type: ignore[misc]
        await jobs.run()

    asyncio.set_event_loop(None)
    loop = VirtualClockLoop()
    loop.run_until_complete(run())
    loop.close()

    assert order == (["first", "child", "bad", "last"] if limit == 1 else ["first", "bad", "last", "child"])
    assert [str(failure) for failure in failures] == ["bad"]
    assert running == [0, limit]


def test_after_a_pause_states_of_64_kilobytes_come_at_once() -> None:
    """Then they come at their rate again: who is killed soon after a pause repeats little."""
    stream = Stream(500)
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def two_bursts() -> None:
        await asyncio.sleep(60)
        for _ in range(20):
            await asyncio.sleep(0.01)
            await output.emit([{"id": stream.pages}])
            stream.pages += 1
            output.checkpoint()
        output.end()

    found = states(messages(outlet, two_bursts()))
    size = len(str(found[0]))
    assert 20_000 < size < 40_000
    assert [state["pages"] for state in found] == [*range(1, 1 + 64_000 // size), 20]


def statuses(found: Sequence[Any]) -> list[str]:
    """Return the statuses among messages and lines."""
    traces = [getattr(one, "trace", None) for one in found]
    return [one.stream_status.status.value for one in traces if one and one.stream_status]


@pytest.mark.parametrize("formatted", [record_messages, record_lines])
def test_a_stream_runs_from_its_first_record_on(formatted: Format) -> None:
    """It says so once, before that record; a page without records is none. Its records are counted in either form."""
    stream = Stream()
    outlet = OutputQueue(formatted, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        for page in ([], [{"id": 1}, {"id": 2}], [{"id": 3}]):
            await output.emit(page)
        output.end()

    assert output.records == 0
    found = messages(outlet, work())

    assert statuses(found) == ["RUNNING", "COMPLETE"]
    assert statuses(found[:1]) == ["RUNNING"]
    assert output.records == 3


def test_a_stream_without_records_never_runs() -> None:
    """It is complete, with its state."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        output.end()

    found = messages(outlet, work())
    assert (statuses(found), len(states(found)), output.records) == (["COMPLETE"], 1, 0)


def test_an_estimate_is_a_message_of_its_own() -> None:
    """At its place among the others, zero included, and nothing else says one."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        for rows in (7, 0):
            output.estimate(rows)
            await output.emit([{"id": rows}])
        output.end()

    found = messages(outlet, work())
    assert [one.trace.estimate.row_estimate for one in found if one.trace and one.trace.estimate] == [7, 0]
    assert found[0].trace is not None


def test_a_state_that_says_nothing_new_is_not_repeated() -> None:
    """Pages that change nothing in it have one state, and the last one is that already."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        for _ in range(3):
            await output.emit([{"id": 1}])
            output.checkpoint()
        output.end()

    assert len(states(messages(outlet, work()))) == 1


@pytest.mark.parametrize("emits", [True, False])
def test_a_failed_stream_ends_with_its_errors_and_the_state_it_reached(emits: bool) -> None:
    """That state comes where something was emitted: one that is as it was before the sync says nothing."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)

    async def work() -> None:
        if emits:
            await output.emit([{"id": 1}])
            stream.pages = 1
        stream.errors += [LookupError("one"), LookupError("two")]
        output.end()

    found = messages(outlet, work())
    assert [state["pages"] for state in states(found)] == ([1] if emits else [])
    assert statuses(found) == (["RUNNING"] if emits else []) + ["INCOMPLETE"]
    errors = [one.trace.error for one in found if one.trace and one.trace.error]
    assert [one.internal_message for one in errors] == ["LookupError: one", "LookupError: two"]
    assert found.index(next(one for one in found if one.trace and one.trace.error)) > len(found) - 4


@pytest.mark.parametrize("pages", [1, 3])
def test_no_more_pages_wait_because_states_are_taken(pages: int) -> None:
    """Only pages take room, and only they give it back."""
    stream = Stream()
    outlet = OutputQueue(record_messages, pages)
    loop = VirtualClockLoop()
    task = loop.create_task(emit_one_by_one(stream, Output(stream, outlet)))
    taken, ahead = 0, []

    for message in outlet.messages(loop):
        taken += message.record is not None  # type: ignore[union-attr]
        ahead.append(stream.pages - taken)
        if taken == 20:
            break

    assert max(ahead) == pages
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


@pytest.mark.parametrize("lists", [1_100, 5_000])
def test_a_state_of_any_size_comes_again_after_a_while(lists: int) -> None:
    """Of more than 64 kilobytes, too: then as often as its rate allows, which is four kilobytes a second."""
    stream = Stream(lists)
    outlet = OutputQueue(record_messages, 3)

    found = states(messages(outlet, emit_pages(stream, Output(stream, outlet), 40, 10.0)))

    assert found[0]["pages"] == 1
    size = len(str(found[0]))
    assert [one["pages"] for one in found[:2]] == [1, 1 + -(-(size - 9_000) // 40_000)]


def test_a_message_waits_until_replies_have_led_to_requests() -> None:
    """Those that came meanwhile go their way through the loop first, which is six steps; no time passes."""
    stream = Stream()
    outlet = OutputQueue(record_messages, 3)
    output = Output(stream, outlet)
    loop = VirtualClockLoop()
    steps: list[int] = []

    async def reply() -> None:
        for step in range(20):
            steps.append(step)
            await asyncio.sleep(0)

    output.estimate(1)
    task = loop.create_task(reply())
    next(iter(outlet.messages(loop)))

    # The loop itself takes two more.
    assert len(steps) == 6 + 2
    assert loop.time() == 0.0
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
