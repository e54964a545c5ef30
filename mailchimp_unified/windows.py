"""Which part of an audience is read when, so that no contact is lost while people edit. Pure: no requests are made here.

The fact everything rests on: within a window that ends at or before the horizon, rows only ever leave. An edit moves
`last_changed` to now, past the window's end, and nothing joins. In a listing sorted by `last_changed`, rows that shift
therefore shift toward offset 0. Two rules follow:

- A window is read from its far end down to offset 0: an unread row can only move into what is still to come.
- A page holds everything of the seconds strictly between its first and its last row, however many rows share them; those
  seconds are done once the page is. Only the first and the last second may continue outside the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from mailchimp_unified.clock import moment_of

LATE_SECONDS = 120
"""A change may show in listings so much later than it happened. Nobody documents it; others read again up to ten minutes:
https://docs.estuary.dev/reference/Connectors/capture-connectors/mailchimp/."""

OPEN = sys.maxsize
"""The end of a window that rows may still join: what changed since must be read after it."""

TIED_PART_OF_A_PAGE = 10
"""The tenth part of a page is expected to share its second with the ends of a window, and is read with it."""

FEWEST_PAGES_PER_WINDOW = 2
"""A list is not cut finer than this, regardless of the number of workers."""

PAGES_PER_WINDOW = range(5, 21)
"""The pages of a window of a list that is big enough to choose: few for early checkpoints, many for few samples."""


@dataclass(frozen=True, order=True)
class Window:
    """The seconds after `after` up to and including `until`, both seconds since 1970.

    The public documentation is silent about which bound is included; both were observed live.
    """

    after: int
    until: int

    @property
    def bounds(self) -> dict[str, str | int]:
        """The parameters that ask for the window. One that begins with 1970 has no lower bound: a contact may be without a time."""
        since = {"since_last_changed": moment_of(self.after)} if self.after > 0 else {}
        before = {} if self.until == OPEN else {"before_last_changed": moment_of(self.until)}
        return {**since, **before}


@dataclass(frozen=True)
class Sample:
    """A page read ahead to cut the time line: the second of its first and of its last row."""

    first: int
    last: int

    @property
    def done(self) -> int:
        """The second up to which nothing is left once everything up to and including the first second is done.

        The last second may continue after the page.
        """
        return max(self.first, self.last - 1)


def sample_offsets(rows: int, page_size: int, workers: int) -> list[int]:
    """Return the offsets at which to sample a listing of so many `rows`, so that its windows keep all workers busy."""
    pages = -(-rows // page_size)
    if pages > workers * PAGES_PER_WINDOW.start:
        windows = _whole_rounds(rows, page_size, workers)
    else:
        windows = min(workers, pages // FEWEST_PAGES_PER_WINDOW)
    return [rows * n // windows for n in range(1, windows)]


def offsets_of_whole_pages(rows: int, page_size: int, windows: int) -> list[int]:
    """Return the offsets at which to sample a listing for the fewest requests: so many windows, of whole pages but for the last.

    Some have a page more than others.
    """
    tied, windows = page_size // TIED_PART_OF_A_PAGE, max(1, windows)
    step = max(1, rows // windows // page_size) * page_size - tied
    longer = -(-(rows - windows * step) // page_size)
    steps = (step + page_size if number < longer else step for number in range(windows - 1))
    return [offset for offset in accumulate(steps) if offset < rows]


def further_offsets(known: Sequence[int], rows: int, page_size: int, workers: int) -> list[int]:
    """Return the offsets at which to sample a listing that turns out to hold so many `rows` behind those known already.

    None is nearer than half a window to the last of them.
    """
    offsets = sample_offsets(rows, page_size, workers)
    return [offset for offset in offsets if not known or offset > known[-1] + offsets[0] // 2]


def rows_per_window(offsets: Sequence[int], page_size: int) -> int:
    """Return about how many rows a window between two samples holds, ties at its ends included."""
    return next(iter(offsets), page_size) - page_size + page_size // TIED_PART_OF_A_PAGE


def _whole_rounds(rows: int, page_size: int, workers: int) -> int:
    """Return the number of windows that takes the fewest pages one after another; of equals the finer cut.

    It is a multiple of the workers, so that none is busy alone with the last window.
    """
    finest, coarsest = (-(-rows // (size * page_size * workers)) for size in (PAGES_PER_WINDOW.start, PAGES_PER_WINDOW.stop - 1))

    def pages_in_turn(rounds: int) -> int:
        return rounds * _pages_of_a_window(rows, page_size, rounds * workers)

    return workers * min(range(finest, coarsest - 1, -1), key=pages_in_turn)


def _pages_of_a_window(rows: int, page_size: int, windows: int) -> int:
    """Return how many pages a window takes, its sample among them, when all are alike; ties at its ends are read with it."""
    return -(-(-(-rows // windows) + page_size // TIED_PART_OF_A_PAGE) // page_size)


@dataclass
class Cuts:
    """Where a window is cut into smaller ones.

    It is cut at samples, numbered in the order of their offsets; the first begins with the window. What lies between a sample
    and the next becomes a window of its own as soon as both are known, in any order.
    """

    window: Window
    _samples: dict[int, Sample | None] = field(default_factory=dict)
    _expected: int = 0
    _found: set[int] = field(default_factory=set)

    def expect(self, samples: int) -> None:
        """Let so many more samples come, behind those that are expected already."""
        self._expected += samples

    def learn(self, number: int, sample: Sample | None) -> list[Window]:
        """Note a sample whose inside was emitted, None for an empty page. Returns the windows that are now known to be left."""
        self._samples[number] = sample
        found = [(place, window) for place, window in self._between() if place not in self._found]
        self._found.update(place for place, _ in found)
        # Edits between two samples may turn their order round: then nothing is left, and what both hold comes twice.
        return [window for _, window in found if window.after < window.until]

    def _between(self) -> Iterator[tuple[int, Window]]:
        """Yield what is left behind each sample whose next one is known, with the sample's number."""
        before: tuple[int, Sample] | None = None
        for number in range(self._expected):
            if number not in self._samples:
                before = None
            elif (sample := self._samples[number]) is not None:
                if before is not None:
                    yield before[0], Window(before[1].done, sample.first)
                before = number, sample
        # More may be expected until the first one has come.
        if before is not None and 0 in self._samples:
            yield before[0], Window(before[1].done, self.window.until)


class Left:
    """The seconds of a listing that are not read yet, as windows in order that do not touch each other."""

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self.windows: list[Window] = []
        for window in windows:
            self.add(window)

    def add(self, window: Window) -> None:
        """Add the seconds of a window."""
        if window.after >= window.until:
            return
        apart = [one for one in self.windows if one.until < window.after or one.after > window.until]
        touching = [one for one in self.windows if one not in apart]
        after, until = min([window, *touching]).after, max([window.until, *(one.until for one in touching)])
        self.windows = sorted([*apart, Window(after, until)])

    def done(self, window: Window) -> None:
        """Take away the seconds of a window, which were read and emitted."""
        pieces = (
            piece
            for one in self.windows
            for piece in (Window(one.after, min(one.until, window.after)), Window(max(one.after, window.until), one.until))
        )
        if window.after < window.until:
            self.windows = [piece for piece in pieces if piece.after < piece.until]
