"""The tables of the raw streams: all of them, how they are followed, and those that Airbyte's own source has too."""

from __future__ import annotations

from typing import NamedTuple

from docs.generator.tables import code, table
from source_mailchimp_unified.raw.pages import pages_of
from source_mailchimp_unified.raw_collections import Collection
from source_mailchimp_unified.raw_collections import table as collections

ITEMS = {
    "lists": 3, "campaigns": 200, "reports": 200, "automations": 5, "automation_emails": 4, "stores": 1, "segments": 40, "tags": 30,
    "interest_categories": 2, "conversations": 0, "store_promo_rules": 20, "survey_reports": 2, "facebook_ad_reports": 5,
    "list_members": 30_000, "audience_contacts": 30_000, "segment_members": 1_500, "store_orders": 12_000, "orders": 12_000,
    "store_customers": 9_000, "store_carts": 2_000, "store_products": 400, "report_click_details": 12,
    "email_activity": 25_000, "report_sent_to": 25_000, "report_open_details": 8_000,
}  # fmt: skip
"""The account that the requests are stated for: so many items below each parent, ten where nothing is said."""

BUSY = 5
"""Campaigns of that account with something new since the last sync."""

REQUESTS_OF_A_LISTING = 1
"""The archived contacts of an audience are a second collection of their own, and fit a page."""


class Official(NamedTuple):
    """A stream of Airbyte's source-mailchimp 2.x: its key, its cursor, the unified stream that holds the same, and what moving means."""

    key: str
    cursor: str
    unified: str
    gained: str
    lost: str = "nothing"


OFFICIAL = {
    "automations": Official("id", "create_time", "", "changes after the creation, such as the status"),
    "campaigns": Official("id", "create_time", "", "changes after the creation: status, settings, the summary of the report"),
    "email_activity": Official(
        "timestamp, email_id, action", "timestamp", "",
        "clicks of one second and campaigns apart, late bounces, no requests for quiet campaigns, `exclude_bot_activity`",
        "the key: `activity_id` takes the place of `timestamp` and `action`",
    ),
    "interest_categories": Official("id", "", "", "an incremental mode", "the key has `list_id`, too"),
    "interests": Official("id", "", "", "an incremental mode", "the key has `list_id` and `category_id`, too"),
    "list_members": Official("id, list_id", "last_changed", "contacts", "archived contacts, records that become visible late, nothing lost while people edit"),
    "lists": Official("id", "date_created", "lists", "changes after the creation, such as the counts; `start_date` leaves none out"),
    "reports": Official("id", "send_time", "", "results that come in after the sending; reports that become visible late"),
    "segment_members": Official(
        "id, segment_id", "last_changed", "",
        "everybody who is in the segment now: who came in without a change of the contact, and all statuses",
        "the incremental mode, which compares the date of the contact, not that of joining; the key has `list_id`, too",
    ),
    "segments": Official("id", "updated_at", "", "counts of members that move without `updated_at`", "the key has `list_id`, too"),
    "tags": Official("id", "", "tags", "all of them, not ten; an incremental mode", "the key has `list_id`, too"),
    "unsubscribes": Official(
        "campaign_id, email_id, timestamp", "timestamp", "",
        "records that become visible late, no requests for campaigns that nobody left", "the key has no `timestamp`: a contact who left twice is one row",
    ),
}  # fmt: skip
"""https://docs.airbyte.com/integrations/sources/mailchimp."""


def all_streams() -> str:
    """Return the table of all raw streams."""
    head = ("stream", "collection", "key", "followed", "`start_date`", "requests, first", "then", "read")
    return table(head, map(_row, collections().values()))


def _row(row: Collection) -> tuple[str, ...]:
    first, then = requests(row), later_requests(row)
    return (code(row.stream), code(row.path), _key(row), _followed(row), _dated(row), f"{first:,}", f"{then:,}", _when(row))


def reasons() -> str:
    """Return the table of the streams that are not followed by fingerprint, and why."""
    rows = [row for row in collections().values() if row.follows != "fingerprint"]
    return table(("stream", "followed", "why"), ((code(row.stream), _followed(row), _because(row)) for row in rows))


def official_streams() -> str:
    """Return the table of the streams of Airbyte's source and what takes their place."""
    rows = (_official_row(name, one) for name, one in OFFICIAL.items())
    return table(("official stream", "its key", "its cursor", "raw stream", "key", "followed", "unified stream"), rows)


def gains_and_losses() -> str:
    """Return the table of what somebody who comes from Airbyte's source gains and loses, by stream."""
    rows = ((code(name), _modes(collections()[name]), one.gained, one.lost) for name, one in OFFICIAL.items())
    return table(("official stream", "modes here", "gained", "lost"), rows)


def partitions(row: Collection, reports: int = ITEMS["reports"]) -> int:
    """Return how many partitions a row has in the stated account, below so many reports."""
    if row.parent is None:
        return 1
    above = collections()[row.parent.row]
    each = reports if above.name == "reports" else ITEMS.get(above.name, 10)
    return partitions(above, reports) * each


def requests(row: Collection) -> int:
    """Return how many requests the first sync of a row takes in the stated account, without those for its parents."""
    return partitions(row) * (_pages(row) + REQUESTS_OF_A_LISTING * (len(row.listings) - 1))


def later_requests(row: Collection) -> int:
    """Return how many a later sync takes, after which few campaigns have something new."""
    if row.parent and row.parent.tells and row.follows != "whole":
        return 0 if row.parent.settled else partitions(row, BUSY) * _pages(row)
    few = row.cursor is not None and row.cursor.since is not None
    return partitions(row) * (len(row.listings) if few else _pages(row))


def _pages(row: Collection) -> int:
    return pages_of(ITEMS.get(row.name, 10)) if row.records_key else 1


def _official_row(name: str, one: Official) -> tuple[str, ...]:
    row = collections()[name]
    return (code(name), _codes(one.key), code(one.cursor), code(row.stream), _key(row), _followed(row), code(one.unified))


def _modes(row: Collection) -> str:
    return "full refresh" if row.follows == "whole" else "full refresh, incremental"


def _key(row: Collection) -> str:
    return _codes(", ".join(row.primary_key))


def _followed(row: Collection) -> str:
    news = f", of {collections()[row.parent.row].words} with something new" if row.parent and row.parent.tells else ""
    if row.cursor is not None:
        return f"cursor {code(row.cursor.field)}, lookback {_span(row.cursor.lookback_seconds)}{news}"
    if row.follows == "fingerprint":
        without = f" without {_codes(', '.join(row.varies))}" if row.varies else ""
        return f"fingerprint{without}{news}"
    return f"whole{news}" if row.follows == "parent" else "whole each time"


def _span(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


def _because(row: Collection) -> str:
    return row.cursor.because if row.cursor else row.because


def _dated(row: Collection) -> str:
    if row.moments:
        return _codes(", ".join(row.moments))
    return f"of the {collections()[row.parent.row].words}" if row.parent and row.parent.dates else ""


def _when(row: Collection) -> str:
    return "on request" if row.on_request else "in `all`"


def _codes(text: str) -> str:
    return ", ".join(code(word) for word in text.split(", ") if word)
