"""A run over a sample: unit tests against all mutants, then integration tests against those that they let through."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from tools.mutation.kept import Kept
from tools.mutation.mutants import Mutant
from tools.mutation.trials import STAGES, Copy, Tests, Verdict, table, tests_of

Result = TypeVar("Result")


@dataclass
class Run:
    """Several trials at once, each in a copy of the project. The checkout is left alone."""

    root: Path
    python: Path
    jobs: int
    kept: Kept
    _copies: SimpleQueue[Copy] = field(default_factory=SimpleQueue)
    _rows: dict[str, Tests] = field(default_factory=table)

    def verdicts(self, mutants: Iterable[Mutant]) -> Iterator[tuple[Mutant, Verdict]]:
        """Try mutants, and yield what becomes of each as soon as it is known."""
        left = list(mutants)
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(self.jobs) as pool:
            for number in range(self.jobs):
                self._copies.put(Copy(self.root, Path(folder, str(number)), self.python))
            for stage in STAGES:
                known, wanted = self._split(left, stage)
                yield from known
                for mutant, verdict in self._stage(pool, wanted, stage):
                    if verdict.seen_by != "none" or stage == STAGES[-1]:
                        self.kept.keep(mutant, verdict)
                        yield mutant, verdict
                        wanted.remove(mutant)
                left = wanted

    def _split(self, mutants: list[Mutant], stage: str) -> tuple[list[tuple[Mutant, Verdict]], list[Mutant]]:
        """Return those that tests of this kind are known to catch, and the others."""
        found = [(mutant, self.kept.caught(mutant)) for mutant in mutants]
        known = [(mutant, verdict) for mutant, verdict in found if verdict and verdict.seen_by == stage]
        return known, [mutant for mutant, verdict in found if not verdict or verdict.seen_by != stage]

    def _stage(self, pool: ThreadPoolExecutor, mutants: list[Mutant], stage: str) -> Iterator[tuple[Mutant, Verdict]]:
        tests = {mutant: tests_of(mutant.place.module, self._rows).of(stage) for mutant in mutants}
        distinct = sorted({files for files in tests.values() if files})
        limits = dict(zip(distinct, pool.map(lambda files: self._in_copy(lambda copy: copy.limit(files)), distinct), strict=True))
        futures: dict[Future[Verdict], Mutant] = {}
        for mutant, files in tests.items():
            if files:
                futures[pool.submit(self._trial, mutant, stage, files, limits[files])] = mutant
            else:
                yield mutant, Verdict("none")
        for future in as_completed(futures):
            yield futures[future], future.result()

    def _trial(self, mutant: Mutant, stage: str, files: tuple[str, ...], seconds: float) -> Verdict:
        return self._in_copy(lambda copy: copy.trial(mutant, stage, files, seconds))

    def _in_copy(self, what: Callable[[Copy], Result]) -> Result:
        with self._copy() as copy:
            return what(copy)

    @contextmanager
    def _copy(self) -> Iterator[Copy]:
        copy = self._copies.get()
        try:
            yield copy
        finally:
            self._copies.put(copy)
