"""Those who carry the membership tag: how they are read, and how the tag is taken from those who left."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.planning.leaving import Seen
from destination_mailchimp_unified.sending.leaving import TaggedContacts, read_tagged, take_tag
from integration_tests.simulation.clock import run
from mailchimp_unified.errors import PermissionDeniedError
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import page
from unit_tests.destination.asking import LIST, body_of, missing, pager, path_of, refused
from unit_tests.kernel.conftest import Answers, Scripted, answer

Json = dict[str, Any]

TAG, TAG_ID = "Customers", 7
BEGAN = "2026-11-25T12:00:00+00:00"
EARLIER, LATER = "2026-11-25T11:59:59+00:00", "2026-11-25T12:00:01+00:00"
STREAM = (None, "people")


def id_of(number: int) -> str:
    """Return the id of a contact."""
    return f"{number:016x}" * 2


def carrier(number: int, changed: str | None = EARLIER) -> Json:
    """A contact who carries the tag."""
    return {"id": id_of(number), "email_address": f"p{number}@x.org", "last_changed": changed}


def presence(*came: int, deleted: tuple[int, ...] = ()) -> Seen:
    """Who came, and whose row was deleted."""
    found = Seen()
    found.note(STREAM, LIST, map(id_of, came))
    found.note(STREAM, LIST, map(id_of, deleted), deleted=True)
    return found


def read(answers: Answers, came: Seen, *, most: float = 100, page_size: int = 10) -> TaggedContacts:
    """Read who carries the tag."""
    found, _ = pager(answers, page_size)
    return run(read_tagged(Audience(LIST, began=BEGAN), TAG_ID, came, most, found))


def listing(*members: Json) -> Answers:
    """A Mailchimp that lists these carriers."""
    return lambda outgoing: page(outgoing, "members", members)


@pytest.mark.parametrize(
    ("member", "came", "expected"),
    [
        (carrier(1), presence(1), (0, 0)),
        (carrier(1, LATER), presence(1), (0, 0)),
        (carrier(1), presence(2), (1, 0)),
        (carrier(1, None), presence(2), (1, 0)),
        (carrier(1, BEGAN), presence(2), (0, 1)),
        (carrier(1, LATER), presence(2), (0, 1)),
        (carrier(1, LATER), presence(2, deleted=(1,)), (1, 0)),
    ],
    ids=["came", "came, changed", "left", "without a time", "changed as we began", "changed since", "row deleted"],
)
def test_who_did_not_come_left_unless_somebody_changed_them_meanwhile(member: Json, came: Seen, expected: tuple[int, int]) -> None:
    """Everybody is counted; who left is kept with id and email address."""
    found = read(listing(member), came)

    assert (found.count, found.left, found.changed, found.whole) == (1, *expected, True)
    assert found.leaving == [(id_of(1), "p1@x.org")] * expected[0]


def test_a_contact_on_two_pages_is_counted_once() -> None:
    """While others join, one may be listed twice."""
    found = read(listing(*[carrier(n) for n in (*range(10), 9, 10)]), presence(99))

    assert (found.count, found.left, len(found.leaving)) == (11, 11, 11)


def test_several_changed_meanwhile_are_all_counted() -> None:
    """Each of them keeps the tag until the next sync."""
    assert read(listing(*[carrier(n, LATER) for n in range(3)]), presence(99)).changed == 3


@pytest.mark.parametrize(("most", "kept"), [(10, 0), (14.9, 0), (15, 3), (100, 3)])
def test_email_addresses_are_kept_as_long_as_few_enough_left(most: float, kept: int) -> None:
    """The share is of all who carry the tag, by Mailchimp's count, although only a page of them was read."""
    # The last three are read first.
    found = read(listing(*[carrier(n) for n in range(20)]), presence(*range(17)), most=most)

    assert (found.count, found.left, len(found.leaving)) == (20, 3, kept)


@pytest.mark.parametrize(("most", "kept"), [(19, 0), (20, 2)])
def test_where_mailchimp_counts_nobody_those_who_were_read_are_counted(most: float, kept: int) -> None:
    """A count of 0 is no count."""

    def uncounted(outgoing: Outgoing) -> Received:
        return answer({"members": [carrier(n) for n in range(10)] if outgoing.params["offset"] == 0 else [], "total_items": 0})

    found = read(uncounted, presence(*range(8)), most=most, page_size=20)

    assert (found.count, len(found.leaving)) == (10, kept)


