"""Groups of tasks: one plain error comes out of them, and a task that was told to end does end. Loops as iterators."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from integration_tests.simulation.clock import VirtualClockLoop, run
from mailchimp_unified.loops import iterate, task_group, together


@pytest.mark.parametrize("turns", range(6))
def test_a_cancellation_is_not_lost_to_an_error_of_the_same_moment(turns: int) -> None:
    """Whichever comes first: work that bears the error would otherwise go on for good, with everybody who waits for its end."""

    async def story() -> bool:
        gate = asyncio.Event()

        async def fail() -> None:
            await gate.wait()
            raise OSError

        async def bear() -> None:
            with contextlib.suppress(OSError):
                await together(fail(), asyncio.sleep(50))
            await asyncio.sleep(100)

        bearing = asyncio.create_task(bear())
        await asyncio.sleep(1)
        gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        bearing.cancel()
        await asyncio.wait([bearing])
        return bearing.cancelled()

    assert run(story())


def test_the_first_error_of_a_group_is_raised_alone_and_the_others_are_canceled() -> None:
    """However deep it is nested, and at once."""

    async def fail() -> None:
        await asyncio.sleep(1)
        raise OSError("first")

    async def story() -> float:
        with pytest.raises(OSError, match="first"):
            await together(together(fail(), asyncio.sleep(50)), asyncio.sleep(100))
        return asyncio.get_running_loop().time()

    assert run(story()) == 1


def test_of_errors_of_the_same_moment_the_first_is_raised() -> None:
    """The others are what came of it, or would have come."""

    async def fail(name: str) -> None:
        await asyncio.sleep(1)
        raise OSError(name)

    async def story() -> None:
        with pytest.raises(OSError, match="first"):
            await together(fail("first"), fail("second"), fail("third"))

    run(story())


def test_results_come_in_the_order_of_their_parts() -> None:
    """However long each takes; a group without parts has none."""

    async def result(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert run(together(result(3), result(1), result(2))) == [3, 1, 2]
    assert run(together()) == []


def test_a_group_waits_for_tasks_that_its_tasks_start() -> None:
    """It ends when there are none left."""

    async def story() -> list[str]:
        done = []

        async def late() -> None:
            await asyncio.sleep(1)
            done.append("late")

        async def early(group: asyncio.TaskGroup) -> None:
            await asyncio.sleep(1)
            group.create_task(late())
            done.append("early")

        async with task_group() as group:
            group.create_task(early(group))
        return done

    assert run(story()) == ["early", "late"]


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_cancellation_that_was_there_before_hides_no_error(earlier: int) -> None:
    """A task that cleans up after it was canceled hears of what fails then."""

    async def fail() -> None:
        raise OSError

    async def story() -> str:
        async def work() -> str:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                if not earlier:
                    raise
            try:
                await together(fail())
            except OSError:
                return "error"
            return "nothing"

        task = asyncio.create_task(work())
        await asyncio.sleep(1 if earlier else 20)
        if earlier:
            task.cancel()
        return await task

    assert run(story()) == "error"


Emit = Callable[[str], None]


def test_an_iterator_yields_what_its_work_emits_as_soon_as_it_does() -> None:
    """In order, at any number in a moment; it ends with the work."""
    loop = VirtualClockLoop()

    async def work(emit: Emit) -> None:
        emit("a")
        emit("b")
        await asyncio.sleep(10)
        emit("c")
        await asyncio.sleep(10)

    iterator = iterate(work, lambda: loop)

    assert [(item, loop.time()) for item in iterator] == [("a", 0.0), ("b", 0.0), ("c", 10.0)]
    assert loop.time() == 20.0
    assert loop.is_closed()


def test_an_iterator_raises_what_its_work_raises_after_what_it_emitted() -> None:
    """Nothing that came before the error is lost."""

    async def work(emit: Emit) -> None:
        emit("a")
        raise OSError("full")

    iterator = iterate(work, VirtualClockLoop)

    assert next(iterator) == "a"
    with pytest.raises(OSError, match="full"):
        next(iterator)


def test_closing_an_iterator_ends_all_that_its_work_has_started() -> None:
    """Every task is canceled and may clean up, be it by emitting something that nobody takes any more."""
    loop, ended = VirtualClockLoop(), list[str]()

    async def work(emit: Emit) -> None:
        async def part(name: str) -> None:
            try:
                await asyncio.sleep(1_000)
            finally:
                emit("too late")
                await asyncio.sleep(1)
                ended.append(name)

        await asyncio.sleep(0)
        parts = [asyncio.create_task(part(name)) for name in ("a", "b")]
        await asyncio.sleep(1)
        emit("begun")
        await asyncio.wait(parts)

    iterator = iterate(work, lambda: loop)
    assert next(iterator) == "begun"
    iterator.close()  # type: ignore[attr-defined]

    assert sorted(ended) == ["a", "b"]
    assert loop.time() < 10
    assert loop.is_closed()
