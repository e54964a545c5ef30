"""Who came in a sync, and who of those that carry the membership tag leaves."""

from __future__ import annotations

import pytest

from destination_mailchimp_unified.intake.arrivals import StreamKey
from destination_mailchimp_unified.planning.leaving import ANYWHERE, COMPLETE, INCOMPLETE, Seen, fate, is_too_many
from mailchimp_unified.identity import subscriber_hash

PEOPLE: StreamKey = (None, "people")
GUESTS: StreamKey = (None, "guests")
ADA, BEN = (subscriber_hash(f"{name}@contacts.example") for name in ("ada", "ben"))
BEGAN = "2026-11-25T12:00:00+00:00"
BEFORE, AFTER = "2026-11-25T11:59:59+00:00", "2026-11-25T12:00:01+00:00"


@pytest.mark.parametrize(
    ("deleted", "here", "gone"),
    [([False], True, False), ([True], False, True), ([False, True], False, True), ([True, False], True, False), ([], False, False)],
)
def test_a_contact_counts_as_its_last_record_says(deleted: list[bool], here: bool, gone: bool) -> None:
    """A row brings its contact, a deleted row takes it away, and the last of them counts."""
    presence = Seen()
    for one in deleted:
        presence.note(PEOPLE, "a1", [ADA], deleted=one)

    assert presence.is_here("a1", ADA) is here
    assert presence.is_deleted("a1", ADA) is gone
    assert presence.anybody("a1") is here


def test_a_record_may_be_about_two_contacts() -> None:
    """One that changes an email address is about the contact under the old one as well."""
    presence = Seen()
    presence.note(PEOPLE, "a1", [ADA, BEN])

    assert presence.is_here("a1", ADA)
    assert presence.is_here("a1", BEN)


def test_each_stream_has_its_own_word() -> None:
    """A contact that one stream deletes is there all the same when another brings it."""
    presence = Seen()
    presence.note(PEOPLE, "a1", [ADA], deleted=True)
    presence.note(GUESTS, "a1", [ADA])

    assert presence.is_here("a1", ADA)
    assert presence.is_deleted("a1", ADA)
    presence.note(GUESTS, "a1", [ADA], deleted=True)
    assert not presence.is_here("a1", ADA)


@pytest.mark.parametrize(("where", "here"), [("a1", True), ("b2", False), (ANYWHERE, True)])
def test_who_came_for_another_audience_did_not_come_for_this_one(where: str, here: bool) -> None:
    """A record that does not tell its audience counts in each."""
    presence = Seen()
    presence.note(PEOPLE, where, [ADA])
    presence.note(PEOPLE, where, [BEN], deleted=True)

    assert presence.is_here("a1", ADA) is here
    assert not presence.is_here("a1", BEN)
    assert presence.is_deleted("a1", BEN) is here
    assert not presence.is_deleted("a1", ADA)


def test_somebody_came_for_an_audience_where_a_record_names_it() -> None:
    """What came for another audience, or for none that it tells, does not say that an audience was fed."""
    presence = Seen()
    assert not presence.anybody("a1")
    presence.note(PEOPLE, "b2", [ADA])
    presence.note(PEOPLE, ANYWHERE, [BEN])
    assert not presence.anybody("a1")
    presence.note(GUESTS, "a1", [ADA])
    assert presence.anybody("a1")


@pytest.mark.parametrize(
    ("statuses", "complete"),
    [
        ([], False),
        (["STARTED"], False),
        (["STARTED", "RUNNING", COMPLETE], True),
        ([COMPLETE, "RUNNING"], False),
        (["RUNNING", COMPLETE, COMPLETE], True),
        ([INCOMPLETE, COMPLETE], False),
        ([COMPLETE, INCOMPLETE], False),
        ([INCOMPLETE, "STARTED", COMPLETE], False),
    ],
)
def test_a_stream_is_whole_when_its_source_says_so_last(statuses: list[str], complete: bool) -> None:
    """One that failed does not become whole again, and no other stream speaks for it."""
    presence = Seen()
    for status in statuses:
        presence.note_status(PEOPLE, status)
    presence.note_status(GUESTS, COMPLETE if not complete else INCOMPLETE)

    assert presence.is_complete(PEOPLE) is complete


@pytest.mark.parametrize(
    ("came", "deleted", "changed", "becomes"),
    [
        (True, False, BEFORE, "stays"),
        (True, False, AFTER, "stays"),
        (False, False, BEFORE, "leaves"),
        (False, False, BEGAN, "changed meanwhile"),
        (False, False, AFTER, "changed meanwhile"),
        (False, True, BEFORE, "leaves"),
        (False, True, AFTER, "leaves"),
        (True, True, AFTER, "stays"),
    ],
)
def test_who_did_not_come_leaves_unless_somebody_changed_it_meanwhile(came: bool, deleted: bool, changed: str, becomes: str) -> None:
    """From the second on in which the sync began; a contact whose row was deleted was changed by this sync itself."""
    presence = Seen()
    if deleted:
        presence.note(PEOPLE, "a1", [ADA], deleted=True)
    if came:
        presence.note(GUESTS, "a1", [ADA])

    assert fate(presence, "a1", ADA, changed, BEGAN) == becomes


@pytest.mark.parametrize(
    ("leaving", "carriers", "most", "too_many"),
    [
        (0, 0, 0, False),
        (0, 100, 0, False),
        (1, 100, 0, True),
        (20, 100, 20, False),
        (21, 100, 20, True),
        (1, 5, 20, False),
        (2, 5, 20, True),
        (1, 3, 33.3, True),
        (1, 3, 33.4, False),
        (100, 100, 100, False),
        (1, 1, 99.9, True),
    ],
)
def test_a_share_of_those_who_carry_the_tag_may_leave(leaving: int, carriers: int, most: float, too_many: bool) -> None:
    """Exactly the share may; one more is too many."""
    assert is_too_many(leaving, carriers, most) is too_many
