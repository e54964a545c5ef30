"""How a connector's process uses Python and the C library: little garbage, many threads, big answers."""

from __future__ import annotations

import ctypes
import gc
import platform

OBJECTS_BETWEEN_COLLECTIONS = 100_000

M_ARENA_MAX = -8
"""The parameter of mallopt for the number of arenas: https://man7.org/linux/man-pages/man3/mallopt.3.html."""


def tune() -> None:
    """Set the garbage collector and the allocator for a process that is about to begin its work; before any thread starts."""
    # What start-up made lives as long as the process: the garbage collector need not look at it again.
    gc.freeze()
    # Answers are many objects and no cycles: looking at them more often costs a tenth of a sync and finds nothing.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    # Each thread would keep an arena of its own for answers that another one frees: a fifth of the memory, for nothing.
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
