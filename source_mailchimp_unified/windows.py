"""Which part of a list is read when, so that no contact is lost while people edit. Pure: no requests are made here.

The fact everything rests on: within a window that ends at or before the horizon, rows only ever leave. An edit moves
`last_changed` to now, past the window's end, and nothing joins. In a listing sorted by `last_changed`, whatever shifts
therefore shifts towards offset 0. Two rules follow:

- A window is read from its far end down to offset 0: an unread row can only move into what is still to come.
- A page holds everything of the seconds strictly between its first and its last row, however many rows share them; those
  seconds are done once the page is. Only the first and the last second may go on outside the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

FEWEST_PAGES_PER_WINDOW = 2
"""A list is not cut finer than this, whatever the number of workers."""

PAGES_PER_WINDOW = range(5, 21)
"""The pages of a window of a list that is big enough to choose: few for early checkpoints, many for few samples."""

TIED_ROWS = 100
"""So many rows are expected to share their second with the end of a window, and are read with it."""


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


def sample_offsets(rows: int, page_size: int, workers: int) -> list[int]:
    """Return the offsets at which to sample a listing of so many `rows`, so that its windows keep all workers busy."""
    pages = -(-rows // page_size)
    if pages > workers * PAGES_PER_WINDOW.start:
        windows = _whole_rounds(rows, page_size, workers)
    else:
        windows = max(1, min(workers, pages // FEWEST_PAGES_PER_WINDOW))
    return [rows * n // windows for n in range(1, windows)]


def _whole_rounds(rows: int, page_size: int, workers: int) -> int:
    """Return the number of windows that takes the fewest pages one after another; of equals the finer cut.

    It is a multiple of the workers, lest the last window keep one busy while the others have nothing left. Each window costs
    its sample and the pages of what is left of it, ties at its ends included.
    """
    finest, coarsest = (-(-rows // (size * page_size * workers)) for size in (PAGES_PER_WINDOW.start, PAGES_PER_WINDOW.stop - 1))

    def pages_in_turn(rounds: int) -> int:
        left = -(-rows // (rounds * workers)) - page_size + TIED_ROWS
        return rounds * (1 + -(-left // page_size))

    return workers * min(range(finest, coarsest - 1, -1), key=pages_in_turn)


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
