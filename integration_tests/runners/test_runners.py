"""The examples of docs/running.md, each run with its tool against a local Mailchimp."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
import yaml

from integration_tests.airbyte.environments import environment
from integration_tests.commands import config
from mailchimp_emulator import Emulator
from mailchimp_workbench.database import VIEW_FILES, VIEWS
from unit_tests.documents import ROOT, blocks

pytestmark = pytest.mark.runners

EXAMPLES = ROOT / "examples"
RUNNING = ROOT / "docs" / "running.md"
LIST = "7a3c91e0d2"
SECONDS = 300


@pytest.fixture
def account(mailchimp: Emulator, tmp_path: Path) -> Emulator:
    """A Mailchimp with forty contacts, and the configuration of the source in source.json."""
    mailchimp.seed(id=LIST, name="Customers", contacts=40, tags=["VIP"], tags_per_contact=1)
    (tmp_path / "source.json").write_text(json.dumps(config(mailchimp.url)))
    return mailchimp


def edit(account: Emulator) -> None:
    """Let somebody leave, and let the second in which that happens be over."""
    account.act(LIST, account.members(LIST)[0]["email_address"], "unsubscribe_self")
    account.clock(advance=5)


def run(folder: Path, tool: str, command: Sequence[str | Path], **more: str | None) -> str:
    """Run a program of a tool's environment in a folder. Returns what it printed, errors included. A setting of None is left out."""
    binaries = environment(f".venv-{tool}", folder, f"{tool} is not installed: make test-runners").bin
    settings: dict[str, str | None] = {
        **os.environ,
        # The connectors and DuckDB are in the environment of these tests.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "DO_NOT_TRACK": "1",
        "MAILCHIMP_PYTHON": sys.executable,
        "MAILCHIMP_EXAMPLES": str(EXAMPLES),
        "MAILCHIMP_CONFIG": str(folder / "source.json"),
        "MAILCHIMP_DATABASE": str(folder / "mailchimp.duckdb"),
        **more,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    done = subprocess.run(
        [binaries / command[0], *command[1:]], cwd=folder, env=given,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def statuses(database: Path, table: str = "contacts") -> dict[str, int]:
    """Return the number of contacts by status."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return dict(connection.sql(f"SELECT status, count(*) FROM {table} GROUP BY status").fetchall())


def counts(output: str) -> list[dict[str, int]]:
    """Return the counts that syncs ended with, in order."""
    return [json.loads(found) for found in re.findall(r'\{"contacts": \d+, "lists": \d+, "tags": \d+, "users": \d+\}', output)]


COLUMNS = """
SELECT table_name, list(column_name ORDER BY ordinal_position)
FROM information_schema.columns WHERE table_schema LIKE 'analytics%' GROUP BY table_name
"""


DATED = "count(*) FILTER (status <> 'transactional'), count(*) FILTER (status IN ('unsubscribed', 'cleaned', 'archived'))"
"""Who joined and who left, among the contacts with a date on which they did."""


def described() -> dict[str, list[str]]:
    """Return the columns of each dbt model that its page describes."""
    pages = [yaml.safe_load(page.read_text()) for page in (EXAMPLES / "dbt" / "models").rglob("*.yml")]
    models = [model for page in pages for model in page.get("models", [])]
    return {model["name"]: [column["name"] for column in model["columns"] if column["description"]] for model in models}


def test_cron(account: Emulator, tmp_path: Path) -> None:
    """The line of the crontab reads what is new each time, and does nothing while another sync runs."""
    (crontab,) = blocks(RUNNING, "crontab")
    (line,) = [line for line in crontab.splitlines() if not line.startswith("#")]
    command = line.split(maxsplit=5)[5].replace("/srv/mailchimp/examples", str(EXAMPLES))
    command = command.replace("/srv/mailchimp/venv/bin/python", sys.executable).replace("/srv/mailchimp", str(tmp_path))
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, timeout=SECONDS, check=True)
        edit(account)

    log = (tmp_path / "sync.log").read_text()
    assert [count["contacts"] for count in counts(log)] == [40, 1]
    locked = subprocess.run(["flock", "sync.lock", "/bin/sh", "-c", command], cwd=tmp_path, timeout=SECONDS, check=False)
    assert locked.returncode == 1
    assert (tmp_path / "sync.log").read_text() == log


def test_meltano(account: Emulator, tmp_path: Path) -> None:
    """The job of the Meltano project fills the database."""
    (tmp_path / "meltano.yml").write_text((EXAMPLES / "meltano" / "meltano.yml").read_text())

    run(tmp_path, "meltano", ["meltano", "run", "mailchimp"], MAILCHIMP_API_KEY="unused")

    assert statuses(tmp_path / "mailchimp.duckdb") == {"subscribed": len(account.members(LIST))}


def test_dagster(account: Emulator, tmp_path: Path) -> None:
    """The assets are materialized, with the number of records of each."""
    materialize = ["dagster", "asset", "materialize", "--select", "*", "-f", EXAMPLES / "dagster" / "mailchimp.py"]
    output = run(tmp_path, "dagster", materialize, DAGSTER_HOME=str(tmp_path))

    assert [count["contacts"] for count in counts(output)] == [len(account.members(LIST))]
    assert output.count("ASSET_MATERIALIZATION -") == 4
    assert statuses(tmp_path / "mailchimp.duckdb") == {"subscribed": 40}


def test_airflow(account: Emulator, tmp_path: Path) -> None:
    """A run of the DAG fills the database."""
    settings = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_VAR_MAILCHIMP_PYTHON": sys.executable,
        "AIRFLOW_VAR_MAILCHIMP_EXAMPLES": str(EXAMPLES),
        "AIRFLOW_VAR_MAILCHIMP_CONFIG": str(tmp_path / "source.json"),
        "AIRFLOW_VAR_MAILCHIMP_DATABASE": str(tmp_path / "mailchimp.duckdb"),
    }
    run(tmp_path, "airflow", ["airflow", "db", "migrate"], **settings)
    output = run(tmp_path, "airflow", ["airflow", "dags", "test", "mailchimp_sync"], **settings)

    assert [count["contacts"] for count in counts(output)] == [len(account.members(LIST))]
    assert statuses(tmp_path / "mailchimp.duckdb") == {"subscribed": 40}


def test_dlt(account: Emulator, tmp_path: Path) -> None:
    """The pipeline loads everything once, then what changed, merged by key; all streams are read by one process."""
    pipeline = ["python", EXAMPLES / "dlt_pipeline.py", "--config", tmp_path / "source.json"]
    output = run(tmp_path, "dlt", pipeline, DLT_DATA_DIR=str(tmp_path / "dlt"))
    edit(account)
    account.reset_stats()
    output += run(tmp_path, "dlt", pipeline, DLT_DATA_DIR=str(tmp_path / "dlt"))

    assert [count["contacts"] for count in counts(output)] == [40, 1]
    assert statuses(tmp_path / "mailchimp_unified.duckdb", "mailchimp.contacts") == {"subscribed": 39, "unsubscribed": 1}
    assert account.stats()["peak_open"] <= 6


def test_dbt(mailchimp: Emulator, tmp_path: Path) -> None:
    """The models are built on the demo's account and pass their tests, and their figures are Mailchimp's own."""
    mailchimp.seed_demo()
    (tmp_path / "source.json").write_text(json.dumps(config(mailchimp.url)))
    database = tmp_path / "demo_output" / "demo.duckdb"
    run(tmp_path, "dbt", [sys.executable, EXAMPLES / "sync.py", "--config", "source.json", "--database", database])
    folders = ["--project-dir", EXAMPLES / "dbt", "--profiles-dir", EXAMPLES / "dbt"]
    writes = ["--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"]
    output = run(tmp_path, "dbt", ["dbt", "--no-use-colors", "build", *folders, *writes], MAILCHIMP_DATABASE=None)

    assert re.search(r"PASS=\d+ WARN=0 ERROR=0 SKIP=0", output)
    everybody = [(one["name"], member) for one in mailchimp.lists() for member in mailchimp.members(one["id"])]
    with duckdb.connect(str(database), read_only=True) as connection:
        reachable = dict(connection.sql("SELECT list_name, subscribed FROM analytics.reachability").fetchall())
        (current,) = connection.sql("SELECT count(*) FROM analytics.contacts_current").fetchall()
        (left,) = connection.sql("SELECT sum(contacts) FROM analytics.unsubscribe_reasons").fetchall()
        (tagged,) = connection.sql("SELECT sum(contacts) FROM analytics.tag_sizes").fetchall()
        (moved,) = connection.sql("SELECT sum(joined), sum(gone), sum(net) FROM analytics.audience_growth").fetchall()
        (dated,) = connection.sql(f"SELECT {DATED} FROM contacts WHERE coalesce(timestamp_opt, timestamp_signup) IS NOT NULL").fetchall()
        columns = dict(connection.sql(COLUMNS).fetchall())
    assert columns == described()
    names = {name for name, _ in everybody}
    assert reachable == {name: sum(m["status"] == "subscribed" for at, m in everybody if at == name) for name in names}
    assert current == (sum(member["status"] != "archived" for _, member in everybody),)
    assert left == (sum(member["status"] == "unsubscribed" for _, member in everybody),)
    assert tagged == (sum(len(member["tags"]) for _, member in everybody if member["status"] != "archived"),)
    assert moved == (dated[0], dated[1], dated[0] - dated[1])


EDGES = """
UPDATE contacts SET timestamp_signup = timestamp_opt - INTERVAL 40 DAY WHERE hash(id) % 5 = 0;
UPDATE contacts SET timestamp_opt = NULL, timestamp_signup = NULL, created_at = NULL WHERE hash(id) % 7 = 0;
UPDATE contacts SET timestamp_signup = updated_at, created_at = updated_at WHERE status = 'pending';
UPDATE contacts SET timestamp_opt = '2026-03-31 23:59:59Z', updated_at = '2026-08-31 23:30:00-05:00' WHERE hash(id) % 11 = 0;
INSERT INTO lists BY NAME SELECT * REPLACE ('empty' AS id, 'Nobody yet' AS name) FROM lists LIMIT 1;
INSERT INTO lists BY NAME SELECT * REPLACE ('gone' AS id, NULL AS name, true AS is_deleted) FROM lists LIMIT 1;
INSERT INTO contacts BY NAME SELECT * REPLACE ('gone' AS list_id) FROM contacts LIMIT 50;
"""
"""What accounts have and the demo lacks: confirmations after a sign-up, imports without a date, an empty and a deleted audience."""

_STATUSES = ("subscribed", "pending", "transactional", "unsubscribed", "cleaned", "archived")
_WITH = "sum(contacts) FILTER (status = '{}')"

SAME = {
    "reachable": (
        f"SELECT list_id, contacts, {', '.join(_STATUSES)} FROM analytics.reachability",
        f"SELECT list_id, sum(contacts), {', '.join(map(_WITH.format, _STATUSES))} FROM mailchimp_reachability GROUP BY ALL",
    ),
    "joined, left and net": (
        "SELECT list_id, date_trunc('month', day)::DATE, sum(joined), sum(gone), sum(net) FROM analytics.audience_growth GROUP BY ALL",
        "SELECT list_id, month, joined, departed, net FROM mailchimp_growth",
    ),
    "reasons": (
        "SELECT list_id, reason, contacts FROM analytics.unsubscribe_reasons",
        "SELECT list_id, reason, sum(contacts) FROM mailchimp_departure_reasons WHERE status = 'unsubscribed' GROUP BY ALL",
    ),
    "tag sizes": (
        "SELECT list_id, tag_name, contacts, subscribed FROM analytics.tag_sizes WHERE contacts > 0",
        "SELECT list_id, tag, contacts, reachable FROM mailchimp_tag_sizes",
    ),
    "contacts": (
        "SELECT list_id, email, status FROM analytics.contacts_current",
        "SELECT list_id, email, status FROM mailchimp_contacts WHERE status <> 'archived'",
    ),
    "when they joined": (
        "SELECT contact_id, joined_at AT TIME ZONE 'UTC' FROM analytics_staging.stg_contacts WHERE list_id <> 'gone'",
        "SELECT id, joined_at FROM mailchimp_contacts",
    ),
}
"""The same words of the dbt models and of the workbench's views."""


def test_dbt_and_the_workbench_say_the_same(mailchimp: Emulator, tmp_path: Path) -> None:
    """Over one database the models and the views give the same numbers for the same words."""
    mailchimp.seed_demo()
    (tmp_path / "source.json").write_text(json.dumps(config(mailchimp.url)))
    database = tmp_path / "demo_output" / "demo.duckdb"
    run(tmp_path, "dbt", [sys.executable, EXAMPLES / "sync.py", "--config", "source.json", "--database", database])
    with duckdb.connect(str(database)) as connection:
        connection.execute(EDGES)
    folders = ["--project-dir", EXAMPLES / "dbt", "--profiles-dir", EXAMPLES / "dbt"]
    run(
        tmp_path,
        "dbt",
        ["dbt", "build", *folders, "--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"],
        MAILCHIMP_DATABASE=None,
    )

    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in VIEW_FILES:
            connection.execute((VIEWS / f"{name}.sql").read_text())
        answers = {words: [sorted(map(repr, connection.sql(_plain(sql)).fetchall())) for sql in both] for words, both in SAME.items()}

    assert all(rows for rows, _ in answers.values())
    for words, (models, views) in answers.items():
        assert models == views, words


def _plain(sql: str) -> str:
    """Numbers as text: one side sums, the other counts, and none of nothing is zero."""
    return f"SELECT coalesce(CAST(COLUMNS(*) AS VARCHAR), '0') FROM ({sql})"
