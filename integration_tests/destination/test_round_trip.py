from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from destination_mailchimp_unified.config import DestinationConfig
from mailchimp_emulator.runner import Emulator
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.config import parse_config
from mailchimp_unified.entities.contact_fields import WRITABLE
from mailchimp_unified.request import Request

ROOT = Path(__file__).resolve().parents[2]
TYPES = ["text", "number", "date", "birthday", "phone", "zip", "url", "address"]
DESCRIPTION = {
    "id": "a1b2c3d4e5",
    "name": "Everything",
    "statuses": {"subscribed": 5, "unsubscribed": 2, "cleaned": 1, "pending": 1, "transactional": 1, "archived": 1},
    "merge_fields": [{"tag": f"M{name.upper()}", "type": name} for name in TYPES]
    + [{"tag": "MCHOICE", "type": "dropdown", "choices": ["Red", "Green"]}, {"tag": "ADDRESS", "type": "address"}],
    "interests": {"Topics": ["News", "Offers"]},
    "marketing_permissions": True,
}
SOURCE_CATALOG = {
    "streams": [
        {
            "stream": {"name": "contacts", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
    ]
}


@pytest.fixture
def other() -> Iterator[Emulator]:
    """Another Mailchimp account."""
    with Emulator() as mailchimp:
        yield mailchimp


def read_everything(url: str, credentials: dict[str, str], folder: Path) -> list[bytes]:
    """The output of the source, as its command prints it."""
    (folder / "source.json").write_text(json.dumps({"credentials": credentials, "api_url": url}))
    (folder / "source_catalog.json").write_text(json.dumps(SOURCE_CATALOG))
    command = [sys.executable, "-m", "source_mailchimp_unified.run", "read"]
    command += ["--config", str(folder / "source.json"), "--catalog", str(folder / "source_catalog.json")]
    return subprocess.run(command, capture_output=True, check=True, cwd=ROOT, timeout=60).stdout.splitlines()


def writable(messages: list[bytes]) -> dict[str, dict[str, Any]]:
    """What a writer can write of the contacts in the output of the source, by address."""
    rows = [m["record"]["data"] for m in map(json.loads, messages) if m["type"] == "RECORD"]
    names = WRITABLE - {"tags", "location"}
    return {
        row["email"]: {
            **{name: row.get(name) for name in names},
            "tags": sorted(tag["name"] for tag in row["tags"]),
            "place": {name: (row.get("location") or {}).get(name) for name in ("latitude", "longitude")},
        }
        for row in rows
    }


def rarely_used(runner: Any, record: Any) -> None:
    """Give some contacts what the seed gives nobody."""
    known = [email for email, member in runner.members().items() if member["status"] in ("subscribed", "unsubscribed")]
    [category] = read(runner, "interest-categories")["categories"]
    topics = [topic["id"] for topic in read(runner, f"interest-categories/{category['id']}/interests")["interests"]]
    columns = {
        "language": "fr",
        "vip": True,
        "email_type": "text",
        "interests": {topics[0]: True, topics[1]: False},
        "location": {"latitude": 48.2, "longitude": 16.4},
        "ip_signup": "192.0.2.1",
        "timestamp_signup": "2020-01-02T03:04:05Z",
        "ip_opt": "2001:db8::1",
        "timestamp_opt": "2021-01-02T03:04:05+02:00",
    }
    result = runner.write([record({"email": email, **columns}) for email in known[:10]], write_mode="single")
    assert result.counts()["updated"] == 10, result.text


def read(runner: Any, path: str) -> Any:
    """A collection of the audience, as Mailchimp gives it."""
    request = Request(f"/lists/{runner.list_id}/{path}", path)

    async def ask() -> Any:
        return (await MailchimpClient(parse_config(DestinationConfig, runner.config())).call(request)).body

    return asyncio.run(ask())


@pytest.mark.parametrize("write_mode", ["auto", "single"])
def test_source_output_reproduces_every_writable_field(
    make_runner: Any, other: Emulator, record: Any, catalog: Any, tmp_path: Path, write_mode: str
) -> None:
    """What the source prints, piped into another account, makes the same contacts; a second pass changes nothing and says so."""
    tagged = {"contacts": 120, "tags": ["One", "Two", "Three"], "tags_per_contact": 2, "contacts_with_many_tags": {"count": 3, "tags": 60}}
    there = make_runner(**DESCRIPTION, **tagged)
    rarely_used(there, record)
    messages = read_everything(there.mailchimp.url, there.config()["credentials"], tmp_path)
    other.seed(**DESCRIPTION, contacts=0)
    here = type(there)(other, "a1b2c3d4e5")
    first = here.write(messages, catalog("contacts"), write_mode=write_mode)
    assert first.error is None, first.text
    assert first.counts("contacts")["rejected"] == 0, first.text
    wanted, found = writable(messages), here.members()
    kept = {email: contact for email, contact in wanted.items() if contact["status"] not in ("cleaned", "archived")}
    copied = writable(read_everything(other.url, here.config()["credentials"], tmp_path))
    assert copied == {email: {**contact, "ip_opt": copied[email]["ip_opt"]} for email, contact in kept.items()}
    other.clock(advance=60)
    second = here.write(messages, catalog("contacts"), write_mode=write_mode)
    counts = second.counts("contacts")
    assert (counts["created"], counts["updated"], counts["rejected"]) == (0, 0, 0)
    assert counts["unchanged"] == len(found)
    assert {e: m["last_changed"] for e, m in here.members().items()} == {e: m["last_changed"] for e, m in found.items()}


def test_cache_of_a_warehouse(make_runner: Any, record: Any) -> None:
    """Lower-cased names, lost time zones, JSON kept as text and the platform's own columns do no harm."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY"}])
    columns = {
        "EMAIL": "a@contacts.example",
        "Timestamp_Signup": "2026-01-01T10:00:00.123000",
        "custom_fields": '{"company": "Acme", "fname": "Ada"}',
        "tags": '[{"id": 4, "name": "vip"}]',
        "id": "ignored",
        "name": "ignored",
        "member_rating": {"also": "ignored"},
        "_airbyte_raw_id": "x",
        "_airbyte_meta": {"changes": []},
        "_ab_cdc_deleted_at": None,
    }
    result = runner.write([record(columns)])
    assert result.counts()["created"] == 1
    member = runner.members()["a@contacts.example"]
    assert member["merge_fields"] == {"FNAME": "Ada", "COMPANY": "Acme"}
    assert member["tags"] == ["vip"]


def test_any_stream_by_mapping(make_runner: Any, record: Any, catalog: Any) -> None:
    """Columns of any name fill fields through field_mapping; what is not mapped is left alone, or matched by tag."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY"}, {"tag": "AGE", "type": "number"}])
    mapping = [{"column": "Customer_Mail", "field": "email"}, {"column": "firm", "field": "custom_fields.COMPANY"}]
    rows = [record({"CUSTOMER_MAIL": "a@contacts.example", "Firm": "Acme", "age": "41", "other": [1], "email": "not used"})]
    schema = {"properties": {"customer_mail": {}, "firm": {}}}
    runner.write(rows, catalog({"name": "people", "json_schema": schema}), field_mapping=mapping)
    assert runner.members()["a@contacts.example"]["merge_fields"] == {"COMPANY": "Acme"}
    unknown = catalog({"name": "people", "json_schema": {}})
    runner.write(rows, unknown, field_mapping=mapping, unmapped_columns="merge_fields")
    assert runner.members()["a@contacts.example"]["merge_fields"] == {"COMPANY": "Acme", "AGE": 41}


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_data_activation(make_runner: Any, record: Any, catalog: Any, write_mode: str) -> None:
    """A stream's object is its audience, its mode the operation, and merge fields are columns by tag."""
    runner = make_runner(contacts=2, merge_fields=[{"tag": "COMPANY"}])
    other = type(runner)(runner.mailchimp, runner.mailchimp.seed(name="Other", contacts=2)[0])
    first, second = list(runner.members())
    rows = [record({"email": first, "Company": "Acme"}), record({"email": "new@contacts.example"})]

    def write(mode: str, messages: list[Any]) -> Any:
        stream = {"name": "people", "destination_object_name": runner.list_id, "destination_sync_mode": mode}
        return other.write(messages, catalog(stream), write_mode=write_mode)

    assert write("update", rows).counts() == {"created": 0, "updated": 1, "unchanged": 0, "skipped": 1, "rejected": 0}
    assert write("append_dedup", rows).counts()["created"] == 1
    assert write("soft_delete", [record({"email": second})]).counts()["updated"] == 1
    assert runner.members()[first]["merge_fields"]["COMPANY"] == "Acme"
    assert runner.members()[second]["status"] == "archived"
    assert "new@contacts.example" not in other.members()


