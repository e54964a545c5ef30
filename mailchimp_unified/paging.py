"""Where a listing ends, found without trusting its total: for reading from the far end down while rows leave."""

from __future__ import annotations

import sys
from collections.abc import Generator

TIED_ROWS = 100
"""So many rows are expected to share their second with the ends of a window of time, and are read with it."""


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
