"""Trials: the tests of a mutant's module, run in a copy of the project that has the fault."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.mutants import Mutant

HERE = Path(__file__).resolve().parent

SPARE_SECONDS = 60.0
"""A trial may take so much longer than four times what the same tests take without a fault."""

LONGEST_SECONDS = 1_800.0
"""Tests that take longer without a fault are not worth their time."""

NOTHING_COLLECTED = 5
"""Exit code of pytest: https://docs.pytest.org/en/stable/reference/exit-codes.html."""


STAGES = ("unit", "integration")
"""The kinds of tests, in the order in which they are run."""


@dataclass(frozen=True)
class Verdict:
    """The kind of tests that saw a mutant (unit, integration, none), and whether they saw it because they did not end."""

    seen_by: str
    hung: bool = False


@dataclass(frozen=True)
class Tests:
    """The tests that belong to a module: unit tests, and integration tests for what those let through."""

    unit: tuple[str, ...]
    integration: tuple[str, ...]

    def of(self, stage: str) -> tuple[str, ...]:
        """Return the tests of a kind."""
        return self.unit if stage == "unit" else self.integration


def table() -> dict[str, Tests]:
    """Return the tests by module or folder, from tests.toml."""
    content = tomllib.loads((HERE / "tests.toml").read_text())
    return {name: Tests(tuple(row.get("unit", ())), tuple(row.get("integration", ()))) for name, row in content.items()}


def tests_of(module: str, rows: dict[str, Tests]) -> Tests:
    """Return the tests of a module: those of the longest name in the table that it begins with. Raises KeyError when there is none."""
    names = [name for name in rows if module.startswith(name)]
    if not names:
        raise KeyError(f"tools/mutation/tests.toml names no tests for {module}")
    return rows[max(names, key=len)]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return why a mutant is not a fault, by module and the lines before and after it, from equivalents.toml."""
    rows = tomllib.loads((HERE / "equivalents.toml").read_text()).get("mutant", [])
    return {(row["module"], row["before"], row["after"]): row["reason"] for row in rows}


@dataclass
class Copy:
    """A copy of the project's files in a folder, tested with the project's own environment."""

    root: Path
    folder: Path
    python: Path

    def __post_init__(self) -> None:
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=self.root, capture_output=True, text=True, check=True).stdout.split("\0"):
            if name and (self.root / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / name, self.folder / name)

    def limit(self, files: tuple[str, ...]) -> float:
        """Return how long tests may take, from what they take without a fault. Raises RuntimeError when they fail without one."""
        began = time.monotonic()
        if self._code(files, LONGEST_SECONDS) != 0:
            raise RuntimeError(f"Without any fault these tests do not pass: {' '.join(files)}")
        return SPARE_SECONDS + 4 * (time.monotonic() - began)

    def trial(self, mutant: Mutant, stage: str, files: tuple[str, ...], seconds: float) -> Verdict:
        """Run tests of a kind against a mutant. Tests that do not end have seen it."""
        module = self.folder / mutant.place.module
        original = module.read_text()
        module.write_text(mutant.text)
        try:
            code = self._code(files, seconds)
        finally:
            module.write_text(original)
        return Verdict("none") if code == 0 else Verdict(stage, hung=code is None)

    def _code(self, files: Sequence[str], seconds: float) -> int | None:
        """Return pytest's exit code, or None when it took too long."""
        options = ["-q", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", "not slow and not live"]
        command = [str(self.python), "-m", "pytest", *options, *files]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:  # fmt: skip
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                # What a test started may still be there.
                _end(process.pid)
        if code == NOTHING_COLLECTED:
            raise RuntimeError(f"There are no tests in {' '.join(files)}")
        return code


def _end(group: int) -> None:
    try:
        os.killpg(group, 9)
    except ProcessLookupError:
        return
