"""The result of a run, as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.mutation.mutants import PACKAGES, Mutant


@dataclass(frozen=True)
class Trial:
    """A mutant, the kind of tests that saw it (unit, integration, none), and the reason why it is not a fault, if it is not one."""

    mutant: Mutant
    seen_by: str
    reason: str = ""


def report(trials: Sequence[Trial], planned: int, seed: int, only: str = "") -> str:
    """Return the page. Pure but for today's date."""
    lines = [
        "# Mutation testing",
        "",
        f"Written by `make mutate` on {datetime.now(UTC):%Y-%m-%d}: {len(trials)} of {planned} mutants, seed {seed}{f', only {only}' if only else ''}.",
        "Each is one small fault in one module; the tests that belong to the module are run against it, the unit tests first.",
        "A third of them change a limit by ten times: retry timing, freshness, state intervals, memory bounds.",
        "",
        "| package | mutants | no fault | caught by unit tests | by integration tests only | not caught | caught |",
        "|---|---|---|---|---|---|---|",
        *(_row(package, [one for one in trials if one.mutant.package == package]) for package in PACKAGES),
        _row("all", trials),
        "",
        "## Not caught",
        "",
        *_listed([(one.mutant, "") for one in trials if one.seen_by == "none"]),
        "",
        "## No fault",
        "",
        *_listed([(one.mutant, one.reason) for one in trials if one.reason]),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, trials: Sequence[Trial]) -> str:
    kinds = Counter("no fault" if one.reason else one.seen_by for one in trials)
    faults, caught = len(trials) - kinds["no fault"], kinds["unit"] + kinds["integration"]
    share = f"{100 * caught / faults:.0f} of 100" if faults else ""
    return f"| {name} | {len(trials)} | {kinds['no fault']} | {kinds['unit']} | {kinds['integration']} | {kinds['none']} | {share} |"


def _listed(rows: Sequence[tuple[Mutant, str]]) -> list[str]:
    return [
        f"- `{one.place.module}:{one.place.line}`: `{one.before}` as `{one.after}`{f': {reason}' if reason else ''}" for one, reason in rows
    ] or ["None."]
