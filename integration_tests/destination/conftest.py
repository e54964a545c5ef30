"""A local Mailchimp, and syncs of the destination against it, in this process or through the real entry point."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from integration_tests.commands import IMPATIENT, config
from mailchimp_emulator.runner import Emulator
from mailchimp_unified.patience import Patience
from mailchimp_unified.schemas import load_schema

ROOT = Path(__file__).resolve().parents[2]

Json = dict[str, Any]


def _record(columns: Json, stream: str = "people") -> Json:
    return {"type": "RECORD", "record": {"stream": stream, "emitted_at": 1, "data": columns}}


def _state(number: int, stream: str = "people") -> Json:
    stream_state = {"stream_descriptor": {"name": stream}, "stream_state": {"at": number}}
    return {"type": "STATE", "state": {"type": "STREAM", "id": number, "stream": stream_state}}


def _catalog(*streams: str | Json) -> Json:
    """Streams of unified contacts, unless a description gives its own json_schema."""
    configured = []
    for one in streams or ("people",):
        wanted = {"name": one} if isinstance(one, str) else dict(one)
        schema = wanted.pop("json_schema", load_schema("contacts"))
        stream = {"name": wanted.pop("name"), "json_schema": schema, "supported_sync_modes": ["full_refresh"]}
        configured.append({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append", **wanted})
    return {"streams": configured}


@dataclass
class Result:
    """What a sync gave back: acknowledged states, log lines, and the error that ended it, if any."""

    lines: list[bytes]
    log: list[str] = field(default_factory=list)
    error: AirbyteTracedException | None = None

    @property
    def states(self) -> list[Json]:
        """The acknowledged states."""
        return [json.loads(line) for line in self.lines]

    @property
    def ids(self) -> list[int]:
        """The ids of the acknowledged states."""
        return [message["state"]["id"] for message in self.states]

    @property
    def statistics(self) -> list[Json]:
        """Their counts."""
        return [message["state"]["destinationStats"] for message in self.states]

    def counts(self, stream: str = "people") -> dict[str, int]:
        """Outcomes by kind, from the summary in the log."""
        line = next(line for line in self.log if f"Stream {stream}: " in line and " created, " in line)
        words = line.split(f"Stream {stream}: ")[1].split(" (")[0].rstrip(".")
        return {kind: int(count) for count, kind in (part.split(" ") for part in words.split(", "))}

    @property
    def text(self) -> str:
        """The whole log."""
        return "\n".join(self.log)


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


@dataclass
class Runner:
    """Runs syncs against one emulator."""

    mailchimp: Emulator
    list_id: str = ""

    def config(self, **options: Any) -> Json:
        """The configuration, with options."""
        return config(self.mailchimp.url, list_id=self.list_id, **options)

    def write(
        self, messages: Iterable[Json | bytes], streams: Json | None = None, patience: Patience = IMPATIENT, **options: Any
    ) -> Result:
        """Write the messages in this process."""
        logger, lines = logging.getLogger("destination.test"), Lines()
        logger.setLevel(logging.INFO)
        logger.handlers, logger.propagate = [lines], False
        text = b"".join(m + b"\n" if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)
        result = Result([], log=lines.lines)
        destination = DestinationMailchimpUnified(patience)
        try:
            for message in destination.write_lines(logger, self.config(**options), streams or _catalog(), BytesIO(text).read):
                result.lines.append(message)
        except AirbyteTracedException as error:
            result.error = error
        return result

    def check(self, **options: Any) -> tuple[str, str]:
        """Status and message of a check."""
        status = DestinationMailchimpUnified(IMPATIENT).check(logging.getLogger("destination.test"), self.config(**options))
        return status.status.value, status.message or ""

    def members(self, list_id: str = "") -> dict[str, Json]:
        """The truth about every contact, by address."""
        return {member["email_address"].lower(): member for member in self.mailchimp.members(list_id or self.list_id)}

    def writes(self) -> list[Json]:
        """The requests that may have changed something."""
        return [entry for entry in self.mailchimp.journal() if entry["method"] != "GET"]


@pytest.fixture
def runner(mailchimp: Emulator) -> Runner:
    """A runner for one empty audience."""
    return Runner(mailchimp, mailchimp.seed(name="Audience")[0])


@pytest.fixture
def make_runner(mailchimp: Emulator) -> Callable[..., Runner]:
    """Makes a runner for an audience as described."""
    return lambda **description: Runner(mailchimp, mailchimp.seed(**{"name": "Audience", **description})[0])


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., list[str]]:
    """Makes the command line of the real entry point."""

    def make(verb: str, config: Json, streams: Json | None = None) -> list[str]:
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text(json.dumps(streams or _catalog()))
        arguments = ["--config", str(tmp_path / "config.json")]
        if verb == "write":
            arguments += ["--catalog", str(tmp_path / "catalog.json")]
        return [sys.executable, "-m", "destination_mailchimp_unified.run", verb, *arguments]

    return make


@pytest.fixture
def start(command: Callable[..., list[str]]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the real entry point with pipes, and ends what still runs after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(verb: str, config: Json, streams: Json | None = None) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command(verb, config, streams), stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.wait()
        for pipe in (one.stdin, one.stdout, one.stderr):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()


@pytest.fixture
def record() -> Callable[..., Json]:
    """Makes a RECORD message."""
    return _record


@pytest.fixture
def state() -> Callable[..., Json]:
    """Makes a STATE message with an id."""
    return _state


@pytest.fixture
def catalog() -> Callable[..., Json]:
    """Makes a configured catalog."""
    return _catalog
