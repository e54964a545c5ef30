"""The command `mailchimp-unified-stream` from its arguments to its exit code: lines, log, tokens and signals, in this process."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import uvicorn

from destination_mailchimp_unified.live import run as command
from destination_mailchimp_unified.live import serving
from destination_mailchimp_unified.live.events import event_of, event_of_line
from destination_mailchimp_unified.live.log import MaskingFormatter, hide, log_to
from destination_mailchimp_unified.live.output import Output, write_all
from destination_mailchimp_unified.live.pipeline import Pipeline, pipeline_of
from destination_mailchimp_unified.live.stdio import answer_lines
from integration_tests.streaming.simulated import Live, live, pipeline_in
from mailchimp_unified.errors import ConfigError, TransientError
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import CONFIG, Account, audiences
from unit_tests.destination.writing import Mailchimp, person, record
from unit_tests.kernel.conftest import Scripted

pytestmark = pytest.mark.usefixtures("process_as_before", "log_as_before")

Json = dict[str, Any]
SHORTEST = 16
"""Characters of a token."""


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """What a command sets for the log is taken back."""
    root, uvicorns = logging.getLogger(), logging.getLogger("uvicorn")
    handlers, levels = list(root.handlers), (root.level, uvicorns.level)
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    uvicorns.setLevel(levels[1])


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a configuration, whose Mailchimp answers in this process."""

    def pipeline(*arguments: Any) -> Pipeline:
        made = pipeline_of(*arguments)
        made.transport = Scripted(Account(audiences(1)), seconds=0.0)
        return made

    monkeypatch.setattr(command, "pipeline_of", pipeline)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**CONFIG, "list_id": audiences(1)[0]["id"]}))
    return str(path)


@pytest.fixture
def stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Sets what is on the standard input."""
    files = []

    def give(text: bytes) -> None:
        (tmp_path / "input").write_bytes(text)
        files.append((tmp_path / "input").open())
        monkeypatch.setattr("sys.stdin", files[-1])

    yield give
    for file in files:
        file.close()


def lines(*events: Any) -> bytes:
    """Return the lines of events."""
    return b"".join((one if isinstance(one, bytes) else orjson.dumps(one)) + b"\n" for one in events)


# Lines.


def test_each_line_is_answered_and_the_command_ends_well(
    config: str, stdin: Callable[[bytes], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """By its id, or by its number from 1; in the order of the lines where that is asked for; and nothing but answers is on the output."""
    stdin(lines({"id": "a", "email": "a@contacts.example"}, b"junk", {"email": "b@contacts.example"}, {"id": [1], "email": "nobody"}))

    assert command.run(["--config", config, "--in-order"]) == 0

    answers = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [one["id"] for one in answers] == ["a", 2, 3, [1]]
    assert [one["outcome"] == "rejected" for one in answers] == [False, True, False, True]


@pytest.mark.parametrize("to_file", [False, True])
def test_the_log_is_on_the_standard_error_or_in_a_file(
    to_file: bool, config: str, stdin: Callable[[bytes], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With a file the standard error is empty: some runners take a line there for a failure."""
    stdin(b"")
    path = tmp_path / "log"

    assert command.run(["--config", config, *(["--log-file", str(path)] if to_file else [])]) == 0

    error = capfd.readouterr().err
    assert ("Ready" in error, error == "", path.exists()) == (not to_file, to_file, to_file)
    assert not to_file or "Ready" in path.read_text()


