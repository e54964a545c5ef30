"""The stories of the source that a seed tells: who is there, what happens during which sync, and what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from integration_tests.simulation.faults import Faulty, reading_faults
from integration_tests.simulation.people import Event, Person

STATUSES = {"subscribed": 10, "unsubscribed": 3, "archived": 3, "cleaned": 1, "pending": 1, "transactional": 1}
TAGS = ("VIP", "Leads", "Old")


@dataclass(frozen=True)
class ReadSync:
    """A sync, killed after `kill` messages where there are so many, and the seconds until the next one."""

    events: tuple[Event, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    kill: int | None = None
    gap: float = 300.0


@dataclass(frozen=True)
class ReadingStory:
    """Everything that a run of the source depends on."""

    seed: int
    people: tuple[Person, ...]
    syncs: tuple[ReadSync, ...]
    page_size: int = 5
    workers: int = 6
    streams: tuple[str, ...] = ("contacts", "lists", "tags", "users")
    config: tuple[tuple[str, Any], ...] = ()
    readings: tuple[tuple[str, Any], ...] = ()
    local_skew: float = 0.0
    keeps_uncommitted: bool = False


def reading_story(seed: int) -> ReadingStory:
    """Return the story that a seed tells; one in sixteen is about tags that come and go around a whole number of pages."""
    if seed % 16 == 15:
        return tags_that_come_and_go(seed)
    chance = random.Random(f"reading:{seed}")
    page_size = chance.choice((4, 5, 5, 7, 10))
    late = chance.choice((0, 0, 0, 2, 30, 100))
    lists = [f"list{number}" for number in range(chance.choices((1, 2, 3), (6, 3, 1))[0])]
    people = tuple(person for list_id in lists for person in _people(chance, list_id, page_size))
    pages = len(people) // page_size + 3
    syncs = [_sync(chance, people, lists, pages) for _ in range(chance.randint(1, 4))]
    syncs[-1] = replace(syncs[-1], gap=late + 200.0)
    filtered = (("statuses", ["subscribed"]),) if chance.random() < 0.15 else ()
    # With a filter, the second sync may still name contacts of other statuses who changed shortly before the first one.
    quiet = [ReadSync()] * (3 if filtered else 2)
    readings = {
        "tie_order": chance.choice(("insertion", "id")),
        "visible_after": late,
        "tag_edit_moves_last_changed": chance.choice((True, False)),
        "count_over_max": chance.choice(("clamp", "refuse")),
    }
    clocks_may_differ = not any(_touches_clocks(sync) for sync in syncs)
    return ReadingStory(
        seed,
        people,
        (*syncs, *quiet),
        page_size,
        chance.choice((1, 2, 3, 6, 10)),
        ("contacts", *(name for name in ("lists", "tags", "users") if chance.random() < 0.6)),
        filtered,
        tuple(readings.items()),
        chance.choice((0, 0, 0, 0, 30.0, 7200.0)) if clocks_may_differ else 0.0,
        keeps_uncommitted=chance.random() < 0.5,
    )


def tags_that_come_and_go(seed: int) -> ReadingStory:
    """Return a story in which tags are made and deleted between any two requests, while there are about one or two pages of them."""
    chance, page_size = random.Random(f"tags:{seed}"), 4
    names = [f"Tag {number}" for number in range(chance.choice((1, 2)) * page_size + chance.choice((0, 0, 1)))]
    people = (Person("list0", "p0@list0.test", tags=tuple(names)),)
    syncs = []
    for _ in range(3):
        events = []
        for request in range(8):
            for _ in range(chance.choice((0, 1, 1, 2))):
                if chance.random() < 0.5 and names:
                    gone = names.pop(chance.randrange(len(names)))
                    events.append(Event(request, "delete_tag", "list0", "p0@list0.test", (("tag", gone),)))
                else:
                    names.append(f"{chance.choice(('A', 'Z'))} {chance.randrange(10**6)}")
                    events.append(Event(request, "add_tag", "list0", "p0@list0.test", (("tag", names[-1]),)))
        syncs.append(ReadSync(tuple(events), gap=200.0))
    readings = (("segment_order", chance.choice(("insertion", "name"))),)
    return ReadingStory(seed, people, (*syncs, ReadSync(), ReadSync()), page_size, 1, ("tags",), readings=readings)


def killed_four_times(seed: int) -> ReadingStory:
    """Return the story of one big audience that is read in five syncs, of which four are killed, and of a last one."""
    chance = random.Random(f"kills:{seed}")
    people = tuple(Person("list0", f"p{place}@list0.test", age=90_000 - 20 * place, first_name=f"v{place}") for place in range(4_000))
    kills = tuple(ReadSync(kill=chance.randint(60, 180), gap=1.0) for _ in range(4))
    return ReadingStory(seed, people, (*kills, ReadSync(), ReadSync()), page_size=10, workers=6, streams=("contacts",))


def _touches_clocks(sync: ReadSync) -> bool:
    return any(rule["kind"] == "date" for rule in sync.faults)


def _people(chance: random.Random, list_id: str, page_size: int) -> list[Person]:
    pages = chance.choices((0, 1, 2, 3, 6, 12), (3, 4, 3, 3, 2, 1))[0]
    count = max(0, pages * page_size + chance.choice((-1, 0, 0, 1, chance.randrange(page_size))))
    ages = [chance.choice((chance.randint(0, 5), chance.randint(1, 300), chance.randint(1, 90_000))) for _ in range(count)]
    while len(ages) > 1 and chance.random() < 0.6:
        # Some share a second, more of them than fit a page now and then.
        for place in chance.sample(range(count), min(count, chance.randint(2, 2 * page_size))):
            ages[place] = ages[0]
    statuses = chance.choices(list(STATUSES), list(STATUSES.values()), k=count)
    # Now and then there are more tags than fit a page, or just as many.
    tags = (*TAGS, *(f"Tag {number}" for number in range(chance.choice((0, 0, 0, page_size, 2 * page_size)))))
    return [
        Person(list_id, f"p{place}@{list_id}.test", status, age, f"v{place}", tuple(tag for tag in tags if chance.random() < 0.2))
        for place, (status, age) in enumerate(zip(statuses, ages, strict=True))
    ]


def _sync(chance: random.Random, people: tuple[Person, ...], lists: list[str], pages: int) -> ReadSync:
    busy = chance.choice((0, 0, 3, 8, 20))
    events = tuple(_event(chance, people, lists, chance.randrange(3 * pages)) for _ in range(chance.randint(0, busy) if busy else 0))
    faults: list[Faulty] = []
    if chance.random() < 0.5:
        faults = [reading_faults(chance, 2 * pages) for _ in range(chance.choice((1, 1, 2, 3)))]
    kill = chance.randrange(3 * pages + 6) if chance.random() < 0.4 else None
    return ReadSync(events, tuple(faults), kill, chance.choice((0.5, 3.0, 60.0, 600.0)))


ACTS = {
    "change_merge_field": 8, "unsubscribe_self": 3, "archive": 3, "unarchive": 2, "subscribe": 3, "clean": 1, "pending": 1,
    "change_email": 1, "forget": 1, "add_tag": 3, "remove_tag": 1, "rename_tag": 1, "delete_tag": 3, "create_list": 1, "delete_list": 1,
}  # fmt: skip


def _event(chance: random.Random, people: tuple[Person, ...], lists: list[str], request: int) -> Event:
    act = chance.choices(list(ACTS), list(ACTS.values()))[0]
    person = chance.choice(people) if people else Person(lists[0], "p0@list0.test")
    number = chance.randrange(10**6)
    if act == "subscribe" and chance.random() < 0.7:
        return Event(request, act, person.list_id, f"new{number}@{person.list_id}.test")
    if act == "create_list":
        return Event(request, act, f"list{number}")
    more: dict[str, Any] = {
        "change_merge_field": {"tag": "FNAME", "value": f"e{number}"},
        "change_email": {"new_email": f"moved{number}@{person.list_id}.test"},
        "add_tag": {"tag": chance.choice((*TAGS, f"Tag {number}"))},
        "remove_tag": {"tag": chance.choice(TAGS)},
        "rename_tag": {"tag": chance.choice(TAGS), "name": f"Renamed {number}"},
        "delete_tag": {"tag": chance.choice((*TAGS, f"Tag {number % 10}", f"Tag {number % 5}"))},
    }.get(act, {})
    return Event(request, act, person.list_id, person.email, tuple(more.items()))
