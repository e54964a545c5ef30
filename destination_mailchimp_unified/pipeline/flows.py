"""Flows: what is done with Mailchimp, written as it happens. A flow yields requests and is sent their answers.

The pool makes the requests; all flows run on one thread, so nothing they share needs a lock.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from mailchimp_unified.client import Reply, Request
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.pool import Done, RequestPool

Result = TypeVar("Result")
Other = TypeVar("Other")

Answer = Reply | MailchimpError


@dataclass(frozen=True)
class Together:
    """Flows that run side by side; whoever yields them is sent their results in order, or the first error among them."""

    flows: Sequence[Flow[Any]]


Flow = Generator[Sequence[Request] | Together, list[Any], Result]


def call(request: Request) -> Flow[Reply]:
    """Return the reply to one request. Raises its error."""
    (answer,) = yield [request]
    if isinstance(answer, MailchimpError):
        raise answer
    return cast("Reply", answer)


def gather(flows: Sequence[Flow[Result]]) -> Flow[list[Result]]:
    """Run flows side by side, none waiting for another, and return their results in order. Raises the first error among them."""
    return (yield Together(flows)) if flows else []


def both(first: Flow[Result], second: Flow[Other]) -> Flow[tuple[Result, Other]]:
    """Run two flows of different results side by side."""
    results = yield from gather([cast("Flow[Any]", first), cast("Flow[Any]", second)])
    return results[0], results[1]


def follow(call_one: Callable[[Request], Reply], flow: Flow[Result]) -> Result:
    """Run one flow to its end on this thread, one request after the other."""
    resume: Callable[[], Sequence[Request] | Together] = partial(next, flow)
    while True:
        try:
            wanted = resume()
        except StopIteration as end:
            result: Result = end.value
            return result
        try:
            resume = partial(flow.send, _answers(call_one, wanted))
        except MailchimpError as error:
            resume = partial(flow.throw, error)


def _answers(call_one: Callable[[Request], Reply], wanted: Sequence[Request] | Together) -> list[Any]:
    if isinstance(wanted, Together):
        return [follow(call_one, flow) for flow in wanted.flows]
    return [_answer(call_one, request) for request in wanted]


def _answer(call_one: Callable[[Request], Reply], request: Request) -> Answer:
    try:
        return call_one(request)
    except MailchimpError as error:
        return error


@dataclass(eq=False)
class _Run:
    """A flow that waits for what it asked last: answers, or the results of other flows. `parent` waits for its own."""

    flow: Flow[Any]
    parent: _Run | None = None
    place: int = 0
    answers: list[Any] | None = None
    missing: int = 0
    error: MailchimpError | None = None


class Flows:
    """Runs any number of flows at once over one pool of requests."""

    def __init__(self, pool: RequestPool[tuple[Any, int]]) -> None:
        self._pool = pool
        self._ready: deque[_Run] = deque()
        self.requests_open = 0

    def start(self, flow: Flow[None]) -> None:
        """Begin a flow; it goes on in `deliver` when its answers come."""
        self._ready.append(_Run(flow))
        self._go_on()

    def deliver(self) -> bool:
        """Hand the answers that have come to their flows, without waiting. Returns whether there were any."""
        came = False
        while self.requests_open:
            try:
                done = self._pool.next_done(timeout=0)
            except queue.Empty:
                break
            came = True
            self._deliver(done)
        return came

    def _deliver(self, done: Done[tuple[Any, int]]) -> None:
        run, place = done.owner
        if done.error is not None and not isinstance(done.error, MailchimpError):
            raise done.error
        self.requests_open -= 1
        self._take(run, place, done.error or done.reply)
        self._go_on()

    def _take(self, run: _Run, place: int, answer: Any) -> None:
        assert run.answers is not None, "an answer came for a flow that asked for none"
        run.answers[place] = answer
        run.missing -= 1
        if not run.missing:
            self._ready.append(run)

    def _go_on(self) -> None:
        """Resume every flow that has what it waits for."""
        while self._ready:
            run = self._ready.popleft()
            try:
                wanted = self._resume(run)
            except StopIteration as end:
                self._end(run, end.value)
            except MailchimpError as error:
                if run.parent is None:
                    raise
                run.parent.error = run.parent.error or error
                self._end(run, None)
            else:
                self._begin(run, wanted)

    def _resume(self, run: _Run) -> Sequence[Request] | Together:
        answers, error = run.answers, run.error
        run.answers, run.error = None, None
        if error is not None:
            return run.flow.throw(error)
        return run.flow.send(answers)  # type: ignore[arg-type]

    def _end(self, run: _Run, result: Any) -> None:
        if run.parent is not None:
            self._take(run.parent, run.place, result)

    def _begin(self, run: _Run, wanted: Sequence[Request] | Together) -> None:
        """Send what a flow asks for, or start the flows it waits for."""
        parts = wanted.flows if isinstance(wanted, Together) else wanted
        run.answers, run.missing = [None] * len(parts), len(parts)
        if not parts:
            self._ready.append(run)
        elif isinstance(wanted, Together):
            self._ready.extend(_Run(flow, run, place) for place, flow in enumerate(wanted.flows))
        else:
            self.requests_open += len(wanted)
            for place, request in enumerate(wanted):
                self._pool.submit(request, (run, place))
