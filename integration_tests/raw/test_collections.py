"""Every collection of the table, discovered and read through the entry points against the emulator."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integration_tests.commands import Output, Source, config
from integration_tests.conftest import DESCRIPTION, description
from integration_tests.raw.mirror import LISTS, Json, answer_schema, configured, item_schema, raw_catalog, serve
from integration_tests.raw.mirror import description as described
from integration_tests.real.gaps import GAPS, gap
from mailchimp_emulator import Emulator
from mailchimp_emulator.routes import API
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.raw_collections import Collection, table
from unit_tests.references import ABSENT

Sources = Callable[..., Source]

EVERYTHING = ["all", *(row.name for row in table().values() if row.on_request)]
INCREMENTAL = [row for row in table().values() if row.cursor is not None]
LATER = "2024-11-01T00:00:00+00:00"
"""After all that is made up, and before the first sync."""

JOURNEYS = {
    "name": "journeys",
    "path": "/campaigns/{campaign_id}/journeys",
    "parent": {"row": "campaigns", "param": "campaign_id"},
    "records_key": "journeys",
    "primary_key": ["campaign_id", "id"],
    "paging": "offset",
    "cursor": {"field": "updated_at", "since": "since_updated_at", "before": "before_updated_at", "lookback_seconds": 600},
}
JOURNEY = {"type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}}

formats = jsonschema.FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_time(value: Any) -> bool:
    """Whether a text is a time with a zone."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def discovered(source: Source) -> dict[str, Json]:
    """Return the raw streams of the catalog by name."""
    return {one["name"]: one for one in source.discover() if one["name"].startswith("mailchimp_")}


def faults(stream: Json, records: list[Json]) -> set[str]:
    """Return what is wrong with the records of a stream by its schema and its key."""
    validator = jsonschema.Draft7Validator(stream["json_schema"], format_checker=formats)
    found = {f"{list(error.absolute_path)}: {error.message:.80}" for record in records for error in validator.iter_errors(record)}
    keys = [name for (name,) in stream.get("source_defined_primary_key") or ()]
    values = Counter(tuple(record.get(name) for name in keys) for record in records)
    if keys and (max(values.values()) > 1 or any(None in key for key in values)):
        found.add(f"the key {keys} is not unique")
    return found | {f"undeclared: {name}" for record in records for name in record.keys() - stream["json_schema"]["properties"].keys()}


def counts(output: Output) -> dict[str, int]:
    """Return the number of records per row."""
    return {row.name: len(output.records(row.stream)) for row in table().values()}


def test_every_collection_is_discovered_and_read_twice(mailchimp: Emulator, source: Sources) -> None:
    """Every row is a stream whose records fit its schema and key; read again, those that are followed give only what is new."""
    serve(mailchimp)
    reading = source(raw_streams=EVERYTHING)
    streams = discovered(reading)
    assert set(streams) == {row.stream for row in table().values()}

    first = reading.read(configured(*streams.values()))

    assert first.errors() == []
    assert {row.name: found for row in table().values() if (found := faults(streams[row.stream], first.records(row.stream)))} == {}
    assert min(counts(first).values()) > 0
    assert {first.statuses(name)[-1] for name in streams} == {"COMPLETE"}

    mailchimp.clear_journal()
    second = reading.read(configured(*streams.values()), first.state())

    assert second.errors() == []
    # What a report without a time belongs to is asked for by every sync.
    read_whole = {row.name: counts(first)[row.name] for row in table().values() if row.follows == "whole"}
    found = {name: count for name, count in counts(second).items() if table()[name].follows != "parent"}
    assert found == {**dict.fromkeys(found, 0), **read_whole}
    whole = reading.read(configured(*streams.values(), sync_mode="full_refresh"), second.state())
    assert counts(whole) == counts(first)
    asked = {name for entry in mailchimp.journal() for name in entry["query"]}
    assert {row.cursor.since for row in INCREMENTAL if row.cursor and row.cursor.since and not (row.parent and row.parent.tells)} <= asked


