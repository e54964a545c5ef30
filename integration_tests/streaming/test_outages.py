from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from destination_mailchimp_unified.live.new_contacts import DAY_SECONDS
from integration_tests.simulation.people import Person, new_list
from integration_tests.streaming.simulated import CALM, LIST, Days, Live, live
from mailchimp_emulator.models import subscriber_hash
from mailchimp_unified.errors import TransientError
from mailchimp_unified.patience import Patience

QUARTER = Patience().total
FAULTY = "p3@contacts.example"
OTHER = "0000000001"


def person(number: int, **more: Any) -> dict[str, Any]:
    """An event of somebody."""
    return {"email": f"p{number}@contacts.example", **more}


def crowd(count: int) -> list[Person]:
    """People who have been there for a while."""
    return [Person(LIST, f"p{number}@contacts.example") for number in range(count)]


@pytest.mark.parametrize("kind", ["503", "429", "hang", "empty_object_200", "403_html"])
def test_an_event_that_mailchimp_fails_on_harms_no_other(kind: str) -> None:
    """Fifteen minutes of failures of one contact's call end with the answer to send it later; all others are written meanwhile and after."""
    world = Days(21, CALM)
    world.place(*crowd(10))

    async def story(told: Live) -> None:
        world.state.faults.set([{"kind": kind, "path": subscriber_hash(FAULTY)}], 1)
        waits = asyncio.create_task(told.ask({"email": FAULTY, "first_name": "Stuck"}))
        began = world.now
        while not waits.done():
            assert await told.kinds(person(5, first_name=f"At {world.now:.0f}")) == ["updated"]
            await asyncio.sleep(20)
        (outcome,) = await waits
        assert (outcome.kind, outcome.later) == ("rejected", True)
        assert world.now - began <= QUARTER + 200
        world.state.faults.set([], 1)
        assert await told.kinds({"email": FAULTY, "first_name": "Later"}) == ["updated"]

    live(world, story, write_mode="single")

    assert world.values()[FAULTY] == "Later"


def test_a_bulk_call_that_fails_for_good_is_written_one_by_one() -> None:
    """Where Mailchimp fails on one contact of a bulk call, the others of it are written, and that one is answered."""
    world = Days(22, CALM)
    world.place(*crowd(1200))

    async def story(told: Live) -> None:
        world.state.faults.set(
            [{"kind": "500", "method": "POST", "path": f"/lists/{LIST}$"}, {"kind": "500", "path": subscriber_hash(FAULTY)}], 1
        )
        assert Counter(await told.kinds(*(person(number, first_name="New") for number in range(100)))) == {"updated": 99, "rejected": 1}

    live(world, story)

    assert sum(value == "New" for value in world.values().values()) == 99


def test_an_audience_that_cannot_be_looked_at_harms_no_other() -> None:
    """Where the merge fields of one audience cannot be read, its events are answered, and those of others are written."""
    world = Days(23, CALM)
    world.place(*crowd(3))

    async def story(told: Live) -> None:
        new_list(world.state, OTHER, int(world.now))
        world.state.faults.set([{"kind": "503", "path": f"{OTHER}/merge-fields"}], 1)
        (outcome,) = await told.ask(person(1, list_id=OTHER))
        assert outcome is not None
        assert (outcome.kind, outcome.later) == ("rejected", True)
        assert await told.kinds(person(1, first_name="Here")) == ["updated"]
        world.state.faults.set([], 1)
        assert await told.kinds(person(1, list_id=OTHER)) == ["created"]

    live(world, story)


def test_while_mailchimp_is_away_nothing_is_answered() -> None:
    """Away for longer than calls are tried, Mailchimp ends the pipeline; no event is answered as if its own call were to blame."""
    world = Days(24, CALM)
    world.place(*crowd(5))
    told: list[Live] = []

    async def story(one: Live) -> None:
        told.append(one)
        world.state.faults.set([{"kind": "503"}], 1)
        for number in range(5):
            await one.put(person(number, first_name="Never"))
        await asyncio.sleep(10 * QUARTER)

    with pytest.raises(TransientError):
        live(world, story)

    assert told[0].told == []


@pytest.mark.parametrize("most", ["5", "50%"])
@pytest.mark.parametrize("at_once", [True, False])
def test_so_many_new_contacts_in_a_day(most: str, at_once: bool) -> None:
    """Beyond max_new_contacts new contacts are answered with `retry`, existing ones are written, and a day later there is room again."""
    world = Days(25, CALM)
    world.place(*crowd(10))

    async def story(told: Live) -> None:
        new = [{"email": f"new{number}@contacts.example"} for number in range(8)]
        asked = await told.ask(*new) if at_once else [(await told.ask(one))[0] for one in new]
        assert Counter(outcome.kind for outcome in asked if outcome) == {"created": 5, "rejected": 3}
        assert all(outcome.later for outcome in asked if outcome and outcome.kind == "rejected")
        assert await told.kinds(person(1, first_name="Known")) == ["updated"]
        await asyncio.sleep(DAY_SECONDS)
        assert await told.kinds({"email": "late@contacts.example"}) == ["created"]

    live(world, story, max_new_contacts=most)

    assert sum(email.startswith(("new", "late")) for email in world.statuses()) == 6
