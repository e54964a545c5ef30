"""From the lines of the standard input to messages: records, states, and lines that cannot be used."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from destination_mailchimp_unified.intake.arrivals import StreamKey, stream_key
from destination_mailchimp_unified.intake.states import State, state_of
from mailchimp_unified.parsing import UnreadableError, exactly_parsed, is_too_deep
from mailchimp_unified.request import Json

CHUNK_BYTES = 1 << 16
CHUNKS_WAITING = 16

RECORD_TOO_DEEP = "the record is nested too deeply"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a stream: namespace and name, the columns, and its line."""

    stream: StreamKey
    columns: Json
    line: bytes


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that cannot be used, and why. It may have been a record, so it is counted as a rejected one."""

    reason: str
    line: bytes


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """What a source says about a stream: that it began, is complete, or is not."""

    stream: StreamKey
    status: str


Message = Record | State | Unusable | StreamStatus

ReadInto = Callable[["Chunks", Callable[[int], bytes]], None]
"""Begins to read: calls `fill` elsewhere, or `add` for each chunk."""


def on_a_thread(chunks: Chunks, read: Callable[[int], bytes]) -> None:
    """Read on a thread of its own."""
    threading.Thread(target=chunks.fill, args=(read,), daemon=True, name="stdin").start()


class Chunks:
    """What is read, a bounded number of chunks ahead. Belongs to the event loop that it is made on.

    `read` takes a number of bytes and returns what there is, b"" at the end: no reader's lock is held at exit.
    """

    def __init__(self, read: Callable[[int], bytes], feed: ReadInto = on_a_thread) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._room = threading.Semaphore(CHUNKS_WAITING)
        self._chunks: deque[bytes | BaseException] = deque()
        self._stopped = threading.Event()
        feed(self, read)

    @property
    def empty(self) -> bool:
        """Whether nothing has been read that was not taken yet."""
        return not self._chunks

    def stop(self) -> None:
        """Read no more. What was read can still be taken."""
        self._stopped.set()
        self._came.set()

    async def take(self) -> bytes | None:
        """Return the next chunk: b"" at the end, None once reading was stopped. Raises what reading raised."""
        while not self._chunks:
            if self._stopped.is_set():
                return None
            self._came.clear()
            await self._came.wait()
        chunk = self._chunks.popleft()
        self._room.release()
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def add(self, chunk: bytes) -> None:
        """Add what was read on this event loop, b"" at the end."""
        self._room.acquire(blocking=False)
        self._chunks.append(chunk)
        self._came.set()

    def fill(self, read: Callable[[int], bytes]) -> None:
        """Read to the end, from another thread than the event loop's."""
        chunk: bytes | BaseException = b"begun"
        while isinstance(chunk, bytes) and chunk and not self._stopped.is_set():
            self._room.acquire()
            try:
                chunk = read(CHUNK_BYTES)
            # Any error belongs to the task that takes the chunks.
            except BaseException as error:  # noqa: BLE001
                chunk = error
            if self._stopped.is_set():
                return
            self._chunks.append(chunk)
            try:
                self._loop.call_soon_threadsafe(self._came.set)
            except RuntimeError:
                # The loop is closed: nobody takes chunks any more.
                return


class Input(Protocol):
    """Where the messages of a sync come from, in the order in which the pipeline numbers its records: from 1."""

    @property
    def empty(self) -> bool:
        """Whether nothing is there that was not taken yet."""

    async def take(self) -> list[Message] | None:
        """Return the next messages, None at the end. Raises what reading raised."""


class Intake:
    """The messages of the lines that are read."""

    def __init__(self, read: Callable[[int], bytes], feed: ReadInto = on_a_thread) -> None:
        self._chunks = Chunks(read, feed)
        self._ended = False
        # The beginning of a line whose end has not come yet, in pieces: joining at each would be slow for a long one.
        self._begun: list[bytes] = []

    @property
    def empty(self) -> bool:
        """Whether nothing has been read that was not taken yet."""
        return self._chunks.empty and not self._ended

    async def take(self) -> list[Message] | None:
        """Return the messages of the next chunk, None at the end of the input. Raises what reading raised."""
        chunk = b"" if self._ended else await self._chunks.take() or b""
        messages = (_message(line) for line in self._whole_lines(chunk) if line and not line.isspace())
        found = [message for message in messages if message is not None]
        # A last line without its newline comes with the end: the end itself is then told by the next call.
        self._ended = not chunk
        return found if chunk or found else None

    def _whole_lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` ends; an empty chunk is the end of all, and ends a line without its newline."""
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        if chunk and not others:
            return []
        lines = [b"".join(self._begun), *others]
        self._begun = [lines.pop()] if chunk else []
        return lines


def _message(line: bytes) -> Message | None:
    try:
        message = exactly_parsed(line)
    except UnreadableError:
        return Unusable("the line is not JSON", line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return Unusable("the line is not an Airbyte message", line)
    if message["type"] == "RECORD":
        return _record(message.get("record"), line)
    if message["type"] == "STATE":
        try:
            return state_of(line, message)
        except ValueError as error:
            return Unusable(str(error), line)
    # What else a source says to the platform is not for a destination.
    return _status(message.get("trace")) if message["type"] == "TRACE" else None


def _status(trace: Any) -> StreamStatus | None:
    told = trace.get("stream_status") if isinstance(trace, dict) else None
    if not isinstance(told, dict):
        return None
    descriptor = told.get("stream_descriptor")
    if not isinstance(descriptor, dict) or not isinstance(descriptor.get("name"), str):
        return None
    return StreamStatus(stream_key(descriptor["name"], descriptor.get("namespace")), str(told.get("status")))


def _record(record: Any, line: bytes) -> Record | Unusable:
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict) or not isinstance(record.get("stream"), str):
        return Unusable("the record has no stream or no columns", line)
    if is_too_deep(record, line):
        return Unusable(RECORD_TOO_DEEP, line)
    return Record(stream_key(record["stream"], record.get("namespace")), record["data"], line)
