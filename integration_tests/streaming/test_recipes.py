from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import config as source_config
from integration_tests.streaming.conftest import PATIENCE, ROOT, Server, until
from integration_tests.streaming.postgres import Postgres, missing

DESCRIPTION = (ROOT / "examples" / "outbox.py").read_text()
TABLE = DESCRIPTION[DESCRIPTION.index("CREATE TABLE") : DESCRIPTION.index("INSERT INTO")]


@pytest.fixture
def database() -> Iterator[Any]:
    """A connection to a PostgreSQL with the example's own table."""
    if lacking := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacking)
    import psycopg

    server = Postgres()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(TABLE)
        yield connection
    server.close()


@pytest.fixture
def outbox(database: Any, config: Any) -> Iterator[Any]:
    """Starts the example, and kills what still runs after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        url = f"host={database.info.host} user=postgres dbname=postgres"
        command = [sys.executable, str(ROOT / "examples" / "outbox.py"), "--config", config(), "--database", url]
        started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.wait()


def insert(database: Any, *events: Any) -> None:
    """Write events into the outbox, as an application does, and say so."""
    with database.transaction():
        for event in events:
            database.execute("INSERT INTO outbox (event) VALUES (%s)", (json.dumps(event),))
        database.execute("NOTIFY outbox")


def waiting(database: Any) -> int:
    """How many rows have no answer."""
    return int(database.execute("SELECT count(*) FROM outbox WHERE answered_at IS NULL").fetchone()[0])


def test_the_outbox_reaches_mailchimp(database: Any, outbox: Any, members: Any) -> None:
    """Existing rows, a burst and a lone row are written, and each row gets its outcome."""
    insert(database, {"email": "a@contacts.example", "tags": ["ordered"]}, {"email": "nonsense"})
    outbox()
    until(lambda: not waiting(database))
    insert(database, *({"email": f"p{n}@contacts.example"} for n in range(600)))
    until(lambda: not waiting(database))

    outcomes = database.execute("SELECT outcome, count(*), count(reason) FROM outbox GROUP BY outcome ORDER BY outcome").fetchall()
    assert outcomes == [("created", 601, 0), ("rejected", 1, 1)]
    assert members()["a@contacts.example"]["tags"] == ["ordered"]
    assert len(members()) == 601


def test_a_killed_outbox_sends_again_what_was_not_answered(database: Any, outbox: Any, mailchimp: Any, members: Any) -> None:
    """Killed with kill -9 in the middle and started again, it ends with the same account: the last value of each contact."""
    insert(database, *({"email": f"p{n % 50}@contacts.example", "first_name": str(n)} for n in range(300)))
    mailchimp.latency(0.05)
    for answered in (1, 100):
        killed = outbox()
        until(lambda answered=answered: waiting(database) <= 300 - answered)  # type: ignore[misc]
        killed.kill()
        killed.wait()
    outbox()
    until(lambda: not waiting(database))

    assert {email: member["merge_fields"]["FNAME"] for email, member in members().items()} == {
        f"p{n}@contacts.example": str(250 + n) for n in range(50)
    }


FORM = {
    "event_id": "01J",
    "event_type": "form_response",
    "form_response": {
        "form_id": "newsletter",
        "submitted_at": "2026-11-25T10:00:00Z",
        "answers": [
            {"type": "email", "email": "ada@contacts.example"},
            {"type": "text", "text": "Ada"},
            {"type": "boolean", "boolean": True},
        ],
    },
}

RULES = [
    {"column": "form_response.answers.0.email", "field": "email"},
    {"column": "form_response.answers.1.text", "field": "first_name"},
    {"column": "form_response.answers.2.boolean", "field": "tag:Wants samples"},
    {"value": "Newsletter form", "field": "tags"},
]


def test_the_webhook_of_a_form_reaches_mailchimp(serve: Any, members: Any) -> None:
    """What a form tool posts is mapped by paths, and its sender hears at once whether the contact was taken."""
    server: Server = serve(field_mapping=RULES)

    taken = server.post(FORM)
    refused = server.post({**FORM, "form_response": {"answers": [{"email": "ada@"}]}})

    assert (taken.status_code, taken.json()["outcome"]) == (200, "created")
    member = members()["ada@contacts.example"]
    assert member["merge_fields"]["FNAME"] == "Ada"
    assert set(member["tags"]) == {"Wants samples", "Newsletter form"}
    assert (refused.status_code, refused.json()["field"]) == (422, "email")


def test_reading_every_minute(mailchimp: Any, list_id: str, tmp_path: Path) -> None:
    """The first read brings everybody, the next only who changed, and a quiet one costs a handful of requests."""
    # Behind this machine's clock, so that time may be let pass.
    mailchimp.clock(advance=-3600)
    for number in range(30):
        mailchimp.place(list_id, f"p{number}@contacts.example", last_changed="2026-01-01T00:00:00+00:00")
    (tmp_path / "source.json").write_text(json.dumps(source_config(mailchimp.url, lookback_seconds=0)))

    def read() -> list[str]:
        command = [sys.executable, str(ROOT / "examples" / "every_minute.py"), "--config", "source.json", "--times", "1"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True, env=environment)
        assert done.stderr == ""
        return sorted({json.loads(line)["email"] for line in done.stdout.splitlines()})

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert len(read()) == 30
    mailchimp.clock(advance=60)
    mailchimp.act(list_id, "p3@contacts.example", "change_merge_field", tag="FNAME", value="Ada")
    mailchimp.clock(advance=60)
    assert read() == ["p3@contacts.example"]
    mailchimp.clock(advance=60)
    mailchimp.clear_journal()
    assert read() == []
    assert len(mailchimp.journal()) <= 6
