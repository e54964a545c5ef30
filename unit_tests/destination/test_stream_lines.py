"""The stream's input and output: lines as soon as they are there, a bounded number ahead, and each answered once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destination_mailchimp_unified.live.lines import Lines
from destination_mailchimp_unified.live.metrics import Metrics
from destination_mailchimp_unified.live.output import Output
from destination_mailchimp_unified.live.service import Service
from integration_tests.streaming.simulated import pipeline_in
from unit_tests.destination.writing import Mailchimp

MEBIBYTE = 1 << 20
READ_AHEAD = 16
"""Chunks that may wait."""


def chunks(*given: bytes) -> Callable[[int], bytes]:
    """Return a reader that gives chunks, and then the end."""
    left = list(given)
    return lambda _: left.pop(0) if left else b""


def lines_of(read: Callable[[int], bytes]) -> list[bytes | None]:
    """Return all lines."""

    async def taking() -> list[bytes | None]:
        return [line async for some in Lines(read) for line in some]

    return asyncio.run(taking())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=8).map(lambda one: one.replace(b"\n", b"")), min_size=1), st.integers(1, 12), st.booleans())
def test_every_line_comes_once_however_it_is_cut(lines: list[bytes], size: int, newline: bool) -> None:
    """Blank ones too, since each is answered; a last one without its newline counts, if there is anything in it."""
    text = b"\n".join(lines) + (b"\n" if newline else b"")
    expected = lines if newline or lines[-1] else lines[:-1]

    assert lines_of(chunks(*(text[at : at + size] for at in range(0, len(text), size)))) == expected


@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_that_is_too_long_is_told_and_not_kept(extra: int) -> None:
    """A mebibyte is a line, one byte more is none; what follows is read as usual."""
    long = b"x" * (MEBIBYTE + extra)

    assert lines_of(chunks(long[:70_000], long[70_000:] + b"\nnext\n")) == [None if extra else long, b"next"]


def test_what_is_begun_when_nobody_wants_more_is_left_alone() -> None:
    """Somebody else may still be writing the line: only whole ones are given."""
    more = threading.Event()
    given = [b"one\ntw"]

    def read(_: int) -> bytes:
        if given:
            return given.pop()
        more.wait(10)
        return b""

    async def taking() -> list[bytes | None]:
        lines, found = Lines(read), list[bytes | None]()
        async for some in lines:
            found += some
            lines.stop()
        return found

    found = asyncio.run(taking())
    more.set()
    assert found == [b"one"]


def test_an_error_of_the_input_is_raised_where_its_lines_are_taken() -> None:
    """What came before it is given."""

    def read(_: int) -> bytes:
        if left:
            return left.pop()
        raise OSError("gone")

    left = [b"one\n"]
    with pytest.raises(OSError, match="gone"):
        lines_of(read)
    assert left == []


def test_a_mebibyte_is_read_ahead_and_no_more() -> None:
    """At most sixteen reads of 64 KiB wait: the sender is kept waiting while Mailchimp is slow."""
    sizes: list[int] = []
    full, too_far = threading.Event(), threading.Event()

    def read(size: int) -> bytes:
        sizes.append(size)
        if len(sizes) >= READ_AHEAD:
            (too_far if len(sizes) > READ_AHEAD else full).set()
        return b"x\n" if len(sizes) < 5 * READ_AHEAD else b""

    async def taking() -> int:
        lines = Lines(read)
        assert full.wait(10)
        assert not too_far.wait(0.2)
        return sum([len(some) async for some in lines])

    assert asyncio.run(taking()) == 5 * READ_AHEAD - 1
    assert set(sizes) == {1 << 16}


@pytest.mark.parametrize(("in_order", "written"), [(False, [b"2", b"1", b"3"]), (True, [b"1", b"2", b"3"])])
def test_answers_are_written_as_they_come_or_in_the_order_of_the_lines(in_order: bool, written: list[bytes]) -> None:
    """With in_order an answer waits for its turn."""
    found: list[bytes] = []

    async def answering() -> None:
        output = Output(found.append, in_order=in_order)
        for number in (2, 1, 3):
            output.expect()
            output.answer(number, {"n": number})
        await output.finish()

    asyncio.run(answering())
    assert b"".join(found) == b"".join(b'{"n":%s}\n' % number for number in written)


def test_twenty_thousand_lines_may_be_unanswered() -> None:
    """More are not read until an answer is written, so that a reader who has stopped fills no memory."""

    async def answering() -> tuple[bool, bool]:
        output = Output(lambda _: None, in_order=False)
        for _ in range(20_000):
            assert output.has_room()
            output.expect()
        one_more = asyncio.create_task(output.room())
        await asyncio.sleep(0)
        waited = not one_more.done()
        output.answer(1, {})
        await asyncio.wait_for(one_more, 10)
        await output.finish()
        return waited, output.has_room()

    assert asyncio.run(answering()) == (True, True)


def test_answers_of_sixteen_mebibytes_may_be_unwritten() -> None:
    """With an id each answer can be long: while nobody reads them, no more lines are read."""
    reads = threading.Event()

    def write(_: bytes) -> None:
        reads.wait(10)

    async def answering() -> tuple[list[bool], bool]:
        output, room = Output(write, in_order=False), list[bool]()
        for number, size in enumerate((16 * MEBIBYTE - 21, 10, 10, 10), 1):
            output.expect()
            room.append(output.has_room())
            output.answer(number, {"id": "x" * (size - len(b'{"id":""}\n'))})
        room.append(output.has_room())
        reads.set()
        await asyncio.wait_for(output.room(), 10)
        await output.finish()
        return room, output.has_room()

    assert asyncio.run(answering()) == ([True, True, True, True, False], True)


def test_a_reader_that_is_gone_keeps_nobody_waiting() -> None:
    """Who runs the stream is told, once."""
    told: list[str] = []

    def write(_: bytes) -> None:
        raise BrokenPipeError

    async def answering() -> bool:
        output = Output(write, in_order=False)
        output.when_unheard = lambda: told.append("unheard")
        output.answer(1, {})
        await output.finish()
        return output.unheard

    assert asyncio.run(answering())
    assert told == ["unheard"]


def test_the_seconds_of_answers_are_counted_up_to_these_bounds() -> None:
    """Dashboards and alerts name them: from the tenths that a call takes to the quarter of an hour that it is tried."""
    world = Mailchimp()

    async def bounds() -> list[float]:
        metrics = Metrics(Service(pipeline_in(world)))
        samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
        return [float(one.labels["le"]) for one in samples if one.name == "mailchimp_unified_answer_seconds_bucket"]

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        assert runner.run(bounds()) == [0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, float("inf")]


def test_nothing_is_read_after_the_end() -> None:
    """Where the input ended, somebody else may begin to write: their lines are not ours."""
    left = [b"one\n", b""]
    again = threading.Event()

    def read(_: int) -> bytes:
        if not left:
            again.set()
            return b""
        return left.pop(0)

    assert lines_of(read) == [b"one"]
    assert not again.wait(0.2)
