"""From the lines of the standard input to messages. What is no message is logged and left out, never fatal."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]
StreamKey = tuple[str | None, str]

CHUNK_BYTES = 1 << 16
CHUNKS_WAITING = 16
SHOWN_ODDITIES = 10

# What a source says to the platform and a destination has nothing to do with.
_NOT_FOR_US = ("LOG", "TRACE", "SPEC", "CONNECTION_STATUS", "CATALOG", "CONTROL", "DESTINATION_CATALOG")


@dataclass(frozen=True)
class Record:
    """A record of a stream: namespace and name, and the columns."""

    stream: StreamKey
    columns: Json


@dataclass(frozen=True)
class State:
    """A STATE message as the object it came as, and its stream (None when it is of all)."""

    message: Json
    stream: StreamKey | None


class Intake:
    """Reads on a thread of its own, a bounded number of chunks ahead; `notify` is called when there is something new.

    `read` takes a number of bytes and returns what there is, b"" at the end: no reader's lock is held at exit.
    """

    def __init__(self, read: Callable[[int], bytes], notify: Callable[[], None], logger: logging.Logger) -> None:
        self.ended = False
        self.left_out = 0
        self._read, self._notify, self._logger = read, notify, logger
        self._chunks: queue.Queue[bytes | BaseException] = queue.Queue(CHUNKS_WAITING)
        # The beginning of a line whose end has not come yet, in pieces: joining at each would be slow for a long one.
        self._begun: list[bytes] = []
        threading.Thread(target=self._fill, daemon=True, name="stdin").start()

    @property
    def empty(self) -> bool:
        """Whether nothing has been read that was not taken yet."""
        return self._chunks.empty()

    def take(self) -> list[Record | State]:
        """Return the messages of the next chunk, without waiting; [] when none is there."""
        try:
            chunk = self._chunks.get_nowait()
        except queue.Empty:
            return []
        if isinstance(chunk, BaseException):
            raise chunk
        self.ended = not chunk
        messages = (self._message(line) for line in self._whole_lines(chunk) if line and not line.isspace())
        return [message for message in messages if message is not None]

    def _whole_lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` ends; an empty chunk is the end of all, and ends a line without its newline."""
        first, *others = chunk.split(b"\n")
        self._begun.append(first)
        if chunk and not others:
            return []
        lines = [b"".join(self._begun), *others]
        self._begun = [lines.pop()] if chunk else []
        return lines

    def _fill(self) -> None:
        try:
            while chunk := self._read(CHUNK_BYTES):
                self._chunks.put(chunk)
                self._notify()
            self._chunks.put(b"")
        # Whatever goes wrong belongs to the thread that takes the chunks.
        except BaseException as error:  # noqa: BLE001
            self._chunks.put(error)
        self._notify()

    def _message(self, line: bytes) -> Record | State | None:
        try:
            message = orjson.loads(line)
            return _parsed(message, line)
        except (ValueError, RecursionError) as error:
            self.leave_out(str(error) if isinstance(error, _OddMessageError) else "a line is not JSON")
            return None

    def leave_out(self, reason: str) -> None:
        """Count and, the first times, log an input that cannot be used, without quoting it."""
        self.left_out += 1
        if self.left_out <= SHOWN_ODDITIES:
            self._logger.warning("Left out of the input: %s.", reason)


class _OddMessageError(ValueError):
    """JSON that is no message we know; its text says why."""


def _parsed(message: Any, line: bytes) -> Record | State | None:
    kind = message.get("type") if isinstance(message, dict) else None
    if kind == "RECORD":
        return _record(message.get("record"))
    if kind == "STATE":
        # Airbyte's own cursors may hold numbers that only Python's parser keeps digit by digit.
        return _state(json.loads(line))
    if kind in _NOT_FOR_US:
        return None
    raise _OddMessageError("a line is JSON but no Airbyte message")


def _record(record: Any) -> Record:
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict) or not isinstance(record.get("stream"), str):
        raise _OddMessageError("a RECORD without a stream or without columns")
    return Record(stream_key(record["stream"], record.get("namespace")), record["data"])


def stream_key(name: str, namespace: Any) -> StreamKey:
    """Return what a stream is known by; an empty namespace is none."""
    return (namespace if isinstance(namespace, str) and namespace else None, name)


def _state(message: Json) -> State:
    state = message.get("state")
    if not isinstance(state, dict):
        raise _OddMessageError("a STATE without a state")
    stream = state.get("stream")
    descriptor = stream.get("stream_descriptor") if isinstance(stream, dict) else None
    if not isinstance(descriptor, dict) or not isinstance(descriptor.get("name"), str):
        return State(message, None)
    return State(message, stream_key(descriptor["name"], descriptor.get("namespace")))
