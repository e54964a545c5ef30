"""By which call a change goes, when it goes, and which tags it gives and takes."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison, comparison_of
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.compared import shown_by
from destination_mailchimp_unified.planning.plan import plan, route
from destination_mailchimp_unified.planning.tags import (
    Delta,
    Tagging,
    by_segment,
    delta,
    is_managed,
    merged_tagging,
    segments_are_fewer,
    tag_rows,
    tagging,
    with_tag,
)
from mailchimp_unified.identity import subscriber_hash

ADDING, REMOVING = Tagging({"a": ("A", True)}), Tagging({"a": ("A", False)})


def config(**options: Any) -> DestinationConfig:
    """Return a configuration with options."""
    return DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}, **options})


def change(number: int = 1, **more: Any) -> Change:
    """Return what is wanted of a contact by number: without more, that it is there."""
    email = f"p{number}@x.org"
    body = {"email_address": email, **more.pop("body", {})}
    return Change(email, subscriber_hash(email), [Entry((None, "s"), 0, number)], body=body, **more)


def audience(status: str | None = None, *, numbers: tuple[int, ...] = (1,), whole: bool = True) -> Audience:
    """Return an audience in which contacts have a status; without one nobody is in it."""
    known = Statuses()
    if status:
        for number in numbers:
            known.put(subscriber_hash(f"p{number}@x.org"), status)
    return Audience("a1", statuses=known, listed_whole=whole)


ROUTES: list[tuple[str | None, dict[str, Any], dict[str, Any], str]] = [
    # The status that the contact has, the configuration, what is wanted, and the call.
    (None, {}, {}, "create"),
    (None, {}, {"new_only": True}, "create"),
    (None, {}, {"tagging": REMOVING}, "create"),
    (None, {}, {"existing_only": True}, "single"),
    (None, {}, {"status": "cleaned"}, "single"),
    (None, {}, {"previous_id": "1" * 32}, "single"),
    (None, {}, {"body": {"marketing_permissions": []}}, "single"),
    (None, {}, {"kind": "archive"}, "single"),
    ("subscribed", {}, {}, "update"),
    ("subscribed", {}, {"existing_only": True}, "update"),
    ("subscribed", {}, {"new_only": True}, "single"),
    ("subscribed", {}, {"kind": "unsubscribe"}, "single"),
    ("subscribed", {}, {"previous_id": "1" * 32}, "single"),
    ("subscribed", {}, {"body": {"marketing_permissions": []}}, "single"),
    ("subscribed", {}, {"status": "unsubscribed"}, "update"),
    ("subscribed", {"apply_status": "opt_outs"}, {"status": "unsubscribed"}, "single"),
    ("subscribed", {"apply_status": "always"}, {"status": "subscribed"}, "update"),
    ("subscribed", {"apply_status": "always"}, {}, "update"),
    ("subscribed", {"restore_archived": True}, {}, "update"),
    *((status, {}, {}, "single") for status in ("unsubscribed", "cleaned", "pending", "transactional", "archived")),
    # Who only loses tags is asked for by tag, regardless of the status.
    ("subscribed", {}, {"tagging": REMOVING}, "untag"),
    ("archived", {}, {"tagging": REMOVING}, "untag"),
    ("unsubscribed", {}, {"tagging": REMOVING, "status": "subscribed"}, "untag"),
    ("unsubscribed", {"apply_status": "always"}, {"tagging": REMOVING, "status": "pending"}, "single"),
    ("archived", {"restore_archived": True}, {"tagging": REMOVING}, "single"),
    ("unsubscribed", {"restore_archived": True}, {"tagging": REMOVING}, "untag"),
    ("subscribed", {"suppress_automations": True}, {"tagging": REMOVING}, "update"),
    ("unsubscribed", {"suppress_automations": True}, {"tagging": REMOVING}, "single"),
    ("subscribed", {}, {"tagging": ADDING}, "update"),
    ("subscribed", {}, {"tagging": Tagging({**ADDING.wanted, "b": ("b", False)})}, "update"),
    ("subscribed", {}, {"tagging": Tagging(REMOVING.wanted, whole=True)}, "update"),
    ("subscribed", {}, {"tagging": Tagging()}, "update"),
    ("subscribed", {}, {"tagging": REMOVING, "body": {"vip": True}}, "update"),
    ("subscribed", {}, {"tagging": REMOVING, "previous_id": "1" * 32}, "single"),
]


@pytest.mark.parametrize(("status", "options", "wanted", "expected"), ROUTES)
def test_a_change_goes_by_the_call_that_is_safe_for_it(
    status: str | None, options: dict[str, Any], wanted: dict[str, Any], expected: str
) -> None:
    """In bulk who is certainly new or subscribed, and whose change a bulk call can hold; everybody else by a call of their own."""
    assert route(change(**wanted), audience(status), config(**options)) == expected


@pytest.mark.parametrize("wanted", [{}, {"tagging": REMOVING}])
def test_what_is_not_known_of_an_audience_is_asked_singly(wanted: dict[str, Any]) -> None:
    """Without statuses, and for who is missing from a listing that was not whole."""
    assert route(change(**wanted), Audience("a1", listed_whole=True), config()) == "single"
    assert route(change(**wanted), audience(None, whole=False), config()) == "single"
    assert route(change(**wanted), audience("subscribed", whole=False), config()) in ("update", "untag")


@pytest.mark.parametrize(("due_before", "goes"), [(4, False), (5, False), (6, True)])
def test_a_batch_waits_for_its_first_record_to_be_due(due_before: int, goes: bool) -> None:
    """In any order: the smallest number of its records counts."""
    waiting = [change(9), change(5), change(7)]
    made = plan(waiting, audience(), config(), due_before)

    assert [batch.changes for batch in made.batches] == ([tuple(waiting)] if goes else [])
    assert (made.singles, made.unchanged) == ([], [])


@pytest.mark.parametrize(("due_before", "goes"), [(9, False), (10, True)])
@pytest.mark.parametrize("kind", ["archive", "unsubscribe"])
def test_a_deletion_waits_until_it_is_due(kind: str, due_before: int, goes: bool) -> None:
    """Other single calls wait for nothing."""
    deletion, other = change(9, kind=kind), change(8)

    assert plan([deletion, other], Audience("a1"), config(), due_before).singles == ([deletion, other] if goes else [other])


def test_full_batches_go_and_the_rest_waits() -> None:
    """Of each kind for itself, with the records in their order."""
    new = [change(number) for number in range(BULK_SIZE + 1)]
    known = [change(number) for number in range(BULK_SIZE + 1, 2 * BULK_SIZE)]
    made = plan([*new, *known], audience("subscribed", numbers=tuple(one.number for one in known)), config(), 0)

    assert [(batch.kind, batch.changes) for batch in made.batches] == [("create", tuple(new[:BULK_SIZE]))]


@pytest.mark.parametrize(("most", "calls"), [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 3)])
def test_no_more_is_looked_at_than_fills_so_many_calls(most: int, calls: int) -> None:
    """A full batch is one call, and so is a single one that is due; those that are not due take no place."""
    early, late = ([change(number, existing_only=True) for number in numbers] for numbers in ((1, 2), (10, 51, 52)))
    batch = [change(number) for number in range(100, 100 + BULK_SIZE)]
    made = plan([early[0], *late, *batch, early[1]], audience(), config(), 10, most)

    assert len(made.batches) + len([one for one in made.singles if one in early]) == calls
    assert len(made.singles) == {-1: 0, 0: 0, 1: 1, 2: 4, 3: 5}[most]


def test_what_is_not_looked_at_is_left_where_it_is() -> None:
    """A million changes may wait behind those that are sent."""
    waiting = iter([change(number, existing_only=True) for number in range(10)])
    made = plan(waiting, audience(), config(), 10, 2)

    assert [one.number for one in made.singles] == [0, 1]
    assert [one.number for one in waiting] == list(range(3, 10))


def test_a_change_is_compared_once() -> None:
    """What was found to differ differs; without anything to compare by, nobody has said so yet."""
    plain = change()
    plan([plain], audience("subscribed"), config(), 0)
    assert plain.differs is False

    compared = audience("subscribed")
    comparison: Comparison = comparison_of([], {}, is_managed([]), None)
    compared.comparison = comparison
    plan([plain], compared, config(), 0)
    assert plain.differs is True


# Tags.


@pytest.mark.parametrize(
    ("tags", "to_remove", "replace", "additions", "removals", "whole"),
    [
        (None, None, False, [], [], False),
        (None, None, True, [], [], False),
        ([], None, True, [], [], True),
        ([], None, False, [], [], False),
        (["A", "b"], None, False, ["A", "b"], [], False),
        (["A"], ["B"], True, ["A"], ["B"], True),
        (["A", "b"], [" a"], False, ["b"], [" a"], False),
        (None, ["A"], True, [], ["A"], False),
    ],
)
def test_a_record_says_which_tags_are_given_and_taken(
    tags: list[str] | None, to_remove: list[str] | None, replace: bool, additions: list[str], removals: list[str], whole: bool
) -> None:
    """A name in both lists is taken away; no tags at all replace nothing, an empty list replaces all."""
    found = tagging(tags, to_remove, replace=replace)

    assert (found.additions, found.removals, found.whole) == (additions, removals, whole)
    assert bool(found) is bool(additions or removals or whole)


def test_a_tag_that_everybody_gets_is_given_although_it_would_be_lost() -> None:
    """In the spelling of the one that is given; the others and their set stay."""
    found = with_tag(Tagging({"a": ("a", False), "b": ("b", True)}, whole=True), "A")

    assert (sorted(found.additions), found.removals, found.whole) == (["A", "b"], [], True)


@pytest.mark.parametrize(
    ("later", "additions", "removals", "whole"),
    [
        (Tagging(), ["m1", "own"], ["m2"], False),
        (Tagging({"m1": ("m1", False)}), ["own"], ["m1", "m2"], False),
        (Tagging({"m3": ("m3", True)}, whole=True), ["m3", "own"], ["m2"], True),
        (Tagging({}, whole=True), ["own"], ["m2"], True),
    ],
)
def test_the_later_word_about_a_tag_wins(later: Tagging, additions: list[str], removals: list[str], whole: bool) -> None:
    """A later whole set leaves none of the managed tags that the earlier one gave; what is whole stays whole."""
    earlier = Tagging({"m1": ("m1", True), "m2": ("m2", False), "own": ("own", True)})
    found = merged_tagging(earlier, later, is_managed(["m*"]))

    assert (sorted(found.additions), sorted(found.removals), found.whole) == (additions, removals, whole)
    assert merged_tagging(later, Tagging(), is_managed(["m*"])).whole is whole


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Tagging(), Delta()),
        (Tagging({"a": ("a", True), "new": ("New", True)}), Delta(("New",))),
        (Tagging({"a": ("a", False), "new": ("New", False)}), Delta((), ("A",))),
        (Tagging({}, whole=True), Delta((), ("M:1", "M:2"))),
        (Tagging({"m:1": ("m:1", True)}, whole=True), Delta((), ("M:2",))),
        (Tagging({"m:1": ("m:1", False), "a": ("a", False)}, whole=True), Delta((), ("M:1", "A", "M:2"))),
    ],
)
def test_only_what_is_missing_is_edited(wanted: Tagging, expected: Delta) -> None:
    """Tags that are there are not given and those that are not there are not taken, each by the name that Mailchimp has, once."""
    found = delta(wanted, ["A", "M:1", "M:2"], is_managed(["m:*"]))

    assert found == expected
    assert bool(found) is (expected != Delta())
    assert tag_rows(found) == [
        *({"name": name, "status": "active"} for name in expected.add),
        *({"name": name, "status": "inactive"} for name in expected.remove),
    ]


@pytest.mark.parametrize(("contacts", "sizes"), [(1, [1]), (499, [499]), (500, [500]), (501, [500, 1]), (1_001, [500, 500, 1])])
def test_five_hundred_contacts_lose_a_tag_in_one_call(contacts: int, sizes: list[int]) -> None:
    """As many as Mailchimp takes, everybody once, in any case of the tag's name."""
    deltas = {f"c{number}": Delta((), ("VIP" if number % 2 else "vip",)) for number in range(contacts)}
    calls = by_segment(deltas)

    assert [len(call.contacts) for call in calls] == sizes
    assert [contact for call in calls for contact in call.contacts] == list(deltas)
    assert {call.tag for call in calls} == {"vip"}


