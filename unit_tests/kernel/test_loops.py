"""Groups of tasks: one plain error comes out of them, and a task that was told to end does end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from integration_tests.simulation.clock import run
from mailchimp_unified.loops import together


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
