"""Whole-process figures: wall clock, CPU and peak memory of a command, as the operating system counts them.

The peak of a process is never counted below that of the process that started it: the measuring process stays small.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """Seconds of wall clock and of CPU (user and system), and the peak of resident memory in megabytes (10^6 bytes)."""

    wall: float
    cpu: float
    peak_mb: float


def measure(command: Sequence[str], *, stdin: Path | None = None, stdout: Path | None = None) -> Figures:
    """Run a command to its end. Its output goes to a file, or nowhere. Raises RuntimeError when it fails."""
    nothing = Path(os.devnull)
    with (stdin or nothing).open("rb") as source, (stdout or nothing).open("wb") as target:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=target, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with exit code {process.returncode}")
    # Linux counts the peak in units of 1024 bytes.
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def best(runs: Iterable[Figures]) -> Figures:
    """Return the run with the least wall clock: other work on a machine only adds to it."""
    return min(runs, key=lambda figures: figures.wall)


def _environment() -> dict[str, str]:
    """Return the environment without what makes Python compile everything again or write every line by itself."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")}
