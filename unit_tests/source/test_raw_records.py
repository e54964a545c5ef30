"""What an item becomes, and what a state knows of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.clock import moment_of
from mailchimp_unified.entities.entity import timestamp
from source_mailchimp_unified.raw.entering import ended_before, mark, settled
from source_mailchimp_unified.raw.positions import STATES_PER_SYNC, PartitionPosition, Positions
from source_mailchimp_unified.raw.reading import Versions
from source_mailchimp_unified.raw.records import inside, newest, odd_entries, records_of, times_of
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, Parent, table
from source_mailchimp_unified.sync.fingerprints import packed, unpacked

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "2026-01-01T00:00:00+00:00"])
NAMES = st.sampled_from(["a", "b", "created_at", "_links"])
VALUES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=4), max_leaves=12)
TIME = {"type": ["null", "string"], "format": "date-time"}


def row(**more: Any) -> Collection:
    """Return a row of a table."""
    return Collection.model_validate({"name": "things", "path": "/things", "records_key": "things", "primary_key": ["id"], **more})


def records(one: Collection, items: list[Any], keys: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of some items."""
    return [made.record for made in records_of(one, items, keys, times_of(schema))]


def unlinked(value: Any) -> Any:
    """Return a copy of a value without links."""
    if isinstance(value, list):
        return [unlinked(one) for one in value]
    return {name: unlinked(one) for name, one in value.items() if name != "_links"} if isinstance(value, dict) else value


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
def test_nothing_but_links_and_times_is_changed(item: dict[str, Any]) -> None:
    """A record of a row whose schema knows no times is the item without links."""
    before = copy.deepcopy(item)

    (record,) = records(row(), [item], {}, {})

    assert record == unlinked(before)


def timed(value: Any) -> Any:
    """Return what stands in the place of a time: a time, or null, and for each in a list."""
    return [timed(one) for one in value] if isinstance(value, list) else timestamp(value)


@given(VALUES)
def test_only_what_stands_for_a_time_is_made_one(value: Any) -> None:
    """Under a time there is a time or null; every other value, and "" everywhere else, stays as it is."""
    schema = {"properties": {"at": TIME, "all": {"items": TIME}, "in": {"properties": {"at": TIME, "name": {}}}}}
    item = {"at": copy.deepcopy(value), "name": copy.deepcopy(value), "in": {"at": "", "name": ""}, "all": ["", "x"], "other": {"at": ""}}

    (made,) = records_of(row(), [item], {}, times_of(schema))

    plain, record = unlinked(value), made.record
    assert record["at"] == timed(plain)
    assert record["name"] == plain
    assert record["in"] == {"at": None, "name": ""}
    assert record["all"] == [None, None]
    assert record["other"] == {"at": ""}
    readable = plain in ("", None) or timestamp(plain) is not None or (isinstance(plain, list) and all(one in ("", None) for one in plain))
    if not isinstance(plain, list):
        assert made.nulled == ["all"] if readable else ["at", "all"]


def test_keys_of_parents_are_added_where_mailchimp_leaves_them_out() -> None:
    """A record carries the keys of its parents; where the item has a value of that name, that one stays."""
    made = records(row(), [{"id": 1}, {"id": 2, "list_id": "other"}, {"id": 3, "list_id": None}], {"list_id": "here"}, {})

    assert [record["list_id"] for record in made] == ["here", "other", "here"]


def test_entries_become_records_of_their_own() -> None:
    """An item with a list of entries is a record per entry; equal entries have keys of their own, the same in every reading."""
    flat = row(flatten={"field": "activity", "id": "activity_id"}, cursor={"field": "timestamp", "since": "since", "lookback_seconds": 600})
    entries = [{"action": "click", "url": "a"}, {"action": "click", "url": "b"}, {"url": "a", "action": "click"}]

    def read() -> list[dict[str, Any]]:
        return records(flat, [{"email_id": "e", "activity": copy.deepcopy(entries)}, {"email_id": "f"}], {"campaign_id": "c"}, {})

    made = read()
    assert [(r["campaign_id"], r["email_id"], r["url"]) for r in made] == [("c", "e", "a"), ("c", "e", "b"), ("c", "e", "a")]
    assert len({record["activity_id"] for record in made}) == 3
    assert read() == made
    assert not any("activity" in record for record in made)


