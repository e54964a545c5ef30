"""How long records wait for their batch, and how many are in memory: each number is a promise to the platform, or to its machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from destination_mailchimp_unified.intake.lines import Chunks, Intake
from destination_mailchimp_unified.pipeline.pacing import Pacing
from integration_tests.simulation.clock import run
from unit_tests.destination.writing import STATE, Mailchimp, Sync, person, record, write

if TYPE_CHECKING:
    from destination_mailchimp_unified.pipeline.lane import Lane

LATENCY = 0.001
"""Seconds that a request takes here: little against every wait."""

READ_AHEAD = 16
"""Chunks that may wait."""


def in_bulk(*messages: Any, **more: Any) -> Sync:
    """Write to an audience of three whose statuses are known."""
    return write(Mailchimp(*[person(n) for n in range(3)], latency=LATENCY), *messages, write_mode="bulk", **more)


def near(seconds: float) -> Any:
    """Return these seconds, give or take some requests."""
    return pytest.approx(seconds, abs=10 * LATENCY)


def test_a_state_waits_for_nothing_when_nothing_more_comes() -> None:
    """The records before it are written as soon as the input pauses."""
    assert in_bulk(record(7), STATE, 60.0).state_seconds == [near(0.0)]


def test_a_state_waits_a_fifth_of_a_second_while_more_comes() -> None:
    """What comes after it may fill its batch for so long; then it goes, up to the state, however steadily more comes."""
    hurried: list[tuple[float, int]] = []

    async def coming() -> None:
        clock = asyncio.get_running_loop().time

        class Hurried:
            def flush(self, number: int) -> None:
                hurried.append((clock(), number))

        pacing = Pacing(cast("dict[str, Lane]", {"": Hurried()}))
        for number in range(1, 12):
            pacing.came(number, 1)
            await asyncio.sleep(0.05)

    run(coming())
    assert hurried == [(near(0.2), 1)]


def test_what_waits_is_written_a_second_after_the_last_record() -> None:
    """A source that makes a pause does not keep back what it has given: a second, counted from the last record."""
    sync = in_bulk(record(7), 0.5, record(8), 0.5, record(9), 60.0)

    assert [call[0] for call in sync.writes] == [near(2.0)]


def test_no_record_waits_longer_than_half_a_minute() -> None:
    """However steadily others come, and too few to fill a batch."""
    sync = in_bulk(*[message for number in range(10, 90) for message in (record(number), 0.5)])

    assert [call[0] for call in sync.writes] == [near(30.0), near(40.0)]


def test_the_first_look_at_an_audience_waits_a_tenth_of_a_second_for_the_first_record() -> None:
    """What comes first tells what must be known; where nothing comes, the audience is asked for all the same."""
    assert in_bulk(5.0, record(7), STATE).calls("GET")[0][0] == near(0.1)
    assert in_bulk(0.05, record(7), STATE).calls("GET")[0][0] == near(0.05)


def test_a_mebibyte_is_read_ahead_and_no_more() -> None:
    """At most sixteen reads of 64 KiB are ahead of the pipeline: the writer of the pipe is kept waiting while Mailchimp is slow."""
    sizes: list[int] = []
    full, too_far = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def read(size: int) -> bytes:
        sizes.append(size)
        if len(sizes) >= READ_AHEAD:
            (too_far if len(sizes) > READ_AHEAD else full).set()
        return b"\n" if len(sizes) < 5 * READ_AHEAD else b""

    def feed(intake: Chunks, read: Callable[[int], bytes]) -> None:
        threads.append(threading.Thread(target=intake.fill, args=(read,), daemon=True))
        threads[0].start()

    async def reading() -> None:
        intake = Intake(read, feed)
        assert full.wait(10)
        assert not too_far.wait(0.2)
        while await intake.take() is not None:
            pass
        threads[0].join(10)

    asyncio.run(reading())
    assert sizes == [1 << 16] * (5 * READ_AHEAD)
