"""The bounded pool that makes every request of a process: as many threads as requests may be open at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailchimp_unified.client import Reply, Request

Owner = TypeVar("Owner")

ANSWERS_WAITING = 4
"""Answers that may wait for the thread that takes them, beside those the workers hold: what keeps memory flat."""


@dataclass(frozen=True)
class Done(Generic[Owner]):
    """A finished request with the `owner` it was submitted for, and either its reply or its error."""

    owner: Owner
    reply: Reply | None
    error: BaseException | None


class RequestPool(Generic[Owner]):
    """Runs requests on `workers` threads and hands the answers back in the order in which they come.

    `notify` is called after each answer, for a thread that waits for more than answers. So many answers as `waiting` says may
    lie there before a worker stops asking for more.
    The threads are daemons: a process that ends early does not wait for a request that hangs.
    """

    def __init__(
        self, call: Callable[[Request], Reply], workers: int, notify: Callable[[], None] = lambda: None, waiting: int = ANSWERS_WAITING
    ) -> None:
        self._call = call
        self._notify = notify
        self._asked: queue.SimpleQueue[tuple[Request, Owner] | None] = queue.SimpleQueue()
        self._answered: queue.Queue[Done[Owner]] = queue.Queue(waiting)
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"mailchimp-{n}") for n in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, request: Request, owner: Owner) -> None:
        """Send `request` as soon as a worker is free."""
        self._asked.put((request, owner))

    def next_done(self, timeout: float | None = None) -> Done[Owner]:
        """Return the next answer, waiting for it. Raises queue.Empty after `timeout` seconds."""
        return self._answered.get(timeout=timeout)

    def close(self) -> None:
        """Let every worker end after the request it has begun."""
        for _ in self._threads:
            self._asked.put(None)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            # Nothing is kept here: an idle worker that remembered its last page would cost as much as the page.
            self._answered.put(self._done(*asked))
            self._notify()

    def _done(self, request: Request, owner: Owner) -> Done[Owner]:
        try:
            return Done(owner, self._call(request), None)
        # Whatever goes wrong belongs to the thread that waits for the answer.
        except BaseException as error:  # noqa: BLE001
            return Done(owner, None, error)
