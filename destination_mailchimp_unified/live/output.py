"""Answers on the standard output: one line each, written at once, out of order or in the order of the lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from mailchimp_unified.parsing import printed

MOST_UNANSWERED = 20_000
"""So many lines are under way at most whose answers were not written: more are not read."""

MOST_UNWRITTEN_BYTES = 16 << 20
"""The same in bytes of answers that wait to be written: an id may be long, and nobody may be reading."""

Written = tuple[bytes, int]
"""Answers as they are written, and how many."""


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
        self._unanswered = self._unwritten_bytes = 0
        self._written = asyncio.Event()
        self._done = asyncio.Event()
        # Answers of this turn of the loop: they go to the thread together.
        self._ready: list[bytes] = []
        self._lines: queue.SimpleQueue[Written | None] = queue.SimpleQueue()
        # With --in-order: answers that came before their turn, and whose turn it is.
        self._early: dict[int, bytes] = {}
        self._turn = 1
        self._begin()

    def has_room(self) -> bool:
        """Return whether one more line may be under way."""
        return self.unheard or (self._unanswered < MOST_UNANSWERED and self._unwritten_bytes < MOST_UNWRITTEN_BYTES)

    async def room(self) -> None:
        """Wait until one more line may be under way."""
        while not self.has_room():
            self._written.clear()
            await self._written.wait()

    def expect(self) -> None:
        """Count one more line that is under way."""
        self._unanswered += 1

    def answer(self, number: int, answer: dict[str, Any]) -> None:
        """Write the answer to a line, by its number from 1."""
        line = printed(answer) + b"\n"
        self._unwritten_bytes += len(line)
        if not self._in_order:
            self._put(line)
            return
        self._early[number] = line
        while self._turn in self._early:
            self._put(self._early.pop(self._turn))
            self._turn += 1

    def _put(self, line: bytes) -> None:
        if not self._ready:
            self._loop.call_soon(self._pass_on)
        self._ready.append(line)

    def _pass_on(self) -> None:
        if self._ready:
            self._lines.put((b"".join(self._ready), len(self._ready)))
            self._ready.clear()

    def _begin(self) -> None:
        threading.Thread(target=self._drain, daemon=True, name="stdout").start()

    async def finish(self) -> None:
        """Wait until everything is written."""
        self._pass_on()
        self._lines.put(None)
        await self._done.wait()

    def _drain(self) -> None:
        try:
            while some := self._lines.get():
                self._write(some[0])
                self._call(self._note_written, *some)
        except OSError:
            self._call(self._note_failure)
        self._call(self._done.set)

    def _call(self, then: Callable[..., object], *arguments: object) -> None:
        # The loop may be closed: then nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(then, *arguments)

    def _note_written(self, text: bytes, lines: int) -> None:
        self._unwritten_bytes -= len(text)
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
