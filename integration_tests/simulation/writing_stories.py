"""The stories of the destination that a seed tells: who is in the audience, what comes in, and what happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from integration_tests.simulation.faults import writing_faults
from integration_tests.simulation.people import Event, Person

LIST = "list0"
STATUSES = {"subscribed": 8, "unsubscribed": 3, "archived": 3, "cleaned": 1, "pending": 2, "transactional": 1}
TAGS = ("VIP", "Leads")

ACTS = {
    "unsubscribe_self": 6, "unsubscribe_admin": 2, "subscribe": 5, "archive": 3, "unarchive": 1, "clean": 1, "pending": 2, "forget": 1,
    "change_merge_field": 3, "add_tag": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What comes in: a record with its columns, or a state where there are none; `pause` seconds after the line before."""

    columns: tuple[tuple[str, Any], ...] = ()
    pause: float = 0.0

    @property
    def is_state(self) -> bool:
        """Whether it is a state."""
        return not self.columns

    def get(self, name: str) -> Any:
        """Return a column."""
        return dict(self.columns).get(name)


@dataclass(frozen=True)
class WriteSync:
    """A sync, killed when it sends request number `kill`, and the seconds until the next one."""

    events: tuple[Event, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    kill: int | None = None
    gap: float = 300.0


@dataclass(frozen=True)
class WritingStory:
    """Everything that a run of the destination depends on."""

    seed: int
    people: tuple[Person, ...]
    lines: tuple[Line, ...]
    syncs: tuple[WriteSync, ...]
    mode: str = "append"
    double_optin: bool = False
    page_size: int = 5
    workers: int = 3
    config: tuple[tuple[str, Any], ...] = ()
    # What the source says at the end of its stream, None for nothing.
    end: str | None = None
    readings: tuple[tuple[str, Any], ...] = ()

    @property
    def policy(self) -> str:
        """Who may be written: a stream that only updates does so under any policy."""
        return "update_only" if self.mode == "update" else str(dict(self.config)["write_policy"])


def writing_story(seed: int) -> WritingStory:
    """Return the story that a seed tells."""
    chance = random.Random(f"writing:{seed}")
    people = _people(chance)
    lines = _lines(chance, people)
    emails = sorted({str(line.get("email")) for line in lines if not line.is_state} | {person.email for person in people})
    syncs = tuple(_sync(chance, emails, len(lines)) for _ in range(chance.choice((1, 1, 2, 3))))
    config = {
        "write_mode": chance.choice(("auto", "bulk", "single")),
        "status_if_new": chance.choice(("auto", "auto", "subscribed", "pending", "unsubscribed")),
        "apply_status": chance.choice(("never", "never", "opt_outs", "always")),
        "on_compliance_state": chance.choice(("reject", "pending")),
        "on_delete": chance.choice(("archive", "archive", "unsubscribe", "ignore")),
        "suppress_automations": chance.random() < 0.3,
        "restore_archived": chance.random() < 0.2,
        "max_rejected_percent": None,
        **policies(seed),
    }
    mode = chance.choice(("append", "append", "append_dedup", "update"))
    if mode == "update" and config["write_policy"] == "create_only":
        # Such a sync could write nothing, and is refused.
        config["write_policy"] = "upsert"
    return WritingStory(
        seed,
        people,
        lines,
        syncs,
        mode,
        chance.random() < 0.3,
        chance.choice((4, 5, 10)),
        chance.choice((1, 2, 3, 6)),
        tuple(config.items()),
        "COMPLETE" if config["membership_tag"] else None,
        tuple(_readings(chance).items()),
    )


def lost_creations(seed: int) -> WritingStory:
    """Return a story in which few contacts may be created, and the answers to bulk calls get lost."""
    story, chance = writing_story(seed), random.Random(f"lost:{seed}")
    config = {**dict(story.config), "write_mode": "bulk", "write_policy": "upsert", "max_new_contacts": chance.randint(1, 12)}
    fault = {"kind": chance.choice(("reset", "500", "empty_200")), "method": "POST", "path": "/lists/[^/]*$", "when": "after", "times": 1}
    syncs = (WriteSync(faults=({**fault, "after": chance.randrange(2)},)),)
    return replace(story, mode="append", config=tuple(config.items()), syncs=syncs)


def policies(seed: int) -> dict[str, Any]:
    """Return the policies and guards of a seed; half of all seeds have none. They have a chance of their own, and move no other."""
    chance = random.Random(f"limits:{seed}")
    none = {"write_policy": "upsert", "max_new_contacts": None, "membership_tag": None, "on_leaving": "nothing"}
    if chance.random() < 0.5:
        return none
    return {
        "write_policy": chance.choice(("upsert", "upsert", "update_only", "create_only")),
        "max_new_contacts": chance.choice((None, 0, 2, 4, 8)),
        "membership_tag": TAGS[0] if (tagged := chance.random() < 0.7) else None,
        "on_leaving": "remove_tag" if tagged and chance.random() < 0.8 else "nothing",
        "max_leaving_percent": chance.choice((0, 20, 50, 100)),
    }


def _readings(chance: random.Random) -> dict[str, Any]:
    return {
        "tie_order": chance.choice(("insertion", "id")),
        "transactional_in_bare_list": chance.choice((True, False)),
        "tag_edit_moves_last_changed": chance.choice((True, False)),
        "compliance_survives_archive": chance.choice((True, False)),
        "patch_archived_status": chance.choice((404, 405)),
        "status_if_new_unarchives": chance.choice((True, False)),
        "subscribe_pending": chance.choice(("taken", "kept", "error")),
        "subscribe_held_pending": chance.choice(("taken", "kept", "error")),
        "email_case_changes": chance.choice((True, False)),
        "bulk_without_status": chance.choice(("keep", "subscribed")),
        "bulk_new_without_status": chance.choice(("error", "subscribed")),
        "bulk_refused_compliance": chance.choice(("error", "ignore")),
        "bulk_drop_rows": chance.choice((0, 0, 0, 2)),
        "bulk_dropped_rows_take_effect": chance.choice((True, False)),
    }


def _people(chance: random.Random) -> tuple[Person, ...]:
    count = chance.choice((0, 2, 5, 9, 20, 30))
    statuses = chance.choices(list(STATUSES), list(STATUSES.values()), k=count)
    return tuple(
        Person(LIST, f"p{place}@here.test", status, chance.choice((0, 5, 90, 5_000, 90_000)), f"old{place}", chance.choice(((), ("VIP",))))
        for place, status in enumerate(statuses)
    )


def _lines(chance: random.Random, people: tuple[Person, ...]) -> tuple[Line, ...]:
    known = [person.email for person in people]
    # With few addresses many records are about the same contact, with many hardly any.
    pool = [
        *chance.sample(known, min(len(known), chance.randint(1, 20))),
        *(f"new{number}@there.test" for number in range(chance.randint(1, 20))),
    ]
    lines: list[Line] = []
    for number in range(chance.choice((3, 8, 20, 40))):
        lines.append(
            Line(
                tuple(_columns(chance, pool, number).items()),
                chance.choice((0, 0, 0, 0, 0.05, 0.5, 3.0, 70.0)) if chance.random() < 0.3 else 0.0,
            )
        )
        if chance.random() < 0.15:
            lines.append(Line(pause=chance.choice((0, 0, 0.5))))
    return (*lines, Line())


def _columns(chance: random.Random, pool: list[str], number: int) -> dict[str, Any]:
    email = chance.choice(pool)
    columns: dict[str, Any] = {"email": chance.choice((email, email, email.upper())), "list_id": LIST, "first_name": f"r{number}"}
    if chance.random() < 0.03:
        columns["email"] = "nobody"
    if chance.random() < 0.1:
        return {"email": columns["email"], "list_id": LIST, "is_deleted": True}
    optional: dict[str, Any] = {
        "status": chance.choice(("subscribed", "subscribed", "unsubscribed", "pending", "cleaned", "archived")),
        "status_if_new": chance.choice(("subscribed", "pending", "unsubscribed")),
        "tags": chance.choice((["VIP"], ["Leads"], ["VIP", "Fresh"])),
        "tags_to_remove": ["VIP"],
    }
    rare = {
        name: chance.random() < share for name, share in (("status", 0.3), ("status_if_new", 0.1), ("tags", 0.3), ("tags_to_remove", 0.1))
    }
    return {**columns, **{name: value for name, value in optional.items() if rare[name]}}


def _sync(chance: random.Random, emails: list[str], lines: int) -> WriteSync:
    requests = 6 + lines
    events = tuple(_event(chance, emails, chance.randrange(requests)) for _ in range(chance.choice((0, 0, 2, 6))))
    faults = tuple(writing_faults(chance, requests) for _ in range(chance.choice((0, 0, 1, 2, 3))))
    return WriteSync(events, faults, chance.randrange(requests) if chance.random() < 0.5 else None, chance.choice((0.5, 60.0)))


def _event(chance: random.Random, emails: list[str], request: int) -> Event:
    act = chance.choices(list(ACTS), list(ACTS.values()))[0]
    more: dict[str, Any] = {
        "change_merge_field": {"tag": "LNAME", "value": f"e{chance.randrange(10**6)}"},
        "add_tag": {"tag": chance.choice(TAGS)},
    }.get(act, {})
    return Event(request, act, LIST, chance.choice(emails), tuple(more.items()))
