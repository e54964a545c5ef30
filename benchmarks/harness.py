"""What all cases share: a local Mailchimp, the connectors' commands, and the table of results."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measure import Figures

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
WORKERS = 10
PAGE, BULK = 1000, 500
RUNS = 3
"""How often a case whose wall clock or CPU has a target is run; the best counts: other work on the machine only adds to it."""

MERGE_FIELDS = [{"tag": "LTV", "name": "Lifetime value", "type": "number"}, {"tag": "COMPANY", "name": "Company", "type": "text"}]


@dataclass
class Row:
    """A line of the results: what was measured, and a ratio with its target where there is one."""

    case: str
    figures: Figures
    per_second: float | None = None
    ratio: str = ""
    value: float | None = None
    target: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Say whether the target is met."""
        if self.value is None or self.target is None:
            return ""
        return "met" if (self.value >= self.target if self.at_least else self.value <= self.target) else "**missed**"


@dataclass
class Bench:
    """A run of all cases; `scale` shrinks the numbers of contacts for a quick look."""

    folder: Path
    scale: float
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep a result and show it."""
        self.rows.append(row)
        ratio = f"{row.ratio} {row.value:.2f} (target {row.target:g}: {row.verdict})" if row.value is not None and row.target else row.ratio
        print(f"{row.case}: {row.figures.wall:.1f} s, {row.figures.cpu:.1f} s CPU, {row.figures.peak_mb:.0f} MB. {ratio}", flush=True)

    def contacts(self, count: int) -> int:
        """Return a number of contacts, shrunk."""
        return max(BULK, int(count * self.scale))

    def write(self, name: str, content: Any) -> Path:
        """Write a JSON file."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path


def emulator(**options: Any) -> EmulatorProcess:
    """Return a Mailchimp in a process of its own. A request takes the latency in all, the emulator's own work included."""
    return EmulatorProcess(journal=False, behavior={"latency_share_after": 0.5}, **options)


def credentials(mailchimp: EmulatorProcess, **more: Any) -> dict[str, Any]:
    """Return a configuration."""
    return {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url, "num_workers": WORKERS, **more}


def catalog(stream: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a configured catalog of one stream."""
    described = {"name": stream, "json_schema": schema or {"type": "object", "properties": {}}, "supported_sync_modes": ["incremental"]}
    return {"streams": [{"stream": described, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}]}


def seed(mailchimp: EmulatorProcess, contacts: int, **more: Any) -> str:
    """Make an audience of contacts as they are in life: a few fields, a tag, a tenth of them in shared seconds."""
    (list_id,) = mailchimp.seed(
        name="Bench",
        contacts=contacts,
        tags=["A", "B", "C"],
        tags_per_contact=1,
        merge_fields=MERGE_FIELDS,
        ties={"groups": [1, 20]},
        **more,
    )
    return list_id


def paced(case: str, figures: Figures, contacts: int, mailchimp: EmulatorProcess, latency: float) -> Row:
    """Return a row that holds the wall clock against the requests that were made, if they kept all workers busy."""
    requests = mailchimp.stats()["requests"]
    ratio = f"wall / (requests x latency / workers), {requests} requests"
    return Row(case, figures, contacts / figures.wall, ratio, figures.wall / (requests * latency / WORKERS))


def report(bench: Bench) -> str:
    """Return the results as Markdown."""
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on {when}: Python {platform.python_version()}, airbyte-cdk {version('airbyte-cdk')}.",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}.",
        f"The emulator runs in a process of its own; {WORKERS} workers, {WORKERS} connections at most.",
        f"Of cases whose wall clock or CPU has a target the best of {RUNS} runs is shown: other work on the machine only adds to it.",
        "Absolute figures are those of this machine; the ratios are what counts.",
        "",
        "| case | wall s | CPU s | peak MB | contacts/s | ratio | measured | target | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in bench.rows:
        rate = f"{row.per_second:,.0f}" if row.per_second else ""
        measured = f"{row.value:.2f}" if row.value is not None else ""
        target = f"{'>=' if row.at_least else '<='} {row.target:g}" if row.target is not None else ""
        f = row.figures
        lines.append(
            f"| {row.case} | {f.wall:.1f} | {f.cpu:.1f} | {f.peak_mb:.0f} | {rate} | {row.ratio} | {measured} | {target} | {row.verdict} |"
        )
    if any("missed" in row.verdict for row in bench.rows):
        lines += [
            "",
            "Why a target is missed: [the stream](../docs/streaming.md#how-fast), [the process](../docs/architecture.md#the-process).",
        ]
    return "\n".join(lines) + "\n"
