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

    async def __aiter__(self) -> AsyncIterator[list[bytes | None]]:
        """Yield lines without their ends, as many as came at once; None for one longer than LONGEST_LINE. Raises what reading raised."""
        chunk = await self._chunks.take()
        while chunk:
            *ends, last = chunk.split(b"\n")
            yield [self._line(end) for end in ends]
            self._add(last)
            chunk = await self._chunks.take()
        # A last line without its end counts at the end of the input, and not where somebody else is still writing it.
        if chunk is not None and self._size:
            yield [self._line(b"")]

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
