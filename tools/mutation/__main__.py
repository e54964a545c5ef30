"""Mutation testing: are small faults in the three packages seen by the tests that belong to them? What `make mutate` runs.

.venv-mutation/bin/python -m tools.mutation [--size 150] [--seed 1] [--only PATH]
"""

from __future__ import annotations

import argparse
import tempfile
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
    # The path to the interpreter, not what it links to: that would be the system's.
    trials = tried(chosen, arguments.python.absolute())
    page = report(trials, arguments.seed, arguments.only)
    if arguments.only:
        print(page)
        return
    RESULTS.write_text(page)
    print(f"Wrote {RESULTS.relative_to(ROOT)}")


def tried(chosen: list[Mutant], python: Path) -> list[Trial]:
    """Try mutants one after the other, and say what becomes of each. The checkout is left alone."""
    rows, reasons, trials = table(), equivalents(), []
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(ROOT, Path(folder), python)
        for number, mutant in enumerate(chosen, start=1):
            reason = reasons.get((mutant.place.module, mutant.before, mutant.after), "")
            seen_by = "" if reason else copy.trial(mutant, tests_of(mutant.place.module, rows))
            trials.append(Trial(mutant, seen_by, reason))
            print(
                f"{number}/{len(chosen)} {mutant.place.module}:{mutant.place.line}: {mutant.before}  ->  {mutant.after}: {reason or seen_by}",
                flush=True,
            )
    return trials


if __name__ == "__main__":
    main()
