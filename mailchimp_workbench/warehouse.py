"""A warehouse in one file: DuckDB tables with real types, made from a catalog, filled from messages.

The tables of the streams are in the schema `main`. What the next sync needs, the states and the account that the file belongs to, is in
a schema of its own, `sync`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import orjson

from mailchimp_workbench.connectors import Json


def column_type(property_: Mapping[str, Any]) -> str:
    """Return the DuckDB type for a property of a JSON schema."""
    named = property_.get("type", [])
    types = {name for name in named if name != "null"} if isinstance(named, list) else {named}
    if types == {"array"}:
        return f"{column_type(property_['items'])}[]" if property_.get("items") else "JSON"
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
        self.key = [quoted(path[0]) for path in stream.get("source_defined_primary_key") or []]
        self.cursor = quoted(stream["default_cursor_field"][0]) if stream.get("default_cursor_field") else None
        self.columns = {name: column_type(property_) for name, property_ in stream["json_schema"]["properties"].items()}
        self.path = folder / f"{self.name}.jsonl"
        self.waiting: BinaryIO = self.path.open("wb")

    @property
    def declaration(self) -> str:
        """The columns as SQL."""
        return ", ".join(f"{quoted(name)} {type_}" for name, type_ in self.columns.items())


class OtherAccountError(Exception):
    """The file holds another Mailchimp account."""


class Warehouse:
    """A DuckDB file with one Mailchimp account. Each state is saved together with the records before it, so that any stop is harmless."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection | None = None, folder: Path | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.connection = connection or duckdb.connect(str(path))
        self.connection.execute("CREATE SCHEMA IF NOT EXISTS sync")
        self.connection.execute("CREATE TABLE IF NOT EXISTS sync.states (stream VARCHAR PRIMARY KEY, state VARCHAR, declaration VARCHAR)")
        self.connection.execute("CREATE TABLE IF NOT EXISTS sync.account (id VARCHAR PRIMARY KEY, name VARCHAR)")
        self._folder = tempfile.TemporaryDirectory(dir=folder)
        self._streams: dict[str, Stream] = {}

    def close(self) -> None:
        """Let other programs open the file."""
        for stream in self._streams.values():
            stream.waiting.close()
        self._folder.cleanup()
        self.connection.close()

    def claim(self, account: Mapping[str, Any]) -> None:
        """Keep the file for one account: a record of the stream users. Raises OtherAccountError when another account is in it."""
        owner = self.connection.execute("SELECT id, name FROM sync.account").fetchone()
        if owner is None:
            self.connection.execute("INSERT INTO sync.account VALUES (?, ?)", [account["account_id"], account["account_name"]])
        elif owner[0] != account["account_id"]:
            raise OtherAccountError(
                f"{self.path} contains data of the Mailchimp account {owner[1]}, and this configuration is for {account['account_name']}."
                " Choose another file with --database."
            )

    def prepare(self, catalog: Mapping[str, Any]) -> list[Json]:
        """Make a table per stream and return the saved states.

        A table keeps its rows when columns or merge fields were added; where its columns became others, and where the stream is read
        whole each time, it begins empty.
        """
        return [json.loads(state) for configured in catalog["streams"] for state in self._prepare(configured)]

    def take(self, messages: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Load records and save states as they come. Returns the number of records by stream."""
        counts = dict.fromkeys(self._streams, 0)
        for message in messages:
            if message["type"] == "RECORD":
                counts[message["record"]["stream"]] += 1
                self.add(message["record"])
            elif message["type"] == "STATE":
                self.save(message["state"])
        return counts

    def add(self, record: Mapping[str, Any]) -> None:
        """Let a record wait for the next state of its stream."""
        self._streams[record["stream"]].waiting.write(orjson.dumps(record["data"], option=orjson.OPT_APPEND_NEWLINE))

    def save(self, state: Mapping[str, Any]) -> None:
        """Load the records that wait, and keep the state."""
        stream = self._streams[state["stream"]["stream_descriptor"]["name"]]
        stream.waiting.flush()
        self.connection.begin()
        self._load(stream)
        self.connection.execute("INSERT OR REPLACE INTO sync.states VALUES (?, ?, ?)", [stream.name, json.dumps(state), stream.declaration])
        self.connection.commit()
        stream.waiting.truncate(0)
        stream.waiting.seek(0)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(sql).fetchall()

    def rows(self, sql: str) -> list[Json]:
        """Return the rows of a query with the names of their columns."""
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def _prepare(self, configured: Mapping[str, Any]) -> Iterator[str]:
        stream = Stream(configured, Path(self._folder.name))
        if stream.name in self._streams:
            self._streams[stream.name].waiting.close()
        self._streams[stream.name] = stream
        saved = self.connection.execute("SELECT state, declaration FROM sync.states WHERE stream = ?", [stream.name]).fetchone()
        whole = configured.get("sync_mode") == "full_refresh"
        if saved and not whole and (saved[1] == stream.declaration or self._widened(stream)):
            yield saved[0]
        else:
            self.connection.execute(f"CREATE OR REPLACE TABLE {quoted(stream.name)} ({stream.declaration})")

    def _widened(self, stream: Stream) -> bool:
        """Return whether the table could take the new columns and keep its rows."""
        table, wide = quoted(stream.name), quoted(f"_{stream.name}_widened")
        try:
            self.connection.execute(f"CREATE OR REPLACE TABLE {wide} ({stream.declaration})")
            self.connection.execute(f"INSERT INTO {wide} BY NAME SELECT * FROM {table}")
            self.connection.execute(f"DROP TABLE {table}")
            self.connection.execute(f"ALTER TABLE {wide} RENAME TO {table}")
        except duckdb.Error:
            self.connection.execute(f"DROP TABLE IF EXISTS {wide}")
            return False
        return True

    def _load(self, stream: Stream) -> None:
        """Replace the rows whose key came again; of several records with one key the latest counts."""
        columns = "{" + ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in stream.columns.items()) + "}"
        key, order = ", ".join(stream.key), f"ORDER BY {stream.cursor} DESC" if stream.cursor else ""
        latest = f"QUALIFY row_number() OVER (PARTITION BY {key} {order}) = 1" if key else ""
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE _new AS SELECT * FROM read_json(?, format = 'newline_delimited', columns = {columns}) {latest}",
            [str(stream.path)],
        )
        table = quoted(stream.name)
        if key:
            self.connection.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT ({key}) FROM _new)")
        self.connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM _new")
