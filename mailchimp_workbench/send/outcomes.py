"""What the destination writes about records: rejected ones, and in a dry run everything that would be done.

The one place that knows the option and the keys of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mailchimp_workbench.connectors import Json

KINDS = ("created", "updated", "unchanged", "skipped", "rejected")


@dataclass(frozen=True)
class Change:
    """A field before and after, as text; "" is empty."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Outcome:
    """What became, or would become, of one record."""

    number: int
    kind: str
    reason: str
    field: str
    words: str
    record: Json
    changes: tuple[Change, ...] = ()
    retry: str = ""


OPTIONS = ("rejected_records", "rejected_records_file", "object_storage_config")
"""Keys of the configuration that say where outcomes are kept."""


def option(path: Path) -> Json:
    """Return the keys of a configuration that let the destination write outcomes to a file."""
    return {"rejected_records": "file", "rejected_records_file": str(path)}


def read_outcomes(path: Path) -> list[Outcome]:
    """Return the outcomes of a file in the order of their records; none when there is no file."""
    if not path.exists():
        return []
    with path.open("rb") as lines:
        found = [outcome(orjson.loads(line)) for line in lines if line.strip()]
    return sorted(found, key=lambda one: one.number)


def outcome(line: Mapping[str, Any]) -> Outcome:
    """Return a line as an outcome."""
    return Outcome(
        number=int(line.get("number") or 0),
        kind=str(line.get("outcome") or "rejected"),
        reason=str(line.get("reason") or "").removeprefix(f"{line.get('field')}: "),
        field=str(line.get("field") or ""),
        words=str(line.get("mailchimp") or ""),
        record=line.get("record") or {},
        changes=tuple(_changes(line.get("changes") or {})),
        retry=str(line.get("retry") or ""),
    )


def _changes(given: Any) -> Iterator[Change]:
    rows = given if isinstance(given, list) else [{"field": name, **change} for name, change in given.items()]
    for row in rows:
        yield Change(bare(str(row["field"])), text(row.get("old")), text(row.get("new")))


def bare(field: str) -> str:
    """Return the name of a field without saying that it is a merge field."""
    return field.removeprefix("merge_fields.").removeprefix("custom_fields.")


def text(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(text(one) for one in value.values() if one)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
