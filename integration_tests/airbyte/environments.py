"""The heavy tools of Airbyte: each has an environment of its own, which make sets up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

NO_CALLS_HOME = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}
"""PyAirbyte looks nothing up in Airbyte's registry, and reports nothing."""

SECONDS = 300
"""Importing PyAirbyte alone takes many seconds on a busy machine."""


@dataclass(frozen=True)
class Environment:
    """Runs programs of an environment in a folder."""

    bin: Path
    folder: Path

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end. Its own commands are found by name, and what it writes down goes into the folder."""
        places = {name: str(self.folder) for name in ("AIRBYTE_PROJECT_DIR", "AIRBYTE_LOGGING_ROOT", "AIRBYTE_TEMP_DIR")}
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        command: Sequence[str | Path] = [self.bin / program, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env={**os.environ, **NO_CALLS_HOME, **places, "PATH": path},
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip


def environment(name: str, folder: Path, otherwise: str) -> Environment:
    """Return the environment of that name, or skip the test with the sentence `otherwise`."""
    binaries = ROOT / name / "bin"
    if not (binaries / "python").exists():
        pytest.skip(otherwise)
    return Environment(binaries, folder)
