"""Both connectors under PyAirbyte: the example, `pyab validate` and `pyab destination-smoke-test`, against local Mailchimps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.airbyte.environments import ROOT, Environment, environment
from integration_tests.commands import config
from mailchimp_emulator import DEFAULT_API_KEY, Emulator
from mailchimp_unified.identity import subscriber_hash

pytestmark = pytest.mark.pyairbyte

Json = dict[str, Any]
LIST = "7a3c91e0d2"
EXAMPLE = ROOT / "examples" / "pyairbyte_sync.py"
REFRESH = Path(__file__).with_name("refresh.py")
SCENARIOS = Path(__file__).with_name("scenarios.json")
BINARIES = Path(sys.executable).parent

MERGE_FIELDS: list[Json] = [
    {"tag": "COMPANY", "name": "Company", "type": "text"},
    {"tag": "LTV", "name": "Lifetime value", "type": "number"},
    {"tag": "JOINED", "name": "Customer since", "type": "date"},
    {"tag": "ADDRESS", "name": "Address", "type": "address"},
]
AUDIENCE: Json = {"id": LIST, "name": "Customers", "merge_fields": MERGE_FIELDS}


@pytest.fixture
def pyairbyte(tmp_path: Path) -> Environment:
    """The environment with PyAirbyte."""
    return environment(".venv-pyairbyte", tmp_path, "PyAirbyte is not installed: make test-pyairbyte")


@pytest.fixture
def other() -> Iterator[Emulator]:
    """A second Mailchimp, whose audience has the same id and nobody in it."""
    with Emulator() as emulator:
        emulator.seed(AUDIENCE)
        yield emulator


@pytest.fixture
def seeded(mailchimp: Emulator) -> Emulator:
    """A Mailchimp with an audience of forty contacts, some of whom left."""
    statuses = {"subscribed": 0.7, "unsubscribed": 0.2, "archived": 0.1}
    mailchimp.seed(AUDIENCE | {"contacts": 40, "statuses": statuses, "tags": ["VIP", "Hiking"], "tags_per_contact": 1})
    return mailchimp


def written(folder: Path, name: str, content: Json) -> Path:
    """Write a configuration."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def counts(done: subprocess.CompletedProcess[str]) -> Json:
    """Return what the example says at its end."""
    assert done.returncode == 0, done.stdout + done.stderr
    last: Json = json.loads(done.stdout.splitlines()[-1])
    return last


def by_address(mailchimp: Emulator) -> dict[str, Json]:
    """Return the truth about the audience, by address."""
    return {member["email_address"]: member for member in mailchimp.members(LIST)}


def writes(mailchimp: Emulator) -> list[Json]:
    """Return the requests that write."""
    return [entry for entry in mailchimp.journal() if entry["method"] != "GET"]


def statuses_sent(mailchimp: Emulator, email: str) -> set[str | None]:
    """Return the statuses that requests, bulk or single, gave a contact; None where one said nothing about it."""
    written_to = [(entry["path"], entry["body"]) for entry in writes(mailchimp) if entry["body"]]
    bulk = [row for _, body in written_to for row in body.get("members", ()) if row["email_address"] == email]
    single = [body for path, body in written_to if path.endswith(f"/members/{subscriber_hash(email)}")]
    return {row.get("status") for row in bulk + single}


def edit(mailchimp: Emulator, email: str, company: str) -> None:
    """Let an owner edit a contact, and let the second in which that happens be over."""
    mailchimp.act(LIST, email, "change_merge_field", tag="COMPANY", value=company)
    mailchimp.clock(advance=5)


def test_a_second_read_brings_only_what_changed(pyairbyte: Environment, seeded: Emulator) -> None:
    """PyAirbyte fills its DuckDB cache with all streams, hands the states back, and then reads what changed in between."""
    command = [EXAMPLE, "read", "--source", written(pyairbyte.folder, "source", config(seeded.url)), "--database", pyairbyte.folder / "db"]
    edited = next(iter(by_address(seeded)))

    full = counts(pyairbyte.run("python", *command))
    edit(seeded, edited, "Northwind")
    seeded.rename_list(LIST, "Renamed")
    seeded.clear_journal()
    changed = counts(pyairbyte.run("python", *command))

    assert full == {"records": 44, "rows": {"contacts": 40, "lists": 1, "tags": 2, "users": 1}}
    assert changed == {"records": 2, "rows": full["rows"]}
    # The check before asks for one contact.
    read = [entry["query"] for entry in seeded.journal() if entry["path"].endswith("/members") and entry["query"]["count"] != "1"]
    assert read
    assert all("since_last_changed" in query for query in read)
    with duckdb.connect(str(pyairbyte.folder / "db")) as cache:
        assert cache.sql(f"SELECT custom_fields->>'COMPANY' FROM contacts WHERE email = '{edited}'").fetchall() == [("Northwind",)]
        assert cache.sql("SELECT name FROM lists").fetchall() == [("Renamed",)]
        assert cache.sql("SELECT count(*) FROM contacts WHERE status = 'archived' AND is_deleted").fetchall() == [(4,)]


