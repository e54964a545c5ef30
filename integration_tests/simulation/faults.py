"""What goes wrong between a connector and Mailchimp, as rules of the emulator: struck a few times, never for good."""

from __future__ import annotations

import random
from typing import Any

Faulty = dict[str, Any]

PASSING = (
    "429", "500", "503", "408", "409", "423", "425", "502_html", "503_akamai", "504_html", "403_html", "reset", "truncate", "hang", "drip",
    "empty_200", "empty_object_200", "not_json_200",
)  # fmt: skip
"""After these the sync continues as if nothing had happened."""

INCOMPLETE = ("no_records_key", "null_records", "no_records", "clamp", "total_items", "no_total_items")
"""Answers that are successes and yet not whole."""

HARMLESS = {*PASSING, *INCOMPLETE, "set_values"} - {"hang", "drip"}
"""After these alone no sync may fail. A first request that hangs is longer than a host that never answered is tried for."""

REFUSALS = ("404", "403_json", "403_firewall")
"""These may end a sync, but nothing may be taken for deleted by them."""

ODD_VALUES: tuple[Faulty, ...] = (
    {"location": "Berlin"},
    {"timestamp_opt": "0000-00-00T00:00:00+00:00"},
    {"tags": None, "tags_count": None},
    {"stats": []},
    {"vip": "yes"},
)

COLLECTIONS = ("/members$", "/lists$", "/segments$", "/merge-fields$", "")


def reading_faults(chance: random.Random, requests: int) -> Faulty:
    """Return a fault of a sync that makes about so many requests."""
    kind = chance.choice(
        (chance.choice(PASSING), chance.choice(PASSING), chance.choice(INCOMPLETE), chance.choice(REFUSALS), "date", "odd")
    )
    rule: Faulty = {
        "kind": kind,
        "path": chance.choice(COLLECTIONS),
        "after": chance.randrange(requests),
        "times": chance.choice((1, 1, 2)),
    }
    if kind == "429":
        rule["retry_after"] = chance.choice((None, 1, 10, "soon"))
    if kind == "clamp":
        rule |= {"rows": chance.randint(1, 4), "times": chance.choice((1, 2, None))}
    if kind == "total_items":
        rule |= {"by": chance.choice((-30, -1, 1, 30)), "times": chance.choice((1, 2, None))}
    if kind == "date":
        rule |= {"skew": chance.choice((-86_400, -5, 5, 3_600, 86_400))} | (
            {"text": chance.choice(("", "soon"))} if chance.random() < 0.2 else {}
        )
    if kind == "odd":
        rule |= {"kind": "set_values", "path": "/members$", "values": chance.choice(ODD_VALUES), "index": chance.choice((0, 1, None))}
    return rule


def writing_faults(chance: random.Random, requests: int) -> Faulty:
    """Return a fault of a sync of the destination: before the request took effect, or after it."""
    kind = chance.choice((*PASSING, "no_records_key", "null_records", "no_records", "clamp", "total_items"))
    rule: Faulty = {
        "kind": kind,
        "after": chance.randrange(requests),
        "times": chance.choice((1, 1, 2)),
        "when": chance.choice(("before", "after")),
    }
    if kind == "clamp":
        rule["rows"] = chance.randint(1, 4)
    if kind == "total_items":
        rule["by"] = chance.choice((-30, -1, 1, 30))
    if kind in INCOMPLETE:
        rule |= {"path": "/members$", "after": chance.randrange(8), "when": "before"}
    return rule
