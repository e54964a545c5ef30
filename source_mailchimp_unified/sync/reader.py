"""Follows the readings of all streams at once: requests go to the pool, what they bring becomes messages on this thread."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus

from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.pool import Done, RequestPool
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.faults import traced
from source_mailchimp_unified.sync.messages import RecordLines, state_message, status_message
from source_mailchimp_unified.sync.reading import Reading, Step
from source_mailchimp_unified.sync.streams import Account, Stream, read_account

Result = TypeVar("Result")
Output = AirbyteMessage | RecordLines
Format = Callable[[str, Iterable[dict[str, Any]]], Iterator[Output]]


@dataclass(eq=False)
class _Run:
    """A stream of this sync: how many of its readings are open, and what was emitted."""

    stream: Stream
    open: int = 0
    records: int = 0
    state: dict[str, Any] | None = None
    ended: bool = False
    broken: bool = False


@dataclass(eq=False)
class _Followed:
    """A reading that waits for the replies to its last step; `run` is None for the one that reads the account."""

    reading: Reading
    run: _Run | None
    replies: list[Any] | None = None
    missing: int = 0
    tolerate: tuple[type[MailchimpError], ...] = ()
    error: BaseException | None = None


@dataclass(frozen=True)
class _Emission:
    """Records of a stream that wait to be emitted, the state that follows them, and whether the stream ends with them."""

    run: _Run
    records: Iterable[dict[str, Any]] = ()
    state: dict[str, Any] | None = None
    ends: bool = False


class Reader:
    """One sync of some streams. `formatted` makes the output of records: messages, or the lines that are printed."""

    def __init__(
        self,
        client: MailchimpClient,
        config: SourceConfig,
        streams: Sequence[Stream],
        formatted: Format,
    ) -> None:
        self._formatted = formatted
        self.workers = config.num_workers
        self._config = config
        self._runs = [_Run(stream) for stream in streams]
        self._pool: RequestPool[tuple[_Followed, int]] = RequestPool(client.call, config.num_workers)
        self._ready: deque[_Followed] = deque()
        self._emissions: deque[_Emission] = deque()
        self._under_way = 0

    @property
    def records(self) -> dict[str, int]:
        """Records emitted, by stream."""
        return {run.stream.name: run.records for run in self._runs}

    def read(self) -> Iterator[Output]:
        """Yield the messages of the sync. A stream that fails does not stop the others; its errors stay in the stream."""
        for run in self._runs:
            yield status_message(run.stream.name, AirbyteStreamStatus.STARTED)
        self._start()
        while self._ready or self._under_way or self._emissions:
            while self._ready:
                self._advance(self._ready.popleft())
            if not self._emissions:
                self._receive(block=True)
            elif len(self._emissions) >= self.workers or not self._receive(block=False):
                yield from self._emit(self._emissions.popleft())

    def close(self) -> None:
        """Let the workers end."""
        self._pool.close()

    def _start(self) -> None:
        for run in self._runs:
            if not run.stream.needs_account:
                self._follow(run.stream.readings(None), run)
        if any(run.stream.needs_account for run in self._runs):
            self._ready.append(_Followed(self._read_account(), None))

    def _read_account(self) -> Reading:
        """Read the account, then let every stream that waits for it begin; what fails here fails them all."""
        waiting = [run for run in self._runs if run.stream.needs_account]
        try:
            account: Account = yield from read_account(self._config)
        except Exception as error:  # noqa: BLE001 - every stream reports it under its own name
            for run in waiting:
                run.stream.errors.append(error)
        else:
            for run in waiting:
                self._follow(run.stream.readings(account), run)
        for run in waiting:
            # A stream without anything to read ends here.
            self._follow([_nothing()], run)

    def _follow(self, readings: Sequence[Reading], run: _Run) -> None:
        run.open += len(readings)
        self._ready.extend(_Followed(reading, run) for reading in readings)

    def _receive(self, *, block: bool) -> bool:
        """Take an answer, if there is one. Answers go before emissions: each lets a reading send its next request at once."""
        if not self._under_way:
            return False
        try:
            done = self._pool.next_done(None if block else 0)
        except queue.Empty:
            return False
        followed, position = done.owner
        self._under_way -= 1
        followed.missing -= 1
        if done.error is None or isinstance(done.error, followed.tolerate):
            assert followed.replies is not None, "a reply came for a reading that asked for none"
            followed.replies[position] = done.reply or done.error
        else:
            followed.error = followed.error or done.error
        if not followed.missing:
            self._ready.append(followed)
        return True

    def _advance(self, followed: _Followed) -> None:
        """Resume a reading until it waits for replies or ends. What it emits is put behind what was emitted before."""
        run = followed.run
        while (step := self._resume(followed)) is not None:
            self._send(followed, step)
            if run is not None and (step.records or step.checkpoint):
                # The state of this moment: later ones speak of records that come later.
                self._emissions.append(_Emission(run, step.records, run.stream.state() if step.checkpoint else None))
            if followed.missing or (step.awaits is not None and step.awaits.wait(partial(self._ready.append, followed))):
                return
        if run is not None and not run.open and not run.ended:
            run.ended = True
            self._emissions.append(_Emission(run, ends=True))

    def _resume(self, followed: _Followed) -> Step | None:
        replies, error = followed.replies, followed.error
        followed.replies, followed.error = None, None
        try:
            return followed.reading.throw(error) if error is not None else followed.reading.send(replies)  # type: ignore[arg-type]
        except StopIteration:
            pass
        except Exception as failure:  # noqa: BLE001 - one stream's failure must not stop the others
            assert followed.run is not None, "reading the account reports its own failures"
            followed.run.stream.errors.append(failure)
        if followed.run is not None:
            followed.run.open -= 1
        return None

    def _send(self, followed: _Followed, step: Step) -> None:
        followed.replies = [None] * len(step.requests)
        followed.missing, followed.tolerate = len(step.requests), step.tolerate
        self._under_way += len(step.requests)
        for position, request in enumerate(step.requests):
            self._pool.submit(request, (followed, position))
        if followed.run is not None:
            self._follow(step.readings, followed.run)

    def _emit(self, emission: _Emission) -> Iterator[Output]:
        run, name = emission.run, emission.run.stream.name
        try:
            for output in self._formatted(name, emission.records):
                if not run.records:
                    yield status_message(name, AirbyteStreamStatus.RUNNING)
                run.records += output.number if isinstance(output, RecordLines) else 1
                yield output
        except Exception as failure:  # noqa: BLE001 - one stream's failure must not stop the others
            run.stream.errors.append(failure)
            run.broken = True
        if emission.state is not None:
            yield from self._state(run, emission.state)
        if emission.ends:
            yield from self._end(run)

    def _state(self, run: _Run, state: dict[str, Any]) -> Iterator[AirbyteMessage]:
        # A state would speak of the records that could not be emitted, too.
        if state != run.state and not run.broken:
            run.state = state
            yield state_message(run.stream.name, state)

    def _end(self, run: _Run) -> Iterator[AirbyteMessage]:
        """Close a stream whose last reading has ended."""
        name = run.stream.name
        if not run.stream.errors:
            yield from self._state(run, run.stream.final_state())
            yield status_message(name, AirbyteStreamStatus.COMPLETE)
            return
        for error in _distinct(run.stream.errors):
            yield traced(error, name).as_sanitized_airbyte_message()
        yield status_message(name, AirbyteStreamStatus.INCOMPLETE)


def follow(client: MailchimpClient, workers: int, reading: Generator[Step, list[Any], Result]) -> Result:
    """Follow one reading to its end and return its result, for commands that emit no records. Raises what a request raises."""
    pool: RequestPool[int] = RequestPool(client.call, workers)
    try:
        replies: list[Any] | None = None
        while True:
            step = reading.send(replies)  # type: ignore[arg-type]
            for position, request in enumerate(step.requests):
                pool.submit(request, position)
            done = sorted((pool.next_done() for _ in step.requests), key=lambda one: one.owner)
            replies = [_reply_or_raise(one, step.tolerate) for one in done]
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        client.stop()
        pool.close()


def _reply_or_raise(done: Done[int], tolerate: tuple[type[MailchimpError], ...]) -> Any:
    if done.error is not None and not isinstance(done.error, tolerate):
        raise done.error
    return done.reply or done.error


def _nothing() -> Reading:
    yield from ()


def _distinct(errors: Sequence[Exception]) -> list[Exception]:
    """Return the errors without repetitions: the same failure of a hundred lists is said once."""
    return list({str(error): error for error in errors}.values())
