"""How many new contacts a stream of events may create within any 24 hours: on a virtual clock."""

from __future__ import annotations

import asyncio

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.live.new_contacts import DailyNewContacts
from destination_mailchimp_unified.sending.new_contacts import TooManyNewContactsError
from integration_tests.simulation.clock import run
from integration_tests.streaming.simulated import Live, live
from mailchimp_unified.errors import TransientError
from unit_tests.destination.writing import Mailchimp, person, record

DAY = 86_400.0


async def room(guard: DailyNewContacts, most: int = 5) -> int:
    """Return for how many new contacts there is room."""
    for count in range(most, 0, -1):
        try:
            async with guard.creating([f"somebody {number}" for number in range(count)]):
                return count
        except TooManyNewContactsError:
            continue
    return 0


def rooms(*moments: float, most: str = "5", created: dict[float, int]) -> list[int]:
    """Return for how many new contacts there was room at some moments, where so many were created at others."""

    async def story() -> list[int]:
        guard, found = DailyNewContacts(Audience("a"), most), list[int]()
        clock = asyncio.get_running_loop().time
        for moment in sorted({*moments, *created}):
            await asyncio.sleep(moment - clock())
            guard.note(created=[f"c{moment}.{number}" for number in range(created.get(moment, 0))])
            if moment in moments:
                found.append(await room(guard))
        return found

    return run(story())


def test_there_is_room_again_a_day_after_a_contact_was_created() -> None:
    """Not a second before, and for no more than were created then."""
    assert rooms(0.0, DAY - 1, DAY, created={0.0: 5}) == [0, 0, 5]
    assert rooms(DAY - 1, DAY, 1.5 * DAY - 1, 1.5 * DAY, created={0.0: 2, DAY / 2: 3}) == [0, 2, 2, 5]


def test_contacts_are_counted_by_the_minute() -> None:
    """Those of one minute, counted from its first contact, are forgotten together: a day's count takes no more than 1,440 entries."""
    assert rooms(DAY - 1, DAY, DAY + 60 - 1, DAY + 60, created={0.0: 1, 59.0: 1, 60.0: 1, 119.0: 1, 119.5: 1}) == [0, 2, 2, 5]


def test_nothing_is_counted_before_anybody_is_created() -> None:
    """A process that has just begun has room for all."""
    assert rooms(0.0, 6 * DAY, created={}) == [5, 5]


async def lost(guard: DailyNewContacts, *contact_ids: str) -> None:
    """Let the answer to a call be lost that may have created contacts."""
    error = TransientError("lost")
    error.after_lost_answer = True
    with pytest.raises(TransientError):
        async with guard.creating(contact_ids):
            raise error


def test_contacts_that_may_have_been_created_count_once_within_a_day() -> None:
    """Who is tried again within the day takes no more room; a day later each of them counts like everybody else."""

    async def story() -> None:
        guard = DailyNewContacts(Audience("a"), "2")
        await lost(guard, "a")
        await lost(guard, "b")
        assert await room(guard) == 0
        async with guard.creating(["a", "b"]):
            guard.note(created=["a", "b"])
        assert await room(guard) == 0
        await asyncio.sleep(DAY)
        assert await room(guard) == 2
        with pytest.raises(TooManyNewContactsError):
            async with guard.creating(["a", "b", "c"]):
                raise AssertionError("there is room for two")

    run(story())


@pytest.mark.parametrize("most", ["3", "75%"])
@pytest.mark.parametrize("at_once", [True, False])
def test_events_beyond_what_a_day_may_create_are_answered_with_retry(most: str, at_once: bool) -> None:
    """They name the option, may be sent again later, and keep nobody else from being written."""

    async def story(stream: Live) -> None:
        new = [record(number) for number in range(10, 15)]
        asked = await stream.ask(*new) if at_once else [(await stream.ask(one))[0] for one in new]
        outcomes = [outcome for outcome in asked if outcome]
        assert sorted(outcome.kind for outcome in outcomes) == ["created"] * 3 + ["rejected"] * 2
        assert {(one.later, one.field) for one in outcomes if one.kind == "rejected"} == {(True, "max_new_contacts")}
        assert await stream.kinds(record(1, first_name="Known")) == ["updated"]

    world = Mailchimp(*[person(number) for number in range(4)])
    live(world, story, max_new_contacts=most)
    assert len(world.statuses()) == 4 + 3


def test_a_day_later_an_event_creates_its_contact() -> None:
    """And not some minutes before."""

    async def story(stream: Live) -> None:
        assert await stream.kinds(record(1), record(2)) == ["created", "rejected"]
        await asyncio.sleep(DAY - 600)
        assert await stream.kinds(record(2)) == ["rejected"]
        await asyncio.sleep(600)
        assert await stream.kinds(record(2)) == ["created"]

    live(Mailchimp(), story, max_new_contacts="1")
