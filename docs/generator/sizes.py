"""The tables of docs/scale.md: how long syncs of so many contacts take and what they need."""

from __future__ import annotations

import orjson

from docs.generator import measurements as m
from docs.generator.tables import table
from mailchimp_unified.clock import moment_of
from mailchimp_unified.config import DEFAULT_WORKERS, MAX_CONNECTIONS
from source_mailchimp_unified.sync.state import ContactsState, ListState, SnapshotState, fingerprint, record_key

MILLION = 1_000_000
CONTACTS = (MILLION, 10 * MILLION, 100 * MILLION)

SETTINGS = ((0.3, DEFAULT_WORKERS), (1.0, DEFAULT_WORKERS), (1.0, MAX_CONNECTIONS))
"""Seconds a request takes, and workers."""

CHANGED_A_DAY = 0.01
NOT_SUBSCRIBED = 0.1
HEADROOM = 1.5
MEMORY_STEP = 256

_NOTICED = ("source, 200000 contacts, 1 s a request", "destination, 100000 new with tags, 1 s a request")


def source_sizes() -> str:
    """Return how long reading takes: everything, and a day's changes."""
    speed = m.source_speed()
    cases: list[tuple[str, float]] = [(f"{_count(contacts)}, first sync", contacts) for contacts in CONTACTS]
    cases += [(f"{_count(contacts)}, {CHANGED_A_DAY:.0%} changed", contacts * CHANGED_A_DAY) for contacts in CONTACTS]
    rows = [(name, f"{m.pages(read):,.0f}", *_walls(speed, m.pages(read), read)) for name, read in cases]
    return table(("Contacts", "Requests", *_settings()), rows)


def destination_sizes() -> str:
    """Return how long writing takes: new contacts, and existing ones, some of them not subscribed, of whom so many changed."""
    speed, rows = m.destination_speed(), []
    for contacts in CONTACTS:
        cases = {
            "new": m.bulk_calls(contacts),
            "nothing changed": m.pages(contacts),
            f"{CHANGED_A_DAY:.0%} changed": m.pages(contacts) + _writes(contacts * CHANGED_A_DAY),
            "all changed": m.pages(contacts) + _writes(contacts),
        }
        rows += [(f"{_count(contacts)}, {name}", f"{calls:,.0f}", *_walls(speed, calls, contacts)) for name, calls in cases.items()]
    return table(("Contacts", "Requests", *_settings()), rows)


def _writes(changed: float) -> float:
    """Return the requests that write so many existing contacts, of whom some are not subscribed."""
    return m.bulk_calls(changed * (1 - NOT_SUBSCRIBED)) + changed * NOT_SUBSCRIBED


def memory_sizes() -> str:
    """Return the peaks of memory."""
    source = m.measured(m.SOURCE_CASE).peak
    rows = [(_count(contacts), f"{source:.0f} MB", _memory(m.destination_peak(contacts))) for contacts in CONTACTS]
    words = f"\n\nEach further contact of an audience costs the destination {m.bytes_per_contact():.0f} bytes at most."
    return table(("Contacts of one audience", "Source", "Destination, audience known"), rows) + words


def state_sizes() -> str:
    """Return how large the states of the source get."""
    rows = [(f"{lists:,} list{'s' * (lists > 1)}", _memory(_contacts_state(lists) / 1e6), "") for lists in (1, 100, 1_000)]
    rows += [(f"{tags:,} tags", "", _memory(_tags_state(tags) / 1e6)) for tags in (100, 10_000)]
    return table(("Account with", "State of `contacts`", "State of `tags`"), rows)


def pod_sizes() -> str:
    """Return what to request for the containers of a sync."""
    source, destination = m.measured(m.SOURCE_CASE), m.measured(m.DESTINATION_CASE)
    rows = [
        ("source", "1", f"{_request(source.peak)}Mi", f"{source.cpu / source.wall:.0%} of one CPU at full speed"),
        ("destination", "1", f"{_request(destination.peak)}Mi", f"{destination.cpu / destination.wall:.0%} of one CPU at full speed"),
        ("destination, an audience of 10 million", "1", f"{_request(m.destination_peak(10 * MILLION))}Mi", "as above"),
    ]
    return table(("Container", "CPU", "Memory", "Measured"), rows)


def formula_check() -> str:
    """Return how well the formula foretells what was measured with waiting."""
    calls = (200 * 1.0, 200 * 1.0)
    contacts = (200_000, 100_000)
    speeds = (m.source_speed(), m.destination_speed())
    words = [
        f"*{case}* took {m.measured(case).wall:.0f} s, the formula says {speed.wall(requests, number, latency=1.0, workers=10):.0f} s"
        for case, speed, requests, number in zip(_NOTICED, speeds, calls, contacts, strict=True)
    ]
    return f"Where waiting was measured too: {'; '.join(words)}."


def _settings() -> list[str]:
    return [f"{latency:g} s a request, {workers} workers" for latency, workers in SETTINGS]


def _walls(speed: m.Speed, requests: float, contacts: float) -> list[str]:
    return [_duration(speed.wall(requests, contacts, latency=latency, workers=workers)) for latency, workers in SETTINGS]


def _contacts_state(lists: int) -> int:
    cursors = {f"{number:010x}": ListState(updated_at=moment_of(1_800_000_000)) for number in range(lists)}
    return len(orjson.dumps(ContactsState(lists=cursors).model_dump(exclude_none=True)))


def _tags_state(tags: int) -> int:
    records = {
        record_key({"list_id": "a1b2c3d4e5", "id": 1_000_000 + number}, ("list_id", "id")): fingerprint({}) for number in range(tags)
    }
    return len(orjson.dumps(SnapshotState(records=records).model_dump()))


def _request(peak: float) -> int:
    """Return megabytes to request for a peak: with headroom, in whole steps."""
    return int(-(-peak * HEADROOM // MEMORY_STEP)) * MEMORY_STEP


def _count(contacts: float) -> str:
    return f"{contacts / MILLION:,.0f} million"


def _duration(seconds: float) -> str:
    """Return a time in the unit that suits it; each begins where the one before says too much."""
    units = (("s", 1, 90, 0), ("min", 60, 6_000, 0), ("h", 3_600, 72 * 3_600, 1), ("days", 86_400, float("inf"), 0))
    name, size, digits = next((name, size, digits) for name, size, end, digits in units if seconds < end)
    return f"{seconds / size:,.{digits}f} {name}"


def _memory(megabytes: float) -> str:
    if megabytes < 1:
        return f"{max(1, round(megabytes * 1000)):,} kB"
    return f"{megabytes:,.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:,.1f} GB"  # noqa: PLR2004 - a thousand megabytes
