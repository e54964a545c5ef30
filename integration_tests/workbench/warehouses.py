"""Two warehouses that the views run on: DuckDB in this process, PostgreSQL in one that the test starts."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import VIEWS

PATIENCE = 60

COLUMNS = {
    "contacts": {
        "list_id": "text", "id": "text", "contact_id": "text", "email": "text", "name": "text", "first_name": "text", "last_name": "text",
        "status": "text", "unsubscribe_reason": "text", "created_at": "timestamptz", "updated_at": "timestamptz", "tags": "json",
        "timestamp_opt": "timestamptz", "timestamp_signup": "timestamptz",
        "custom_fields": "json",
    },
    "lists": {
        "id": "text", "name": "text", "double_optin": "boolean", "created_at": "timestamptz", "updated_at": "timestamptz",
        "merge_fields": "json", "is_deleted": "boolean",
    },
}  # fmt: skip
"""What the views read of the unified streams."""

PORTABLE = ("contacts", "nested", "reachability", "growth", "tags", "fields")


class DuckDB:
    """DuckDB, with nested columns as JSON, as Airbyte and PyAirbyte write them."""

    dialect, json = "duckdb", "JSON"

    def __init__(self) -> None:
        self._connection = duckdb.connect()

    def run(self, sql: str) -> list[dict[str, str]]:
        """Run statements; returns the rows of the last, every value as text."""
        result = self._connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [{name: _text(value) for name, value in zip(names, row, strict=True)} for row in result.fetchall()]

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()


class PostgreSQL:
    """A PostgreSQL server in a folder of its own, reached through a socket there; it never listens on a port."""

    dialect, json = "postgres", "jsonb"

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._as_postgres = _drop_root(self._folder)
        self._start("initdb", "--pgdata", "data", "--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--locale", "C")
        self._start(
            "pg_ctl", "--pgdata", "data", "--wait", "--log", "log", "--options", f"-c listen_addresses='' -k {self._folder} -F", "start"
        )

    def run(self, sql: str) -> list[dict[str, str]]:
        """Run statements; returns the rows of the last, every value as text."""
        command = [_program("psql"), "--no-psqlrc", "--quiet", "--csv", "-v", "ON_ERROR_STOP=1", "-h", str(self._folder), "-U", "postgres"]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def close(self) -> None:
        """Stop the server."""
        self._start("pg_ctl", "--pgdata", "data", "--wait", "--mode", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _start(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [_program(program), *arguments], cwd=self._folder, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL, **self._as_postgres
        )


def missing_postgres() -> str | None:
    """Return what this machine lacks, None when all is there."""
    lacking = [name for name in ("initdb", "pg_ctl", "psql") if not _program(name)]
    return f"no {lacking[0]} on this machine (Debian: apt-get install postgresql)" if lacking else None


def _program(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((str(folder / name) for folder in folders if (folder / name).exists()), shutil.which(name) or "")


def _drop_root(folder: Path) -> dict[str, Any]:
    """PostgreSQL does not run as root: Debian's user for it does."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def fill(warehouse: DuckDB | PostgreSQL, **tables: Sequence[Json]) -> None:
    """Make the tables again, fill them, and make the views."""
    statements = ["DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;"] if warehouse.dialect == "postgres" else []
    for name, columns in COLUMNS.items():
        declared = ", ".join(f"{column} {warehouse.json if type_ == 'json' else type_}" for column, type_ in columns.items())
        statements.append(f"CREATE TABLE {name} ({declared});")
        statements += [_insert(name, columns, row) for row in tables.get(name, ())]
    statements += [(VIEWS / f"{_file(name, warehouse.dialect)}.sql").read_text() for name in PORTABLE]
    warehouse.run("\n".join(statements))


def _file(name: str, dialect: str) -> str:
    return f"nested_{dialect}" if name == "nested" else name


def _insert(table: str, columns: dict[str, str], row: Json) -> str:
    values = [_literal(row.get(column), type_) for column, type_ in columns.items()]
    return f"INSERT INTO {table} VALUES ({', '.join(values)});"


def _literal(value: Any, type_: str) -> str:
    if value is None:
        return "NULL"
    written = json.dumps(value) if type_ == "json" else str(value)
    return "'" + written.replace("'", "''") + "'"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)