@pytest.mark.parametrize("arguments", [["--config", "/nonexistent"], ["--config", "CONFIG", "--log-file", "/nonexistent/log"]])
def test_what_somebody_has_to_correct_ends_the_command_with_1(
    arguments: list[str], config: str, stdin: Callable[[bytes], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """With words and without a stack trace."""
    stdin(b"")

    assert command.run([config if one == "CONFIG" else one for one in arguments]) == 1

    error = capfd.readouterr().err
    assert len(error.split()) > 5
    assert "Traceback" not in error


@pytest.mark.parametrize(("detail", "shown"), [("because", True), ("", False)])
def test_a_detail_is_logged_in_brackets_where_there_is_one(
    detail: str, shown: bool, config: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After the message, which says what to do."""

    def fail(*_: Any) -> Pipeline:
        raise ConfigError("Do this.", detail=detail)

    monkeypatch.setattr(command, "pipeline_of", fail)

    assert command.run(["--config", config]) == 1
    assert capfd.readouterr().err.rstrip().endswith("Do this. (because)" if shown else "Do this.")


def test_an_unforeseen_failure_ends_the_command_with_1_and_its_stack_trace(
    config: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Which names no email address in clear."""

    def fail(*_: Any) -> Pipeline:
        raise ZeroDivisionError("ada.lovelace@contacts.example")

    monkeypatch.setattr(command, "pipeline_of", fail)

    assert command.run(["--config", config]) == 1
    error = capfd.readouterr().err
    assert "Traceback" in error
    assert "ada.lovelace" not in error


def test_a_command_that_nobody_hears_ends_with_1(config: str, stdin: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answers go nowhere: no more lines are taken."""
    stdin(lines({"email": "a@contacts.example"}))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        monkeypatch.setattr("sys.stdout", output)
        assert command.run(["--config", config]) == 1


@pytest.mark.parametrize("arguments", [[], ["--config"], ["--config", "x", "--nonsense"], ["x"]], ids=" ".join)
def test_a_command_line_that_lacks_something_is_refused(arguments: list[str]) -> None:
    """With the exit code of every command line that is wrong."""
    with pytest.raises(SystemExit) as raised:
        command.run(arguments)
    assert raised.value.code == 2


def test_the_process_ends_with_the_code_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes its arguments, and lets threads in five times as often as Python does by itself."""
    seen: list[Any] = []

    def run(arguments: list[str]) -> int:
        seen.append((arguments, sys.getswitchinterval()))
        return 7

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(command, "tune", lambda: seen.append("tuned"))
    monkeypatch.setattr(logging, "shutdown", lambda: seen.append("logged"))
    monkeypatch.setattr(os, "_exit", seen.append)
    monkeypatch.setattr(sys, "argv", ["mailchimp-unified-stream", "--config", "x"])
    interval = sys.getswitchinterval()
    try:
        command.main()
    finally:
        sys.setswitchinterval(interval)

    assert seen == ["tuned", (["--config", "x"], pytest.approx(0.001)), "logged", 7]


# Signals.


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_asks_for_an_orderly_end_and_a_second_one_for_one_at_once(
    number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken is finished after the first; the exit code names it."""
    codes: list[int] = []

    async def story() -> int:
        stopping, stopped, ended = command.Stopping(), asyncio.Event(), asyncio.Event()

        def end(with_code: int) -> None:
            codes.append(with_code)
            ended.set()

        monkeypatch.setattr(os, "_exit", end)
        stopping.watch(stopped.set)
        assert stopping.code == 0
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 10)
        assert codes == []
        found = stopping.code
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(ended.wait(), 10)
        return found

    assert [asyncio.run(story()), codes[0]] == [code, code]


def test_a_signal_ends_the_reading_of_lines(config: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Although the input stays open; what was read is answered."""
    reader, writer = os.pipe()
    os.write(writer, lines({"id": 1, "email": "a@contacts.example"}))

    def write(descriptor: int, text: bytes) -> None:
        write_all(descriptor, text)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(command, "write_all", write)
    with os.fdopen(reader) as lines_in:
        monkeypatch.setattr("sys.stdin", lines_in)
        assert command.run(["--config", config]) == 143
        os.close(writer)
    assert [json.loads(line)["id"] for line in capfd.readouterr().out.splitlines()] == [1]


# The log.


def test_no_secret_and_no_email_address_is_logged(tmp_path: Path) -> None:
    """Nor in a stack trace; and only what is amiss of the server is."""
    path = tmp_path / "log"
    logger, formatter = log_to(str(path))
    hide(formatter, ["s3cret-1"])
    hide(formatter, ["s3cret-2"])
    error = ValueError("s3cret-1 of ada.lovelace@contacts.example")
    logger.error("s3cret-2 of grace.hopper@contacts.example", exc_info=error)
    logging.getLogger("uvicorn").info("hello")
    logging.getLogger("uvicorn").warning("amiss")

    text = path.read_text()
    assert [word for word in ("s3cret", "lovelace", "hopper", "hello") if word in text] == []
    assert "ValueError" in text
    assert "amiss" in text


def test_a_second_log_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """Each line is in one of them; and a line that nobody reads any more makes no noise."""
    logging.raiseExceptions = True
    for name in ("first", "second"):
        log_to(str(tmp_path / name))[0].info("one line")

    assert [(tmp_path / name).read_text().count("one line") for name in ("first", "second")] == [1, 1]
    assert not logging.raiseExceptions


# What is taken and what is answered.


def answered(world: Mailchimp, taking: AsyncIterator[list[bytes | None]], output: Any, **options: Any) -> None:
    """Answer lines to their end."""

    async def story() -> None:
        await answer_lines(pipeline_in(world, **options), taking, output)

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(story())


class Kept:
    """An output that keeps answers, with room for some lines that are under way."""

    def __init__(self, room: int = 100_000) -> None:
        self.answers: dict[int, Json] = {}
        self._room, self._came = room, asyncio.Event()

    def has_room(self) -> bool:
        """Return whether one more line may be under way."""
        return self._room > 0

    async def room(self) -> None:
        """Wait until one more line may be under way."""
        await asyncio.sleep(1_000)
        self._room += 1

    def expect(self) -> None:
        """Count a line."""
        self._room -= 1

    def answer(self, number: int, answer: Json) -> None:
        """Keep an answer."""
        self.answers[number] = answer

    async def finish(self) -> None:
        """Wait for nothing."""


class Silent(Mailchimp):
    """Answers no write for a while."""

    async def send(self, outgoing: Outgoing) -> Received:
        """Answer what only reads."""
        if outgoing.method != "GET":
            await asyncio.sleep(100.0)
        return await super().send(outgoing)


def taken_at(world: Mailchimp, second: float, given: list[bytes], output: Kept, **options: Any) -> int:
    """Return how many lines were taken by that second."""
    counts: list[int] = []

    async def taking() -> AsyncIterator[list[bytes | None]]:
        asyncio.get_running_loop().call_later(second, lambda: counts.append(len(counts_of)))
        for line in given:
            counts_of.append(line)
            yield [line]

    counts_of: list[bytes] = []
    answered(world, taking(), output, **options)
    return counts[0]


def test_ten_thousand_events_are_taken_while_mailchimp_is_slow() -> None:
    """One more is in hand; the rest waits in the pipe, and is answered in the end."""
    given = [orjson.dumps(record(number % 3, first_name="A")) for number in range(10_100)]
    output = Kept()

    assert taken_at(Silent(*[person(number) for number in range(3)]), 50.0, given, output, num_workers=10) == 10_001
    assert len(output.answers) == 10_100


def test_no_more_lines_are_taken_than_answers_have_room() -> None:
    """One more is in hand until there is."""
    assert taken_at(Mailchimp(), 500.0, [b"junk"] * 10, Kept(room=5)) == 6


def test_a_dry_run_is_told_of_each_line() -> None:
    """In the answers, which cannot be mistaken for others."""

    async def taking() -> AsyncIterator[list[bytes | None]]:
        yield lines(record(1), b"junk").splitlines()  # type: ignore[misc]

    output = Kept()
    answered(Mailchimp(), taking(), output, dry_run=True)
    assert [output.answers[number]["dry_run"] for number in (1, 2)] == [True, True]


def test_what_mailchimp_never_answered_is_not_answered() -> None:
    """What was settled before it went away is."""
    world = Mailchimp()

    async def taking() -> AsyncIterator[list[bytes | None]]:
        yield [b"junk"]
        await asyncio.sleep(60)
        world.state.faults.set([{"kind": "503"}], 1)
        yield [orjson.dumps(record(1))]
        await asyncio.sleep(10_000)

    output = Kept()
    with pytest.raises(TransientError):
        answered(world, taking(), output)
    assert list(output.answers) == [1]


def test_the_first_bulk_call_of_a_burst_is_on_its_way_while_the_rest_is_read() -> None:
    """Five hundred lines at a time, however many come at once."""
    world = Mailchimp()
    begun: list[int] = []
    turns: list[int] = [0]
    seconds: set[float] = set()

    class Burst(list[bytes | None]):
        def __iter__(self) -> Iterator[bytes | None]:
            for line in super().__iter__():
                begun.append(len([call for call in world.calls if call[1] == "POST"]))
                turns.append(turns[0])
                seconds.add(world.now)
                yield line

    async def turning() -> None:
        while len(begun) < 3_000:
            turns[0] += 1
            await asyncio.sleep(0)

    async def taking() -> AsyncIterator[list[bytes | None]]:
        await asyncio.sleep(5)
        tasks.append(asyncio.get_running_loop().create_task(turning()))
        yield Burst(orjson.dumps(record(number)) for number in range(3_000))

    tasks: list[asyncio.Task[None]] = []
    answered(world, taking(), Kept())
    assert (begun[499], begun[-1] > 0, len(seconds)) == (0, True, 1)
    assert turns[1] == turns[500], "no line waits for others before the batch is full"
    assert [len(call[3]["members"]) for call in world.calls if call[1] == "POST"] == [500] * 6


def test_an_output_that_nobody_reads_keeps_no_process_alive() -> None:
    """It is written on a thread that Python does not wait for at its end."""
    reads = threading.Event()

    def write(_: bytes) -> None:
        reads.wait(10)

    async def answering() -> list[bool]:
        output = Output(write, in_order=False)
        output.answer(1, {})
        daemons = [thread.daemon for thread in threading.enumerate() if thread.name == "stdout"]
        reads.set()
        await output.finish()
        return daemons

    found = asyncio.run(answering())
    assert found
    assert all(found)


def test_all_of_a_text_is_written_however_little_a_descriptor_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe takes what it has room for."""
    written: list[bytes] = []

    def write(_: int, text: Any) -> int:
        written.append(bytes(text[:3]))
        return len(written[-1])

    monkeypatch.setattr(os, "write", write)
    write_all(1, b"12345678")
    assert written == [b"123", b"456", b"78"]


# Events and configurations.


def streams_of(**options: Any) -> Pipeline:
    """Return the pipeline of a configuration."""
    return pipeline_of({**CONFIG, "list_id": "a", **options}, "My events", logging.getLogger("test"))


@pytest.mark.parametrize(
    ("columns", "unified"),
    [
        ({"email": "a", "list_id": "b"}, True),
        ({"Email": "a", "LIST_ID": "b", "x": 1}, True),
        ({"e-mail": "a", "list id": "b"}, False),
        ({"email": "a", "li\u017ft_id": "b"}, True),
        ({"email": "a"}, False),
        ({"list_id": "b"}, False),
        ({}, False),
    ],
)
def test_an_event_with_email_and_list_id_is_a_unified_contact(columns: Json, unified: bool) -> None:
    """By its own columns, in any spelling, and by nothing that came before it."""
    streams = streams_of().streams

    assert streams.of(columns) == (streams.unified if unified else streams.plain)


@pytest.mark.parametrize(
    ("line", "own_id", "is_event"),
    [
        (b'{"id": 5, "email": "x"}', 5, True),
        (b'{"email": "x"}', None, True),
        (b"{}", None, True),
        (b"[]", None, False),
        (b"5", None, False),
        (b"junk", None, False),
        (None, None, False),
        (b'{"id": "deep", "a": ' + b"[" * 300 + b"]" * 300 + b"}", "deep", False),
        (b'{"id": {"x": 1}, "a": ' + b"[" * 300 + b"]" * 300 + b"}", None, False),
        (b"[" * 300 + b"]" * 300, None, False),
    ],
)
def test_a_line_is_an_event_with_its_senders_id_or_cannot_be_used(line: bytes | None, own_id: object, is_event: bool) -> None:
    """What is nested too deeply is answered by an id that is a text or a number."""
    event = event_of_line(line, streams_of().streams)

    assert (event.id, hasattr(event.message, "columns")) == (own_id, is_event)
    assert event.message.line == (line or b"")


def test_an_event_of_a_list_is_kept_as_its_own_json() -> None:
    """And one that is too deep to be printed has its id all the same."""
    streams, deep = streams_of().streams, cast("Json", {"id": "deep"})
    inner = deep
    for _ in range(5_000):
        inner["a"] = {}
        inner = inner["a"]

    assert event_of({"id": 1, "email": "x"}, streams).message.line == b'{"id":1,"email":"x"}'
    assert (event_of(deep, streams).id, hasattr(event_of(deep, streams).message, "columns")) == ("deep", False)


def test_only_rules_for_this_stream_or_for_all_count() -> None:
    """The name in any spelling; a rule for another stream fills nothing here."""
    rules = [
        {"column": "a", "field": "first_name"},
        {"column": "b", "field": "last_name", "stream": "MY EVENTS"},
        {"column": "c", "field": "language", "stream": "others"},
    ]

    assert [rule.column for rule in streams_of(field_mapping=rules).config.field_mapping] == ["a", "b"]


class Told(logging.Handler):
    """Keeps levels and values of what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.values: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.levels.append(record.levelno)
        self.values.append(record.args)


@pytest.mark.parametrize(("on_leaving", "warnings"), [("nothing", 0), ("remove_tag", 1)])
def test_a_stream_of_events_takes_the_tag_from_nobody_and_says_so(on_leaving: str, warnings: int) -> None:
    """Once, where the configuration asks for it: events have no end."""
    told, logger = Told(), logging.getLogger("test.leaving")
    logger.handlers, logger.propagate = [told], False

    made = pipeline_of({**CONFIG, "list_id": "a", "membership_tag": "T", "on_leaving": on_leaving}, "events", logger)

    assert told.levels.count(logging.WARNING) == warnings
    assert (made.config.on_leaving, made.config.membership_tag) == ("nothing", "T")


@pytest.mark.parametrize(("only", "tags"), [([], {"T"}), (["Events"], {"T"}), (["others"], set())])
def test_contacts_of_events_get_the_membership_tag(only: list[str], tags: set[str]) -> None:
    """If their stream is one of those that give it."""

    async def story(told: Live) -> None:
        await told.ask(record(1))

    world = Mailchimp()
    live(world, story, membership_tag="T", membership_streams=only)
    segments = world.state.account.audiences["abc1234567"].segments
    assert {segments[tag].name for tag in world.member("p1@contacts.example").tags} == tags


# The server.


class Watched(uvicorn.Server):
    """A server that listens to nothing, until it is to end."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the end."""
        served.append(self)
        for one in sockets or ():
            one.close()
        while not self.should_exit:  # noqa: ASYNC110 - the server's own flag
            await asyncio.sleep(0.1)


served: list[uvicorn.Server] = []


class Bound:
    """A socket that is bound to where it was asked to be."""

    def __init__(self, address: tuple[str, int], family: int) -> None:
        self.address, self.family = address, family

    def getsockname(self) -> tuple[object, ...]:
        """Return the address, as the family has it."""
        return (*self.address, 0, 0) if self.family == socket.AF_INET6 else self.address

    def close(self) -> None:
        """Nothing to close."""


def server(
    monkeypatch: pytest.MonkeyPatch, listen: str = "127.0.0.1:8080", **options: Any
) -> tuple[MaskingFormatter, list[Any], list[Bound]]:
    """Serve for some seconds; returns the formatter of the log, what the log was told, and what was listened on."""
    served.clear()
    bound: list[Bound] = []
    told, logger = Told(), logging.getLogger("test.server")
    logger.handlers, logger.propagate = [told], False
    logger.setLevel(logging.INFO)

    def create(address: tuple[str, int], *, family: int) -> Bound:
        bound.append(Bound(address, family))
        return bound[-1]

    def watch(stop: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(5.0, stop)

    monkeypatch.setattr(uvicorn.Server, "serve", Watched.serve)
    monkeypatch.setattr(socket, "create_server", create)
    formatter, world = MaskingFormatter(), Mailchimp()

    async def story() -> None:
        pipeline = pipeline_in(world)
        pipeline.logger = logger
        chosen = argparse.Namespace(listen=listen, **{"without_token": False, "token_file": None, **options})
        await serving.serve(pipeline, chosen, formatter, watch)
        assert world.now - world.began >= 5.0

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(story())
    return formatter, told.values, bound


@pytest.mark.parametrize(
    ("listen", "family", "shown"),
    [("127.0.0.1:8080", socket.AF_INET, ("127.0.0.1", 8080)), ("[::1]:8081", socket.AF_INET6, ("[::1]", 8081))],
)
def test_it_is_logged_where_the_server_listens(
    listen: str, family: int, shown: tuple[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a browser would take it; the server names neither itself nor who asked for what."""
    _, told, bound = server(monkeypatch, listen)

    assert shown in told
    assert [one.family for one in bound] == [family]
    assert [(one.config.server_header, one.config.access_log) for one in served] == [(False, False)]
    capsys.readouterr()


def test_a_token_is_made_where_nobody_chose_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 32 random bytes, shown once on the standard error, and hidden in the log."""
    monkeypatch.delenv("MAILCHIMP_UNIFIED_TOKEN", raising=False)
    made = set()
    for _ in range(2):
        formatter, _, _ = server(monkeypatch)
        [token] = formatter.secrets
        assert capsys.readouterr().err.split().count(token) == 1
        assert len(token) == 43
        made.add(token)
    assert len(made) == 2


@pytest.mark.parametrize("by_file", [False, True])
@pytest.mark.parametrize(("token", "good"), [("x" * SHORTEST, True), ("x" * (SHORTEST - 1), False)])
def test_a_token_of_ones_own_has_sixteen_characters_or_more(
    token: str, good: bool, by_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a file or from the environment, without the white space around it; it is shown nowhere."""
    (tmp_path / "token").write_text(f"{token}\n")
    monkeypatch.setenv("MAILCHIMP_UNIFIED_TOKEN", "y" * 20 if by_file else f" {token}\n")
    options = {"token_file": str(tmp_path / "token")} if by_file else {}
    if good:
        assert server(monkeypatch, **options)[0].secrets == [token]
        assert capsys.readouterr().err == ""
    else:
        with pytest.raises(ConfigError):
            server(monkeypatch, **options)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe" * 20])
def test_a_file_without_a_token_is_refused(content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody means to have another token made instead."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError):
        server(monkeypatch, token_file=str(path))


@pytest.mark.parametrize(("listen", "good"), [("127.0.0.1:1", True), ("localhost:1", True), ("[::1]:1", True), ("0.0.0.0:1", False)])
def test_only_this_machine_is_served_without_a_token(listen: str, good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody else who can reach the port could write."""
    if good:
        assert server(monkeypatch, listen, without_token=True)[0].secrets == []
    else:
        with pytest.raises(ConfigError):
            server(monkeypatch, listen, without_token=True)


@pytest.mark.parametrize("error", [OSError(98, "Address already in use"), OSError("odd")])
def test_a_port_that_cannot_be_listened_on_is_named_with_the_reason(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own, where it has one."""

    def create(*_: Any, **__: Any) -> Any:
        raise error

    async def serve() -> None:
        options = argparse.Namespace(listen="127.0.0.1:8080", without_token=True, token_file=None)
        await serving.serve(pipeline_in(Mailchimp()), options, MaskingFormatter(), lambda _: None)

    monkeypatch.setattr(socket, "create_server", create)
    with pytest.raises(ConfigError, match=r"127.0.0.1:8080") as raised:
        asyncio.run(serve())
    assert (error.strerror or "odd name") not in ("", raised.value.message)
    assert not error.strerror or error.strerror in raised.value.message


def test_a_command_that_listens_reads_no_lines(config: str, stdin: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves until it is told to end."""
    seen: list[Any] = []

    async def serve(_: Pipeline, options: argparse.Namespace, *__: Any) -> None:
        seen.append(options.listen)

    stdin(lines({"email": "a@contacts.example"}))
    monkeypatch.setattr(serving, "serve", serve)

    assert command.run(["--config", config, "--listen", "127.0.0.1:0"]) == 0
    assert seen == ["127.0.0.1:0"]
    assert sys.stdin.read() != ""
