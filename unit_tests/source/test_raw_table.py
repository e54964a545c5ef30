from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from docs.generator.collections import OFFICIAL
from source_mailchimp_unified.raw.catalog import raw_catalog
from source_mailchimp_unified.raw.form import choices, description
from source_mailchimp_unified.raw.schemas import open_schema, stream_schema
from source_mailchimp_unified.raw_collections import chosen, lineage, refusal, table, usable_name
from source_mailchimp_unified.source import parse_source_config
from source_mailchimp_unified.sync.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


def test_every_stream_of_airbytes_source_has_its_equivalent() -> None:
    """The twelve official streams are rows under the same names, each with all the properties of the official key."""
    assert len(OFFICIAL) == 12
    for name, official in OFFICIAL.items():
        properties = stream_schema(table()[name])["properties"]
        assert set(filter(None, [*official.key.split(", "), official.cursor])) <= properties.keys(), name


@pytest.mark.parametrize("name", table())
def test_a_row_is_consistent(name: str) -> None:
    """The parts of a path are filled by its parents, and records of a partition carry their keys."""
    row = table()[name]
    parents = lineage(row)

    assert row.path.format(**{parent.param: "x" for parent in parents}).count("x") >= len(parents)
    assert row.path.count("{") == len(parents)
    assert {parent.column for parent in parents} <= stream_schema(row)["properties"].keys()
    assert not row.on_request or row.parent


@pytest.mark.parametrize("name", table())
def test_a_catalog_may_have_the_schemas(name: str) -> None:
    """Everything is nullable and open; there are no references, variants, enumerations and links."""

    def walk(schema: dict[str, object], *, top: bool = False) -> None:
        assert not {"$ref", "allOf", "anyOf", "oneOf", "not", "enum", "required"} & schema.keys()
        assert top or "null" in schema["type"]  # type: ignore[operator]
        assert "properties" not in schema or schema["additionalProperties"] is True
        for below in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):  # type: ignore[attr-defined]
            walk(below)

    for schema in (stream_schema(table()[name]), open_schema(table()[name])):
        walk(schema, top=True)
        assert "_links" not in json.dumps(schema)


def test_names_are_taken_with_and_without_the_prefix() -> None:
    """A name that does not exist is answered with the nearest ones."""
    assert usable_name(" mailchimp_campaigns ") == usable_name("campaigns") == "campaigns"
    with pytest.raises(ValueError, match="nearest names are campaigns"):
        usable_name("campaign")


@pytest.mark.parametrize("name", ["campaign", "q7", ""])
def test_three_names_are_suggested_however_far_they_are(name: str) -> None:
    """For a name in the configuration, and for a stream of a catalog."""
    with pytest.raises(ValueError, match="nearest") as refused:
        usable_name(name)

    for words in (str(refused.value), refusal(f"mailchimp_{name}", []) or ""):
        suggested = words.rstrip(".").rpartition(" are ")[2].split(", ")
        assert len({one.removeprefix("mailchimp_") for one in suggested} & {*table(), "all"}) == 3


