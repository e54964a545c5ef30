"""Lines of the standard input, as soon as they are there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from destination_mailchimp_unified.intake.lines import Chunks
from destination_mailchimp_unified.live.events import LONGEST_LINE


class Lines:
    """The lines of what `read` returns, which takes a number of bytes. Belongs to the event loop that it is made on."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._chunks = Chunks(read)
        # The beginning of a line whose end has not come yet; its size, which keeps counting when the line is too long to be kept.
        self._begun: list[bytes] = []
        self._size = 0

    def stop(self) -> None:
        """Read no more. Whole lines that were read are still given."""
        self._chunks.stop()

    async def __aiter__(self) -> AsyncIterator[bytes | None]:
        """Yield each line without its end, None for one longer than LONGEST_LINE. Raises what reading raised."""
        chunk = await self._chunks.take()
        while chunk:
            *ends, last = chunk.split(b"\n")
            for end in ends:
                self._add(end)
                yield self._line()
            self._add(last)
            chunk = await self._chunks.take()
        # A last line without its end counts at the end of the input, and not where somebody else is still writing it.
        for line in self._last(at_end=chunk is not None):
            yield line

    def _last(self, *, at_end: bool) -> list[bytes | None]:
        return [self._line()] if at_end and self._size else []

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LONGEST_LINE:
            self._begun.clear()
        elif piece:
            self._begun.append(piece)

    def _line(self) -> bytes | None:
        line = b"".join(self._begun) if self._size <= LONGEST_LINE else None
        self._begun.clear()
        self._size = 0
        return line