@pytest.mark.parametrize("way", [[], ["--direct"]], ids=["from_the_cache", "without_a_cache"])
def test_contacts_arrive_in_another_account(pyairbyte: Environment, seeded: Emulator, other: Emulator, way: list[str]) -> None:
    """Merge fields, tags and statuses arrive, with and without the cache; contacts who left stay unsubscribed; a second run brings only changes."""
    before = by_address(seeded)
    subscribed = [email for email, member in before.items() if member["status"] == "subscribed"]
    away, there, edited = subscribed[:3]
    other.place(LIST, away, status="unsubscribed")
    other.place(LIST, there, status="subscribed", tags=["Made by hand"])
    files = {name: written(pyairbyte.folder, name, config(m.url)) for name, m in (("source", seeded), ("destination", other))}
    command = [EXAMPLE, "write", "--source", files["source"], "--destination", files["destination"], "--database", pyairbyte.folder / "db"]

    counts(pyairbyte.run("python", *command, *way))
    after, told = by_address(other), statuses_sent(other, away)
    edit(seeded, edited, "Northwind")
    other.clear_journal()
    counts(pyairbyte.run("python", *command, *way))

    living = {email: member for email, member in before.items() if member["status"] != "archived"}
    assert set(after) == set(living)
    assert {email: member["status"] for email, member in after.items()} == {
        **{email: member["status"] for email, member in living.items()},
        away: "unsubscribed",
    }
    assert all(after[email]["merge_fields"] == member["merge_fields"] for email, member in living.items())
    assert all(set(after[email]["tags"]) >= set(member["tags"]) for email, member in living.items())
    assert "Made by hand" in after[there]["tags"]
    assert told == {None}
    assert by_address(other)[edited]["merge_fields"]["COMPANY"] == "Northwind"
    assert by_address(other)[away]["status"] == "unsubscribed"
    if way:
        [entry] = writes(other)
        assert edited in json.dumps(entry["body"]) or entry["path"].endswith(f"/members/{subscriber_hash(edited)}")


@pytest.mark.parametrize("database", [[], ["cache.duckdb"]], ids=["without_a_cache", "by_the_cache"])
@pytest.mark.parametrize("told", [False, True])
def test_who_left_loses_the_membership_tag(
    pyairbyte: Environment, seeded: Emulator, other: Emulator, told: bool, database: list[str]
) -> None:
    """Only where the configuration says that every sync is complete: PyAirbyte calls each of its syncs a refresh."""
    leaving = {"membership_tag": "Members", "on_leaving": "remove_tag", "every_sync_is_complete": told}
    files = [
        written(pyairbyte.folder, name, content)
        for name, content in (("source", config(seeded.url)), ("destination", config(other.url, **leaving)))
    ]
    for run in range(2):
        done = pyairbyte.run("python", REFRESH, *files, *database)
        assert done.returncode == 0, done.stdout + done.stderr
        members = by_address(other)
        lacking = {email for email, member in members.items() if "Members" not in member["tags"]}
        assert lacking == (set(list(members)[:1]) if run and told else set())
        if not run:
            seeded.act(LIST, next(iter(members)), "forget")


def test_the_example_ends_with_the_connectors_words(pyairbyte: Environment, seeded: Emulator) -> None:
    """A key that Mailchimp refuses ends the example with what the source says about it, and without a traceback."""
    wrong = {**config(seeded.url), "credentials": {"auth_type": "apikey", "apikey": "0" * 32 + "-us1"}}
    files = ["--source", written(pyairbyte.folder, "source", wrong), "--database", pyairbyte.folder / "db"]
    done = pyairbyte.run("python", EXAMPLE, "read", *files)

    assert done.returncode == 1
    assert "API key" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_example_shows_the_outcomes(pyairbyte: Environment, seeded: Emulator, other: Emulator) -> None:
    """After writing, the destination's own lines stand before the counts."""
    files = {name: written(pyairbyte.folder, name, config(m.url)) for name, m in (("source", seeded), ("destination", other))}
    command = [EXAMPLE, "write", "--source", files["source"], "--destination", files["destination"], "--database", pyairbyte.folder / "db"]
    done = pyairbyte.run("python", *command)

    assert counts(done)["records"] == 40
    assert re.search(r"\d+ created", done.stdout)