def test_a_tag_that_is_gone_is_carried_by_nobody() -> None:
    """That is whole: nothing is left to be taken."""
    assert read(lambda _: missing(), presence(1)) == TaggedContacts()
    assert (TaggedContacts().count, TaggedContacts().left, TaggedContacts().changed, TaggedContacts().whole) == (0, 0, 0, True)


def test_a_listing_shorter_than_its_count_is_not_whole() -> None:
    """Who is not listed may carry the tag all the same."""

    def short(outgoing: Outgoing) -> Received:
        rows = [carrier(1), carrier(2)][int(outgoing.params["offset"]) :]
        return answer({"members": rows, "total_items": 5})

    found = read(short, presence(1, 2))

    assert (found.count, found.whole) == (2, False)


# Taking it.


def take(answers: Answers, count: int, *, suppress: bool = False) -> tuple[int, Scripted]:
    """Take the tag from so many contacts; return how many were refused, and what was asked."""
    found, scripted = pager(answers)
    leaving = [(id_of(number), f"p{number}@x.org") for number in range(count)]
    return run(take_tag(Audience(LIST), TAG, TAG_ID, leaving, found, suppress_automations=suppress)), scripted


def removed(scripted: Scripted) -> list[list[str]]:
    """Return the email addresses of each call that takes the tag from several."""
    assert {(one.method, path_of(one)) for one in scripted.seen} <= {("POST", f"/segments/{TAG_ID}")}
    return [body_of(one)["members_to_remove"] for one in scripted.seen]


def emails(*numbers: int) -> list[str]:
    """Return email addresses."""
    return [f"p{number}@x.org" for number in numbers]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1]), (1_001, [500, 500, 1])])
def test_the_tag_is_taken_from_five_hundred_at_once(count: int, sizes: list[int]) -> None:
    """Each of those who left is in one call."""
    refusals, scripted = take(lambda _: answer({"members_removed": []}), count)

    calls = removed(scripted)
    assert (refusals, [len(call) for call in calls]) == (0, sizes)
    assert [one for call in calls for one in call] == emails(*range(count))


def test_a_refused_call_is_halved_until_only_those_keep_the_tag_whom_mailchimp_refuses() -> None:
    """They are counted, and the others lose it."""
    bad = {"p2@x.org", "p5@x.org", "p6@x.org"}
    refusals, scripted = take(lambda one: refused() if bad & {*body_of(one)["members_to_remove"]} else answer({}), 8)

    calls = removed(scripted)
    assert refusals == 3
    assert sorted(one for call in calls if not bad & {*call} for one in call) == emails(0, 1, 3, 4, 7)
    assert calls[:3] == [emails(*range(8)), emails(*range(4)), emails(0, 1)]


def test_from_a_tag_that_is_gone_nothing_is_taken() -> None:
    """Nobody is refused, and nothing is tried again."""
    assert (take(lambda _: missing(), 3)[0], len(take(lambda _: missing(), 3)[1].seen)) == (0, 1)


@pytest.mark.parametrize("suppress", [False, True])
def test_what_concerns_no_single_contact_is_raised(suppress: bool) -> None:
    """The sync has to be run again, or its configuration changed."""
    forbidden = answer({"type": "t", "title": "Forbidden", "status": 403, "detail": "", "instance": "i"}, 403)
    with pytest.raises(PermissionDeniedError):
        take(lambda _: forbidden, 2, suppress=suppress)


def test_where_no_automation_may_begin_each_contact_has_a_call_that_says_so() -> None:
    """Who is gone has lost it, who is refused is counted."""
    answers = {id_of(1): missing(), id_of(2): refused(), id_of(4): refused()}

    refusals, scripted = take(lambda one: answers.get(path_of(one).split("/")[2], answer(b"", 204)), 6, suppress=True)

    assert refusals == 2
    assert sorted(path_of(one) for one in scripted.seen) == [f"/members/{id_of(number)}/tags" for number in range(6)]
    for one in scripted.seen:
        assert body_of(one) == {"tags": [{"name": TAG, "status": "inactive"}], "is_syncing": True}


def test_contacts_that_are_many_are_all_asked_for_one_by_one() -> None:
    """More than one call of five hundred would take."""
    refusals, scripted = take(lambda _: refused(), 501, suppress=True)

    assert refusals == 501
    assert len({path_of(one) for one in scripted.seen}) == len(scripted.seen) == 501