@given(st.dictionaries(st.sampled_from(["is_proxy_open", "location", "new_flag"]), SCALARS))
def test_an_entry_keeps_its_key_whatever_else_is_said_of_it(flags: dict[str, Any]) -> None:
    """The key is made of what never changes in an entry."""
    flat = row(flatten={"field": "opens", "id": "open_id", "of": ["timestamp"]})

    plain, flagged = (records(flat, [{"opens": [{"timestamp": "t", **more}]}], {}, {})[0] for more in ({}, flags))

    assert plain["open_id"] == flagged["open_id"]


def test_the_key_of_an_entry_is_that_of_earlier_versions() -> None:
    """Tables of users hold these keys: an entry with nothing but what makes its key has the one that it always had."""
    activity = table()["email_activity"]
    entry = {"action": "click", "timestamp": "2024-01-05T10:00:00+00:00", "url": "https://shop.test/a", "ip": "10.0.0.1"}

    (record,) = records(activity, [{"email_id": "e", "activity": [entry]}], {}, {})

    assert record["activity_id"] == "eae48a5a9f336db156968845f0f34345"


def test_the_newest_time_of_a_record() -> None:
    """Empty, missing and unreadable times do not count; a name may lead inside."""
    record = {"a": "2026-01-02T00:00:00+00:00", "b": "", "c": "2026-01-03 00:00:00", "d": "soon", "e": {"f": "2026-01-04"}}

    assert newest(record, ["a", "b", "c", "d", "g.h"]) == "2026-01-03T00:00:00+00:00"
    assert newest(record, ["e.f", "a"]) == "2026-01-04T00:00:00+00:00"
    assert newest(record, ["b", "d"]) is None


SECOND = st.integers(1, 2_000_000_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | SECOND), max_size=20), SECOND)
def test_a_cursor_never_goes_back_nor_beyond_what_was_seen_and_the_limit(steps: list[tuple[int, int | None]], limit: int) -> None:
    """In any order of times, the cursor of a partition is the newest of it up to the limit."""
    positions = Positions("mailchimp_things", {})
    expected: dict[int, int] = {}
    for part, seen in steps:
        position = positions.open((part,), 600, limit)
        position.see(seen, limit)
        positions.close((part,), position, None)
        if seen is not None:
            expected[part] = max(min(seen, limit), expected.get(part, 0))

    assert positions.state()["cursors"] == {f"[{part}]": moment_of(second) for part, second in expected.items()}


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=40), st.integers(0, 900))
def test_the_last_seconds_are_known_and_no_others(seconds: list[int], lookback: int) -> None:
    """Of a partition with a cursor a state knows the versions within the lookback before the newest."""
    position = PartitionPosition(None, frozenset(), lookback)
    for number, second in enumerate(seconds):
        position.see(second, 10_000)
        if position.keeps(second):
            position.note(number.to_bytes(6, "big"), second)

    wanted = {number.to_bytes(6, "big") for number, second in enumerate(seconds) if second > max(seconds) - lookback}
    assert set(position.kept()) == wanted


@given(st.lists(st.binary(min_size=6, max_size=6), unique=True))
def test_fingerprints_are_packed_without_loss(versions: list[bytes]) -> None:
    """What a state holds comes back."""
    assert unpacked(packed(versions)) == frozenset(versions)


def test_a_text_that_is_no_fingerprints_holds_none() -> None:
    """A damaged part of a state makes records come again, nothing worse."""
    assert unpacked("not base64!") == frozenset()


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)), max_size=8))
def test_equal_records_are_counted(made: list[dict[str, int]]) -> None:
    """As many fingerprints as records, the same in every reading, without regard to the fields that vary."""
    first, second = Versions(["v"]), Versions(["v"])

    versions = [first.of({**record, "v": 1}) for record in made]

    assert len(set(versions)) == len(made)
    assert sorted(versions) == sorted(second.of({**record, "v": 2}) for record in made)


def test_the_fingerprint_of_a_version_is_that_of_earlier_versions() -> None:
    """States of users hold these: with others every record would come once more."""
    versions = Versions(["v"])

    assert [versions.of({"id": 1, "name": "x", "v": number}).hex() for number in range(3)] == [
        "547385f9940a",
        "ba13c1b2d645",
        "9a28e634915b",
    ]


