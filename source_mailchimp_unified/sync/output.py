"""What the streams emit, on its way out: a short queue, so that reading pauses while nobody takes records, and the messages made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus

from source_mailchimp_unified.faults import error_message
from source_mailchimp_unified.sync.messages import RecordLines, Records, estimate_message, state_message, status_message

Message = AirbyteMessage | RecordLines
Format = Callable[[str, Records], Iterator[Message]]

STEPS_FROM_REPLY_TO_REQUEST = 6
"""A reply goes through about so many steps of the event loop before the next request of its task is on its way."""

STATE_BYTES_AT_ONCE = 64_000
STATE_BYTES_PER_SECOND = 4_000
"""States are emitted at this rate: after every page while they are small, every half minute when they hold a thousand audiences."""


class Emitting(Protocol):
    """A stream as far as its output depends on it."""

    @property
    def name(self) -> str:
        """The stream's name."""

    errors: list[Exception]

    def state(self) -> dict[str, Any]:
        """Return the state after everything emitted so far."""

    def final_state(self) -> dict[str, Any]:
        """Return the state after the whole stream."""

    def distinct_errors(self) -> Iterable[Exception]:
        """Return what failed."""


@dataclass(frozen=True)
class _Emission:
    """Records of a stream that wait to be taken, or a state, or the end of the stream."""

    output: Output
    records: Records = ()
    state: dict[str, Any] | None = None
    ends: bool = False
    is_page: bool = False
    estimate: int | None = None


class OutputQueue:
    """The queue between all streams of a sync and the consumer of their messages; `pages` is how many pages may wait in it."""

    def __init__(self, formatted: Format, pages: int) -> None:
        self.formatted = formatted
        self._queue: asyncio.Queue[_Emission | None] = asyncio.Queue()
        # Only pages take room: a state is put at the moment it speaks of.
        self._room = asyncio.Semaphore(pages)

    async def put_page(self, emission: _Emission) -> None:
        """Add records; waits while there is no room."""
        await self._room.acquire()
        self._queue.put_nowait(emission)

    def put(self, emission: _Emission | None) -> None:
        """Add a state or the end of a stream; None after the last one."""
        self._queue.put_nowait(emission)

    async def take(self) -> _Emission | None:
        """Return the next emission, None after the last one."""
        # Replies that came meanwhile go first: each lets a task send its next request.
        for _ in range(STEPS_FROM_REPLY_TO_REQUEST):
            await asyncio.sleep(0)
        return await self._queue.get()

    def messages(self, loop: asyncio.AbstractEventLoop) -> Iterator[Message]:
        """Yield the messages of all streams, running the event loop until each is there."""
        while (emission := loop.run_until_complete(self.take())) is not None:
            yield from emission.output.messages(emission)
            if emission.is_page:
                self._room.release()


@dataclass
class Output:
    """The output of one stream."""

    stream: Emitting
    outlet: OutputQueue
    records: int = 0
    _state: dict[str, Any] | None = None
    _broken: bool = False
    _credit: float = STATE_BYTES_AT_ONCE
    _credited_at: float = float("-inf")
    _state_bytes: int = STATE_BYTES_AT_ONCE

    def __post_init__(self) -> None:
        self._before = self.stream.state()

    async def emit(self, records: Records) -> None:
        """Emit records; waits while too many pages wait. They may be made when they are taken."""
        await self.outlet.put_page(_Emission(self, records, is_page=True))

    def checkpoint(self) -> None:
        """Emit the state of this moment, unless states have taken enough of the output lately."""
        now = asyncio.get_running_loop().time()
        self._credit = min(STATE_BYTES_AT_ONCE, self._credit + (now - self._credited_at) * STATE_BYTES_PER_SECOND)
        self._credited_at = now
        if self._credit >= min(self._state_bytes, STATE_BYTES_AT_ONCE):
            state = self.stream.state()
            self._state_bytes = len(orjson.dumps(state))
            self._credit -= self._state_bytes
            self.outlet.put(_Emission(self, state=state))

    def estimate(self, rows: int) -> None:
        """Say how many records the stream has about, for a platform that shows a share."""
        self.outlet.put(_Emission(self, estimate=rows))

    def end(self) -> None:
        """Close the stream: its last state and its status."""
        self.outlet.put(_Emission(self, ends=True))

    def messages(self, emission: _Emission) -> Iterator[Message]:
        """Yield the messages of an emission."""
        if emission.estimate is not None:
            yield estimate_message(self.stream.name, emission.estimate)
        yield from self._records(emission.records)
        if emission.state is not None:
            yield from self._new_state(emission.state)
        if emission.ends:
            yield from self._end()

    def _records(self, records: Records) -> Iterator[Message]:
        name = self.stream.name
        try:
            for message in self.outlet.formatted(name, list(records)):
                if not self.records:
                    yield status_message(name, AirbyteStreamStatus.RUNNING)
                self.records += message.number if isinstance(message, RecordLines) else 1
                yield message
        except Exception as failure:  # noqa: BLE001 - one stream's failure must not stop the others
            self.stream.errors.append(failure)
            self._broken = True

    def _new_state(self, state: dict[str, Any]) -> Iterator[AirbyteMessage]:
        # After a failure a state would speak of records that could not be emitted, too.
        if state != self._state and not self._broken:
            self._state = state
            yield state_message(self.stream.name, state)

    def _end(self) -> Iterator[AirbyteMessage]:
        name = self.stream.name
        if not self.stream.errors:
            yield from self._new_state(self.stream.final_state())
            yield status_message(name, AirbyteStreamStatus.COMPLETE)
            return
        if (state := self.stream.state()) != self._before:
            yield from self._new_state(state)
        for error in self.stream.distinct_errors():
            yield error_message(error, name)
        yield status_message(name, AirbyteStreamStatus.INCOMPLETE)
