"""Cases of the source: one big list, many lists, an incremental sync, memory; against a bare loop, the ideal and two peers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from harness import BIN, HERE, MERGE_FIELDS, PAGE, RUNS, WORKERS, Bench, Row, catalog, credentials, emulator, paced, seed
from measure import Figures, best, measure

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

RECORD = b'{"type":"RECORD"'
TAP_PYTHON = HERE.parent / ".venv-tap" / "bin" / "python"


def read(bench: Bench, mailchimp: EmulatorProcess, state: Any = None, stdout: Path | None = None) -> Figures:
    """Read all contacts with the source."""
    command = _read_command(bench, mailchimp, state)
    mailchimp.reset_stats()
    return measure(command, stdout=stdout)


def _read_command(bench: Bench, mailchimp: EmulatorProcess, state: Any = None) -> list[str]:
    command = [str(BIN / "source-mailchimp-unified"), "read", "--config", str(bench.write("source.json", credentials(mailchimp)))]
    command += ["--catalog", str(bench.write("catalog.json", catalog("contacts")))]
    if state is not None:
        command += ["--state", str(bench.write("state.json", state))]
    return command


def last_state(path: Path) -> list[Any]:
    """Return the last whole state of an output."""
    states = [line for line in path.open() if line.startswith('{"type":"STATE"') and line.endswith("\n")]
    return [json.loads(states[-1])["state"]]


def reading_one_list(bench: Bench) -> None:
    """One list of 200,000: CPU against a bare loop, wall clock against the ideal, and an incremental sync."""
    contacts = bench.contacts(200_000)
    with emulator() as mailchimp:
        list_id = seed(mailchimp, contacts)
        # Once for the emulator's own caches, not counted.
        read(bench, mailchimp)
        bare = best(bare_loop(mailchimp, list_id) for _ in range(RUNS))
        bench.add(Row(f"bare loop, {contacts} contacts, no latency", bare, contacts / bare.wall))
        figures = best(read(bench, mailchimp) for _ in range(RUNS))
        bench.add(
            Row(
                f"source, {contacts} contacts, no latency", figures, contacts / figures.wall, "CPU / bare loop", figures.cpu / bare.cpu, 2.5
            )
        )
        bench.add(per_contact(bench, figures, bare))
        for latency, target in ((0.1, None), (1.0, 1.3)):
            mailchimp.latency(latency)
            figures = best(read(bench, mailchimp) for _ in range(RUNS if target else 1))
            ideal = contacts / PAGE * latency / WORKERS
            bench.add(Row(f"source, {contacts} contacts, {latency:g} s a request", figures, contacts / figures.wall, "wall / ideal",
                          figures.wall / ideal, target))  # fmt: skip
        incremental(bench, mailchimp, list_id, contacts)


def bare_loop(mailchimp: EmulatorProcess, list_id: str) -> Figures:
    """Read one list with the least code there is."""
    return measure([sys.executable, str(HERE / "bare_loop.py"), mailchimp.url, DEFAULT_API_KEY, list_id])


def per_contact(bench: Bench, figures: Figures, bare: Figures) -> Row:
    """Compare the CPU of one contact more, start-up left out of both: what a list of ten contacts takes is start-up."""
    with emulator() as mailchimp:
        list_id = seed(mailchimp, 10)
        ours = best(read(bench, mailchimp) for _ in range(RUNS))
        theirs = best(bare_loop(mailchimp, list_id) for _ in range(RUNS))
    ratio = (figures.cpu - ours.cpu) / (bare.cpu - theirs.cpu)
    return Row("source, ten contacts", ours, ratio="CPU / bare loop, per contact: both without their start-up", value=ratio, target=2.0)


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
        bench.add(paced(f"source, 100 lists of {each}, 0.1 s a request", figures, 100 * each, mailchimp, 0.1))


def reading_as_airbyte(bench: Bench) -> None:
    """The same members, read by a low-code manifest on the same CDK."""
    contacts = bench.contacts(20_000)
    with emulator() as mailchimp:
        seed(mailchimp, contacts)
        config = bench.write("declarative.json", {"apikey": DEFAULT_API_KEY, "api_url": mailchimp.url})
        command = [str(BIN / "source-declarative-manifest"), "read", "--config", str(config)]
        command += [
            "--manifest-path",
            str(HERE / "declarative.yaml"),
            "--catalog",
            str(bench.write("members.json", catalog("list_members"))),
        ]
        theirs = measure(command)
        startup = measure([sys.executable, "-c", "import airbyte_cdk.entrypoint"])
        compare(bench, f"low-code manifest, {contacts} contacts, no latency", contacts, theirs, (startup.wall, startup.wall), 25)


def reading_as_singer(bench: Bench) -> None:
    """The same members, read by Singer's tap-mailchimp, where it is installed."""
    contacts = bench.contacts(20_000)
    tap = [str(TAP_PYTHON), str(HERE / "tap.py")]
    with emulator() as mailchimp:
        seed(mailchimp, contacts)
        config = {"api_key": DEFAULT_API_KEY, "dc": "us1", "start_date": "2000-01-01T00:00:00Z", "user_agent": "bench", "page_size": "1000"}
        options = [mailchimp.url, "--config", str(bench.write("tap.json", config))]
        found = bench.folder / "discovered.json"
        startup = measure([*tap, *options, "--discover"], stdout=found)
        selected = selected_members(json.loads(found.read_text()))
        theirs = measure([*tap, *options, "--catalog", str(bench.write("tap_catalog.json", selected))])
        ours = measure([sys.executable, "-c", "import airbyte_cdk.entrypoint"])
        compare(bench, f"tap-mailchimp, {contacts} contacts, no latency", contacts, theirs, (startup.wall, ours.wall))


