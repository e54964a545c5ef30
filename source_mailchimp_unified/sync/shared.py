"""Something that several tasks need and that is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Shared(Generic[Result]):
    """A coroutine that runs once, when it is first asked for. Everybody gets its result, or its error."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._start = start
        self._task: asyncio.Task[Result] | None = None

    async def get(self) -> Result:
        """Return the result. Raises what the coroutine raises."""
        if self._task is None:
            self._task = asyncio.create_task(self._start())
        # One who is canceled while waiting must not cancel it for the others.
        return await asyncio.shield(self._task)
