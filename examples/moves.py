"""Why records moved: the rows of the warehouse before a sync, compared with those after it."""

from __future__ import annotations

from dataclasses import dataclass

from mailchimp_workbench.warehouse import Warehouse, quoted

KEYS = {"contacts": ("list_id", "id"), "lists": ("id",), "tags": ("list_id", "id"), "users": ("id",)}
"""What identifies a row of each table."""

CLOCKS = ("updated_at",)
"""Columns that change with every other one."""


@dataclass(frozen=True)
class Move:
    """Records of one stream that a sync brought for one reason."""

    stream: str
    count: int
    reason: str


def remember(warehouse: Warehouse) -> None:
    """Keep every table as it is now."""
    for stream in KEYS:
        warehouse.connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted('before_' + stream)} AS FROM main.{quoted(stream)}")


def moves(warehouse: Warehouse) -> list[Move]:
    """Return what differs from what was remembered, by stream and by the columns that changed."""
    return [move for stream in KEYS for move in _of(warehouse, stream)]


def _of(warehouse: Warehouse, stream: str) -> list[Move]:
    columns = [name for name, *_ in warehouse.query(f"DESCRIBE main.{quoted(stream)}")]
    same_row = " AND ".join(f"b.{key} = a.{key}" for key in KEYS[stream])
    told = [name for name in columns if name not in CLOCKS]
    changed = ", ".join(f"CASE WHEN a.{quoted(name)} IS DISTINCT FROM b.{quoted(name)} THEN '{name}' END" for name in told)
    any_column = " OR ".join(f"a.{quoted(name)} IS DISTINCT FROM b.{quoted(name)}" for name in columns)
    rows = warehouse.query(
        f"SELECT CASE WHEN b.id IS NULL THEN 'new' ELSE coalesce(nullif(concat_ws(', ', {changed}), ''), 'updated_at') END AS reason,"
        f" count(*) FROM main.{quoted(stream)} AS a LEFT JOIN {quoted('before_' + stream)} AS b ON {same_row}"
        f" WHERE b.id IS NULL OR {any_column} GROUP BY reason ORDER BY 2 DESC, 1"
    )
    return [Move(stream, count, reason if reason == "new" else f"changed: {reason}") for reason, count in rows]