def test_a_state_is_worth_its_size() -> None:
    """Each of few partitions is followed by a state; of very many, some fifty states follow in all."""
    few, many = (Positions("mailchimp_things", {}) for _ in range(2))

    def close(positions: Positions, part: int) -> bool:
        position = positions.open((part,), 600, 1 << 40)
        position.see(part + 1, 1 << 40)
        return positions.close((part,), position, None)

    assert all(close(few, part) for part in range(STATES_PER_SYNC))
    told = sum(close(many, part) for part in range(20_000))
    assert STATES_PER_SYNC < told < 8 * STATES_PER_SYNC


REPORT = Parent.model_validate(
    {"row": "reports", "param": "campaign_id", "tells": ["opens"], "dates": ["last_open"], "settled": {"status": ["sent"]}}
)


def told(second: int, opens: int = 1, status: str = "sent") -> dict[str, Any]:
    """Return what a report tells."""
    return {"last_open": moment_of(second), "opens": opens, "status": status}


@given(SECOND, SECOND, st.integers(0, 900), st.booleans())
def test_a_parent_is_settled_when_all_it_tells_of_had_time_to_show(latest: int, read_at: int, lookback: int, known: bool) -> None:
    """Only then, and not when something moved without a newer time."""
    now = mark(REPORT, told(latest)) or ""
    before = mark(REPORT, told(latest, opens=0)) if known else None

    assert settled(None, now, read_at, lookback) == (latest + lookback <= read_at)
    assert settled(before, now, read_at, lookback) == (latest + lookback <= read_at and not known)
    assert settled(mark(REPORT, told(latest - 1)), now, read_at, lookback) == (latest + lookback <= read_at)


def test_a_parent_that_tells_nothing_is_always_entered() -> None:
    """Without a time, or while it is not what it will be, a parent has no mark; another count makes another one."""
    assert mark(REPORT, {"opens": 3, "status": "sent"}) is None
    assert mark(REPORT, told(7, status="paused")) is None
    assert mark(None, told(7)) is None
    assert mark(REPORT, told(7)) != mark(REPORT, told(7, opens=2))


def test_a_start_date_passes_over_parents_that_ended_before_it() -> None:
    """What has no date, and what happened in that second or later, is entered."""
    assert ended_before(REPORT, told(7), 8)
    assert not ended_before(REPORT, told(7), 7)
    assert not ended_before(REPORT, {}, 8)
    assert not ended_before(REPORT, told(7), None)


@pytest.mark.parametrize("name", table())
def test_the_keys_and_times_of_a_row_are_in_its_schema(name: str) -> None:
    """Keys are declared and scalar; cursor and dates are times."""
    one = table()[name]
    properties = stream_schema(one)["properties"]

    assert all({"object", "array"}.isdisjoint(properties[key]["type"]) for key in one.primary_key)
    assert all(properties[moment]["format"] == "date-time" for moment in one.moments)
    assert all(field in properties for field in one.varies)


@pytest.mark.parametrize("name", [name for name, one in table().items() if one.parent])
def test_what_a_parent_tells_is_in_its_schema(name: str) -> None:
    """What a row wants to know of its parent is declared there; what is called a date is one."""
    parent = table()[name].parent
    assert parent is not None
    schema = stream_schema(table()[parent.row])

    def declared(field: str) -> dict[str, Any]:
        below: dict[str, Any] = schema
        for part in field.split("."):
            below = below["properties"][part]
        return below

    assert all(declared(field) for field in parent.told)
    assert all(declared(field)["format"] == "date-time" for field in parent.dates)
    assert all("integer" in declared(field)["type"] for field in parent.size)


TIMES = {
    "2024-01-05 10:00:00": "2024-01-05T10:00:00+00:00",
    "2024-01-05T10:00:00": "2024-01-05T10:00:00+00:00",
    "2024-01-05T10:00": "2024-01-05T10:00:00+00:00",
    "2024-01-05": "2024-01-05T00:00:00+00:00",
    "2024-01-05T10:00:00Z": "2024-01-05T10:00:00Z",
    "2024-01-05T10:00:00.250Z": "2024-01-05T10:00:00.250Z",
    "2024-01-05T10:00:00.250": "2024-01-05T10:00:00+00:00",
    "2024-01-05T10:00:00+02:00": "2024-01-05T10:00:00+02:00",
    "2024-01-05T10:00:00-05:00": "2024-01-05T10:00:00-05:00",
    "2024-01-05 10:00:00+02:00": "2024-01-05T08:00:00+00:00",
    "2024-01-05 10:00:00Z": "2024-01-05T10:00:00+00:00",
    "20240105T100000Z": "2024-01-05T10:00:00+00:00",
}


