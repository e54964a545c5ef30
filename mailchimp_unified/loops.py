"""Where asyncio meets code that does not await: an iterator that runs a loop, and task groups that raise one plain error."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
NewLoop = Callable[[], asyncio.AbstractEventLoop]


def iterate(
    work: Callable[[Callable[[Item], None]], Coroutine[Any, Any, None]], new_loop: NewLoop = asyncio.new_event_loop
) -> Iterator[Item]:
    """Run `work` on an event loop of its own, on this thread, and yield what it emits as soon as it does.

    `work` is given the function that emits. The iterator ends when `work` does, and raises what it raises; closing the iterator
    cancels it, and every task that it started.
    """
    loop, emitted = new_loop(), deque[Item]()
    closing = False

    def stop(_: object = None) -> None:
        if not closing:
            loop.stop()

    def emit(item: Item) -> None:
        emitted.append(item)
        stop()

    try:
        task = loop.create_task(work(emit))
        task.add_done_callback(stop)
        while not task.done():
            loop.run_forever()
            while emitted:
                yield emitted.popleft()
        task.result()
    finally:
        closing = True
        close(loop)


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is still under way, and close the loop. Requests on their way end by themselves."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


class _Tasks(asyncio.TaskGroup):
    """A group whose tasks can be waited for before its end."""

    async def finished(self) -> None:
        """Wait until every task is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)


@contextlib.asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Return a group of tasks that ends with the first error among them, the others canceled. Raises that error alone.

    A cancellation from outside that meets an error is raised in its place. Before Python 3.13 a group forgets it, and does not take
    back its own where an error meets it at its end: https://github.com/python/cpython/issues/116720.
    """
    parent = asyncio.current_task()
    before = parent.cancelling() if parent else 0
    try:
        async with _Tasks() as tasks:
            yield tasks
            await tasks.finished()
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise asyncio.CancelledError if parent and parent.cancelling() > before else error from None


async def together(*parts: Coroutine[Any, Any, Item]) -> list[Item]:
    """Return the results of coroutines that run side by side, in order. Raises the first error among them, the others canceled."""
    async with task_group() as tasks:
        started = [tasks.create_task(part) for part in parts]
    return [task.result() for task in started]
