"""A warehouse in one file: DuckDB tables with real types, made from a catalog, filled from messages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import duckdb

Json = dict[str, Any]


def column_type(property_: Mapping[str, Any]) -> str:
    """Return the DuckDB type for a property of a JSON schema."""
    types = {name for name in property_["type"] if name != "null"} if isinstance(property_["type"], list) else {property_["type"]}
    if types == {"array"}:
        return f"{column_type(property_['items'])}[]"
    if types & {"object"} and property_.get("properties"):
        return "STRUCT(" + ", ".join(f"{quoted(name)} {column_type(part)}" for name, part in property_["properties"].items()) + ")"
    if types == {"string"}:
        return {"date-time": "TIMESTAMPTZ", "date": "DATE"}.get(property_.get("format", ""), "VARCHAR")
    plain = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
    return plain.get(next(iter(types)), "JSON") if len(types) == 1 else "JSON"


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


class Stream:
    """A table, and the file in which its records wait for the next state."""

    def __init__(self, configured: Mapping[str, Any], folder: Path) -> None:
        stream = configured["stream"]
        self.name: str = stream["name"]
        self.key = [quoted(path[0]) for path in stream["source_defined_primary_key"]]
        self.cursor = quoted(stream["default_cursor_field"][0])
        self.columns = {name: column_type(property_) for name, property_ in stream["json_schema"]["properties"].items()}
        self.path = folder / f"{self.name}.jsonl"
        self.waiting: TextIO = self.path.open("w")

    @property
    def declaration(self) -> str:
        """The columns as SQL."""
        return ", ".join(f"{quoted(name)} {type_}" for name, type_ in self.columns.items())


class Warehouse:
    """A DuckDB file. Each state is saved together with the records before it, so that a sync can go on after any stop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = duckdb.connect(str(path))
        self.connection.execute("CREATE TABLE IF NOT EXISTS _states (stream VARCHAR PRIMARY KEY, state VARCHAR, declaration VARCHAR)")
        self._folder = tempfile.TemporaryDirectory()
        self._streams: dict[str, Stream] = {}

    def prepare(self, catalog: Mapping[str, Any]) -> list[Json]:
        """Make a table per stream and return the saved states. A table whose columns changed is made anew and read anew."""
        states = []
        for configured in catalog["streams"]:
            stream = Stream(configured, Path(self._folder.name))
            self._streams[stream.name] = stream
            saved = self.connection.execute("SELECT state, declaration FROM _states WHERE stream = ?", [stream.name]).fetchone()
            if saved and saved[1] == stream.declaration:
                states.append(json.loads(saved[0]))
            else:
                self.connection.execute(f"CREATE OR REPLACE TABLE {quoted(stream.name)} ({stream.declaration})")
        return states

    def take(self, messages: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Load records and save states as they come. Returns the number of records by stream."""
        counts = dict.fromkeys(self._streams, 0)
        for message in messages:
            if message["type"] == "RECORD":
                record = message["record"]
                counts[record["stream"]] += 1
                self._streams[record["stream"]].waiting.write(json.dumps(record["data"]) + "\n")
            elif message["type"] == "STATE":
                self._save(message["state"])
        return counts

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(sql).fetchall()

    def _save(self, state: Mapping[str, Any]) -> None:
        stream = self._streams[state["stream"]["stream_descriptor"]["name"]]
        stream.waiting.flush()
        self.connection.begin()
        self._upsert(stream)
        self.connection.execute("INSERT OR REPLACE INTO _states VALUES (?, ?, ?)", [stream.name, json.dumps(state), stream.declaration])
        self.connection.commit()
        stream.waiting.truncate(0)
        stream.waiting.seek(0)

    def _upsert(self, stream: Stream) -> None:
        """Replace the rows whose key came again; of several records with one key the latest counts."""
        key = ", ".join(stream.key)
        columns = "{" + ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in stream.columns.items()) + "}"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE _new AS SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns})"
            f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {stream.cursor} DESC) = 1",
            [str(stream.path)],
        )
        table = quoted(stream.name)
        self.connection.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT ({key}) FROM _new)")
        self.connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM _new")
