"""Rejected records are corrected and sent again: through the example, and by hand as the documentation shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import config
from mailchimp_emulator import Emulator
from unit_tests.documents import ROOT, blocks

Json = dict[str, Any]

PAGE = ROOT / "docs" / "integrations" / "destinations" / "mailchimp-unified.md"
RULES = [
    {"column": "Mail", "field": "email", "stream": "guests"},
    {"column": "Since", "field": "custom_fields.SINCE", "stream": "guests"},
    {"column": "address", "field": "email", "stream": "customers"},
    {"column": "vip", "field": "vip", "stream": "customers"},
    {"column": "Anything", "field": "custom_fields.SINCE", "stream": "never rejected"},
]
ROWS: list[tuple[str, Json]] = [
    ("guests", {"Mail": "good@contacts.example", "Since": "2026-01-31"}),
    ("guests", {"Mail": "broken", "Since": "2026-01-31"}),
    ("customers", {"address": "b@contacts.example", "vip": "?"}),
    ("guests", {"Mail": "c@contacts.example", "Since": "yesterday", "tags": "kept"}),
    ("guests", {"Mail": "busy@contacts.example"}),
]


def record(stream: str, columns: Json, **more: Any) -> Json:
    """A RECORD message."""
    return {"type": "RECORD", "record": {"stream": stream, "emitted_at": 1, "data": columns, **more}}


def catalog(*streams: str, **more: Any) -> Json:
    """A configured catalog of streams whose columns the records tell."""
    described = [{"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]} for name in streams]
    return {"streams": [{"stream": one, "sync_mode": "full_refresh", "destination_sync_mode": "append_dedup", **more} for one in described]}


def written(path: Path, content: object) -> Path:
    """Write a JSON file."""
    path.write_text(json.dumps(content))
    return path


def lines(path: Path) -> list[Json]:
    """JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def save(path: Path, content: list[Any]) -> None:
    """Write JSON lines."""
    path.write_text("".join(f"{json.dumps(line)}\n" for line in content))