@pytest.mark.parametrize("name", ["source-mailchimp-unified", "destination-mailchimp-unified"])
def test_pyab_validates(pyairbyte: Environment, seeded: Emulator, name: str) -> None:
    """`pyab validate` gets the specification and a successful check, and a failed one for a wrong key, in the connector's words."""
    right = written(pyairbyte.folder, "right", config(seeded.url))
    wrong = written(pyairbyte.folder, "wrong", {**config(seeded.url), "credentials": {"auth_type": "apikey", "apikey": f"{'f' * 32}-us1"}})

    accepted = pyairbyte.run("pyab", "validate", f"--connector={BINARIES / name}", f"--config={right}")
    refused = pyairbyte.run("pyab", "validate", f"--connector={BINARIES / name}", f"--config={wrong}")

    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert refused.returncode != 0
    assert "API key" in refused.stdout + refused.stderr
    assert DEFAULT_API_KEY not in accepted.stdout + accepted.stderr


def smoke(pyairbyte: Environment, destination: Path, *arguments: str) -> tuple[int, Json]:
    """Run PyAirbyte's smoke test of destinations; returns its exit code and its report."""
    program = BINARIES / "destination-mailchimp-unified"
    done = pyairbyte.run("pyab", "destination-smoke-test", f"--destination={program}", f"--config={destination}", *arguments)
    assert "{" in done.stdout, done.stdout + done.stderr
    report: Json = json.loads(done.stdout[done.stdout.index("{") :])
    return done.returncode, report


def test_streams_without_contacts_are_refused(pyairbyte: Environment, seeded: Emulator) -> None:
    """The smoke test's own streams hold no addresses: they are refused by name, as a mistake of the configuration, and nothing is written."""
    destination = written(pyairbyte.folder, "destination", config(seeded.url, list_id=LIST))

    code, report = smoke(pyairbyte, destination, "--scenarios=basic_types,wide_table_50_columns", "--skip-preflight")

    assert code == 1
    assert not report["success"]
    assert "email" in report["error"]
    assert "basic_types" in report["error"]
    assert writes(seeded) == []


def test_streams_of_contacts_pass_the_smoke_test(pyairbyte: Environment, other: Emulator) -> None:
    """Streams as Mailchimp's users have them pass, and the audience holds them afterwards; nobody else is touched."""
    columns = {"customer_email": "email", "company": "custom_fields.COMPANY", "is_deleted": "is_deleted"}
    mapping = [{"column": column, "field": field} for column, field in columns.items()]
    destination = written(pyairbyte.folder, "destination", config(other.url, list_id=LIST, field_mapping=mapping))
    other.place(LIST, "left@example.org", status="unsubscribed")
    other.place(LIST, "gone@example.org", status="subscribed")
    other.place(LIST, "bystander@example.org", status="subscribed", tags=["Made by hand"])

    code, report = smoke(pyairbyte, destination, f"--custom-scenarios={SCENARIOS}", "--scenarios=", "--skip-preflight")

    assert code == 0, report
    assert report["success"]
    assert report["records_delivered"] == 7
    held = by_address(other)
    assert {email: member["status"] for email, member in held.items()} == {
        "ada@example.org": "subscribed",
        "left@example.org": "unsubscribed",
        "zoe@example.org": "subscribed",
        "nobody@example.org": "subscribed",
        "gone@example.org": "archived",
        "reader@example.org": "subscribed",
        "bystander@example.org": "subscribed",
    }
    assert held["ada@example.org"]["merge_fields"]["COMPANY"] == "Analytical Engines"
    assert held["ada@example.org"]["merge_fields"]["LTV"] == 12.5
    assert held["ada@example.org"]["tags"] == ["VIP"]
    assert held["zoe@example.org"]["merge_fields"]["COMPANY"] == "Zoë & Söhne 株式会社"
    assert held["zoe@example.org"]["merge_fields"]["LNAME"] == "Østergård"
    assert held["bystander@example.org"]["tags"] == ["Made by hand"]
