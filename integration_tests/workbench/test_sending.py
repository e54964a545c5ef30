"""Rows go through the real destination into a local Mailchimp: from files, queries and tables, tried or written, whole or stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integration_tests.workbench.conftest import CUSTOMERS, GUESTS, READERS
from integration_tests.workbench.served import Served, Visitor, served, words
from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess
from mailchimp_workbench.connectors import Connector, installed


@pytest.fixture(scope="module")
def mailchimp() -> Iterator[EmulatorProcess]:
    """An account that the tests of this module write to, each other people."""
    with EmulatorProcess(demo=True) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def workbench(mailchimp: EmulatorProcess, demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A workbench for that account."""
    folder = tmp_path_factory.mktemp("sending")
    with served(folder, mailchimp.url, Path(shutil.copy(demo_warehouse, folder / "demo.duckdb"))) as running:
        yield running


def into(visitor: Visitor, draft: requests.Response, audience: str) -> str:
    """Choose the audience of a draft; returns the draft's path."""
    assert draft.status_code == 200, words(draft.text)
    path = draft.url.removeprefix(visitor.origin)
    visitor.post(f"{path}/audience", data={"list_id": audience})
    return path


def sent(visitor: Visitor, path: str, *, dry_run: bool = False) -> str:
    """Run a draft to its end; returns what the page says."""
    return words(visitor.ended(visitor.post(f"{path}/start", data={"dry_run": str(dry_run).lower()})))


def test_what_is_mapped_is_written_and_nothing_else(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """Suggested columns land in their fields; a column called like a field that is left alone does nothing."""
    file = "E-mail,First name,Company,Status,Internal id\nmapped.one@people.example,Ada,Fjord Labs,unsubscribed,77\n"
    path = into(visitor, visitor.upload("people.csv", file), CUSTOMERS)

    page = sent(visitor, path)

    member = mailchimp.member(CUSTOMERS, "mapped.one@people.example")
    assert "created 1" in page
    assert member is not None
    assert member["status"] == "subscribed"
    assert member["merge_fields"]["FNAME"] == "Ada"
    assert member["merge_fields"]["COMPANY"] == "Fjord Labs"


def test_consent_follows_the_audience(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """On an audience with double opt-in a new contact has to confirm, and the preview says so."""
    path = into(visitor, visitor.upload("readers.csv", "email\nconsent.one@people.example\n"), READERS)

    preview = words(visitor.get(f"{path}/preview").text)
    sent(visitor, path)

    member = mailchimp.member(READERS, "consent.one@people.example")
    assert "once they confirm" in preview
    assert member is not None
    assert member["status"] == "pending"


def test_a_dry_run_and_a_preview_write_nothing(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """Both say what would become of the rows, and nobody is there afterwards."""
    path = into(visitor, visitor.upload("dry.csv", "email\ndry.one@people.example\n"), GUESTS)

    preview, page = words(visitor.get(f"{path}/preview").text), sent(visitor, path, dry_run=True)

    assert "1 created" in preview
    assert "created 1" in page
    assert mailchimp.member(GUESTS, "dry.one@people.example") is None


def test_rules_by_hand(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """A tag that is on or off, a prefix, a value for every row: each does what the page says."""
    file = "email,Came,Stage\nrules.one@people.example,yes,won\nrules.two@people.example,no,lost\n"
    path = into(visitor, visitor.upload("rules.csv", file), GUESTS)
    visitor.post(f"{path}/columns/1", data={"field": "tag:", "free": "Came to the fair"})
    visitor.post(f"{path}/columns/2", data={"field": "tags", "prefix": "stage:"})
    visitor.post(f"{path}/constants", data={"field": "first_name", "value": "Guest"})

    sent(visitor, path)

    one, two = (mailchimp.member(GUESTS, f"rules.{name}@people.example") for name in ("one", "two"))
    assert one is not None
    assert two is not None
    assert sorted(one["tags"]) == ["Came to the fair", "stage:won"]
    assert two["tags"] == ["stage:lost"]
    assert one["merge_fields"]["FNAME"] == "Guest"


@pytest.mark.parametrize(
    ("form", "origin"),
    [
        ({"sql": "SELECT 'query.one@people.example' AS email, 12.50::DECIMAL(9,2) AS amount, now() AS at;"}, "query"),
        ({"table": "contacts"}, "contacts"),
    ],
)
def test_rows_of_the_warehouse(visitor: Visitor, form: dict[str, str], origin: str) -> None:
    """A query and a table can be sent as well as a file, with values of every type that DuckDB has."""
    path = into(visitor, visitor.post("/send/choose", data=form), GUESTS)

    answer = visitor.get(f"{path}/preview")

    assert origin in visitor.get(path).text
    assert answer.status_code == 200, words(answer.text)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 'a@people.example' AS email -- the one", ""),
        ("FROM contacts", ""),
        ("SELECT 'x'::INTEGER AS email", "Could not convert"),
        ("SELECT 1 AS email, 2 AS email", "Two columns are called email"),
        ("SELECT nobody FROM contacts", "nobody"),
    ],
)
def test_a_query_as_people_type_it(visitor: Visitor, sql: str, told: str) -> None:
    """A query may end with a comment, and what is wrong with one is said in a sentence."""
    answer = visitor.post("/send/choose", data={"sql": sql})

    assert answer.status_code == (400 if told else 200)
    assert told in words(answer.text)


def test_a_query_that_breaks_off(visitor: Visitor) -> None:
    """Where a later row cannot be computed, the run ends and says so."""
    sql = "SELECT 'broken.' || i || '@people.example' AS email, if(i = 2500, error('bad row'), '') AS note FROM range(2501) AS t(i)"
    path = into(visitor, visitor.post("/send/choose", data={"sql": sql}), GUESTS)

    page = sent(visitor, path)

    assert "failed" in page
    assert "bad row" in page


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"\xef\xbb\xbfemail,name\na@people.example,Zo\xc3\xab\n", ["email", "name"]),
        ("email;name\na@people.example;Zoë\n".encode("cp1252"), ["email", "name"]),
        ("email\tname\r\na@people.example\tZoë\r\n".encode("utf-16"), ["email", "name"]),
        (b'email,note\na@people.example,"two\nlines, and ""quotes"""\n', ["email", "note"]),
        (b"email,zip\na@people.example,01234\nb@people.example\n", ["email", "zip"]),
        (b'{"record": {"email": "a@people.example"}, "reason": "x"}\n', ["email"]),
    ],
)
def test_files_as_programs_write_them(visitor: Visitor, content: bytes, columns: list[str]) -> None:
    """Any usual encoding and separator is read, quotes and ragged lines too, and the rejects of a run; values stay as they were written."""
    name = "rejects.jsonl" if content.startswith(b"{") else "people.csv"
    page = visitor.upload(name, content)
    path = into(visitor, page, GUESTS)

    mapping = visitor.get(path).text

    assert re.findall(r'<th scope="row"><span class="long">([^<]*)<', mapping) == columns
    assert "01234" in mapping or b"01234" not in content
    assert "Zoë" in mapping or b"Zo" not in content


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("head.csv", b"email,name\n", "no rows"),
        ("book.xlsx", b"PK\x03\x04" + bytes(64), "Save the sheet as CSV"),
        ("rejects.jsonl", b"not json\n", "JSON lines"),
        ("rejects.jsonl", b"[1]\n", "no records"),
    ],
)
def test_files_that_cannot_be_sent(visitor: Visitor, name: str, content: bytes, said: str) -> None:
    """What cannot be read is refused with what to do."""
    answer = visitor.upload(name, content)

    assert answer.status_code == 400
    assert said in words(answer.text)


