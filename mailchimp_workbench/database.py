"""The DuckDB file, opened once: reading for the pages, the views, and what may be asked of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.problems import NotThereError, WorkbenchError
from mailchimp_workbench.warehouse import Warehouse, quoted

VIEWS = Path(__file__).parent / "views"
VIEW_FILES = ("contacts", "nested_duckdb", "reachability", "growth", "tags", "fields")
NEEDED = frozenset({"contacts", "lists"})
"""Tables that the views read."""

UPLOADS = "uploads"
LONGEST_QUERY_SECONDS = 60.0
FETCHED_ROWS = 1000

Result = TypeVar("Result")


@dataclass(frozen=True)
class Table:
    """A table that can be sent."""

    name: str
    rows: int
    columns: int


class Database:
    """One connection to the file; each reader has a cursor of its own.

    `folder` is the only place on this machine that DuckDB may read files from: records on their way into a table, and uploaded files until
    they are one. Credentials are never in it.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.folder = path, folder
        self._connection = _opened(path, folder)
        self._answers: dict[str, Any] = {}
        self._asking: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self.install_views()

    def warehouse(self) -> Warehouse:
        """Return the tables for loading."""
        return Warehouse(self.path, self._connection.cursor(), self.folder)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Json]:
        """Return the rows of a query."""
        cursor = self._connection.cursor()
        result = cursor.execute(sql, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement of our own."""
        self._connection.cursor().execute(sql, list(parameters))

    def stream(self, sql: str, most: int | None = None) -> Iterator[list[Json]]:
        """Yield the rows of a query, a thousand at a time. Raises WorkbenchError when it fails."""
        with _reading(self._connection) as cursor:
            result = cursor.execute(sql if most is None else f"SELECT * FROM {_inner(sql)} LIMIT {most}")
            names = [column[0] for column in result.description or ()]
            while batch := result.fetchmany(FETCHED_ROWS):
                yield [dict(zip(names, row, strict=True)) for row in batch]

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Return the columns of a query and their types. Raises WorkbenchError for anything but a query."""
        check_query(self._connection, sql)
        described = [(row[0], row[1]) for row in self._within_time(f"DESCRIBE {sql}")]
        if twice := [name for name, count in Counter(name for name, _ in described).items() if count > 1]:
            raise WorkbenchError(f"Two columns are called {twice[0]}.", "Give each a name of its own, with AS.")
        return described

    def first(self, sql: str, most: int) -> list[Json]:
        """Return the first rows of a query. Raises WorkbenchError when it takes too long or fails."""
        columns = [name for name, _ in self.describe(sql)]
        return [dict(zip(columns, row, strict=True)) for row in self._within_time(f"SELECT * FROM {_inner(sql)} LIMIT {most}")]

    def count(self, sql: str) -> int:
        """Return how many rows a query has. Raises WorkbenchError when it takes too long or fails."""
        return int(self._within_time(f"SELECT count(*) FROM {_inner(sql)}")[0][0])

    def has_contacts(self) -> bool:
        """Return whether there is anything that the views could read."""
        return {row["table_name"] for row in self._tables()} >= NEEDED

    def has_state(self, stream: str) -> bool:
        """Return whether a stream was read before, so that a sync brings what changed since."""
        made = self.rows("SELECT 1 AS one FROM information_schema.tables WHERE table_schema = 'sync' AND table_name = 'states'")
        return bool(made) and bool(self.rows("SELECT 1 AS one FROM sync.states WHERE stream = ?", [stream]))

    def tables(self) -> list[Table]:
        """Return the tables and views that can be sent, our own left out."""
        found = [row for row in self._tables() if not row["table_name"].startswith(("_", "mailchimp_"))]
        return [Table(row["table_name"], self.count(f"SELECT * FROM {quoted(row['table_name'])}"), row["columns"]) for row in found]

    def table(self, name: str) -> str:
        """Return a table as a query. Raises NotThereError."""
        if name not in {row["table_name"] for row in self._tables()}:
            raise NotThereError(f"There is no table {name}.")
        return f"SELECT * FROM {quoted(name)}"

    def remembered(self, name: str, ask: Callable[[], Result]) -> Result:
        """Return what `ask` gives; asked once until the tables change, and by one thread, for which others wait."""
        with self._lock:
            answers, asking = self._answers, self._asking.setdefault(name, threading.Lock())
        with asking:
            if name not in answers:
                answers[name] = ask()
            answer: Result = answers[name]
            return answer

    def install_views(self) -> None:
        """Make the views again: the tables have changed."""
        if self.has_contacts():
            cursor = self._connection.cursor()
            for name in VIEW_FILES:
                cursor.execute((VIEWS / f"{name}.sql").read_text())
        with self._lock:
            self._answers = {}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _tables(self) -> list[Json]:
        return self.rows(
            "SELECT table_name, count(*) AS columns FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_catalog = current_database() GROUP BY table_name ORDER BY table_name"
        )

    def _within_time(self, sql: str) -> list[tuple[Any, ...]]:
        with _reading(self._connection) as cursor:
            timer = threading.Timer(LONGEST_QUERY_SECONDS, cursor.interrupt)
            timer.start()
            try:
                return cursor.execute(sql).fetchall()
            finally:
                timer.cancel()


@contextmanager
def _reading(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a cursor that can change nothing. Raises WorkbenchError with DuckDB's words for what it cannot run."""
    cursor = connection.cursor()
    try:
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        yield cursor
    except duckdb.InterruptException:
        title = f"This query takes more than {LONGEST_QUERY_SECONDS:.0f} seconds."
        raise WorkbenchError(title, "Narrow it, or make a table of its rows and choose that.") from None
    except duckdb.Error as error:
        raise WorkbenchError("DuckDB cannot run this query.", first_line(error)) from error
    finally:
        cursor.close()


def _inner(sql: str) -> str:
    """Return a query as a part of another; it may end with a comment."""
    return f"({sql}\n) AS asked"


def _opened(path: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        raise WorkbenchError(f"{path} cannot be opened: another program may have it open.", first_line(error)) from error
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute(f"ATTACH ':memory:' AS {UPLOADS}")
    connection.execute(f"SET allowed_directories = ['{folder}']")
    connection.execute("SET enable_external_access = false")
    # A query names tables; variables of this program are none.
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")
    return connection


def check_query(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise WorkbenchError for everything but a single query that reads."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise WorkbenchError("DuckDB does not understand this SQL.", first_line(error)) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise WorkbenchError("One SELECT is needed.", "The workbench reads with it and changes nothing.")


def first_line(error: Exception) -> str:
    """Return the words of DuckDB without its drawing of the place."""
    return str(error).strip().splitlines()[0]
