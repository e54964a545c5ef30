"""The walks in docs/architecture.md are those that a page and a record really take."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import catalog, config
from integration_tests.walks.trace import MARK, ROOT, Walk
from mailchimp_emulator import Emulator
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.schemas import load_schema
from unit_tests.documents import tables

Json = dict[str, Any]

EMAIL = MARK.decode()
MOST_ENTRIES = 2
STATE: Json = {"type": "STATE", "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": "people"}, "stream_state": {"at": 1}}}}
PEOPLE: Json = {"stream": {"name": "people", "json_schema": load_schema("contacts"), "supported_sync_modes": ["full_refresh"]}}


@dataclass(frozen=True)
class Described:
    """A walk as the page describes it: the files of each step, and the functions that they call."""

    steps: list[list[str]]
    called: frozenset[str]


def described(heading: str, package: str) -> Described:
    """Return the walk in the table below a heading."""
    (table,) = (table for table in tables(ROOT / "docs" / "architecture.md") if table.heading == heading)

    def files(cell: str) -> list[str]:
        found = re.findall(r"`([\w/]+\.py)`", cell)
        return [file if file.startswith("mailchimp_unified/") else f"{package}/{file}" for file in found]

    return Described([files(cell) for cell in table.column(1)], frozenset(file for cell in table.column(3) for file in files(cell)))


PAGE = described("Reading: from a configuration to a message", "source_mailchimp_unified")
RECORD = described("Writing: from a message to an acknowledged state", "destination_mailchimp_unified")


def run(folder: Path, walk: str, verb: str, files: dict[str, Json], lines: Sequence[Json] = ()) -> Walk:
    """Run a command, watched. Each line is sent with a state behind it, once the state before has come back."""
    seen, arguments = folder / "walk.json", [verb]
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
        arguments += [f"--{name}", str(folder / name)]
    command = [sys.executable, "-m", "integration_tests.walks.trace", str(seen), walk, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        for line in lines:
            process.stdin.write(json.dumps(line).encode() + b"\n" + json.dumps(STATE).encode() + b"\n")
            process.stdin.flush()
            while b'"STATE"' not in (answer := process.stdout.readline()):
                assert answer, "the sync ended before the state was acknowledged"
        process.stdin.close()
        process.stdout.read()
    assert process.returncode == 0
    return Walk(**json.loads(seen.read_text()))


def page_walk(folder: Path, mailchimp: Emulator) -> Walk:
    """Read a list of one page."""
    (list_id,) = mailchimp.seed(name="Audience", contacts=2)
    mailchimp.place(list_id, EMAIL)
    present = [status for status in STATUSES if status != "archived"]
    return run(folder, "page", "read", {"config": config(mailchimp.url, statuses=present), "catalog": catalog(["contacts"])})


def record_walk(folder: Path, mailchimp: Emulator, write_mode: str, **columns: Any) -> Walk:
    """Write a contact that is new in bulk, and there already singly, after another one has made the audience known."""
    (list_id,) = mailchimp.seed(name="Audience")
    if write_mode == "single":
        mailchimp.place(list_id, EMAIL)
    columns = {"first_name": "Ada", "custom_fields": {"LNAME": "Lovelace"}, **columns}
    records = [
        {"type": "RECORD", "record": {"stream": "people", "emitted_at": 1, "data": {"email": email, **columns}}}
        for email in ("first@example.com", EMAIL)
    ]
    streams = {"streams": [{**PEOPLE, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}
    settings = config(mailchimp.url, list_id=list_id, write_mode=write_mode)
    return run(folder, "record", "write", {"config": settings, "catalog": streams}, records)


def assert_described(walk: Walk, description: Described) -> list[int]:
    """Assert that a walk has the steps described and enters none too often. Returns their numbers, in the order of the walk."""
    step = {file: number for number, files in enumerate(description.steps, 1) for file in files}
    passed = [file for file in walk.files if file in step]
    called = {file for file in walk.files if file not in step}
    assert called - description.called == set()
    assert not {file: walk.entries[file] for file in passed if walk.entries.get(file, 0) > MOST_ENTRIES}
    # What is not a step only computes something and returns it.
    assert not called & set(walk.waiting)
    assert not {file: walk.calls[file] for file in called & walk.calls.keys() if step.keys() & set(walk.calls[file])}
    return [step[file] for file in passed]


def test_a_page_of_contacts_passes_eight_files(tmp_path: Path, mailchimp: Emulator) -> None:
    """A page passes the eight files described, in their order, each entered at most twice; what these call only computes something."""
    walk = page_walk(tmp_path, mailchimp)
    assert assert_described(walk, PAGE) == list(range(1, 9))
    assert PAGE.called <= set(walk.files)


@pytest.mark.parametrize(("mode", "left_out"), [("bulk", "tagging"), ("single", "new_contacts")])
def test_a_record_passes_at_most_fourteen_files(mode: str, left_out: str, tmp_path: Path, mailchimp: Emulator) -> None:
    """A record passes the fourteen files described, in their order, but the one that its call has no need of."""
    (unneeded,) = (number for number, files in enumerate(RECORD.steps, 1) if files[0].endswith(f"{left_out}.py"))
    walk = record_walk(tmp_path, mailchimp, mode)
    assert assert_described(walk, RECORD) == [number for number in range(1, 15) if number != unneeded]


def test_a_record_with_tags_passes_all_fourteen(tmp_path: Path, mailchimp: Emulator) -> None:
    """A new contact with tags passes every step, and everything that the page says is called is called."""
    walk = record_walk(tmp_path, mailchimp, "bulk", tags=["new"])
    assert set(assert_described(walk, RECORD)) == set(range(1, 15))
    assert RECORD.called <= set(walk.files)