@pytest.mark.parametrize("row", [row for row in INCREMENTAL if row.name not in ("lists", "list_members", "segments")], ids=lambda r: r.name)
def test_only_what_is_new_comes_and_nothing_is_passed_over(mailchimp: Emulator, source: Sources, row: Collection) -> None:
    """A new item comes with the next sync, once, although it is dated before the first one: Mailchimp shows some things late."""
    serve(mailchimp)
    catalog = raw_catalog(row.name)
    first = source().read(catalog)
    path = next(
        entry["path"] for entry in mailchimp.journal() if row.cursor and row.cursor.since not in entry["query"] and matches(row, entry)
    )
    seen = max(first.states(row.stream)[-1]["cursors"].values())
    assert seen < LATER
    mailchimp.add_items(path.removeprefix("/3.0"), dated(row, LATER))
    if row.parent and row.parent.tells:
        # A report tells of what happened below it.
        mailchimp.change_items("/reports", {}, opens={"opens_total": 99, "last_open": LATER})

    second = source().read(catalog, first.state())
    third = source().read(catalog, second.state())

    assert row.cursor is not None
    assert [record[row.cursor.field] for record in second.records(row.stream)] == [LATER]
    assert third.records(row.stream) == []
    assert max(third.states(row.stream)[-1]["cursors"].values()) == LATER


def matches(row: Collection, entry: Json) -> bool:
    """Whether a request of the journal asked for a row as a whole, not for its keys as a parent."""
    wanted, asked = row.path.split("/")[1:], entry["path"].split("/")[2:]
    fits = len(wanted) == len(asked) and all(one.startswith("{") or one == part for one, part in zip(wanted, asked, strict=True))
    return fits and "fields" not in entry["query"]


def dated(row: Collection, moment: str) -> Json:
    """Return what gives a new item its time."""
    assert row.cursor is not None
    if row.flatten is None:
        return {row.cursor.field: moment}
    return {row.flatten.field: [{"timestamp": moment, "action": "open"}]}


def test_a_full_refresh_reads_all_again(mailchimp: Emulator, source: Sources) -> None:
    """In full refresh no time is sent, a saved state is ignored, and everything comes, things without a time too."""
    serve(mailchimp, campaigns=4)
    mailchimp.add_items("/campaigns", {"create_time": ""})
    catalog = raw_catalog("campaigns", "email_activity", sync_mode="full_refresh")

    first = source().read(catalog)
    second = source().read(catalog, first.state())

    assert None in [record.get("create_time") for record in first.records("mailchimp_campaigns")]
    assert len(first.records("mailchimp_campaigns")) == len(second.records("mailchimp_campaigns")) == 5
    assert len(second.records("mailchimp_email_activity")) == 18
    assert not [entry for entry in mailchimp.journal() if any("since" in name or "before" in name for name in entry["query"])]


def test_a_start_date_leaves_out_what_is_older(mailchimp: Emulator, source: Sources) -> None:
    """Older records of a stream with a date are left out, in both sync modes; audiences, and what has no date, are read in full."""
    serve(mailchimp)
    reading = source(start_date="2024-01-01T02:00:00Z")

    for sync_mode in ("incremental", "full_refresh"):
        output = reading.read(raw_catalog("email_activity", "lists", "campaigns", "campaign_folders", sync_mode=sync_mode))

        assert {record["timestamp"] >= "2024-01-01T02" for record in output.records("mailchimp_email_activity")} == {True}
        dates = [max(record.get("create_time") or "", record.get("send_time") or "") for record in output.records("mailchimp_campaigns")]
        assert dates
        assert all(not date or date >= "2024-01-01T02" for date in dates)
        assert len(output.records("mailchimp_lists")) == len(LISTS)
        assert len(output.records("mailchimp_campaign_folders")) == 3


def test_archived_members_and_left_members_of_segments_come_too(mailchimp: Emulator, source: Sources) -> None:
    """What Mailchimp shows on request only, archived contacts and unsubscribed members of segments, is asked for."""
    serve(mailchimp)

    output = source().read(raw_catalog("list_members", "segment_members"))

    assert Counter(record["status"] for record in output.records("mailchimp_list_members"))["archived"] == 3
    (asked,) = {
        tuple(sorted(name for name in entry["query"] if name.startswith("include")))
        for entry in mailchimp.journal()
        if "/segments/" in entry["path"]
    }
    assert asked == ("include_cleaned", "include_transactional", "include_unsubscribed")


def test_list_ids_narrow_what_belongs_to_audiences(mailchimp: Emulator, source: Sources) -> None:
    """Of raw streams, too, only the chosen audiences are read; what belongs to no audience is read whole."""
    serve(mailchimp)

    output = source(list_ids=["bbbbbbbbbb"]).read(raw_catalog("lists", "list_members", "audience_contacts", "campaigns"))

    assert [record["id"] for record in output.records("mailchimp_lists")] == ["bbbbbbbbbb"]
    assert {record["list_id"] for record in output.records("mailchimp_list_members")} == {"bbbbbbbbbb"}
    assert {record["audience_id"] for record in output.records("mailchimp_audience_contacts")} == {"bbbbbbbbbb"}
    assert len(output.records("mailchimp_campaigns")) == 3


