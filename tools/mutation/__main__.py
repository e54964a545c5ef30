"""Mutation testing: are small faults in the three packages seen by the tests that belong to them? What `make mutate` runs.

.venv-mutation/bin/python -m tools.mutation [--size 150] [--seed 24] [--only PATH] [--jobs 2]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.mutation.kept import Kept
from tools.mutation.mutants import Mutant, sample
from tools.mutation.report import Trial, report
from tools.mutation.running import Run
from tools.mutation.trials import equivalents

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "MUTATION.md"
KEPT = ROOT / ".mutation"
SEED = 24


def main() -> None:
    """Try a sample of mutants, and write what became of them; of a part of the packages only print it."""
    arguments = _arguments()
    chosen = sample(ROOT, arguments.size, arguments.seed, arguments.only)
    if arguments.list:
        for one in chosen:
            print(_words(one))
        return
    kept, reasons = Kept(KEPT / f"{arguments.seed}.jsonl"), equivalents()
    why = {one: reasons.get((one.place.module, one.before, one.after), "") for one in chosen}
    done = [Trial(one, "", reason) for one, reason in why.items() if reason]
    # The path to the interpreter, not what it links to: that would be the system's.
    run = Run(ROOT, arguments.python.absolute(), arguments.jobs, kept)
    for one, verdict in run.verdicts(one for one, reason in why.items() if not reason):
        done.append(Trial(one, verdict.seen_by, lived_at_first=kept.lived_at_first(one)))
        print(f"{len(done)}/{len(chosen)} {_words(one)}: {verdict.seen_by}{', by not ending' if verdict.hung else ''}", flush=True)
    page = report(sorted(done, key=lambda trial: trial.mutant), arguments.seed, arguments.only)
    if arguments.only:
        print(page)
    else:
        RESULTS.write_text(page)


def _words(one: Mutant) -> str:
    return f"{one.place.module}:{one.place.line}: {one.before}  ->  {one.after}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--size", type=int, default=150, help="how many mutants")
    parser.add_argument("--seed", type=int, default=SEED, help="which of the possible ones")
    parser.add_argument("--only", default="", help="a package, folder or module")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at once")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python", help="the environment of the tests")
    parser.add_argument("--list", action="store_true", help="list the mutants only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
