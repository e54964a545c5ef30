"""The guard of new contacts: so many are created and no more, however many calls are under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.sending.new_contacts import NewContacts, TooManyNewContactsError
from integration_tests.simulation.clock import run
from mailchimp_unified.errors import RejectedRecordError, TransientError
from unit_tests.destination.asking import LIST


def guard(most: str | None, subscribed: int = 0) -> NewContacts:
    """A guard of an audience with so many subscribed contacts."""
    return NewContacts(Audience(LIST, subscribed=subscribed), most)


async def create(contacts: NewContacts, ids: Collection[str], seconds: float = 0.0, created: Collection[str] | None = None) -> float:
    """Create contacts by a call that takes so long; return when it was sent."""
    async with contacts.creating(ids):
        sent = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        contacts.note(ids if created is None else created)
    return sent


@pytest.mark.parametrize(
    ("most", "subscribed", "limit"),
    [
        ("0", 100, 0), ("3", 0, 3), ("10%", 200, 20), ("10%", 19, 1), ("10%", 9, 0), ("0.5%", 1_000, 5), ("100%", 7, 7), ("0%", 50, 0),
        (None, 50, 0),
    ],
)  # fmt: skip
def test_the_limit_is_a_number_or_a_share_of_those_who_are_subscribed(most: str | None, subscribed: int, limit: int) -> None:
    """A share is rounded down."""
    assert guard(most, subscribed).limit == limit


def test_of_an_audience_that_nobody_looked_at_no_share_is_known() -> None:
    """So by a share nobody is created in it."""
    assert NewContacts(Audience(LIST), "100%").limit == 0


@pytest.mark.parametrize(("ids", "passes"), [("", True), ("a", True), ("abc", True), ("abcd", False)])
def test_a_call_passes_that_creates_as_many_as_are_left(ids: str, passes: bool) -> None:
    """And none that would create one more: it is not sent."""
    contacts = guard("3")
    if passes:
        run(create(contacts, ids))
    else:
        with pytest.raises(TooManyNewContactsError):
            run(create(contacts, ids))

    assert contacts.created == (len(ids) if passes else 0)


def test_what_was_created_counts_for_the_next_call() -> None:
    """Only what Mailchimp says was created: a row that was refused leaves its place to another."""
    contacts = guard("3")
    run(create(contacts, "abc", created="a"))
    run(create(contacts, "de"))

    assert contacts.created == 3
    with pytest.raises(TooManyNewContactsError):
        run(create(contacts, "f"))
    run(create(contacts, ""))


def test_without_a_limit_nothing_is_counted() -> None:
    """And nothing is stopped."""
    contacts = guard(None)
    run(create(contacts, "abcdefgh"))
    contacts.note(unseen="xy")

    assert contacts.created == 0


def test_who_may_have_been_created_counts_once() -> None:
    """However often that is said, and when a later call creates them for sure."""
    contacts = guard("3")
    contacts.note("a", unseen="bc")
    assert contacts.created == 3
    contacts.note(unseen="bc")
    run(create(contacts, "bc"))

    assert contacts.created == 3
    with pytest.raises(TooManyNewContactsError):
        run(create(contacts, "bd"))


@pytest.mark.parametrize(("lost", "left"), [(True, 0), (False, 2)])
def test_a_call_that_failed_counts_when_its_answer_was_lost(lost: bool, left: int) -> None:
    """Its contacts may be there; after any other failure they are not."""
    contacts = guard("2")
    error = TransientError("The connection was lost")
    error.after_lost_answer = lost

    async def fail() -> None:
        async with contacts.creating("ab"):
            raise error

    with pytest.raises(TransientError):
        run(fail())

    assert contacts.created == 2 - left
    if left:
        run(create(contacts, "cd"))
    else:
        with pytest.raises(TooManyNewContactsError):
            run(create(contacts, "c"))


def test_a_refusal_gives_the_place_back() -> None:
    """The call created nobody."""
    contacts = guard("1")

    async def refuse() -> None:
        async with contacts.creating("a"):
            raise RejectedRecordError("no")

    with pytest.raises(RejectedRecordError):
        run(refuse())
    run(create(contacts, "b"))

    assert contacts.created == 1


async def meanwhile(contacts: NewContacts, *calls: tuple[str, float, str]) -> list[float | None]:
    """Make calls at once, each with contacts, seconds and who of them is created; return when each was sent, None for never."""
    found = await asyncio.gather(*(create(contacts, *call) for call in calls), return_exceptions=True)
    assert all(isinstance(one, (float, TooManyNewContactsError)) for one in found)
    return [one if isinstance(one, float) else None for one in found]


@pytest.mark.parametrize(
    ("calls", "sent"),
    [
        ([("ab", 5.0, "ab"), ("cd", 1.0, "cd")], [0.0, 0.0]),
        ([("ab", 5.0, "ab"), ("cde", 1.0, "cde")], [0.0, None]),
        ([("ab", 5.0, "a"), ("cde", 1.0, "cde")], [0.0, 5.0]),
        ([("ab", 5.0, ""), ("cd", 1.0, "cd"), ("e", 1.0, "e")], [0.0, 0.0, 5.0]),
        ([("ab", 5.0, ""), ("cd", 9.0, "cd"), ("ef", 1.0, "ef")], [0.0, 0.0, 5.0]),
        ([("ab", 5.0, "ab"), ("cd", 9.0, ""), ("ef", 1.0, "ef")], [0.0, 0.0, 9.0]),
        ([("abcde", 1.0, "")], [None]),
    ],
    ids=["both fit", "too many", "the answer makes room", "one waits", "for the first", "for the last", "alone too many"],
)
def test_a_call_waits_where_only_the_answers_of_others_tell_whether_there_is_room(
    calls: list[tuple[str, float, str]], sent: list[float | None]
) -> None:
    """Four contacts may be created: a call waits for room, and is never sent if there is none in the end."""
    assert run(meanwhile(guard("4"), *calls)) == sent