@pytest.mark.parametrize(
    ("deltas", "fewer"),
    [
        ([], False),
        ([((), "a")], False),
        ([((), "a"), ((), "a")], True),
        ([((), "a"), ((), "b")], False),
        ([((), "a"), (("x",), "a")], False),
        ([((), "a"), (("x",), "a"), ((), "a")], True),
        ([(("x", "y"), "a"), ((), "a"), ((), "a")], True),
        ([(("x",), "a"), (("x",), "a"), ((), "a")], False),
    ],
)
def test_removals_go_by_tag_where_that_takes_fewer_calls(deltas: list[tuple[tuple[str, ...], str]], fewer: bool) -> None:
    """Who gets a tag as well still takes a call."""
    assert segments_are_fewer({f"c{number}": Delta(add, tuple(remove)) for number, (add, remove) in enumerate(deltas)}) is fewer


# What is asked of a listing.


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({}, []),
        ({"vip": True, "language": None}, ["vip"]),
        ({"list_id": "a1", "status": "subscribed", "is_deleted": False, "previous_email": "b@x.org"}, []),
        ({"first_name": "Ada"}, ["merge_fields"]),
        ({"custom_fields": {"AGE": 1}}, ["merge_fields"]),
        ({"first_name": None}, []),
        ({"tags": ["VIP"]}, ["tags", "tags_count"]),
        ({"tags": []}, ["tags", "tags_count"]),
        ({"tags_to_remove": ["VIP"]}, ["tags", "tags_count"]),
        ({"interests": {"i1": True}, "phones": [{"phone": "1"}]}, ["interests", "merge_fields"]),
    ],
)
def test_a_listing_is_asked_for_what_records_fill(columns: dict[str, Any], shown: list[str]) -> None:
    """And for the email address, each once; blank cells and what decides only about the call ask for nothing."""
    arrival = Arrival(Entry((None, "s"), 0, 1), MappedContact({"email": "a@x.org", **columns}))

    assert shown_by([arrival], []) == sorted([*shown, "email_address"])


def test_a_listing_is_asked_for_what_changes_and_columns_of_any_name_fill() -> None:
    """Columns that may be merge fields, what waits already, and tags that a change brings."""
    extras = Arrival(Entry((None, "s"), 0, 1), MappedContact({"email": "a@x.org"}, extras={"AGE": 1}))

    assert shown_by([extras], []) == ["email_address", "merge_fields"]
    assert shown_by([], [change(body={"vip": True})]) == ["email_address", "vip"]
    assert shown_by([], [change(), change(tagging=ADDING)]) == ["email_address", "tags", "tags_count"]
    assert shown_by([], [change(tagging=Tagging({}, whole=True))]) == ["email_address", "tags", "tags_count"]
    assert shown_by([], [change()]) == ["email_address"]