@pytest.mark.parametrize(("given_time", "made_time"), TIMES.items())
def test_a_time_with_a_zone_stays_as_it_is_and_every_other_gets_one(given_time: str, made_time: str) -> None:
    """As RFC 3339 writes it; UTC is what Mailchimp means where it says nothing."""
    (made,) = records_of(row(), [{"at": given_time}], {}, {"at": {}})

    assert (made.record["at"], made.nulled) == (made_time, [])


@pytest.mark.parametrize(("none", "named"), [("", []), ("0000-00-00 00:00:00", []), ("0000-00-00", []), ("soon", ["at"]), (7, ["at"])])
def test_a_time_that_is_none_is_null_and_named_where_it_was_to_say_something(none: Any, named: list[str]) -> None:
    """An empty one, or the zeros of databases, say that there is no time."""
    (made,) = records_of(row(), [{"at": none}], {}, {"at": {}})

    assert (made.record["at"], made.nulled) == (None, named)


def test_fields_that_could_not_be_read_are_named_once_each_with_all_above_them() -> None:
    """Also when they are in a list, or are one."""
    schema = {"properties": {"all": {"items": TIME}, "in": {"items": {"properties": {"at": TIME, "deep": {"properties": {"at": TIME}}}}}}}
    item = {"all": ["soon", "later", "", "2024-01-05"], "in": [{"at": "soon"}, {"at": "later", "deep": {"at": "never"}}]}

    (made,) = records_of(row(), [item], {}, times_of(schema))

    assert made.nulled == ["all", "in.at", "in.deep.at"]
    assert made.record["all"] == [None, None, None, "2024-01-05T00:00:00+00:00"]
    assert made.record["in"] == [{"at": None}, {"at": None, "deep": {"at": None}}]


def test_what_is_missing_stays_missing() -> None:
    """A record gets no field for a time that Mailchimp leaves out, and null stays null."""
    (made,) = records_of(row(), [{"id": 1, "at": None}], {}, {"at": {}, "other": {}, "in": {"at": {}}})

    assert (made.record, made.nulled) == ({"id": 1, "at": None}, [])


def test_the_links_of_what_is_inside_lists_are_left_out_too() -> None:
    """At any depth."""
    links = [{"rel": "self"}]
    item = {"_links": links, "a": [[{"_links": links, "b": 1}], {"_links": links}], "c": {"_links": links, "d": [1, "x", None]}}

    assert records(row(), [item], {}, {}) == [{"a": [[{"b": 1}], {}], "c": {"d": [1, "x", None]}}]


def test_every_one_of_equal_entries_has_a_key_of_its_own() -> None:
    """In the order in which they come, so that the first of them keep theirs when another one is added."""
    flat = row(flatten={"field": "opens", "id": "open_id", "of": ["timestamp"]})

    few, more = ([one["open_id"] for one in records(flat, [{"opens": [{"timestamp": "t"}] * number}], {}, {})] for number in (3, 5))

    assert few == more[:3]
    assert len(set(more)) == 5


@pytest.mark.parametrize(
    ("items", "odd"),
    [
        ([{"opens": [{}, {}]}, {}], 0),
        ([{"opens": [{}, 1, "x"]}, {"opens": [[]]}], 3),
        ([{"opens": None}], 0),
        ([{"opens": {}}, {"opens": 0}, {"opens": ""}], 3),
    ],
)
def test_entries_that_are_none_are_counted(items: list[dict[str, Any]], odd: int) -> None:
    """One by one, or one for what stands in the place of the list; a row without entries has none that are odd."""
    flat = row(flatten={"field": "opens", "id": "open_id"})

    assert odd_entries(flat, items) == odd
    assert odd_entries(row(), items) == 0
    assert len(records(flat, copy.deepcopy(items), {}, {})) == sum(type(one) is dict for item in items for one in (item.get("opens") or []))


@pytest.mark.parametrize(("name", "found"), [("a", 1), ("b.c", 2), ("b.d", None), ("a.c", None), ("x.y.z", None), ("b", {"c": 2})])
def test_a_name_with_dots_leads_inside(name: str, found: Any) -> None:
    """What is not there, and what is inside of what has no inside, is null."""
    assert inside({"a": 1, "b": {"c": 2}}, name) == found
