"""The examples do what the README says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from integration_tests.commands import config
from mailchimp_emulator import Emulator
from unit_tests.documents import ROOT, blocks

EXAMPLES = ROOT / "examples"
CUSTOMERS = "7a3c91e0d2"
ARCHIVED_BY_THE_DEMO, CREATED_BY_THE_DEMO = 1, 10
WIDTH = 100


def run(folder: Path, script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an example in a folder."""
    command = [sys.executable, EXAMPLES / script, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def written(path: Path, content: object) -> Path:
    """Write a configuration."""
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the demo ran, and what it printed. A real account's file lay there before."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "demo_output").mkdir()
    (folder / "demo_output" / "account-1.duckdb").write_text("of a real account")
    done = run(folder, "demo.py")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_the_demo_ends_with_typed_tables(demo: tuple[Path, str], mailchimp: Emulator) -> None:
    """The demo reads everything, then what changed, writes back and reads that, into tables with real types."""
    folder, _ = demo
    mailchimp.seed_demo()
    seeded = [member for one in mailchimp.lists() for member in mailchimp.members(one["id"])]

    with duckdb.connect(str(folder / "demo_output" / "demo.duckdb"), read_only=True) as warehouse:
        contacts = warehouse.sql("SELECT count(DISTINCT (list_id, id)) FROM contacts").fetchall()
        left = warehouse.sql("SELECT count(*) FROM contacts WHERE status = 'archived' AND is_deleted").fetchall()
        columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'contacts' AND table_schema = 'main'"
        types = dict(warehouse.sql(columns).fetchall())
        came_back = warehouse.sql(
            "SELECT d.was, c.status, c.custom_fields.PLAN, count(*) FROM deals d LEFT JOIN contacts c"
            f" ON c.email = d.contact_email AND c.list_id = '{CUSTOMERS}' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert contacts == [(len(seeded) + CREATED_BY_THE_DEMO,)]
    assert left == [(sum(member["status"] == "archived" for member in seeded) + ARCHIVED_BY_THE_DEMO,)]
    assert types["updated_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["custom_fields"].startswith("STRUCT(")
    assert "LTV DOUBLE" in types["custom_fields"]
    assert came_back == [
        ("not there", "subscribed", "Plus", 10),
        ("not there", None, None, 1),
        ("subscribed", "subscribed", "Pro", 40),
        ("unsubscribed", "unsubscribed", "Pro", 5),
    ]


def test_the_demo_shows_what_moved_and_why(demo: tuple[Path, str]) -> None:
    """Every edit is named, with the columns that it changed; everything but the last command fits the width of a terminal."""
    _, output = demo
    *lines, _ = output.splitlines()

    assert max(len(line.rstrip()) for line in lines) <= WIDTH
    for changed in ("status, unsubscribe_reason", "status, is_deleted", "tags, tags_count", "custom_fields", "name"):
        assert re.search(rf"^(contacts|lists) +1  changed: {changed} *$", output, re.MULTILINE), changed


def test_the_readme_shows_what_the_demo_prints(demo: tuple[Path, str]) -> None:
    """Every line of the output in the README is one of the demo, but for the seconds."""
    _, output = demo
    (shown,) = blocks(ROOT / "README.md", "text")
    seconds = re.compile(r"in \d+\.\d s")

    assert len(shown.splitlines()) > 5
    printed = {seconds.sub("", line).strip() for line in output.splitlines()}
    assert [line for line in shown.splitlines() if seconds.sub("", line).strip() not in printed] == []


def test_the_demo_ends_with_a_command_that_works(demo: tuple[Path, str]) -> None:
    """The last line can be pasted as it is."""
    folder, output = demo
    program, script, query = shlex.split(output.splitlines()[-1])

    assert program == ".venv/bin/python"
    shown = run(folder, script.removeprefix("examples/"), query)
    assert shown.returncode == 0, shown.stderr
    assert "archived" in shown.stdout


def test_the_demo_leaves_a_page_without_outside_parts(demo: tuple[Path, str]) -> None:
    """The report is one file that names nothing on the network, and shows the edits and the reject."""
    folder, output = demo
    page = (folder / "demo_output" / "report.html").read_text()

    assert "https://" not in page
    assert "<script" not in page
    assert "maria.gonzalez(at)example.org was rejected" in page
    assert "demo_output/report.html" in output


def test_the_demo_leaves_the_file_of_a_real_account_alone(demo: tuple[Path, str]) -> None:
    """The demo writes into files of its own."""
    folder, _ = demo

    assert (folder / "demo_output" / "account-1.duckdb").read_text() == "of a real account"


def test_the_states_are_not_among_the_tables(demo: tuple[Path, str]) -> None:
    """The schema of the tables holds the streams and nothing of the sync."""
    folder, _ = demo
    with duckdb.connect(str(folder / "demo_output" / "demo.duckdb"), read_only=True) as warehouse:
        tables = warehouse.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()

    assert {name for schema, name in tables if schema == "main"} == {"contacts", "lists", "tags", "users", "deals"}
    assert {name for schema, name in tables if schema == "sync"} == {"states", "account"}


def test_a_file_takes_one_account(mailchimp: Emulator, tmp_path: Path) -> None:
    """A sync reads what is new into its file, and refuses to mix another account into it before anything is written."""
    mailchimp.seed(id=CUSTOMERS, name="Customers", contacts=30)
    here = ["--config", written(tmp_path / "source.json", config(mailchimp.url)), "--json"]
    first, second = run(tmp_path, "sync.py", *here), run(tmp_path, "sync.py", *here)
    with duckdb.connect(str(tmp_path / "mailchimp.duckdb")) as warehouse:
        warehouse.sql("UPDATE sync.account SET id = 'another', name = 'Other Ltd'")
    mailchimp.rename_list(CUSTOMERS, "Renamed")
    refused = run(tmp_path, "sync.py", *here)

    assert json.loads(first.stdout.splitlines()[-1]) == {"contacts": 30, "lists": 1, "tags": 0, "users": 1}
    assert json.loads(second.stdout.splitlines()[-1]) == {"contacts": 0, "lists": 0, "tags": 0, "users": 0}
    assert refused.returncode == 1
    assert "Other Ltd" in refused.stderr
    assert "--database" in refused.stderr
    with duckdb.connect(str(tmp_path / "mailchimp.duckdb"), read_only=True) as warehouse:
        assert warehouse.sql("SELECT name FROM lists").fetchall() == [("Customers",)]


def test_a_configuration_that_does_not_work_ends_with_the_sources_words(mailchimp: Emulator, tmp_path: Path) -> None:
    """A wrong key ends the sync with what the connector says, and without a traceback."""
    wrong = {**config(mailchimp.url), "credentials": {"auth_type": "apikey", "apikey": "0" * 32 + "-us1"}}
    done = run(tmp_path, "sync.py", "--config", written(tmp_path / "source.json", wrong))

    assert done.returncode == 1
    assert "API key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", ["demo.py", "sync.py"])
@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("{", "is not JSON"), ("[]", "JSON object")])
def test_a_file_that_is_no_configuration_is_named(script: str, content: str | None, words: str, tmp_path: Path) -> None:
    """A missing file, or one that holds something else, is named before a connector starts."""
    if content is not None:
        (tmp_path / "source.json").write_text(content)
    done = run(tmp_path, script, "--config", "source.json")

    assert done.returncode == 2
    assert "source.json" in done.stderr
    assert words in done.stderr
