"""Jobs that run side by side, a few at a time, the oldest work first."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]
Priority = tuple[int, ...]


class Jobs:
    """A queue of jobs worked off by `limit` tasks, those with the smallest priority first. A job may add others.

    The limit keeps memory flat, and the order makes checkpoints come early. What a job raises goes to `failed`; the others continue.
    """

    def __init__(self, limit: int, failed: Callable[[Exception], None]) -> None:
        self._limit = limit
        self._failed = failed
        self._queue: asyncio.PriorityQueue[tuple[Priority, int, Job]] = asyncio.PriorityQueue()
        self._added = itertools.count()

    def add(self, job: Job, priority: Priority = ()) -> None:
        """Add a job; among those of one priority the first to come is the first to go."""
        self._queue.put_nowait((priority, next(self._added), job))

    async def run(self) -> None:
        """Work until no job is left."""
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work()) for _ in range(self._limit)]
            await self._queue.join()
            for worker in workers:
                worker.cancel()

    async def _work(self) -> None:
        while True:
            _, _, job = await self._queue.get()
            try:
                await job()
            except Exception as error:  # noqa: BLE001 - one job's failure must not stop the others
                self._failed(error)
            finally:
                self._queue.task_done()
