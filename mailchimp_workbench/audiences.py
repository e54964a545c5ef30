"""The audiences that the warehouse has contacts of."""

from __future__ import annotations

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import Database


def known_audiences(database: Database) -> list[Json]:
    """Return the audiences of the warehouse, the largest first: list_id, name, double_optin, contacts, reachable."""
    if not database.has_contacts():
        return []
    return database.remembered(
        "audiences",
        lambda: database.rows(
            "SELECT list_id, audience AS name, double_optin, CAST(sum(contacts) AS BIGINT) AS contacts,"
            " CAST(sum(CASE WHEN reachable THEN contacts ELSE 0 END) AS BIGINT) AS reachable"
            " FROM mailchimp_reachability GROUP BY ALL ORDER BY contacts DESC, name"
        ),
    )
