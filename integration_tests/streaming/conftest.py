"""A local Mailchimp, and `mailchimp-unified-stream` as a process in front of it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_emulator.runner import Emulator

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
COMMAND = [sys.executable, "-m", "destination_mailchimp_unified.live.run"]

Json = dict[str, Any]


def until(condition: Callable[[], Any]) -> None:
    """Ask the emulator, over and over, until it says so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"


class Stream:
    """The command with pipes: lines in, answers out."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        command = [*COMMAND, *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env={**os.environ, **environment})
        self.answers: list[Json] = []
        self.log = ""
        self._came: queue.Queue[bytes] = queue.Queue()
        self._logged: queue.Queue[str] = queue.Queue()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._read, self._read_log)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._came.put(line)
        self._came.put(b"")

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log += line.decode()
            self._logged.put(line.decode())
        self._logged.put("")

    def send(self, *events: Json | bytes) -> None:
        """Write lines."""
        assert self.process.stdin
        lines = (event if isinstance(event, bytes) else json.dumps(event).encode() for event in events)
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def answer(self) -> Json:
        """Return the next answer."""
        line = self._came.get(timeout=PATIENCE)
        assert line, f"no more answers; the log says: {self.log}"
        self.answers.append(json.loads(line))
        return self.answers[-1]

    def ask(self, *events: Json | bytes) -> list[Json]:
        """Write lines and return as many answers."""
        self.send(*events)
        return [self.answer() for _ in events]

    def logged(self, words: str) -> str:
        """Return the first log line with these words."""
        while line := self._logged.get(timeout=PATIENCE):
            if words in line:
                return line
        raise AssertionError(f"{words} is not in the log: {self.log}")

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def close(self) -> None:
        """End the input."""
        assert self.process.stdin
        self.process.stdin.close()

    def wait(self) -> int:
        """Return the exit code, with all answers read."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        while not self._came.empty() and (line := self._came.get()):
            self.answers.append(json.loads(line))
        return code

    def end(self) -> None:
        """End what still runs."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError, ValueError):
                assert pipe
                pipe.close()


class Server:
    """The command with --listen."""

    def __init__(self, stream: Stream, *, token: str | None = None, shown: bool = False) -> None:
        self.stream = stream
        self.token = stream.logged("Token for this run").split()[-1] if shown else token
        self.url = stream.logged("Listening on").split()[-1]
        self.session = requests.Session()
        self.session.trust_env = False
        if self.token:
            self.session.headers["Authorization"] = f"Bearer {self.token}"

    def post(self, content: Any, **more: Any) -> requests.Response:
        """POST /contacts."""
        return self.session.post(f"{self.url}/contacts", json=content, timeout=PATIENCE, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET a path."""
        return self.session.get(self.url + path, timeout=PATIENCE, **more)


@pytest.fixture
def list_id(mailchimp: Emulator) -> str:
    """An empty audience."""
    return mailchimp.seed(name="Audience")[0]


@pytest.fixture
def config(mailchimp: Emulator, list_id: str, tmp_path: Path) -> Callable[..., str]:
    """Writes a configuration, with options, and returns its path."""

    def write(**options: Any) -> str:
        credentials = {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}
        content = {"credentials": credentials, "api_url": mailchimp.url, "list_id": list_id, **options}
        path = tmp_path / "destination.json"
        path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
        return str(path)

    return write


@pytest.fixture
def start(config: Callable[..., str]) -> Iterator[Callable[..., Stream]]:
    """Starts the command with arguments and options of the configuration, and ends it after the test."""
    started: list[Stream] = []

    def begin(*arguments: str, environment: dict[str, str] | None = None, **options: Any) -> Stream:
        started.append(Stream(["--config", config(**options), *arguments], **(environment or {})))
        return started[-1]

    yield begin
    for one in started:
        one.end()


@pytest.fixture
def serve(start: Callable[..., Stream]) -> Callable[..., Server]:
    """Starts the command with --listen, and waits until it is ready."""

    def begin(*arguments: str, **options: Any) -> Server:
        stream = start("--listen", "127.0.0.1:0", *arguments, **options)
        server = Server(stream, shown="--token-file" not in arguments and "--without-token" not in arguments)
        stream.logged("Ready")
        return server

    return begin


@pytest.fixture
def members(mailchimp: Emulator, list_id: str) -> Callable[[], dict[str, Json]]:
    """The truth about every contact, by email address."""
    return lambda: {member["email_address"].lower(): member for member in mailchimp.members(list_id)}


@pytest.fixture
def writes(mailchimp: Emulator) -> Callable[[], list[Json]]:
    """The requests that may have changed something."""
    return lambda: [entry for entry in mailchimp.journal() if entry["method"] != "GET"]