def selected_members(discovered: dict[str, Any]) -> dict[str, Any]:
    """Return a Singer catalog with all fields of the members selected."""
    for stream in discovered["streams"]:
        if stream["tap_stream_id"] == "list_members":
            for one in stream["metadata"]:
                one["metadata"]["selected"] = True
            stream["metadata"].append({"breadcrumb": [], "metadata": {"selected": True}})
    return discovered


def compare(bench: Bench, case: str, contacts: int, theirs: Figures, startups: tuple[float, float], target: float | None = None) -> None:
    """Add a peer's figures and the ratio of the rates while reading; the seconds of start-up, theirs and ours, are left out."""
    bench.add(Row(case, theirs, contacts / theirs.wall))
    ours = next(row for row in bench.rows if row.case.startswith("source,") and "no latency" in row.case)
    rate = int(ours.case.split()[1]) / (ours.figures.wall - startups[1])
    ratio = rate / (contacts / (theirs.wall - startups[0]))
    name = f"source against the {case.partition(',')[0]}"
    bench.add(Row(name, ours.figures, ratio="contacts a second, ratio", value=ratio, target=target, at_least=True))


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


KILLED_AT = (0.075, 0.24, 0.175, 0.28)
"""The parts of a list after which a sync is killed, each counted from the state that the one before left."""


def reading_killed(bench: Bench) -> None:
    """A list that is read by five syncs, four of them killed: contacts emitted, against the contacts of the list."""
    contacts = bench.contacts(40_000)
    output, state, emitted = bench.folder / "killed.jsonl", None, 0
    with emulator() as mailchimp:
        seed(mailchimp, contacts)
        for share in KILLED_AT:
            emitted += _killed(_read_command(bench, mailchimp, state), output, int(share * contacts))
            state = last_state(output)
        figures = read(bench, mailchimp, state, output)
    emitted += _records(output)
    bench.add(
        Row(f"source, {contacts} contacts killed four times", figures, ratio="emitted / contacts", value=emitted / contacts, target=1.15)
    )


def _killed(command: list[str], output: Path, records: int) -> int:
    """Run a read until it has emitted so many records, and kill it. Returns how many it emitted."""
    with output.open("wb") as file, subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            file.write(line)
            seen += line.startswith(RECORD)
            if seen == records:
                process.kill()
    return seen


def _records(output: Path) -> int:
    with output.open("rb") as lines:
        return sum(line.startswith(RECORD) for line in lines)
