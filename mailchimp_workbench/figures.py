"""What the views say, as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import Database
from mailchimp_workbench.templating import STATUS_WORDS

SHOWN_MONTHS = 12
SHOWN_TAGS = 10
SHOWN_MATCHES = 25
SHOWN_VERSIONS = 20


@dataclass(frozen=True)
class AudienceFigures:
    """An audience: its contacts by status."""

    list_id: str
    name: str
    double_optin: bool
    counts: dict[str, int]

    @property
    def contacts(self) -> int:
        """Everybody, archived ones included."""
        return sum(self.counts.values())

    @property
    def reachable(self) -> int:
        """Who gets campaigns."""
        return self.counts.get("subscribed", 0)


def audiences(database: Database) -> list[AudienceFigures]:
    """Return every audience with its contacts by status, the largest first."""
    return database.remembered("reachability", lambda: _audiences(database))


def _audiences(database: Database) -> list[AudienceFigures]:
    found: dict[str, AudienceFigures] = {}
    for row in database.rows("SELECT * FROM mailchimp_reachability"):
        figures = found.setdefault(
            row["list_id"], AudienceFigures(row["list_id"], row["audience"] or row["list_id"], bool(row["double_optin"]), {})
        )
        if row["status"] in STATUS_WORDS:
            figures.counts[row["status"]] = row["contacts"]
    return sorted(found.values(), key=lambda one: (-one.contacts, one.name))


def growth(database: Database, list_id: str) -> list[Json]:
    """Return the last months of an audience, the oldest first: month, joined, departed, net."""
    found = _of(database, "growth", "SELECT * FROM mailchimp_growth ORDER BY month", list_id)
    return found[-SHOWN_MONTHS:]


def reasons(database: Database, list_id: str, since: Any) -> list[Json]:
    """Return why contacts left an audience since a month, the commonest first: status, reason, contacts."""
    found = [row for row in _of(database, "departures", "SELECT * FROM mailchimp_departure_reasons", list_id) if row["month"] >= since]
    counts: dict[tuple[str, str], int] = {}
    for row in found:
        counts[row["status"], row["reason"]] = counts.get((row["status"], row["reason"]), 0) + row["contacts"]
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [{"status": status, "reason": reason, "contacts": contacts} for (status, reason), contacts in ordered]


def tags(database: Database, list_id: str) -> list[Json]:
    """Return the tags of an audience, the largest first: tag, contacts, reachable."""
    return _of(database, "tags", "SELECT * FROM mailchimp_tag_sizes ORDER BY contacts DESC, tag", list_id)


def fields(database: Database, list_id: str) -> list[Json]:
    """Return the merge fields of an audience in their order: tag, name, type, required, filled, contacts."""
    return _of(database, "fields", "SELECT * FROM mailchimp_field_fullness ORDER BY position, tag", list_id)


def _of(database: Database, name: str, sql: str, list_id: str) -> list[Json]:
    rows: list[Json] = database.remembered(name, lambda: database.rows(sql))
    return [row for row in rows if row["list_id"] == list_id]


def warm(database: Database) -> None:
    """Ask for everything once, so that no page has to wait for it."""
    if database.has_contacts():
        for one in audiences(database)[:1]:
            growth(database, one.list_id)
            reasons(database, one.list_id, date.min)
            tags(database, one.list_id)
            fields(database, one.list_id)
        last_change(database)


def last_change(database: Database) -> Any:
    """Return the moment of the newest change in the warehouse, UTC; None without any."""
    return database.remembered("last change", lambda: database.rows("SELECT max(changed_at) AS latest FROM mailchimp_contacts"))[0][
        "latest"
    ]


def search(database: Database, words: str) -> list[Json]:
    """Return contacts whose email address or name holds the words: id, email, name, audiences, statuses, changed_at."""
    return database.rows(
        "SELECT id, any_value(email) AS email, any_value(name) AS name, count(*) AS audiences,"
        " list(DISTINCT status ORDER BY status) AS statuses, max(changed_at) AS changed_at"
        " FROM mailchimp_contacts WHERE contains(lower(email), lower(?)) OR contains(lower(name), lower(?))"
        " GROUP BY id ORDER BY starts_with(lower(any_value(email)), lower(?)) DESC, email LIMIT ?",
        [words, words, words, SHOWN_MATCHES + 1],
    )


def contact(database: Database, contact_id: str) -> list[Json]:
    """Return one contact in every audience: the newest version of each, with tags, fields and earlier versions; none when nobody has the id."""
    keys = database.rows("SELECT DISTINCT list_id, contact_key FROM mailchimp_contact_versions WHERE id = ?", [contact_id])
    found = [row for key in keys for row in database.rows(_CONTACT, [key["list_id"], key["contact_key"], contact_id])]
    return [{**row, **_parts(database, row["list_id"], row["contact_key"])} for row in sorted(found, key=lambda row: row["audience"] or "")]


_CONTACT = (
    "SELECT c.list_id, c.contact_key, c.email, c.name, c.status, c.unsubscribe_reason, c.created_at, c.changed_at, a.name AS audience"
    " FROM mailchimp_contacts AS c JOIN mailchimp_audiences AS a ON a.list_id = c.list_id"
    " WHERE c.list_id = ? AND c.contact_key = ? AND c.id = ?"
)
"""By what the views tell contacts apart by, so that a warehouse looks at this contact only."""


def _parts(database: Database, list_id: str, key: str) -> Json:
    where = " WHERE list_id = ? AND contact_key = ?"
    carried = database.rows("SELECT tag FROM mailchimp_contact_tags" + where + " ORDER BY tag", [list_id, key])
    filled = {row["tag"]: row["value"] for row in database.rows("SELECT tag, value FROM mailchimp_contact_fields" + where, [list_id, key])}
    versions = database.rows(
        "SELECT status, was, changed_at, unsubscribe_reason FROM mailchimp_status_changes"
        + where
        + f" ORDER BY changed_at DESC LIMIT {SHOWN_VERSIONS}",
        [list_id, key],
    )
    named = [{**row, "value": filled.get(row["tag"])} for row in fields(database, list_id)]
    return {"tags": [row["tag"] for row in carried], "fields": named, "versions": versions}