@pytest.mark.parametrize(("given", "taken"), [("all", ["all"]), (["all", "member_notes"], ["all", "member_notes"]), ([], [])])
def test_all_may_be_given_as_a_text(given: object, taken: list[str]) -> None:
    """The configuration takes `all` with and without a list around it."""
    credentials = {"auth_type": "apikey", "apikey": f"{'0' * 32}-us1"}

    assert parse_source_config({"credentials": credentials, "raw_streams": given}).raw_streams == taken


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A long reading that emits nothing is in the log every quarter of a minute, not every time."""
    now = [0.0]
    monkeypatch.setattr("source_mailchimp_unified.sync.progress.time.monotonic", lambda: now[0])
    progress = Progress(logging.getLogger("progress"))

    with caplog.at_level(logging.INFO):
        for count in range(60):
            now[0] += 1
            progress.tell("%s parts read.", count)

    assert [record.getMessage() for record in caplog.records] == [f"{count} parts read." for count in (14, 29, 44, 59)]


def test_all_is_all_but_what_is_on_request() -> None:
    """What takes a request per contact, order, product or link has to be named."""
    on_request = {row.name for row in table().values() if row.on_request}

    assert {row.name for row in chosen(["all"])} == set(table()) - on_request
    assert {row.name for row in chosen(["all", *on_request])} == set(table())
    assert {name for name in table() if name.startswith("member_")} < on_request


@pytest.mark.parametrize("name", table())
def test_a_stream_is_in_the_catalog_as_its_row_is(name: str) -> None:
    """It is incremental where it is followed, by the time of its cursor where it has one; with its key and its schema."""
    row = table()[name]
    (stream,) = raw_catalog([name])
    followed = row.follows != "whole"

    assert (stream.name, stream.json_schema) == (f"mailchimp_{name}", stream_schema(row))
    assert [mode.value for mode in stream.supported_sync_modes or []] == ["full_refresh", *(["incremental"] if followed else [])]
    assert (bool(stream.source_defined_cursor), stream.is_resumable) == (followed, followed)
    assert stream.default_cursor_field == ([row.cursor.field] if row.cursor else None)
    assert stream.source_defined_primary_key == ([[key] for key in row.primary_key] or None)


def test_streams_that_are_read_whole_are_few_and_known() -> None:
    """What is not followed cannot be read incrementally: orders are, campaigns are not."""
    modes = {one.name: len(one.supported_sync_modes or []) for one in raw_catalog(["orders", "campaigns", "member_notes", "list_members"])}

    assert modes == {"mailchimp_orders": 1, "mailchimp_campaigns": 2, "mailchimp_member_notes": 1, "mailchimp_list_members": 2}


def test_the_form_groups_the_choices_and_marks_what_is_on_request() -> None:
    """Every row can be chosen, the group of each is named, and those on request come last, with what they take a request for."""
    named = choices()
    words = description("Choose.")

    assert named[0] == "all"
    assert sorted(named[1:]) == sorted(table())
    requested = [row.name for row in table().values() if row.on_request]
    assert set(named[-len(requested) :]) == set(requested)
    assert all(f"{row.group}: " in words for row in table().values())
    free, _, costly = words.partition("On request, not in all: ")
    assert "member_notes (each of the list members)" in costly
    assert re.findall(r"(\w+) \(each of", costly) == requested
    assert {one for group in re.findall(r": ([^.]*)\.", free) for one in group.split(", ")} == set(table()) - set(requested)
    assert {row.group for row in table().values()} == {
        "Account", "Audiences", "Automations", "Campaigns", "Content", "E-commerce", "Reports",
    }  # fmt: skip


@pytest.mark.parametrize("name", table())
def test_a_row_says_how_it_is_followed(name: str) -> None:
    """Each row says it as data: what is read whole says why, a lookback does, and only what a parent tells is taken from it."""
    row = table()[name]

    assert row.followed is not None or row.cursor is not None
    assert row.follows in ("fingerprint", "cursor") or row.because
    assert row.cursor is None or (row.cursor.because and row.cursor.lookback_seconds > 0 and row.follows == "cursor")
    assert row.follows != "parent" or (row.parent is not None and row.parent.tells)
    assert row.parent is None or not row.parent.tells or row.parent.dates


def test_a_stream_that_does_not_exist_is_answered_with_those_that_do() -> None:
    """A user of the official source's names is told the new ones."""
    assert "nearest of them are mailchimp_campaigns" in (refusal("campaigns", []) or "")
    assert refusal("mailchimp_campaigns", []) is None
    assert "name member_notes in raw_streams" in (refusal("mailchimp_member_notes", ["all"]) or "")
    assert refusal("mailchimp_member_notes", ["member_notes"]) is None


def test_no_code_knows_a_row() -> None:
    """The names of the rows stand in the table, not in the code; but for that of the audiences, which `list_ids` narrows."""
    modules = (ROOT / "source_mailchimp_unified" / "raw").glob("*.py")
    code = {path.name: path.read_text() for path in modules}

    assert {(module, name) for module, text in code.items() for name in table() if f'"{name}"' in text} == {("parents.py", "lists")}
