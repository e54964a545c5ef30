"""Lines of the standard input, as soon as they are there."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable

from destination_mailchimp_unified.live.events import LONGEST_LINE

CHUNK_BYTES = 1 << 16
CHUNKS_WAITING = 16


class Lines:
    """Reads on a thread of its own, a bounded number of chunks ahead. Belongs to the event loop that it is made on.

    `read` takes a number of bytes and returns what there is, b"" at the end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._room = threading.Semaphore(CHUNKS_WAITING)
        self._chunks: deque[bytes | BaseException] = deque()
        self._stopped = threading.Event()
        # The beginning of a line whose end has not come yet; its size, which keeps counting when the line is too long to be kept.
        self._begun: list[bytes] = []
        self._size = 0
        threading.Thread(target=self._fill, daemon=True, name="stdin").start()

    def stop(self) -> None:
        """Read no more. Whole lines that were read are still given."""
        self._stopped.set()
        self._came.set()

    async def __aiter__(self) -> AsyncIterator[list[bytes | None]]:
        """Yield lines without their ends, as many as came at once; None for one longer than LONGEST_LINE. Raises what reading raised."""
        chunk = await self._take()
        while chunk:
            *ends, last = chunk.split(b"\n")
            yield [self._line(end) for end in ends]
            self._add(last)
            chunk = await self._take()
        # A last line without its end counts at the end of the input, and not where somebody else is still writing it.
        if chunk is not None and self._size:
            yield [self._line(b"")]

    async def _take(self) -> bytes | None:
        """Return the next chunk: b"" at the end, None when it is no longer wanted."""
        while not self._chunks:
            if self._stopped.is_set():
                return None
            self._came.clear()
            await self._came.wait()
        chunk = self._chunks.popleft()
        self._room.release()
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LONGEST_LINE:
            self._begun.clear()
        elif piece:
            self._begun.append(piece)

    def _line(self, end: bytes) -> bytes | None:
        if self._size:
            self._add(end)
            end, self._begun = b"".join(self._begun), []
        size, self._size = self._size or len(end), 0
        return end if size <= LONGEST_LINE else None

    def _fill(self) -> None:
        chunk: bytes | BaseException = b"begun"
        while isinstance(chunk, bytes) and chunk and not self._stopped.is_set():
            self._room.acquire()
            try:
                chunk = self._read(CHUNK_BYTES)
            # Any error belongs to the task that takes the lines.
            except BaseException as error:  # noqa: BLE001
                chunk = error
            if self._stopped.is_set():
                return
            self._chunks.append(chunk)
            try:
                self._loop.call_soon_threadsafe(self._came.set)
            except RuntimeError:
                # The loop is closed: nobody takes lines any more.
                return
