"""Flows: what is done with Mailchimp, written as it happens. A flow yields requests and is sent their answers.

The pool makes the requests; all flows run on one thread, so nothing they share needs a lock.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from mailchimp_unified.client import Reply, Request
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.pool import Done, RequestPool

Result = TypeVar("Result")
Other = TypeVar("Other")

Answer = Reply | MailchimpError
Flow = Generator[Sequence[Request], list[Answer], Result]


def call(request: Request) -> Flow[Reply]:
    """Return the reply to one request. Raises its error."""
    (answer,) = yield [request]
    if isinstance(answer, MailchimpError):
        raise answer
    return answer


def gather(flows: Sequence[Flow[Result]]) -> Flow[list[Result]]:
    """Run flows side by side, a round of requests at a time, and return their results in order."""
    results: dict[int, Result] = {}
    wanted: dict[int, Sequence[Request]] = {}
    for place, flow in enumerate(flows):
        _advance(place, flow, None, wanted, results)
    while wanted:
        answers = yield [request for requests in wanted.values() for request in requests]
        for place, requests in list(wanted.items()):
            share, answers = answers[: len(requests)], answers[len(requests) :]
            _advance(place, flows[place], share, wanted, results)
    return [results[place] for place in range(len(flows))]


def both(first: Flow[Result], second: Flow[Other]) -> Flow[tuple[Result, Other]]:
    """Run two flows of different results side by side."""
    results = yield from gather([cast("Flow[Any]", first), cast("Flow[Any]", second)])
    return results[0], results[1]


def _advance(place: int, flow: Flow[Result], answers: Any, wanted: dict[int, Sequence[Request]], results: dict[int, Result]) -> None:
    try:
        wanted[place] = flow.send(answers)
    except StopIteration as end:
        wanted.pop(place, None)
        results[place] = end.value


def follow(call_one: Callable[[Request], Reply], flow: Flow[Result]) -> Result:
    """Run one flow to its end on this thread, one request after the other."""
    answers: Any = None
    while True:
        try:
            requests = flow.send(answers)
        except StopIteration as end:
            result: Result = end.value
            return result
        answers = [_answer(call_one, request) for request in requests]


def _answer(call_one: Callable[[Request], Reply], request: Request) -> Answer:
    try:
        return call_one(request)
    except MailchimpError as error:
        return error


@dataclass(eq=False)
class _Run:
    """A flow that waits for the answers to what it asked last."""

    flow: Flow[None]
    answers: list[Any] = field(default_factory=list)
    missing: int = 0


class Flows:
    """Runs any number of flows at once over one pool of requests."""

    def __init__(self, pool: RequestPool[tuple[Any, int]]) -> None:
        self._pool = pool
        self.requests_open = 0

    def start(self, flow: Flow[None]) -> None:
        """Begin a flow; it goes on in `deliver` when its answers come."""
        self._go_on(_Run(flow), None)

    def run(self, flow: Flow[None]) -> None:
        """Run a flow to its end, waiting for its answers, while nothing else is under way."""
        self.start(flow)
        while self.requests_open:
            self._deliver(self._pool.next_done())

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
        run.answers[place] = done.error or done.reply
        run.missing -= 1
        if not run.missing:
            self._go_on(run, run.answers)

    def _go_on(self, run: _Run, answers: Any) -> None:
        try:
            requests = run.flow.send(answers)
            while not requests:
                requests = run.flow.send([])
        except StopIteration:
            return
        run.answers, run.missing = [None] * len(requests), len(requests)
        self.requests_open += len(requests)
        for place, request in enumerate(requests):
            self._pool.submit(request, (run, place))
