"""The raw streams in the form that the specification describes: grouped, those on request last and marked. Pure."""

from __future__ import annotations

from source_mailchimp_unified.raw_collections import ALL, Collection, table


def choices() -> list[str]:
    """Return what `raw_streams` may name: `all`, then the collections by group, those on request at the end."""
    rows = [row for names in _groups().values() for row in names]
    return [ALL, *(row.name for row in rows if not row.on_request), *(row.name for row in rows if row.on_request)]


def description(words: str) -> str:
    """Return the description of `raw_streams`: these words, then the names by group, and which are on request."""
    groups = {group: [row.name for row in rows if not row.on_request] for group, rows in _groups().items()}
    lines = [f"{group}: {', '.join(names)}." for group, names in groups.items()]
    requested = [f"{row.name} (each of the {table()[row.parent.row].words})" for row in table().values() if row.on_request and row.parent]
    return " ".join([words, *lines, f"On request, not in all: {', '.join(requested)}."])


def _groups() -> dict[str, list[Collection]]:
    groups: dict[str, list[Collection]] = {}
    for row in table().values():
        groups.setdefault(row.group, []).append(row)
    return groups
