"""Follows the readings of all streams at once: requests go to the pool, what they bring becomes messages on this thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airbyte_cdk.models import AirbyteMessage, AirbyteStreamStatus

from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.pool import Done, RequestPool
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.faults import traced
from source_mailchimp_unified.messages import RecordLine, state_message, status_message
from source_mailchimp_unified.reading import Reading, Step
from source_mailchimp_unified.streams import Account, Stream, read_account

Result = TypeVar("Result")
Output = AirbyteMessage | RecordLine


@dataclass(eq=False)
class _Run:
    """A stream of this sync: how many of its readings are open, and what was emitted."""

    stream: Stream
    open: int = 0
    records: int = 0
    state: dict[str, Any] | None = None
    ended: bool = False


@dataclass(eq=False)
class _Followed:
    """A reading that waits for the replies to its last step; `run` is None for the one that reads the account."""

    reading: Reading
    run: _Run | None
    replies: list[Any] | None = None
    missing: int = 0
    tolerate: tuple[type[MailchimpError], ...] = ()
    error: BaseException | None = None


class Reader:
    """One sync of some streams. `as_record` makes the output of a record: a message, or the line that is printed."""

    def __init__(
        self,
        client: MailchimpClient,
        config: SourceConfig,
        streams: Sequence[Stream],
        as_record: Callable[[str, dict[str, Any]], Output],
    ) -> None:
        self._as_record = as_record
        self.workers = config.num_workers
        self._config = config
        self._runs = [_Run(stream) for stream in streams]
        self._pool: RequestPool[tuple[_Followed, int]] = RequestPool(client.call, config.num_workers)
        self._ready: deque[_Followed] = deque()
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
        while self._ready or self._under_way:
            if not self._ready:
                self._receive(self._pool.next_done())
            while self._ready:
                followed = self._ready.popleft()
                yield from self._advance(followed)
                yield from self._end(followed.run)

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

    def _receive(self, done: Done[tuple[_Followed, int]]) -> None:
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

    def _advance(self, followed: _Followed) -> Iterator[Output]:
        """Resume a reading until it waits for replies or ends."""
        while True:
            step = self._resume(followed)
            if step is None:
                return
            self._send(followed, step)
            yield from self._emit(followed.run, step)
            if followed.missing:
                return

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

    def _emit(self, run: _Run | None, step: Step) -> Iterator[Output]:
        if run is None:
            return
        name = run.stream.name
        for record in step.records:
            if not run.records:
                yield status_message(name, AirbyteStreamStatus.RUNNING)
            run.records += 1
            yield self._as_record(name, record)
        if step.checkpoint:
            yield from self._state(run, run.stream.state())

    def _state(self, run: _Run, state: dict[str, Any]) -> Iterator[AirbyteMessage]:
        if state != run.state:
            run.state = state
            yield state_message(run.stream.name, state)

    def _end(self, run: _Run | None) -> Iterator[AirbyteMessage]:
        """Close a stream whose last reading has ended."""
        if run is None or run.open or run.ended:
            return
        run.ended = True
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