def test_a_collection_of_many_pages_is_read_whole(mailchimp: Emulator, source: Sources) -> None:
    """Pages by offset and by cursor: every item comes, and those on two overlapping pages come once."""
    serve(mailchimp, templates=2100, file_folders=2100, audience_contacts=1100, conversations=1000)

    output = source().read(raw_catalog("templates", "file_folders", "audience_contacts", "conversations"))

    for name, number in (("templates", 2100), ("file_folders", 2100), ("audience_contacts", 2 * 1100), ("conversations", 1000)):
        records = output.records(f"mailchimp_{name}")
        assert len(records) == number
        assert len({tuple(record[key] for key in table()[name].primary_key) for record in records}) == number


def test_an_activity_is_a_record(mailchimp: Emulator, source: Sources) -> None:
    """Each open and click of a report is a record with what the email says, and a digest that tells clicks of one second apart."""
    serve(mailchimp)
    path = "/reports/id-0/email-activity"
    mailchimp.items("/reports")
    clicks = [{"action": "click", "timestamp": LATER, "url": f"https://shop.test/{page}", "ip": "10.0.0.1"} for page in ("a", "b")]
    mailchimp.add_items(
        path, {"email_id": "e1", "activity": clicks}, {"email_id": "e2", "activity": []}, {"email_id": "e3", "activity": None}
    )

    records = source().read(raw_catalog("email_activity")).records("mailchimp_email_activity")

    mine = sorted((record for record in records if record["email_id"] == "e1"), key=lambda record: record["url"])
    assert [(record["action"], record["url"], record["campaign_id"]) for record in mine] == [
        ("click", "https://shop.test/a", "id-0"),
        ("click", "https://shop.test/b", "id-0"),
    ]
    assert len({record["activity_id"] for record in mine}) == 2
    assert not [record for record in records if record["email_id"] in ("e2", "e3") or "activity" in record]


@pytest.mark.skipif(not DESCRIPTION.exists(), reason=ABSENT)
def test_the_emulator_answers_as_described(tmp_path: Path) -> None:
    """Each described collection, read with all its partitions, is answered in the shape that Mailchimp describes."""
    # Read strictly, no object fits two schemas at once: combined ones cannot be compared this way.
    own = [row for row in table().values() if row.path not in API and answer_schema(row) and "allOf" not in item_schema(row)]
    with Emulator(capture_answers=True) as mailchimp:
        serve(mailchimp)
        Source(tmp_path, config(mailchimp.url, raw_streams=EVERYTHING)).read(raw_catalog(*(row.name for row in own)))
        calls = [entry for entry in mailchimp.journal() if entry["path"].startswith("/3.0")]

    asked = [(operation.template, entry) for entry in calls if (operation := description().operation("GET", entry["path"]))]
    compared = {row.path for row in own}
    assert compared <= {template for template, _ in asked}
    assert {gap(fault) for template, entry in asked if template in compared for fault in description().faults(entry)} <= set(GAPS)


@pytest.fixture
def one_row_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table with a row for a collection that nobody has heard of."""
    rows = json.loads(files("source_mailchimp_unified").joinpath("raw_collections.json").read_text())
    (tmp_path / "raw_collections.json").write_text(json.dumps([*rows, JOURNEYS]))
    monkeypatch.setattr("source_mailchimp_unified.raw_collections.files", lambda _: tmp_path)
    table.cache_clear()
    yield
    table.cache_clear()


@pytest.mark.usefixtures("one_row_more")
def test_a_new_row_is_all_it_takes(mailchimp: Emulator, source: Sources) -> None:
    """A collection that no code and no schema knows is specified, discovered, read below its parent, and gone on with."""
    mailchimp.describe([described(table()["campaigns"]), described(table()["journeys"], item=JOURNEY)])
    reading = source(raw_streams=["journeys"])
    stream = discovered(reading)["mailchimp_journeys"]
    spec = SourceMailchimpUnified().spec(logging.getLogger())
    assert "journeys" in spec.connectionSpecification["properties"]["raw_streams"]["items"]["enum"]

    first = reading.read(configured(stream))
    second = reading.read(configured(stream), first.state())

    assert first.errors() == second.errors() == []
    assert faults(stream, first.records("mailchimp_journeys")) == set()
    assert len(first.records("mailchimp_journeys")) == 9
    assert second.records("mailchimp_journeys") == []
    # Its requests cannot be held against the description.
    mailchimp.clear_journal()
