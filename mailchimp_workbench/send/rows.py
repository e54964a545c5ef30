"""Rows that can be sent: a table, a query, an uploaded file, or corrected rejects."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import FETCHED_ROWS, Database
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.warehouse import quoted

MOST_COLUMNS = 2000
SAMPLED_ROWS = 200
SHOWN_SAMPLES = 3


@dataclass(frozen=True)
class Column:
    """A column, its type in DuckDB's words, and its first different values as text."""

    name: str
    type: str
    samples: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Rows with their columns; `sql` reads them, or they are `kept`."""

    name: str
    origin: str
    columns: tuple[Column, ...]
    count: int
    sql: str = ""
    kept: tuple[Json, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns by name."""
        return [column.name for column in self.columns]

    def batches(self, database: Database, most: int | None = None) -> Iterator[list[Json]]:
        """Yield the rows, a thousand at a time."""
        if self.sql:
            yield from database.stream(self.sql, most)
            return
        kept = self.kept[:most]
        for start in range(0, len(kept), FETCHED_ROWS):
            yield list(kept[start : start + FETCHED_ROWS])


def from_sql(database: Database, name: str, origin: str, sql: str) -> Rows:
    """Return the rows of a query. Raises WorkbenchError for what cannot be sent."""
    described = database.describe(sql)
    if len(described) > MOST_COLUMNS:
        raise WorkbenchError(
            f"There are {len(described):,} columns.", f"At most {MOST_COLUMNS:,} can be mapped. Select those that are needed."
        )
    sampled = database.first(sql, SAMPLED_ROWS)
    columns = tuple(_column(column, type_, sampled) for column, type_ in described)
    return Rows(name, origin, columns, database.count(sql), sql=sql)


def from_table(database: Database, name: str) -> Rows:
    """Return the rows of a table."""
    return from_sql(database, name, "table", database.table(name))


def from_query(database: Database, sql: str) -> Rows:
    """Return the rows of a query as somebody typed it."""
    cleaned = sql.strip().rstrip(";").strip()
    if not cleaned:
        raise WorkbenchError("The query is empty.", "Type one, such as SELECT email, first_name FROM contacts.")
    return from_sql(database, "query", "query", cleaned)


def from_upload(database: Database, table: str, name: str) -> Rows:
    """Return the rows of an uploaded file, which is a table of its own."""
    return from_sql(database, name, "file", f"SELECT * FROM uploads.{quoted(table)}")


def from_records(name: str, records: Sequence[Json]) -> Rows:
    """Return rows that are at hand."""
    names = OrderedDict((column, None) for record in records for column in record)
    columns = tuple(_column(column, "VARCHAR", list(records[:SAMPLED_ROWS])) for column in names)
    return Rows(name, "rejects", columns, len(records), kept=tuple(records))


def new_table() -> str:
    """Return a name for an uploaded file."""
    return f"upload_{secrets.token_hex(6)}"


def _column(name: str, type_: str, sampled: Sequence[Json]) -> Column:
    values = tuple(text for row in sampled if (text := as_text(row.get(name))))
    return Column(name, type_, tuple(dict.fromkeys(values))[:SHOWN_SAMPLES], values)


def as_text(value: Any) -> str:
    """Return a value as somebody would type it, "" for none."""
    return "" if value is None else str(value).strip()