def test_a_wrong_mapping_shows_the_words_of_the_destination(visitor: Visitor) -> None:
    """Where the destination refuses the configuration, the preview shows why, and the page stays."""
    path = into(visitor, visitor.upload("wrong.csv", "email,x\nwrong.one@people.example,1\n"), GUESTS)
    visitor.post(f"{path}/columns/1", data={"field": "custom_fields.", "free": "NOPE"})

    answer = visitor.get(f"{path}/preview", headers={"HX-Request": "true"})

    assert answer.status_code == 502
    assert "NOPE" in answer.text


def test_a_run_can_be_stopped_and_repeated(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """A stopped run says so; the same rows sent again end with everybody there."""
    rows = "".join(f"stop.{number}@people.example\n" for number in range(30_000))
    path = into(visitor, visitor.upload("stop.csv", f"email\n{rows}"), GUESTS)
    mailchimp.latency(1)
    run = visitor.post(f"{path}/start", data={"dry_run": "false"})
    deadline = time.monotonic() + 60
    while "Starting" in visitor.get(run.url.removeprefix(visitor.origin)).text and time.monotonic() < deadline:
        pass
    stopped = visitor.post(run.url.removeprefix(visitor.origin) + "/stop")
    mailchimp.latency(0)

    sent(visitor, path)

    assert ">stopped<" in stopped.text
    assert mailchimp.member(GUESTS, "stop.29999@people.example") is not None


def test_a_saved_configuration_works_on_the_command_line(visitor: Visitor, mailchimp: EmulatorProcess, tmp_path: Path) -> None:
    """With credentials filled in, the destination's own check accepts the file."""
    path = into(visitor, visitor.upload("saved.csv", "Email Address,First\nsaved.one@people.example,Ada\n"), GUESTS)
    config = visitor.get(f"{path}/destination.json").json()
    account = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}
    (tmp_path / "destination.json").write_text(json.dumps({**config, **account}))

    done = subprocess.run(
        [*installed("destination"), "check", "--config", str(tmp_path / "destination.json")], capture_output=True, text=True, check=False
    )

    assert '"status":"SUCCEEDED"' in done.stdout, done.stdout


def test_a_destination_that_waits_ends_with_the_workbench(tmp_path: Path) -> None:
    """One that is started ahead of a preview never outlives the workbench, however that ends: its pipes close, and it is told nothing."""

    async def told_nothing() -> int:
        destination = Connector("destination", installed("destination"), tmp_path)
        standby = await destination.ahead("write", ("config", "catalog"))
        for pipe in standby.pipes.values():
            os.close(pipe)
        return await standby.process.wait()

    assert asyncio.run(told_nothing()) == 1


def test_previews_follow_each_other(visitor: Visitor) -> None:
    """A second preview of the same rows says the same as the first, and follows what was changed in between."""
    path = into(visitor, visitor.upload("twice.csv", "email,City\ntwice.one@people.example,Reno\n"), GUESTS)

    first = words(visitor.get(f"{path}/preview").text)
    again = words(visitor.get(f"{path}/preview").text)
    visitor.post(f"{path}/columns/1", data={"field": "tags"})
    changed = words(visitor.get(f"{path}/preview").text)

    assert "1 created" in first
    assert again == first
    assert "Reno" in changed
    assert "Reno" not in first
