from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mailchimp_unified.raw.cursors import STATES_PER_SYNC, Cursors
from source_mailchimp_unified.raw.records import newest, records_of, times_of
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw.table import Collection, table

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "2026-01-01T00:00:00+00:00"])
NAMES = st.sampled_from(["a", "b", "created_at", "_links"])
VALUES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=4), max_leaves=12)
TIME = {"type": ["null", "string"], "format": "date-time"}


def row(**more: Any) -> Collection:
    """Return a row of a table."""
    return Collection.model_validate(
        {"name": "things", "path": "/things", "records_key": "things", "primary_key": ["id"], "paging": "offset", **more}
    )


def unlinked(value: Any) -> Any:
    """Return a copy of a value without links."""
    if isinstance(value, list):
        return [unlinked(one) for one in value]
    return {name: unlinked(one) for name, one in value.items() if name != "_links"} if isinstance(value, dict) else value


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
def test_nothing_but_links_and_empty_times_is_changed(item: dict[str, Any]) -> None:
    """A record of a row whose schema knows no times is the item without links."""
    before = copy.deepcopy(item)

    (record,) = records_of(row(), [item], {}, {})

    assert record == unlinked(before)


def nulled(value: Any) -> Any:
    """Return a value with null for an empty text, and for each in a list."""
    return [nulled(one) for one in value] if isinstance(value, list) else None if value == "" else value


@given(VALUES)
def test_only_empty_texts_at_the_place_of_a_time_become_null(value: Any) -> None:
    """Under a time "" is null; every other value there, and "" everywhere else, stays as it is."""
    schema = {"properties": {"at": TIME, "all": {"items": TIME}, "in": {"properties": {"at": TIME, "name": {}}}}}
    item = {"at": copy.deepcopy(value), "name": copy.deepcopy(value), "in": {"at": "", "name": ""}, "all": ["", "x"], "other": {"at": ""}}

    (record,) = records_of(row(), [item], {}, times_of(schema))

    plain = unlinked(value)
    assert record["at"] == nulled(plain)
    assert record["name"] == plain
    assert record["in"] == {"at": None, "name": ""}
    assert record["all"] == [None, "x"]
    assert record["other"] == {"at": ""}


def test_keys_of_parents_are_added_where_mailchimp_leaves_them_out() -> None:
    """A record carries the keys of its parents; where the item has a value of that name, that one stays."""
    records = list(records_of(row(), [{"id": 1}, {"id": 2, "list_id": "other"}, {"id": 3, "list_id": None}], {"list_id": "here"}, {}))

    assert [record["list_id"] for record in records] == ["here", "other", "here"]


def test_entries_become_records_of_their_own() -> None:
    """An item with a list of entries is a record per entry; entries that differ in anything have different digests, equal ones the same."""
    flat = row(flatten={"field": "activity", "id": "activity_id"}, cursor={"field": "timestamp", "since": "since"})
    entries = [{"action": "click", "url": "a"}, {"action": "click", "url": "b"}, {"url": "a", "action": "click"}]

    records = list(records_of(flat, [{"email_id": "e", "activity": entries}, {"email_id": "f"}], {"campaign_id": "c"}, {}))

    assert [(r["campaign_id"], r["email_id"], r["url"]) for r in records] == [("c", "e", "a"), ("c", "e", "b"), ("c", "e", "a")]
    assert records[0]["activity_id"] == records[2]["activity_id"] != records[1]["activity_id"]
    assert not any("activity" in record for record in records)


def test_the_newest_time_is_that_of_the_items_or_of_their_entries() -> None:
    """Empty, missing and unreadable times do not count."""
    plain = row(cursor={"field": "at", "since": "since_at"})
    flat = row(cursor={"field": "at", "since": "since"}, flatten={"field": "list", "id": "digest"})
    moments = [{"at": "2026-01-02T00:00:00+00:00"}, {"at": ""}, {}, {"at": "2026-01-03 00:00:00"}, {"at": "soon"}]

    assert newest(plain, moments) == "2026-01-03T00:00:00+00:00"
    assert newest(flat, [{"list": moments}, {"list": None}, {}]) == "2026-01-03T00:00:00+00:00"
    assert newest(plain, [{}]) is None
    assert newest(row(), moments) is None


NEWEST = st.integers(0, 2_000_000_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | NEWEST), max_size=20), NEWEST)
def test_a_cursor_never_goes_back_nor_beyond_what_was_seen_and_the_horizon(steps: list[tuple[int, int | None]], horizon: int) -> None:
    """Whatever is seen in whatever order, the cursor of a partition is the newest of it up to the horizon."""
    from source_mailchimp_unified.sync.state import moment_of

    cursors, expected = Cursors("mailchimp_things", {}), {}
    for part, seen in steps:
        cursors.advance((part,), None if seen is None else moment_of(seen), horizon)
        if seen is not None:
            expected[part] = max(min(seen, horizon), expected.get(part, 0))
        assert cursors.of((part,)) == expected.get(part)


def test_a_state_is_worth_its_size() -> None:
    """Each of few partitions is followed by a state; of very many, some fifty states follow in all."""
    few, many = (Cursors("mailchimp_things", {}) for _ in range(2))
    moment = "2026-01-01T00:00:00+00:00"

    assert all(few.advance((part,), moment, 1 << 40) for part in range(STATES_PER_SYNC))
    told = sum(many.advance((part,), moment, 1 << 40) for part in range(20_000))
    assert STATES_PER_SYNC < told < 8 * STATES_PER_SYNC


@pytest.mark.parametrize("name", table())
def test_the_keys_of_a_row_are_in_its_schema(name: str) -> None:
    """Keys and cursor are declared, scalar, and the cursor is a time."""
    one = table()[name]
    properties = stream_schema(one)["properties"]

    assert all({"object", "array"}.isdisjoint(properties[key]["type"]) for key in one.primary_key)
    assert one.cursor is None or properties[one.cursor.field]["format"] == "date-time"
