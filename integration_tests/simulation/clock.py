"""An event loop with a virtual clock: it jumps to the next event, so that nothing ever waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


LONGEST_SECONDS = 7 * 86_400.0
"""A wait longer than this in a loop's own time is a wait forever."""

MOST_TURNS = 500_000
"""A loop that has turned so many times turns in a circle: whole syncs take some thousand turns."""


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Waits for nothing: the time that the loop would have waited passes at once."""

    now = 0.0
    interruption: BaseException | None = None
    turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.interruption is not None:
            interruption, self.interruption = self.interruption, None
            raise interruption
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits for another one, and nothing is due")
        if not ready and timeout:
            self.now += timeout
        self.turns += 1
        if self.now > LONGEST_SECONDS or self.turns > MOST_TURNS:
            self.now, self.turns = 0.0, 0
            raise RuntimeError("the sync never ends")
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """A loop that begins at second 0 of a time of its own."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def interrupt(self, error: BaseException | None) -> None:
        """Let the loop end with an error as soon as it looks at its clock, no matter what its tasks do; None takes that back."""
        self._jumping.interruption = error

    def time(self) -> float:
        """Return the seconds that have passed in this loop's time."""
        return self._jumping.now


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)
