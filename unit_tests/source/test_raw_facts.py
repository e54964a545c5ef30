"""The table of raw streams, held against the facts about Mailchimp and its API description."""

from __future__ import annotations

import json

import pytest

from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, lineage, table
from tools.raw_streams import SCHEMAS, schema_files
from unit_tests.references import reference

FACTS = {row["path"]: row for row in json.loads(reference("mailchimp-collections.json").read_text())["collections"]}
PATHS = json.loads(reference("mailchimp-openapi.json").read_text())["paths"]

LEFT_OUT = {"/search-campaigns": "answers a query only"}

WHOLE = {
    "/campaigns/{campaign_id}/content": "a campaign that is not multivariate has its content next to the list",
    "/campaigns/{campaign_id}/send-checklist": "whether a campaign is ready stands next to the list",
    "/reports/{campaign_id}/eepurl": "the clicks of the short link stand next to the list",
}

NEWER = {"/audiences": {"count", "offset"}}
"""Collections that came after the facts, with what their description there lacks: contract 3.0.91 of August 2026."""

NEWER_PARAMETERS = {"filter_bots"}
"""https://github.com/api-evangelist/mailchimp/blob/main/openapi/_original/mailchimp-marketing-api-openapi.yml."""

CURSORS = "cursor (next_cursor)"


def test_every_collection_is_a_row() -> None:
    """All readable collections are in the table, but those that are left out for a reason."""
    assert {row.path for row in table().values()} | LEFT_OUT.keys() == FACTS.keys() | NEWER.keys()
    assert len(table()) == len(FACTS) - len(LEFT_OUT) + len(NEWER) == 83


@pytest.mark.parametrize("name", [name for name, row in table().items() if row.path not in NEWER])
def test_a_row_agrees_with_the_facts(name: str) -> None:
    """Records key, paging, parents, and the key of the items are those of the facts; what Mailchimp filters by time is made use of."""
    row = table()[name]
    facts = FACTS[row.path]

    assert row.records_key == (None if row.path in WHOLE else facts["records_key"])
    # Ten come of every collection that is not asked for more, also where the reference names no pages.
    assert (row.paging == "cursor") == (facts["pagination"] == CURSORS)
    assert [parent.param for parent in lineage(row)] == [parent["param"] for parent in facts["parents"]]
    assert [parent.field for parent in lineage(row)] == [parent["from_field"] for parent in facts["parents"]]
    if row.cursor and row.cursor.since:
        assert (row.cursor.since, row.cursor.before) == (facts["cursor"]["since_param"], facts["cursor"]["before_param"])


@pytest.mark.parametrize("row", table().values(), ids=table())
def test_a_row_asks_for_nothing_that_is_not_described(row: Collection) -> None:
    """Every parameter of a row is one that Mailchimp describes, with such a value."""
    described = {one["name"]: one for one in PATHS[row.path]["get"].get("parameters", []) if one["in"] == "query"}
    asked = {*row.params, *(name for listing in row.listings for name in listing)}
    if facts := FACTS.get(row.path):
        pages = {CURSORS: {"count", "cursor"}, "offset": {"count", "offset"}}
        asked |= pages.get(facts["pagination"], set())
    asked |= {name for params in row.options.values() for name in params} - NEWER_PARAMETERS
    asked |= {"exclude_fields", "fields"} if row.partial else set()
    asked |= {"sort_field", "sort_dir"} if row.sort_field else set()
    asked |= {name for name in (row.cursor.since, row.cursor.before) if name} if row.cursor else set()

    assert asked <= described.keys()
    assert row.partial == ("exclude_fields" in described)
    assert row.sort_field is None or row.sort_field in described["sort_field"].get("enum", [row.sort_field])


@pytest.mark.parametrize("row", table().values(), ids=table())
def test_a_key_holds_what_is_unique_below_the_parent_and_the_parents(row: Collection) -> None:
    """A key ends with the item's own, and holds the keys of all parents, so that no two of theirs collide; or there is none."""
    above = {parent.column for parent in lineage(row)}
    own = [name for name in row.primary_key if name not in above]

    assert not row.primary_key or above <= set(row.primary_key)
    assert not row.primary_key or own or row.path in WHOLE


def test_the_schemas_are_those_that_the_description_gives() -> None:
    """The files are what `make raw` writes, and none is left over; only two collections are not described."""
    contents = schema_files(PATHS)

    assert {path.name: path.read_text() for path in SCHEMAS.glob("*.json")} == contents
    assert table().keys() - {name.removesuffix(".json") for name in contents} == {"list_surveys", "audiences"}


def test_schemas_keep_the_described_types() -> None:
    """Types, formats and nesting are those described; variants are taken together."""
    members = stream_schema(table()["list_members"])["properties"]
    conditions = stream_schema(table()["segments"])["properties"]["options"]["properties"]["conditions"]["items"]["properties"]

    assert members["last_changed"]["airbyte_type"] == "timestamp_with_timezone"
    assert members["stats"]["properties"]["ecommerce_data"]["properties"]["total_revenue"]["type"] == ["null", "number"]
    assert members["tags"]["items"]["properties"]["id"]["type"] == ["null", "integer"]
    assert set(conditions["value"]["type"]) == {"null", "string", "number", "array"}
    assert "activity_type" in stream_schema(table()["member_activity_feed"])["properties"]
