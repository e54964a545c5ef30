"""`make simulate`: thousands of seeds, or one with its full log.

Seeds are spread over processes. The first failure of each kind is made small before it is shown.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from integration_tests.simulation.promises import Broken
from integration_tests.simulation.stories import Runs, broken, shown, smallest, story_of

SEEDS = 10_000
SEEDS_AT_ONCE = 20
MOST_SHRUNK = 3
REPLAY = "make simulate SEED={seed}"

Failure = tuple[int, list[Broken]]


def main(args: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m integration_tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this seed, with its full log")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many seeds to try ({SEEDS})")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes at once (one for each core)")
    chosen = parser.parse_args(args)
    console = Console(highlight=False, soft_wrap=True)
    if chosen.seed is not None:
        return replay(chosen.seed, console)
    return simulate(range(chosen.first, chosen.first + chosen.seeds), chosen.processes, console)


def replay(seed: int, console: Console) -> int:
    """Tell one story with its full log."""
    run = Runs().told(story_of(seed))
    console.print("\n".join(run.world.log), markup=False)
    console.print(f"Seed {seed}: " + ("; ".join(map(str, run.broken)) or "every promise held."), markup=False)
    return bool(run.broken)


def simulate(seeds: range, processes: int, console: Console) -> int:
    """Tell the stories of many seeds."""
    began, failures = time.monotonic(), list[Failure]()
    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("seeds", total=len(seeds), rate="")
        for done, failed in _told(seeds, processes):
            failures += failed
            rate = (progress.tasks[0].completed + done) / (time.monotonic() - began)
            progress.update(task, advance=done, rate=f"{rate:.1f} seeds/s" + (f", {len(failures)} failed" if failures else ""))
    _show(sorted(failures), console)
    seconds = time.monotonic() - began
    console.print(f"{len(seeds)} seeds in {seconds:.0f} s ({len(seeds) / seconds:.1f} per second): {len(failures)} failed.")
    return bool(failures)


def _told(seeds: range, processes: int) -> Iterator[tuple[int, list[Failure]]]:
    parts = [seeds[start : start + SEEDS_AT_ONCE] for start in range(0, len(seeds), SEEDS_AT_ONCE)]
    with ProcessPoolExecutor(processes) as pool:
        for future in as_completed([pool.submit(tell, part) for part in parts]):
            yield future.result()


def tell(seeds: range) -> tuple[int, list[Failure]]:
    """Tell the stories of some seeds; return how many, and those that broke a promise."""
    found = []
    for seed in seeds:
        try:
            failed = broken(seed)
        except Exception as error:  # noqa: BLE001 - a story that cannot be told is a failure of this seed
            failed = [Broken("the simulation itself", f"{type(error).__name__}: {error}")]
        if failed:
            found.append((seed, failed))
    return len(seeds), found


def _show(failures: list[Failure], console: Console) -> None:
    """Show the failures; the first of each promise made small."""
    first: dict[str, Failure] = {}
    for seed, failed in failures:
        first.setdefault(failed[0].promise, (seed, failed))
    for promise, count in Counter(failed[0].promise for _, failed in failures).most_common():
        seeds = [seed for seed, failed in failures if failed[0].promise == promise]
        console.print(f"\n{promise}: {count} seeds, of them {', '.join(map(str, seeds[:10]))}", markup=False)
    for promise, (seed, failed) in islice(first.items(), MOST_SHRUNK):
        console.print(f"\nSeed {seed} breaks a promise. {failed[0]}\nReplay it: {REPLAY.format(seed=seed)}", markup=False)
        if promise != "the simulation itself":
            console.print(f"The smallest story found that breaks it:\n{shown(smallest(seed, promise), '  ')}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
