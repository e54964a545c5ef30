"""Mutation testing: are small faults in the three packages seen by the tests that belong to them? What `make mutate` runs.

.venv-mutation/bin/python -m tools.mutation [--size 150] [--seed 1] [--only PATH]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.mutation.mutants import Mutant, sample
from tools.mutation.report import Trial, report
from tools.mutation.trials import Copy, equivalents, table, tests_of

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "MUTATION.md"


def main() -> None:
    """Try a sample of mutants, and write what became of them; of a part of the packages only print it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--size", type=int, default=150, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which of the possible ones")
    parser.add_argument("--only", default="", help="a package, folder or module")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python", help="the environment of the tests")
    parser.add_argument("--list", action="store_true", help="list the mutants only")
    arguments = parser.parse_args()
    chosen = sample(ROOT, arguments.size, arguments.seed, arguments.only)
    if arguments.list:
        for one in chosen:
            print(f"{one.place.module}:{one.place.line}: {one.before}  ->  {one.after}")
        return
    done: list[Trial] = []
    # The path to the interpreter, not what it links to: that would be the system's.
    for trial in trials(chosen, arguments.python.absolute()):
        done.append(trial)
        place, result = trial.mutant.place, trial.reason or trial.seen_by
        print(
            f"{len(done)}/{len(chosen)} {place.module}:{place.line}: {trial.mutant.before}  ->  {trial.mutant.after}: {result}", flush=True
        )
        if not arguments.only:
            # Each time: a run that is broken off has told something.
            RESULTS.write_text(report(done, len(chosen), arguments.seed))
    if arguments.only:
        print(report(done, len(chosen), arguments.seed, arguments.only))


def trials(chosen: list[Mutant], python: Path) -> Iterator[Trial]:
    """Try mutants one after the other, and yield what becomes of each. The checkout is left alone."""
    rows, reasons = table(), equivalents()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(ROOT, Path(folder), python)
        for mutant in chosen:
            reason = reasons.get((mutant.place.module, mutant.before, mutant.after), "")
            yield Trial(mutant, "" if reason else copy.trial(mutant, tests_of(mutant.place.module, rows)), reason)


if __name__ == "__main__":
    main()