def test_discover_lists_audiences(make_runner: Any, start: Any) -> None:
    """Every audience is an object with its merge fields as typed properties and the email address as the matching key."""
    runner = make_runner(merge_fields=[{"tag": f"N{n}", "type": "number"} for n in range(15)])
    output, _ = start("discover", runner.config()).communicate(timeout=20)
    message = next(m for m in map(json.loads, output.splitlines()) if m["type"] == "DESTINATION_CATALOG")
    operations = message["destination_catalog"]["operations"]
    assert {one["sync_mode"] for one in operations} == {"append", "append_dedup", "update", "soft_delete"}
    for one in operations:
        assert one["object_name"] == f"Audience ({runner.list_id})"
        assert one["matching_keys"] == [["email"]]
        assert one["json_schema"]["title"] == "Audience"
        assert one["json_schema"]["properties"]["N14"]["type"] == ["null", "number"]
        assert "member_rating" not in one["json_schema"]["properties"]


def test_overwrite_and_refresh_delete_nobody(make_runner: Any, record: Any, catalog: Any) -> None:
    """Overwrite and a new generation are upserts with a warning."""
    runner = make_runner(contacts=3)
    stream = {"name": "people", "destination_sync_mode": "overwrite", "generation_id": 1, "minimum_generation_id": 1, "sync_id": 1}
    result = runner.write([record({"email": "new@contacts.example"})], catalog(stream))
    assert len([m for m in runner.members().values() if m["status"] == "subscribed"]) == 4
    assert result.text.count("upsert") == 2
