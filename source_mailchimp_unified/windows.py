"""Which part of a list is read when, so that no contact is lost while people edit. Pure: no requests are made here.

The fact everything rests on: within a window that ends at or before the horizon, rows only ever leave. An edit moves
`last_changed` to now, past the window's end, and nothing joins. In a listing sorted by `last_changed`, whatever shifts
therefore shifts towards offset 0. Two rules follow:

- A window is read from its far end down to offset 0: an unread row can only move into what is still to come.
- A page holds everything of the seconds strictly between its first and its last row, however many rows share them; those
  seconds are done once the page is. Only the first and the last second may go on outside the page.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

PAGES_PER_WINDOW = 10
"""About as many pages are read for a checkpoint; fewer where a list would not occupy all workers."""

MIN_PAGES_PER_WINDOW = 2


@dataclass(frozen=True, order=True)
class Window:
    """The seconds after `after` up to and including `until`, both seconds since 1970: how Mailchimp takes its bounds."""

    after: int
    until: int


@dataclass(frozen=True)
class Sample:
    """A page read ahead to cut the time line: the second of its first and of its last row."""

    first: int
    last: int


def last_page_offset(rows: int, page_size: int) -> int:
    """Return the offset of the last page that holds a row of a listing of so many `rows`."""
    return max(0, (rows - 1) // page_size * page_size)


def far_end(rows: int, page_size: int) -> Generator[int, tuple[int, int], int]:
    """Find the last page of a listing that is thought to have so many `rows`.

    Yields an offset to read, takes the number of rows of that page and the listing's `total_items`, and returns the offset
    of the far end, which is the one it yielded last. The total is only a hint: a far end is proven by a page that is not
    full, or by an empty page behind it.
    """
    offset, empty_from = last_page_offset(rows, page_size), sys.maxsize
    while True:
        count, total = yield offset
        if count == 0 and offset > 0:
            # What is empty stays empty: rows only leave.
            empty_from = offset
            offset = min(offset - page_size, last_page_offset(total, page_size))
        elif count >= page_size and offset + page_size < empty_from:
            offset = min(max(offset + page_size, last_page_offset(total, page_size)), empty_from - page_size)
        else:
            return offset


def sample_offsets(rows: int, page_size: int, workers: int) -> list[int]:
    """Return the offsets at which to sample a listing of so many `rows`, so that its windows keep all workers busy."""
    pages = -(-rows // page_size)
    per_window = max(MIN_PAGES_PER_WINDOW, min(PAGES_PER_WINDOW, pages // workers))
    windows = max(1, pages // per_window)
    if windows > workers:
        # Whole rounds, lest the last window keep one worker busy while the others have nothing left.
        windows = -(-windows // workers) * workers
    return [rows * n // windows for n in range(1, windows)]


def split(window: Window, samples: Iterable[Sample]) -> list[Window]:
    """Return what is left of `window` once the inside of every sampled page is done, cut at the samples, in order of time."""
    left: list[Window] = []
    after = window.after
    for sample in sorted(samples, key=lambda s: (s.first, s.last)):
        if sample.first > after:
            left.append(Window(after, sample.first))
            after = sample.first
        # The last second may go on behind the page: it is left to the next window.
        after = max(after, sample.last - 1)
    if window.until > after:
        left.append(Window(after, window.until))
    return left


@dataclass
class Frontier:
    """How far one sweep over a list is done without a gap: everything up to and including `reached`."""

    window: Window
    _open: list[Window] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = [self.window] if self.window.until > self.window.after else []

    @property
    def reached(self) -> int:
        """The second up to which everything is done."""
        return self._open[0].after if self._open else max(self.window.after, self.window.until)

    def cut(self, windows: Sequence[Window]) -> None:
        """Replace the whole by what is left of it."""
        self._open = sorted(windows)

    def finish(self, window: Window) -> None:
        """Note that `window` is done."""
        self._open.remove(window)
