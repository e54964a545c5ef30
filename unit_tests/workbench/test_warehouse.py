"""The tables of a DuckDB file, as syncs fill them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mailchimp_workbench.warehouse import OtherAccountError, Warehouse

TEXT = {"type": ["null", "string"]}


def catalog(sync_mode: str = "incremental", keyed: bool = True, **columns: Any) -> dict[str, Any]:  # noqa: FBT002
    """Return a catalog of one stream."""
    properties = {"id": TEXT, "updated_at": {**TEXT, "format": "date-time"}, **columns}
    stream = {"name": "people", "json_schema": {"properties": properties}}
    more = {"source_defined_primary_key": [["id"]], "default_cursor_field": ["updated_at"]} if keyed else {}
    return {"streams": [{"stream": {**stream, **more}, "sync_mode": sync_mode}]}


def messages(*records: dict[str, Any]) -> list[dict[str, Any]]:
    """Return records and a state."""
    state = {"stream_descriptor": {"name": "people"}, "stream_state": {"n": len(records)}}
    return [
        *({"type": "RECORD", "record": {"stream": "people", "data": one}} for one in records),
        {"type": "STATE", "state": {"stream": state}},
    ]


def test_of_several_records_with_one_key_the_latest_stays(tmp_path: Path) -> None:
    """Within one state, and from one to the next."""
    with closing(Warehouse(tmp_path / "a.duckdb")) as warehouse:
        warehouse.prepare(catalog())
        warehouse.take(messages({"id": "a", "updated_at": "2026-01-02T00:00:00Z"}, {"id": "a", "updated_at": "2026-01-01T00:00:00Z"}))
        warehouse.take(messages({"id": "b", "updated_at": "2026-01-03T00:00:00Z"}, {"id": "a", "updated_at": "2026-01-04T00:00:00Z"}))

        assert warehouse.query("SELECT id, day(updated_at) FROM people ORDER BY id") == [("a", 4), ("b", 3)]


def test_a_new_merge_field_keeps_the_rows_and_the_state(tmp_path: Path) -> None:
    """A column, or a part of one, that is new is empty in the rows that are there; the sync continues where it was."""
    narrow = {"type": "object", "properties": {"PLAN": TEXT}}
    wide = {"type": "object", "properties": {"AGE": {"type": ["null", "number"]}, "PLAN": TEXT}}
    with closing(Warehouse(tmp_path / "a.duckdb")) as warehouse:
        warehouse.prepare(catalog(fields=narrow))
        warehouse.take(messages({"id": "a", "fields": {"PLAN": "Pro"}}))

        (state,) = warehouse.prepare(catalog(fields=wide, note=TEXT))

        assert state["stream"]["stream_state"] == {"n": 1}
        assert warehouse.query("SELECT id, fields.PLAN, fields.AGE, note FROM people") == [("a", "Pro", None, None)]


def test_a_column_of_another_type_is_read_again(tmp_path: Path) -> None:
    """What cannot become the new type is not kept half: the table is empty and has no state."""
    with closing(Warehouse(tmp_path / "a.duckdb")) as warehouse:
        warehouse.prepare(catalog(age=TEXT))
        warehouse.take(messages({"id": "a", "age": "a while"}))

        assert warehouse.prepare(catalog(age={"type": ["null", "integer"]})) == []
        assert warehouse.query("SELECT count(*) FROM people") == [(0,)]


@pytest.mark.parametrize("keyed", [True, False])
def test_what_is_read_whole_each_time_does_not_pile_up(tmp_path: Path, keyed: bool) -> None:
    """A full refresh replaces what was there, also where the stream has no key."""
    with closing(Warehouse(tmp_path / "a.duckdb")) as warehouse:
        for _ in range(2):
            assert warehouse.prepare(catalog("full_refresh", keyed)) == []
            warehouse.take(messages({"id": "a"}, {"id": "b"}))

        assert warehouse.query("SELECT count(*) FROM people") == [(2,)]


def test_a_file_belongs_to_one_account(tmp_path: Path) -> None:
    """The first account that is read into a file owns it."""
    with closing(Warehouse(tmp_path / "a.duckdb")) as warehouse:
        for _ in range(2):
            warehouse.claim({"account_id": "1", "account_name": "One"})

        with pytest.raises(OtherAccountError, match="contains data of the Mailchimp account One"):
            warehouse.claim({"account_id": "2", "account_name": "Two"})
