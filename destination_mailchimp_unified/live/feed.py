"""Between those who send events and the pipeline that writes them: a bounded number waits, and each is told its outcome once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.intake.lines import Message, Record, Unusable
from destination_mailchimp_unified.settling.outcomes import Outcome

MOST_WAITING = 10_000
"""The most events in memory; senders with more are told to wait."""

MOST_WAITING_BYTES = 32 << 20
"""The same in bytes, as they came in."""

Tell = Callable[[Outcome | None], None]
"""Takes what became of an event; None when the pipeline broke and nobody knows."""


class Feed:
    """The pipeline's `Input`, and its way back. Belongs to one event loop and one run of the pipeline."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.waiting = 0
        self.waiting_bytes = 0
        self._most = most_waiting
        self._messages: deque[Record | Unusable] = deque()
        # By the number that the pipeline gives to the messages that it takes: who is to be told, and the bytes.
        self._tell: dict[int, tuple[Tell, int]] = {}
        self._number = 0
        self._ended = self._broken = False
        self._came, self._left, self._taken = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # For those who send.

    def has_room(self, events: int = 1, size: int = 0) -> bool:
        """Return whether so many more events of so many bytes may wait."""
        return self.waiting + events <= self._most and (not self.waiting or self.waiting_bytes + size <= MOST_WAITING_BYTES)

    @property
    def drained(self) -> bool:
        """Whether nothing waits and nothing more will come."""
        return self._ended and not self.waiting

    async def room(self) -> None:
        """Wait until one more event may wait."""
        while not self.has_room():
            self._left.clear()
            await self._left.wait()

    async def taken(self) -> None:
        """Wait until the pipeline has taken what was put, and everybody else had a turn."""
        await asyncio.sleep(0)
        while self._messages and not self._broken:
            self._taken.clear()
            await self._taken.wait()

    def put(self, message: Record | Unusable, tell: Tell) -> None:
        """Give an event to the pipeline. Where that broke, nobody will ever know more than that."""
        if self._broken:
            tell(None)
            return
        self._number += 1
        size = len(message.line)
        self._tell[self._number] = tell, size
        self.waiting += 1
        self.waiting_bytes += size
        self._messages.append(message)
        self._came.set()

    def end(self) -> None:
        """Let the pipeline end when it has written what it was given."""
        self._ended = True
        self._came.set()

    def break_off(self) -> None:
        """Tell senders, those waiting now and later ones, that the outcome of their events is unknown."""
        self._broken = True
        self._taken.set()
        for number in list(self._tell):
            self._told(number, None)

    # For the pipeline.

    @property
    def empty(self) -> bool:
        """Whether nothing is there that was not taken yet."""
        return not self._messages

    async def take(self) -> list[Message] | None:
        """Return what came, as much as a bulk call holds: then it is on its way while more is looked at. None at the end."""
        while not self._messages and not self._ended:
            self._came.clear()
            await self._came.wait()
        taken: list[Message] = [self._messages.popleft() for _ in range(min(BULK_SIZE, len(self._messages)))]
        if not self._messages:
            self._taken.set()
        return taken or None

    def settled(self, entry: Entry, outcome: Outcome) -> None:
        """Tell its sender what became of an event."""
        self._told(entry.number, outcome)

    def _told(self, number: int, outcome: Outcome | None) -> None:
        tell, size = self._tell.pop(number)
        self.waiting -= 1
        self.waiting_bytes -= size
        self._left.set()
        tell(outcome)
