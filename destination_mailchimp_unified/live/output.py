"""Answers on the standard output: one line each, written at once, out of order or in the order of the lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from destination_mailchimp_unified.live.events import printed

MOST_UNANSWERED = 20_000
"""So many lines are under way at most whose answers were not written: more are not read."""


class Output:
    """Writes answers on a thread of its own, so that a slow reader keeps nobody but itself waiting.

    Belongs to the event loop that it is made on. `write` writes bytes, all of them. When nobody reads any more, `unheard` is
    true from then on and `when_unheard` is called.
    """

    def __init__(self, write: Callable[[bytes], None], *, in_order: bool) -> None:
        self.unheard = False
        self.when_unheard: Callable[[], None] = lambda: None
        self._write, self._in_order = write, in_order
        self._loop = asyncio.get_running_loop()
        self._unanswered = 0
        self._written = asyncio.Event()
        self._done = asyncio.Event()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # With --in-order: answers that came before their turn, and whose turn it is.
        self._early: dict[int, bytes] = {}
        self._turn = 1
        threading.Thread(target=self._drain, daemon=True, name="stdout").start()

    async def expect(self) -> None:
        """Wait until one more line may be under way, and count it."""
        while self._unanswered >= MOST_UNANSWERED and not self.unheard:
            self._written.clear()
            await self._written.wait()
        self._unanswered += 1

    def answer(self, number: int, answer: dict[str, Any]) -> None:
        """Write the answer to a line, by its number from 1."""
        line = printed(answer) + b"\n"
        if not self._in_order:
            self._lines.put(line)
            return
        self._early[number] = line
        while self._turn in self._early:
            self._lines.put(self._early.pop(self._turn))
            self._turn += 1

    async def finish(self) -> None:
        """Wait until everything is written."""
        self._lines.put(None)
        await self._done.wait()

    def _drain(self) -> None:
        try:
            while lines := self._next():
                self._write(b"".join(lines))
                self._call(self._note_written, len(lines))
        except OSError:
            self._call(self._note_failure)
        self._call(self._done.set)

    def _next(self) -> list[bytes]:
        """Wait for a line and return it with all that are there; [] at the end."""
        lines: list[bytes] = []
        while not lines or not self._lines.empty():
            line = self._lines.get()
            if line is None:
                # The end comes once more, when these are written.
                if lines:
                    self._lines.put(None)
                return lines
            lines.append(line)
        return lines

    def _call(self, then: Callable[..., object], *arguments: object) -> None:
        # The loop may be closed: then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(then, *arguments)

    def _note_written(self, lines: int) -> None:
        self._unanswered -= lines
        self._written.set()

    def _note_failure(self) -> None:
        self.unheard = True
        self._written.set()
        self.when_unheard()


def write_all(descriptor: int, text: bytes) -> None:
    """Write all of a text to a file descriptor, at once. Raises OSError, as when nobody reads any more."""
    view = memoryview(text)
    while view:
        view = view[os.write(descriptor, view) :]
