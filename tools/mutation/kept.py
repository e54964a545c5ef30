"""What is kept of earlier runs: a mutant that was caught is not tried again while its module is the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from tools.mutation.mutants import Mutant
from tools.mutation.trials import Verdict


@dataclass
class Kept:
    """The verdicts of a sample in a file, one JSON object a line, the last of a mutant being the one that holds."""

    path: Path
    _verdicts: dict[str, list[Verdict]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            row = json.loads(line)
            self._verdicts.setdefault(row.pop("mutant"), []).append(Verdict(**row))

    def caught(self, mutant: Mutant) -> Verdict | None:
        """Return which tests caught a mutant in an earlier run, if any did."""
        verdicts = self._verdicts.get(_name(mutant), [])
        return verdicts[-1] if verdicts and verdicts[-1].seen_by != "none" else None

    def lived_at_first(self, mutant: Mutant) -> bool:
        """Return whether nothing caught a mutant when it was first tried."""
        return self._verdicts.get(_name(mutant), [Verdict("")])[0].seen_by == "none"

    def keep(self, mutant: Mutant, verdict: Verdict) -> None:
        """Add a verdict to the file."""
        self._verdicts.setdefault(_name(mutant), []).append(verdict)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps({"mutant": _name(mutant), "seen_by": verdict.seen_by, "hung": verdict.hung}) + "\n")


def _name(mutant: Mutant) -> str:
    return f"{mutant.place.module} {hashlib.sha256(mutant.text.encode()).hexdigest()}"
