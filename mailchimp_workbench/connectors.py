"""The connectors, run by their commands as Airbyte runs them: files in, lines of messages out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mailchimp_workbench.problems import ConnectorError
from mailchimp_workbench.standby import Standby

Json = dict[str, Any]

CHUNK_BYTES = 1 << 18
"""So much output is read at once: a few hundred records."""

STOP_SECONDS = 10.0
"""A connector that is told to end has so long before it is killed."""

NOISE = "MemoryMonitor"
"""Log lines of the CDK about its own memory say nothing about the sync."""


@dataclass(frozen=True)
class Connector:
    """A connector by its command, such as `("/usr/bin/source-mailchimp-unified",)`.

    Configurations lie in `folder` only while the command runs, readable by this user alone.
    """

    name: str
    command: tuple[str, ...]
    folder: Path

    async def messages(
        self, verb: str, files: Mapping[str, Any] | None = None, lines: AsyncIterable[bytes] | None = None, standby: Standby | None = None
    ) -> AsyncIterator[list[Json]]:
        """Run a command and yield its messages, as many as came at once. `files` are the options that name a JSON file, and its content.

        `lines` is what the command reads. `standby` is the command, started ahead. Raises ConnectorError with the connector's words when it
        fails.
        """
        started = self._told(standby, files or {}) if standby else self._started(verb, files or {}, reads=lines is not None)
        async with started as process:
            feeding = asyncio.create_task(_feed(process, lines)) if lines is not None else None
            reasons: list[str] = []
            try:
                async for batch in _batches(process):
                    reasons += [reason for message in batch if (reason := failure(message))]
                    yield batch
                code = await process.wait()
                if feeding is not None:
                    await feeding
            finally:
                await _end(process, feeding)
        if code:
            raise ConnectorError(f"The {self.name} failed.", " ".join(reasons) or f"It ended with exit code {code}.")

    async def ahead(self, verb: str, options: Sequence[str]) -> Standby:
        """Start a command that reads lines, and let it wait for the content of its options."""
        return await Standby.start((*self.command, verb), options)

    @contextlib.asynccontextmanager
    async def _started(self, verb: str, files: Mapping[str, Any], *, reads: bool) -> AsyncIterator[asyncio.subprocess.Process]:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield await asyncio.create_subprocess_exec(
                *self.command,
                verb,
                *_arguments(Path(folder), files),
                stdin=asyncio.subprocess.PIPE if reads else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )

    @staticmethod
    @contextlib.asynccontextmanager
    async def _told(standby: Standby, files: Mapping[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
        try:
            await standby.tell(files)
        except asyncio.CancelledError:
            await _end(standby.process, None)
            raise
        yield standby.process

    async def one(self, verb: str, type_: str, files: Mapping[str, Any] | None = None) -> Json:
        """Run a command and return its message of a type. Raises ConnectorError when there is none."""
        found = [message async for batch in self.messages(verb, files) for message in batch if message["type"] == type_]
        if not found:
            raise ConnectorError(f"The {self.name} gave no answer to {verb}.")
        return found[-1]

    async def spec(self) -> Json:
        """Return the JSON schema of the configuration."""
        specification: Json = (await self.one("spec", "SPEC"))["spec"]["connectionSpecification"]
        return specification

    async def discover(self, config: Json) -> list[Json]:
        """Return the streams that the connector offers with a configuration."""
        streams: list[Json] = (await self.one("discover", "CATALOG", {"config": config}))["catalog"]["streams"]
        return streams


def installed(name: str) -> tuple[str, ...]:
    """Return the command of a connector that is installed with this program."""
    return (str(Path(sys.executable).with_name(f"{name}-mailchimp-unified")),)


def log_line(message: Mapping[str, Any]) -> str | None:
    """Return what a message says for the log."""
    if message["type"] != "LOG" or NOISE in message["log"]["message"]:
        return None
    return str(message["log"]["message"])


def failure(message: Mapping[str, Any]) -> str | None:
    """Return the words of a message that reports an error."""
    if message["type"] != "TRACE" or message["trace"]["type"] != "ERROR":
        return None
    return str(message["trace"]["error"]["message"])


def _arguments(folder: Path, files: Mapping[str, Any]) -> list[str]:
    arguments = []
    for option, content in files.items():
        path = folder / f"{option}.json"
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(content))
        arguments += [f"--{option}", str(path)]
    return arguments


async def _feed(process: asyncio.subprocess.Process, lines: AsyncIterable[bytes]) -> None:
    assert process.stdin is not None
    try:
        # A connector that has ended reads no further; why it ended is in its messages.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            async for line in lines:
                process.stdin.write(line)
                await process.stdin.drain()
    finally:
        # Where the rows break off, the connector finishes those it has.
        process.stdin.close()


async def _batches(process: asyncio.subprocess.Process) -> AsyncIterator[list[Json]]:
    assert process.stdout is not None
    rest = b""
    while chunk := await process.stdout.read(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        yield [message for line in lines if (message := _message(line))]
    if message := _message(rest):
        yield [message]


def _message(line: bytes) -> Json | None:
    if not line.strip():
        return None
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        message = None
    if isinstance(message, dict) and "type" in message:
        return message
    return {"type": "LOG", "log": {"level": "INFO", "message": line.decode(errors="replace")}}


async def _end(process: asyncio.subprocess.Process, feeding: asyncio.Task[None] | None) -> None:
    if feeding is not None:
        feeding.cancel()
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
    if feeding is not None:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await feeding


def private_folder(path: Path) -> Path:
    """Return a folder that this user alone may look into, made when it is not there."""
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, 0o700)  # noqa: PTH101 - also where it was there before
    return path
