"""The stories of `mailchimp-unified-stream` that a seed tells: a process that lives for hours, what it is sent, and when it is killed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration_tests.simulation.faults import writing_faults
from integration_tests.simulation.people import Event, Person
from integration_tests.simulation.writing_stories import LIST, STATUSES, Line

ACTS = {
    "unsubscribe_self": 6, "unsubscribe_admin": 2, "subscribe": 2, "archive": 3, "unarchive": 1, "clean": 1, "pending": 2,
    "change_merge_field": 3, "add_tag": 1,
}  # fmt: skip

PAUSES = (0.01, 0.05, 0.3, 3.0, 50.0, 70.0, 700.0, 4_000.0)
"""Seconds between two events that do not come at once: up to longer than statuses are kept."""


@dataclass(frozen=True)
class Life:
    """A process: killed when it sends request number `kill`, or told to stop after so many lines, and the seconds until the next one."""

    events: tuple[Event, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    kill: int | None = None
    stop: int | None = None
    gap: float = 60.0


@dataclass(frozen=True)
class StreamStory:
    """Everything that a run of the stream depends on. `syncs` are its processes, one after the other."""

    seed: int
    people: tuple[Person, ...]
    lines: tuple[Line, ...]
    syncs: tuple[Life, ...]
    in_order: bool = False
    slow_reader: bool = False
    double_optin: bool = False
    workers: int = 3
    config: tuple[tuple[str, Any], ...] = ()
    readings: tuple[tuple[str, Any], ...] = ()


def stream_story(seed: int) -> StreamStory:
    """Return the story that a seed tells."""
    chance = random.Random(f"stream:{seed}")
    people = _people(chance)
    lines = _lines(chance, people)
    emails = sorted({str(line.get("email")).lower() for line in lines} | {person.email for person in people})
    syncs = tuple(_life(chance, emails, len(lines)) for _ in range(chance.choice((1, 2, 3))))
    config = {"write_mode": chance.choice(("auto", "auto", "bulk", "single")), "suppress_automations": chance.random() < 0.2}
    readings = {
        "bulk_without_status": chance.choice(("keep", "subscribed")),
        "bulk_drop_rows": chance.choice((0, 0, 2)),
        "patch_archived_status": chance.choice((404, 405)),
        "tag_edit_moves_last_changed": chance.choice((True, False)),
        "email_case_changes": chance.choice((True, False)),
    }
    return StreamStory(
        seed, people, lines, syncs, chance.random() < 0.4, chance.random() < 0.2, chance.random() < 0.3, chance.choice((1, 2, 3, 6)),
        tuple(config.items()), tuple(readings.items()),
    )  # fmt: skip


def _people(chance: random.Random) -> tuple[Person, ...]:
    statuses = chance.choices(list(STATUSES), list(STATUSES.values()), k=chance.choice((0, 3, 10, 30)))
    ages = (0, 5, 90, 90_000)
    return tuple(Person(LIST, f"p{place}@here.test", status, chance.choice(ages)) for place, status in enumerate(statuses))


def _lines(chance: random.Random, people: tuple[Person, ...]) -> tuple[Line, ...]:
    known = [person.email for person in people]
    pool = [*chance.sample(known, min(len(known), 12)), *(f"new{number}@there.test" for number in range(chance.randint(1, 12)))]
    lines: list[Line] = []
    for _ in range(chance.choice((3, 8, 15))):
        # A lone event, a few, or a burst; then a pause.
        size = chance.choice((1, 1, 1, 2, 5, 20))
        pauses = [chance.choice(PAUSES), *[0.0] * (size - 1)]
        lines += [Line(tuple(_columns(chance, pool, len(lines) + place).items()), pause) for place, pause in enumerate(pauses)]
    return tuple(lines)


def _columns(chance: random.Random, pool: list[str], number: int) -> dict[str, Any]:
    email = chance.choice(pool)
    columns: dict[str, Any] = {
        "id": number,
        "email": chance.choice((email, email, email.upper())),
        "list_id": LIST,
        "first_name": f"r{number}",
    }
    if chance.random() < 0.03:
        columns["email"] = "nobody"
    if chance.random() < 0.3:
        columns["status"] = chance.choice(("subscribed", "subscribed", "unsubscribed"))
    if chance.random() < 0.2:
        columns["tags"] = chance.choice((["VIP"], ["Leads"]))
    return columns


def _life(chance: random.Random, emails: list[str], lines: int) -> Life:
    requests = 6 + lines
    events = tuple(_event(chance, emails, chance.randrange(requests)) for _ in range(chance.choice((0, 2, 6))))
    faults = tuple(writing_faults(chance, requests) for _ in range(chance.choice((0, 0, 1, 2))))
    end = chance.choice(("killed", "killed", "stopped", "read"))
    return Life(
        events, faults, chance.randrange(requests) if end == "killed" else None, chance.randrange(lines + 1) if end == "stopped" else None,
        chance.choice((0.5, 60.0, 4_000.0)),
    )  # fmt: skip


def _event(chance: random.Random, emails: list[str], request: int) -> Event:
    act = chance.choices(list(ACTS), list(ACTS.values()))[0]
    more: dict[str, Any] = {"change_merge_field": {"tag": "LNAME", "value": f"e{chance.randrange(10**6)}"}, "add_tag": {"tag": "VIP"}}.get(
        act, {}
    )
    return Event(request, act, LIST, chance.choice(emails), tuple(more.items()))
