"""The result of a run, as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.mutation.mutants import PACKAGES, Mutant


@dataclass(frozen=True)
class Trial:
    """A mutant, the kind of tests that saw it (unit, integration, none), and the reason why it is not a fault, if it is not one.

    `lived_at_first` tells that nothing caught it when it was first tried.
    """

    mutant: Mutant
    seen_by: str
    reason: str = ""
    lived_at_first: bool = False


def report(trials: Sequence[Trial], seed: int, only: str = "") -> str:
    """Return the page. Pure but for today's date."""
    since = [one for one in trials if one.lived_at_first and one.seen_by != "none"]
    lines = [
        "# Mutation testing",
        "",
        f"Written by `make mutate` on {datetime.now(UTC):%Y-%m-%d}: {len(trials)} mutants, seed {seed}{f', only {only}' if only else ''}.",
        "Each is one small fault in one module; the tests that belong to the module are run against it, the unit tests first.",
        "A third of them change a limit by ten times: retry timing, freshness, state intervals, memory bounds.",
        "\"At first\" is what was caught before tests were written for the sample's own survivors: that figure tells how likely a test misses the next fault.",
        "",
        "| package | mutants | no fault | caught by unit tests | by integration tests only | not caught | caught | at first |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(package, [one for one in trials if one.mutant.package == package]) for package in PACKAGES),
        _row("all", trials),
        "",
        "## Not caught",
        "",
        *_listed((one.mutant, "") for one in trials if one.seen_by == "none"),
        "",
        "## Caught only by tests written for them",
        "",
        *_listed((one.mutant, "") for one in since),
        "",
        "## No fault",
        "",
        *_listed((one.mutant, one.reason) for one in trials if one.reason),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(name: str, trials: Sequence[Trial]) -> str:
    kinds = Counter("no fault" if one.reason else one.seen_by for one in trials)
    faults, caught = len(trials) - kinds["no fault"], kinds["unit"] + kinds["integration"]
    at_first = faults - sum(one.lived_at_first for one in trials if not one.reason)
    return (
        f"| {name} | {len(trials)} | {kinds['no fault']} | {kinds['unit']} | {kinds['integration']} | {kinds['none']}"
        f" | {_share(caught, faults)} | {_share(at_first, faults)} |"
    )


def _share(caught: int, faults: int) -> str:
    return f"{100 * caught / faults:.0f} of 100" if faults else ""


def _listed(rows: Iterable[tuple[Mutant, str]]) -> list[str]:
    return [
        f"- `{one.place.module}:{one.place.line}`: `{one.before}` as `{one.after}`{f': {reason}' if reason else ''}" for one, reason in rows
    ] or ["None."]
