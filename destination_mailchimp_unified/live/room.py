"""How many calls may be under way at once, over all audiences: what finds no room waits, and is batched meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class Room:
    """Counts calls under way. `left` is called whenever one ends."""

    def __init__(self, workers: int, left: Callable[[], None]) -> None:
        self.free = workers
        self._left = left

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take the room of one call."""
        self.free -= 1
        try:
            yield
        finally:
            self.free += 1
            self._left()
