"""How a connector's process uses Python and the C library: little garbage, many threads, big answers."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import signal
from types import FrameType
from typing import NoReturn

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


TERMINATED, INTERRUPTED = 128 + signal.SIGTERM, 128 + signal.SIGINT
"""Exit codes of a process that was told to end, or by Ctrl-C: https://www.gnu.org/software/bash/manual/bash.html#Exit-Status."""

LAST_SECONDS = 0.8
"""A process that was told to end has so long to stop and to flush; platforms kill it after some seconds."""


def end_on_signals() -> None:
    """End on SIGTERM and on Ctrl-C, unless a shell has told this process to ignore Ctrl-C."""
    end_on_signal(signal.SIGTERM)
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        end_on_signal(signal.SIGINT, INTERRUPTED)


def end_on_signal(number: int, code: int = TERMINATED) -> None:
    """Raise SystemExit(code) in the main thread when the signal comes, and end the process soon, even if it is waiting.

    Without a handler a process that is the first of its container ignores SIGTERM:
    https://man7.org/linux/man-pages/man7/pid_namespaces.7.html.
    """

    def end(_: int, __: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS)
        raise SystemExit(code)

    signal.signal(number, end)