class Bench:
    """An account, a configuration in a folder, the destination's command, and the example."""

    def __init__(self, mailchimp: Emulator, folder: Path) -> None:
        self.mailchimp, self.folder = mailchimp, folder
        [self.list_id] = mailchimp.seed(name="Audience", merge_fields=[{"tag": "SINCE", "type": "date"}])
        self.rejected = folder / "rejected.jsonl"
        self.configure()

    def configure(self, **options: Any) -> None:
        """Write the configuration, which keeps rejects in a file."""
        kept = {"list_id": self.list_id, "rejected_records": "file", "rejected_records_file": str(self.rejected), "field_mapping": RULES}
        written(self.folder / "config.json", config(self.mailchimp.url, **{**kept, **options}))

    def sync(self, rows: list[Json], configured: Json) -> subprocess.CompletedProcess[str]:
        """Write messages, as a platform does."""
        written(self.folder / "catalog.json", configured)
        arguments = ["write", "--config", "config.json", "--catalog", "catalog.json"]
        return self._run([self.command, *arguments], "".join(f"{json.dumps(row)}\n" for row in rows))

    @property
    def command(self) -> str:
        """The destination's command."""
        return str(Path(sys.executable).with_name("destination-mailchimp-unified"))

    def send_again(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the example."""
        return self._run([sys.executable, str(ROOT / "examples" / "activate.py"), "--config", "config.json", *arguments])

    def _run(self, command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False, cwd=self.folder)

    def members(self) -> dict[str, Json]:
        """Every contact, by the name before the @."""
        return {member["email_address"].partition("@")[0]: member for member in self.mailchimp.members(self.list_id)}

    def requests(self) -> int:
        """How many requests Mailchimp has had."""
        return len(self.mailchimp.journal())


@pytest.fixture
def bench(mailchimp: Emulator, tmp_path: Path) -> Bench:
    """An empty audience."""
    return Bench(mailchimp, tmp_path)


@pytest.fixture
def rejects(bench: Bench) -> Bench:
    """An account after a sync of two streams with four rejects, one of them for some hours."""
    bench.mailchimp.behavior(throttled_signups={"busy@contacts.example": -1})
    done = bench.sync([record(*row) for row in ROWS], catalog("guests", "customers", "never rejected"))
    assert done.returncode == 0, done.stdout
    assert set(bench.members()) == {"good"}
    assert len(lines(bench.rejected)) == 4
    return bench


def corrected(line: Json) -> Json:
    """A reject as somebody corrects it in an editor."""
    right = {"Mail": "a@contacts.example", "Since": "2026-02-01", "vip": True}
    wrong = {"broken", "yesterday", "?"}
    return {**line, "record": {name: right[name] if value in wrong else value for name, value in line["record"].items()}}


def test_rejects_are_corrected_and_sent_again(rejects: Bench) -> None:
    """Only the rejects are sent, each in its stream and by its rules; what is rejected again is in the new file, and nothing else."""
    save(rejects.rejected, [corrected(line) for line in lines(rejects.rejected)])
    before = rejects.rejected.read_text()
    done = rejects.send_again("--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 records written, 1 rejected" in done.stdout
    assert rejects.rejected.read_text() == before
    found = rejects.members()
    assert found.keys() == {"good", "a", "b", "c"}
    assert found["a"]["merge_fields"]["SINCE"] == "2026-01-31"
    assert (found["c"]["merge_fields"]["SINCE"], found["c"]["tags"]) == ("2026-02-01", ["kept"])
    [left] = lines(rejects.folder / "again.jsonl")
    assert (left["stream"], left["retry"], left["record"]) == ("guests", "later", {"Mail": "busy@contacts.example"})

    rejects.mailchimp.behavior(throttled_signups={})
    done = rejects.send_again("--rejected", "again.jsonl", "--only", "later")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "busy" in rejects.members()


def test_nothing_left_is_silent(rejects: Bench) -> None:
    """A file without rejects sends nothing, asks nothing and says nothing."""
    (rejects.folder / "empty.jsonl").write_text("\n")
    asked = rejects.requests()
    done = rejects.send_again("--rejected", "empty.jsonl")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert rejects.requests() == asked


def test_sending_again_what_was_written_changes_nothing(rejects: Bench) -> None:
    """The same file a second time finds every contact as it is."""
    save(rejects.rejected, [corrected(line) for line in lines(rejects.rejected) if "retry" not in line])
    rejects.send_again("--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl")
    before = rejects.members()
    done = rejects.send_again("--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl")

    assert done.returncode == 0, done.stdout
    assert rejects.members() == before
    assert not (rejects.folder / "again.jsonl").exists()


def test_only_those_for_later_are_sent(rejects: Bench) -> None:
    """With --only later the others wait to be corrected."""
    rejects.mailchimp.behavior(throttled_signups={})
    done = rejects.send_again("--rejected", "rejected.jsonl", "--only", "later", "--still-rejected", "again.jsonl")

    assert done.returncode == 0, done.stdout
    assert "1 records written, 0 rejected" in done.stdout
    assert rejects.members().keys() == {"good", "busy"}


def test_a_dry_run_writes_nothing(rejects: Bench) -> None:
    """With --dry-run the corrections are tried, and every planned outcome is kept."""
    save(rejects.rejected, [corrected(line) for line in lines(rejects.rejected)])
    before = rejects.members()
    done = rejects.send_again("--rejected", "rejected.jsonl", "--dry-run", "--still-rejected", "planned.jsonl")

    assert done.returncode == 0, done.stdout
    assert rejects.members() == before
    planned = rejects.folder / "planned.jsonl"
    assert [line["outcome"] for line in lines(planned)].count("created") == 4
    save(planned, [*lines(planned), {"outcome": "leaving", "list_id": "a", "contact_id": "c", "email": "left@contacts.example"}])
    done = rejects.send_again("--rejected", "planned.jsonl")
    assert (done.returncode, "5 planned outcomes" in done.stdout) == (0, True)
    assert rejects.members() == before


@pytest.mark.parametrize("how", ["configuration", "option", "link"])
def test_the_file_that_is_read_is_not_written(rejects: Bench, how: str) -> None:
    """A replay that would append to the file it reads is refused before anything is sent, even if the file is given by another name."""
    options = {"configuration": [], "option": ["--still-rejected", "./rejected.jsonl"], "link": ["--still-rejected", "link.jsonl"]}[how]
    (rejects.folder / "link.jsonl").symlink_to(rejects.rejected)
    before, asked = rejects.rejected.read_text(), rejects.requests()
    done = rejects.send_again("--rejected", "rejected.jsonl", *options)

    assert done.returncode == 1
    assert "--still-rejected" in done.stderr
    assert (rejects.rejected.read_text(), rejects.requests()) == (before, asked)


GOOD = {"stream": "guests", "outcome": "rejected", "record": {"Mail": "a@contacts.example"}}


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "no json",
        "[]",
        "{}",
        json.dumps({"stream": "guests", "record": {}}),
        json.dumps({**GOOD, "outcome": "failed"}),
        json.dumps({**GOOD, "record": "a@contacts.example"}),
        json.dumps({"stream": "guests", "outcome": "rejected"}),
        json.dumps({"outcome": "rejected", "record": {}}),
        json.dumps({**GOOD, "namespace": 1}),
        json.dumps(record("guests", {"Mail": "a@contacts.example"})),
    ],
)
def test_a_line_that_is_no_reject_is_named(bench: Bench, line: str) -> None:
    """The line is named and nothing is sent, not even the good ones before it."""
    bench.rejected.write_text(f"{json.dumps(GOOD)}\n\n{line}\n{json.dumps(GOOD)}\n")
    asked = bench.requests()
    done = bench.send_again("--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl")

    assert done.returncode == 1
    assert "rejected.jsonl, line 3: " in done.stderr
    assert "Traceback" not in done.stderr
    assert bench.requests() == asked


def test_a_reject_without_a_record_is_named(bench: Bench) -> None:
    """Of a line that was no record there is nothing to send; it is named, and the others are sent."""
    broken = {"number": 2, "outcome": "rejected", "reason": "the line is not JSON", "line": "no json"}
    bench.rejected.write_bytes(b"\xef\xbb\xbf" + "".join(f"{json.dumps(one)}\r\n" for one in (broken, GOOD)).encode())
    done = bench.send_again("--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "line 1" in done.stdout
    assert bench.members().keys() == {"a"}


@pytest.mark.parametrize(
    "arguments", [["--rejected", "missing.jsonl"], ["--rejected", "rejected.jsonl", "table.csv"], ["--only", "later", "table.csv"]]
)
def test_a_command_that_makes_no_sense_is_refused(bench: Bench, arguments: list[str]) -> None:
    """A file that is not there, a table together with rejects, and an option that belongs to rejects."""
    save(bench.rejected, [GOOD])
    done = bench.send_again(*arguments)

    assert done.returncode == 2
    assert bench.members() == {}


def test_streams_with_objects_are_sent_by_their_catalog(bench: Bench) -> None:
    """With the catalog of a data activation rejects go to its audiences and columns; a stream that it lacks is named."""
    bench.configure(list_id="", field_mapping=[])
    configured = catalog("guests", destination_object_name=f"Audience ({bench.list_id})")
    rows = [{"email": "broken", "SINCE": "2026-01-31", "FNAME": "Ada"}, {"email": "b@contacts.example"}]
    assert bench.sync([record("guests", row) for row in rows], configured).returncode == 0
    save(bench.rejected, [{**line, "record": {**line["record"], "email": "a@contacts.example"}} for line in lines(bench.rejected)])
    again = ["--rejected", "rejected.jsonl", "--still-rejected", "again.jsonl", "--catalog", "catalog.json"]
    done = bench.send_again(*again)

    assert done.returncode == 0, done.stdout + done.stderr
    fields = bench.members()["a"]["merge_fields"]
    assert (fields["SINCE"], fields["FNAME"]) == ("2026-01-31", "Ada")
    written(bench.folder / "catalog.json", catalog("others"))
    done = bench.send_again(*again)
    assert (done.returncode, "line 1" in done.stderr, "guests" in done.stderr) == (1, True, True)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_page_shows_how_to_send_rejects_by_hand(rejects: Bench) -> None:
    """The commands of the page, as they stand there, write the corrected records of a real file, and leave everything else out."""
    kept = [corrected(line) for line in lines(rejects.rejected) if "retry" not in line]
    others = [{"outcome": "rejected", "line": "no json"}, {**kept[0], "outcome": "created"}]
    save(rejects.rejected, [*kept, *others])
    rejects.configure(rejected_records_file=str(rejects.folder / "again.jsonl"))
    written(rejects.folder / "catalog.json", catalog("guests", "customers", "never rejected"))
    [commands] = [block for block in blocks(PAGE, "bash") if "jq " in block]
    (rejects.folder / "bin").mkdir()
    (rejects.folder / "bin" / "destination-mailchimp-unified").symlink_to(rejects.command)
    path = f"{rejects.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-ec", commands], cwd=rejects.folder, env={"PATH": path}, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert rejects.members().keys() == {"good", "a", "b", "c"}
    assert not (rejects.folder / "again.jsonl").exists()
