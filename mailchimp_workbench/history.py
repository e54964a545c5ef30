"""The last runs, kept in the warehouse: when, what, how it ended. Neither credentials nor contacts stand there."""

from __future__ import annotations

import json

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import Database
from mailchimp_workbench.runs import Run

TABLE = "sync.runs"
SHOWN = 12


def remember(database: Database, run: Run, counts: dict[str, int]) -> None:
    """Keep a run that is over."""
    _make(database)
    database.execute(
        f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [run.id, run.kind, run.title, run.started_at.replace(tzinfo=None), run.seconds, run.status, run.problem, json.dumps(counts)],
    )


def last_runs(database: Database) -> list[Json]:
    """Return the last runs, the newest first: id, kind, title, started_at (UTC), seconds, status, problem, counts by name."""
    _make(database)
    found = database.rows(f"SELECT * FROM {TABLE} ORDER BY started_at DESC LIMIT {SHOWN}")
    return [{**row, "counts": json.loads(row["counts"])} for row in found]


def _make(database: Database) -> None:
    database.execute("CREATE SCHEMA IF NOT EXISTS sync")
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (id VARCHAR PRIMARY KEY, kind VARCHAR, title VARCHAR, started_at TIMESTAMP,"
        " seconds DOUBLE, status VARCHAR, problem VARCHAR, counts VARCHAR)"
    )
