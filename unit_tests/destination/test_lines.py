"""What a line of the input is: a record, a state with a place for its counts, the word of a stream, or nothing that can be used."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.intake.lines import RECORD_TOO_DEEP, Chunks, Intake, Message, Record, StreamStatus, Unusable
from destination_mailchimp_unified.intake.states import State, state_of
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.parsing import exactly_parsed
from unit_tests.account import chunks_of


def taken(text: bytes, chunk: int = 1 << 16) -> list[Message]:
    """Return the messages of an input that comes in chunks."""

    async def take() -> list[Message]:
        intake, found = Intake(BytesIO(text).read, chunks_of(chunk)), []
        while (messages := await intake.take()) is not None:
            found += messages
        assert await intake.take() is None
        return found

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(take())


def message(content: Any) -> Message | None:
    """Return what a line is."""
    line = content if isinstance(content, bytes) else orjson.dumps(content)
    found = taken(line + b"\n")
    assert len(found) <= 1
    return found[0] if found else None


def nested(levels: int) -> Any:
    """Return a list in a list, and so on."""
    return json.loads("[" * levels + "]" * levels)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"text",
        [],
        "RECORD",
        {},
        {"type": None},
        {"type": 1},
        {"record": {"stream": "people", "data": {}}},
        {"type": "RECORD"},
        {"type": "RECORD", "record": []},
        {"type": "RECORD", "record": {"stream": "people"}},
        {"type": "RECORD", "record": {"stream": "people", "data": []}},
        {"type": "RECORD", "record": {"stream": None, "data": {}}},
        {"type": "RECORD", "record": {"data": {}}},
        {"type": "STATE"},
        {"type": "STATE", "state": []},
    ],
)
def test_a_line_that_cannot_be_used_is_kept_with_a_reason(content: Any) -> None:
    """It may have been a record, so it is counted as one."""
    found = message(content)

    assert isinstance(found, Unusable)
    assert found.reason
    assert found.line == (content if isinstance(content, bytes) else orjson.dumps(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \t",
        {"type": "LOG", "log": {"level": "INFO", "message": "x"}},
        {"type": "TRACE"},
        {"type": "TRACE", "trace": []},
        {"type": "TRACE", "trace": {"type": "ERROR"}},
        {"type": "TRACE", "trace": {"stream_status": []}},
        {"type": "TRACE", "trace": {"stream_status": {"status": "COMPLETE"}}},
        {"type": "TRACE", "trace": {"stream_status": {"stream_descriptor": [], "status": "COMPLETE"}}},
        {"type": "TRACE", "trace": {"stream_status": {"stream_descriptor": {"name": None}, "status": "COMPLETE"}}},
        {"type": "LOG", "trace": {"stream_status": {"stream_descriptor": {"name": "people"}, "status": "COMPLETE"}}},
    ],
)
def test_what_is_for_the_platform_is_nothing(content: Any) -> None:
    """Logs, errors, blank lines, and words about no stream."""
    assert message(content) is None


@pytest.mark.parametrize(
    ("namespace", "key"), [({}, None), ({"namespace": "crm"}, "crm"), ({"namespace": ""}, None), ({"namespace": 1}, None)]
)
def test_a_record_and_a_status_belong_to_a_stream(namespace: dict[str, Any], key: str | None) -> None:
    """By name and namespace; an empty namespace is none."""
    columns = {"email": "a@x.org", "id": 2**70}
    line = json.dumps({"type": "RECORD", "record": {"stream": "people", **namespace, "data": columns}}).encode()
    assert message(line) == Record((key, "people"), columns, line)
    told = {"stream_descriptor": {"name": "people", **namespace}, "status": "COMPLETE"}
    assert message({"type": "TRACE", "trace": {"stream_status": told}}) == StreamStatus((key, "people"), "COMPLETE")
    stream = {"stream_descriptor": {"name": "people", **namespace}}
    found = message({"type": "STATE", "state": {"stream": stream}})
    assert isinstance(found, State)
    assert found.stream == (key, "people")


@pytest.mark.parametrize(("levels", "usable"), [(1, True), (97, True), (98, True), (99, False), (200, False)])
def test_a_record_may_have_a_hundred_levels(levels: int, usable: bool) -> None:
    """The record and its columns are two of them."""
    found = message({"type": "RECORD", "record": {"stream": "people", "data": {"a": nested(levels)}}})

    assert isinstance(found, Record) is usable
    assert usable or (isinstance(found, Unusable) and found.reason == RECORD_TOO_DEEP)


@given(st.lists(st.sampled_from([b'{"type":"LOG"}', b"x", b"", b" ", b"y" * 50]), max_size=8), st.integers(1, 70), st.booleans())
def test_lines_are_found_however_they_are_cut(lines: list[bytes], chunk: int, ends: bool) -> None:
    """With and without a newline at the end, in one chunk or in many."""
    found = taken(b"\n".join(lines) + (b"\n" if ends else b""), chunk)

    assert [one.line for one in found if isinstance(one, Unusable)] == [line for line in lines if line in (b"x", b"y" * 50)]


def test_a_last_line_without_an_end_comes_before_the_end_is_told() -> None:
    """Its message, then nothing, as often as is asked; and nothing is left to take before the end was told."""

    async def take() -> list[Any]:
        intake = Intake(BytesIO(b"x\ny").read, chunks_of(2))
        steps: list[Any] = []
        while len(steps) < 10:
            steps.append(intake.empty)
            steps.append(await intake.take())
        return steps

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        empty, x, _, nothing, _, y, is_empty, end, _, still = runner.run(take())
    assert [one.line for one in x] == [b"x"]
    assert nothing == []
    assert [one.line for one in y] == [b"y"]
    assert (empty, is_empty, end, still) == (False, False, None, None)


# Reading on a thread.


def chunks(read: Callable[[int], bytes], use: Callable[[Chunks], Any]) -> Any:
    """Return what a use of chunks that are read on a thread gives."""

    async def run() -> Any:
        return await use(Chunks(read))

    return asyncio.run(run())


def readers(before: list[threading.Thread]) -> list[threading.Thread]:
    """Return the threads that began to read since."""
    return [one for one in threading.enumerate() if one.name == "stdin" and one not in before]


def test_what_is_read_comes_in_order_up_to_the_end() -> None:
    """In pieces of at most 64 KiB, so that one is taken while the next is read."""
    sizes: list[int] = []
    parts = iter([b"a", b"b" * 10, b""])
    before = threading.enumerate()

    def read(size: int) -> bytes:
        sizes.append(size)
        return next(parts)

    async def use(found: Chunks) -> list[bytes | None]:
        taken = [await found.take() for _ in range(3)]
        for one in readers(before):
            one.join(10)
        return taken

    assert chunks(read, use) == [b"a", b"b" * 10, b""]
    assert sizes == [65_536] * 3


def test_what_reading_raised_is_raised_where_it_is_taken() -> None:
    """After what came before it, no matter what kind of error it is."""

    def read(size: int, parts: list[bytes] = [b"a"]) -> bytes:  # noqa: B006 - one part, then none
        if parts:
            return parts.pop()
        raise KeyboardInterrupt

    async def use(found: Chunks) -> bytes | None:
        first = await found.take()
        with pytest.raises(KeyboardInterrupt):
            await found.take()
        return first

    assert chunks(read, use) == b"a"


def test_sixteen_chunks_are_read_ahead() -> None:
    """And one more for each that is taken."""
    read_so_far = threading.Semaphore(0)
    count = [0]

    def read(_: int) -> bytes:
        count[0] += 1
        read_so_far.release()
        return b"x" if count[0] < 40 else b""

    async def use(found: Chunks) -> list[int]:
        steps: list[int] = []
        for expected in (16, 17, 18):
            if steps:
                assert await found.take() == b"x"
            # What is read releases it; nothing that is never read does.
            for _ in range(expected - sum(steps[-1:])):
                assert read_so_far.acquire(timeout=10)
            steps.append(count[0])
        found.stop()
        return steps

    assert chunks(read, use) == [16, 17, 18]


def test_after_a_stop_what_was_read_can_be_taken_and_then_nothing() -> None:
    """A reading that waits for an input that never comes keeps nobody: neither who takes nor the end of the program."""
    begun, go_on = threading.Event(), threading.Event()
    before = threading.enumerate()

    def read(_: int, parts: list[bytes] = [b"b", b"a"]) -> bytes:  # noqa: B006 - two parts, then a long wait
        if parts:
            return parts.pop()
        begun.set()
        go_on.wait(10)
        return b"too late"

    async def use(found: Chunks) -> tuple[list[bytes | None], list[bool]]:
        assert begun.wait(10)
        waiting = readers(before)
        assert all(one.daemon for one in waiting)
        empty = [found.empty]
        found.stop()
        taken = [await found.take() for _ in range(3)]
        go_on.set()
        for one in waiting:
            one.join(10)
        return taken, [*empty, found.empty]

    assert chunks(read, use) == ([b"a", b"b", None], [False, True])


def test_who_waits_for_a_chunk_is_told_of_a_stop() -> None:
    """At once."""

    async def run() -> bytes | None:
        found = Chunks(lambda _: b"", lambda _, __: None)
        waits = asyncio.create_task(found.take())
        await asyncio.sleep(1)
        assert not waits.done()
        found.stop()
        return await waits

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(run()) is None


# States.

STREAM = '"stream":{"stream_descriptor":{"name":"people"},"stream_state":{"at":1.10,"destinationStats":{"recordCount":7}}}'


def counted(state: str, accepted: int = 3, rejected: int = 0, before: str = "", after: str = "") -> str:
    """Return the line of a state with its counts."""
    line = f'{{{before}"type":"STATE","state":{state}{after}}}'.encode()
    return state_of(line, exactly_parsed(line)).with_counts(accepted, rejected).decode()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("{}", '{"destinationStats":{"recordCount":3.0}}'),
        ("{ }", '{ "destinationStats":{"recordCount":3.0}}'),
        (f"{{{STREAM}}}", f'{{{STREAM},"destinationStats":{{"recordCount":3.0}}}}'),
        (f'{{ {STREAM} , "id" : 5 }}', f'{{ {STREAM} , "id" : 5 ,"destinationStats":{{"recordCount":3.0}}}}'),
        (f'{{"destinationStats":{{"recordCount":1}},{STREAM}}}', f'{{"destinationStats":{{"recordCount":3.0}},{STREAM}}}'),
        (f'{{{STREAM},"destinationStats" : null}}', f'{{{STREAM},"destinationStats" : {{"recordCount":3.0}}}}'),
        (
            f'{{"destinationStats":1,{STREAM},"destinationStats":2,"x":"\\u00e9","destinationStats":3 }}',
            f'{{"destinationStats":1,{STREAM},"destinationStats":2,"x":"\\u00e9","destinationStats":{{"recordCount":3.0}} }}',
        ),
        ('{"x":"é\\"}{"}', '{"x":"é\\"}{","destinationStats":{"recordCount":3.0}}'),
        ('{"x":"a\tb"}', '{"x":"a\tb","destinationStats":{"recordCount":3.0}}'),
        ('{"a":[{"b":"}"},1e5]}', '{"a":[{"b":"}"},1e5],"destinationStats":{"recordCount":3.0}}'),
    ],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ('"log":{"state":{}}, ', ' , "emitted_at" : 1.10 '),
        ("\n\t ", ""),
        ('"state":{"of":"before"},', ""),
        ('"é":"\\n",', ',"z":{}'),
    ],
)
def test_counts_go_into_the_state_and_nothing_else_changes(state: str, expected: str, before: str, after: str) -> None:
    """In their old place, the last where there are several, or at the end of the state; decimals, escapes and order stay."""
    assert counted(state, before=before, after=after) == f'{{{before}"type":"STATE","state":{expected}{after}}}'


@pytest.mark.parametrize(("rejected", "stats"), [(0, {"recordCount": 3.0}), (2, {"recordCount": 3.0, "rejectedRecordCount": 2.0})])
def test_rejected_records_are_counted_where_there_are_some(rejected: int, stats: dict[str, float]) -> None:
    """Both as the floating-point numbers of the protocol."""
    found = json.loads(counted("{}", 3, rejected))["state"]["destinationStats"]

    assert found == stats
    assert all(type(one) is float for one in found.values())


def test_of_two_states_in_a_line_the_last_counts() -> None:
    """As in every parser."""
    line = b'{"type":"STATE","state":{"id":1},"state":{"id":2}}'
    assert state_of(line, json.loads(line)).with_counts(1, 0) == (
        b'{"type":"STATE","state":{"id":1},"state":{"id":2,"destinationStats":{"recordCount":1.0}}}'
    )


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ({}, None),
        ({"type": "GLOBAL"}, None),
        ({"stream": []}, None),
        ({"stream": {}}, None),
        ({"stream": {"stream_descriptor": []}}, None),
        ({"stream": {"stream_descriptor": {"name": 5}}}, None),
        ({"stream": {"stream_descriptor": {"name": "people"}}}, (None, "people")),
        ({"stream": {"stream_descriptor": {"name": "people", "namespace": "crm"}}}, ("crm", "people")),
    ],
)
def test_a_state_is_of_its_stream_or_of_all(state: dict[str, Any], key: Any) -> None:
    """Of all where it names none."""
    whole = {"type": "STATE", "state": state}
    assert state_of(orjson.dumps(whole), whole).stream == key


def test_a_state_that_is_nested_too_deeply_comes_back_without_counts() -> None:
    """As it came: its sender can use it, and nothing is lost but the counts."""
    depth = 100_000
    line = b'{"type":"STATE","state":{"a":' + b"[" * depth + b"]" * depth + b"}}"
    found = state_of(line, {"type": "STATE", "state": {"a": []}})

    assert found.with_counts(1, 1) == line


def test_what_many_of_wait_takes_no_dictionary_each() -> None:
    """Records, their entries, states and lines that cannot be used are in memory by the ten thousand."""
    waiting = [
        Entry((None, "s"), 0, 1),
        Record((None, "s"), {}, b""),
        Unusable("", b""),
        StreamStatus((None, "s"), ""),
        State(None, b""),
    ]
    assert [one for one in waiting if hasattr(one, "__dict__")] == []


def test_an_entry_of_no_row_counts_no_bytes() -> None:
    """What belongs to no stream has no number in it, and holds nothing in memory."""
    entry = Entry((None, "s"), 3, 1)
    assert (entry.epoch, entry.number, entry.row, entry.size, entry.line) == (3, 1, 0, 0, b"")
