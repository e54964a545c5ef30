"""Measures both connectors against references in one run, and writes benchmarks/RESULTS.md.

Everything is a whole process against the emulator in a process of its own, with a stated time per request and Mailchimp's
limit of ten connections on. Absolute times are those of one machine; the ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests
from measure import Figures, measure

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
WORKERS = 10
PAGE, BULK = 1000, 500
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
    return EmulatorProcess(journal=False, behaviour={"latency_share_after": 0.5}, **options)


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


def read(bench: Bench, mailchimp: EmulatorProcess, state: Any = None, stdout: Path | None = None) -> Figures:
    """Read all contacts with the source."""
    command = [str(BIN / "source-mailchimp-unified"), "read", "--config", str(bench.write("source.json", credentials(mailchimp)))]
    command += ["--catalog", str(bench.write("catalog.json", catalog("contacts")))]
    if state is not None:
        command += ["--state", str(bench.write("state.json", state))]
    mailchimp.reset_stats()
    return measure(command, stdout=stdout)


def last_state(path: Path) -> list[Any]:
    """Return the last state of an output."""
    states = [line for line in path.open() if line.startswith('{"type":"STATE"')]
    return [json.loads(states[-1])["state"]]


def reading_one_list(bench: Bench) -> None:
    """One list of 200,000: CPU against a bare loop, wall clock against the ideal, and an incremental sync."""
    contacts = bench.contacts(200_000)
    with emulator() as mailchimp:
        list_id = seed(mailchimp, contacts)
        # Once for the emulator's own caches, not counted.
        read(bench, mailchimp)
        bare = measure([sys.executable, str(HERE / "bare_loop.py"), mailchimp.url, DEFAULT_API_KEY, list_id])
        bench.add(Row(f"bare loop, {contacts} contacts, no latency", bare, contacts / bare.wall))
        figures = read(bench, mailchimp)
        bench.add(
            Row(
                f"source, {contacts} contacts, no latency", figures, contacts / figures.wall, "CPU / bare loop", figures.cpu / bare.cpu, 2.5
            )
        )
        for latency, target in ((0.1, None), (1.0, 1.3)):
            mailchimp.latency(latency)
            figures = read(bench, mailchimp)
            ideal = contacts / PAGE * latency / WORKERS
            bench.add(Row(f"source, {contacts} contacts, {latency:g} s a request", figures, contacts / figures.wall, "wall / ideal",
                          figures.wall / ideal, target))  # fmt: skip
        incremental(bench, mailchimp, list_id, contacts)


def incremental(bench: Bench, mailchimp: EmulatorProcess, list_id: str, contacts: int) -> None:
    """Read after one percent of the contacts changed."""
    output = bench.folder / "output.jsonl"
    mailchimp.latency(0)
    mailchimp.clock(advance=10)
    read(bench, mailchimp, stdout=output)
    state = last_state(output)
    mailchimp.clock(advance=10)
    # So many edits before the one request that follows.
    mailchimp.churn(edits_per_request=contacts // 100, mix={"edit": 1.0}, list_id=list_id)
    requests.get(f"{mailchimp.url}/3.0/ping", auth=("anystring", DEFAULT_API_KEY), timeout=130).raise_for_status()
    mailchimp.stop_churn()
    mailchimp.clock(advance=10)
    mailchimp.latency(0.1)
    figures = read(bench, mailchimp, state)
    cost = f"{mailchimp.stats()['requests']} requests"
    bench.add(Row(f"source, {contacts // 100} of {contacts} changed, 0.1 s a request", figures, ratio=cost))


def reading_many_lists(bench: Bench) -> None:
    """A hundred lists of 2,000."""
    each = bench.contacts(2_000)
    with emulator() as mailchimp:
        for number in range(100):
            mailchimp.seed(name=f"List {number}", contacts=each, merge_fields=MERGE_FIELDS)
        mailchimp.latency(0.1)
        figures = read(bench, mailchimp)
        ideal = mailchimp.stats()["requests"] * 0.1 / WORKERS
        bench.add(Row(f"source, 100 lists of {each}, 0.1 s a request", figures, 100 * each / figures.wall, "wall / (requests x latency / workers)",
                      figures.wall / ideal))  # fmt: skip


def reading_declaratively(bench: Bench) -> None:
    """The same members, read by a low-code manifest on the same CDK."""
    contacts = bench.contacts(20_000)
    with emulator() as mailchimp:
        seed(mailchimp, contacts)
        config = bench.write("declarative.json", {"apikey": DEFAULT_API_KEY, "api_url": mailchimp.url})
        command = [
            str(BIN / "source-declarative-manifest"),
            "read",
            "--config",
            str(config),
            "--manifest-path",
            str(HERE / "declarative.yaml"),
        ]
        theirs = measure([*command, "--catalog", str(bench.write("members.json", catalog("list_members")))])
        bench.add(Row(f"low-code manifest, {contacts} contacts, no latency", theirs, contacts / theirs.wall))
        startup = measure([sys.executable, "-c", "import airbyte_cdk.entrypoint"])
        ours = next(row for row in bench.rows if row.case.startswith("source,") and "no latency" in row.case)
        # Rates while reading: start-up is the same for both.
        count = int(ours.case.split()[1])
        ratio = (count / (ours.figures.wall - startup.wall)) / (contacts / (theirs.wall - startup.wall))
        bench.add(
            Row(
                "source against the low-code manifest",
                ours.figures,
                ratio="contacts a second, ratio",
                value=ratio,
                target=25,
                at_least=True,
            )
        )


def reading_memory(bench: Bench) -> None:
    """Peak memory of a big list and of a ten times bigger one."""
    peaks = []
    for contacts in (bench.contacts(100_000), bench.contacts(1_000_000)):
        with emulator() as mailchimp:
            seed(mailchimp, contacts)
            figures = read(bench, mailchimp)
            peaks.append(figures.peak_mb)
            bench.add(Row(f"source, memory of {contacts} contacts", figures, contacts / figures.wall, "MB", figures.peak_mb, 250))
    bench.add(Row("source, memory of ten times as many", figures, ratio="peak / peak", value=peaks[1] / peaks[0], target=1.2))


def contact_lines(count: int, first: int = 0, **more: Any) -> Iterator[str]:
    """Yield RECORD messages of contacts."""
    for number in range(first, first + count):
        row = {"email": f"contact.{number}@example.org", "first_name": "Ada", "custom_fields": {"LTV": number, "COMPANY": "Acme"}, **more}
        yield json.dumps({"type": "RECORD", "record": {"stream": "contacts", "data": row, "emitted_at": 0}})
        if number % 10_000 == 0:
            stream_state = {"stream_descriptor": {"name": "contacts"}, "stream_state": {"n": number}}
            yield json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream_state, "id": number + 1}})


def write(bench: Bench, mailchimp: EmulatorProcess, list_id: str, lines: Iterator[str], **more: Any) -> Figures:
    """Write messages with the destination."""
    path = bench.folder / "input.jsonl"
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)
    command = [str(BIN / "destination-mailchimp-unified"), "write"]
    command += ["--config", str(bench.write("destination.json", credentials(mailchimp, list_id=list_id, **more)))]
    mailchimp.reset_stats()
    return measure([*command, "--catalog", str(bench.write("catalog.json", catalog("contacts")))], stdin=path)


def writing(bench: Bench) -> None:
    """New contacts with tags, the same again, and the removal of a tag; against the ideal and against a PUT per contact."""
    contacts = bench.contacts(100_000)
    with emulator() as mailchimp:
        list_id = seed(mailchimp, 0)
        mailchimp.latency(1.0)
        singles = 200
        puts = measure([sys.executable, str(HERE / "single_puts.py"), mailchimp.url, DEFAULT_API_KEY, list_id, str(singles), str(WORKERS)])
        bench.add(Row(f"one PUT per contact, {singles} contacts, 1 s a request", puts, singles / puts.wall))
        ideal = contacts / BULK / WORKERS
        figures = write(bench, mailchimp, list_id, contact_lines(contacts, tags=["Bench", "New"]))
        bench.add(Row(f"destination, {contacts} new with tags, 1 s a request", figures, contacts / figures.wall, "wall / ideal of bulk calls",
                      figures.wall / ideal, 1.3))  # fmt: skip
        bench.add(Row("destination against one PUT per contact", figures, ratio="contacts a second, ratio",
                      value=(contacts / figures.wall) / (singles / puts.wall), target=20, at_least=True))  # fmt: skip
        figures = write(bench, mailchimp, list_id, contact_lines(contacts, vip=True))
        bench.add(Row(f"destination, {contacts} existing, 1 s a request", figures, contacts / figures.wall,
                      f"{mailchimp.stats()['requests']} requests"))  # fmt: skip
        half = contacts // 2
        figures = write(bench, mailchimp, list_id, contact_lines(contacts, first=half, tags=["Mixed"]))
        bench.add(Row(f"destination, {half} new and {half} existing with tags, 1 s a request", figures, contacts / figures.wall,
                      f"{mailchimp.stats()['requests']} requests"))  # fmt: skip
        removed = bench.contacts(10_000)
        lines = (json.dumps({"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 0, "data": {
            "email": f"contact.{number}@example.org", "tags_to_remove": ["Bench"]}}}) for number in range(removed))  # fmt: skip
        figures = write(bench, mailchimp, list_id, lines)
        bench.add(Row(f"destination, {removed} tag removals, 1 s a request", figures, removed / figures.wall,
                      f"{mailchimp.stats()['requests']} requests"))  # fmt: skip


def writing_memory(bench: Bench) -> None:
    """Peak memory of writing many contacts and ten times as many."""
    peaks = []
    for contacts in (bench.contacts(100_000), bench.contacts(1_000_000)):
        with emulator() as mailchimp:
            list_id = seed(mailchimp, 0)
            figures = write(bench, mailchimp, list_id, contact_lines(contacts))
            peaks.append(figures.peak_mb)
            bench.add(Row(f"destination, memory of {contacts} contacts", figures, contacts / figures.wall, "MB", figures.peak_mb, 250))
    bench.add(Row("destination, memory of ten times as many", figures, ratio="peak / peak", value=peaks[1] / peaks[0], target=1.2))


def starting(bench: Bench) -> None:
    """Start-up: spec against importing the CDK's entry point, and a check without latency; the best of five."""

    def best(command: Sequence[str]) -> Figures:
        return min((measure(command) for _ in range(5)), key=lambda figures: figures.wall)

    imported = best([sys.executable, "-c", "import airbyte_cdk.entrypoint"])
    bench.add(Row("import of airbyte_cdk.entrypoint", imported))
    with emulator() as mailchimp:
        list_id = seed(mailchimp, 10)
        for name in ("source", "destination"):
            script = str(BIN / f"{name}-mailchimp-unified")
            figures = best([script, "spec"])
            bench.add(Row(f"{name} spec", figures, ratio="wall / import", value=figures.wall / imported.wall, target=1.2))
            config = bench.write(f"{name}.json", credentials(mailchimp, **({"list_id": list_id} if name == "destination" else {})))
            figures = best([script, "check", "--config", str(config)])
            bench.add(Row(f"{name} check", figures, ratio="wall / import", value=figures.wall / imported.wall))


CASES: dict[str, Callable[[Bench], None]] = {
    "starting": starting,
    "reading_one_list": reading_one_list,
    "reading_many_lists": reading_many_lists,
    "reading_declaratively": reading_declaratively,
    "reading_memory": reading_memory,
    "writing": writing,
    "writing_memory": writing_memory,
}


def report(bench: Bench) -> str:
    """Return the results as Markdown."""
    when = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on {when}: Python {platform.python_version()}, airbyte-cdk {version('airbyte-cdk')}.",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}.",
        f"The emulator runs in a process of its own; {WORKERS} workers, {WORKERS} connections at most.",
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
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the cases named on the command line, or all; only a full run is written down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="cases to run (all)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the contacts, for a quick look")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.scale)
        for name in arguments.cases or CASES:
            CASES[name](bench)
    if not arguments.cases and arguments.scale == 1.0:
        (HERE / "RESULTS.md").write_text(report(bench))
    else:
        print(report(bench))


if __name__ == "__main__":
    main()
