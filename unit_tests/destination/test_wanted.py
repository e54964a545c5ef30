"""What one record wants of a contact, what several want together, and in which order changes wait."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry, Operation
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.planning.changes import (
    CREATES_ONLY,
    DELETES_IGNORED,
    MEMBERSHIP_REMOVAL,
    NO_EMAIL,
    NO_EMAIL_COLUMN,
    Change,
    Waiting,
    change_of,
    fits_bulk,
    foldable,
    invalid,
    merged,
)
from destination_mailchimp_unified.planning.tags import Tagging, is_managed
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, UnknownMergeFieldError
from mailchimp_unified.identity import subscriber_hash

ADA = "ada@contacts.example"
FIELDS = {tag: MergeField(tag, kind) for tag, kind in (("FNAME", "text"), ("LNAME", "text"), ("AGE", "number"))}


def config(**options: Any) -> DestinationConfig:
    """Return a configuration with options."""
    return DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}, **options})


def asked(columns: dict[str, Any], operation: Operation = "upsert", tag: str = "", **options: Any) -> Change | Outcome:
    """Return what a record asks for."""
    contact = MappedContact(columns, columns.pop("extras", {}), columns.pop("left_out", ()))
    arrival = Arrival(Entry((None, "s"), 0, 7), contact, operation, membership_tag=tag)
    return change_of(arrival, Audience("a1", merge_fields=FIELDS), config(**options))


def wanted(columns: dict[str, Any], operation: Operation = "upsert", tag: str = "", **options: Any) -> Change:
    """Return what a record wants that wants something."""
    found = asked({"email": ADA, **columns}, operation, tag, **options)
    assert isinstance(found, Change)
    return found


def change(number: int = 1, **more: Any) -> Change:
    """Return a change of a contact."""
    return Change(ADA, subscriber_hash(ADA), [Entry((None, "s"), 0, number)], **more)


def test_a_record_without_an_email_address_says_whether_it_has_a_column_for_it() -> None:
    """The one lacks a value, the other a rule."""
    assert asked({"email": None}) == NO_EMAIL
    assert asked({"email": ""}) == NO_EMAIL
    assert asked({"first_name": "Ada"}) == NO_EMAIL_COLUMN


@pytest.mark.parametrize(
    ("columns", "operation", "options", "kind"),
    [
        ({}, "upsert", {}, "upsert"),
        ({}, "archive", {}, "archive"),
        ({"is_deleted": True}, "upsert", {}, "archive"),
        ({"is_deleted": True}, "update", {"on_delete": "unsubscribe"}, "unsubscribe"),
        ({"is_deleted": True}, "archive", {"on_delete": "ignore"}, "archive"),
        ({"is_deleted": False}, "upsert", {"on_delete": "unsubscribe"}, "upsert"),
        ({"status": "archived"}, "upsert", {}, "upsert"),
        ({"status": "archived"}, "upsert", {"apply_status": "opt_outs"}, "archive"),
        ({"status": "archived"}, "upsert", {"apply_status": "always"}, "archive"),
        ({"status": "unsubscribed"}, "upsert", {"apply_status": "always"}, "upsert"),
        ({"status": "archived", "is_deleted": True}, "upsert", {"apply_status": "always", "on_delete": "unsubscribe"}, "unsubscribe"),
    ],
)
def test_what_a_record_does_to_its_contact(columns: dict[str, Any], operation: Operation, options: dict[str, Any], kind: str) -> None:
    """The stream's operation, then the mark of a deleted row, then a status that is applied; who is taken out gets no fields."""
    found = wanted({**columns, "first_name": "Ada"}, operation, **options)

    assert (found.kind, found.email, found.id, found.number) == (kind, ADA, subscriber_hash(ADA), 7)
    assert found.body == ({"email_address": ADA, "merge_fields": {"FNAME": "Ada"}} if kind == "upsert" else {})


def test_a_deleted_row_may_ask_for_nothing() -> None:
    """Where deletions are ignored, and where only new contacts are written."""
    assert asked({"email": ADA, "is_deleted": True}, on_delete="ignore") == DELETES_IGNORED
    assert asked({"email": ADA, "is_deleted": True}, "create") == CREATES_ONLY
    assert asked({"email": ADA, "is_deleted": True}, "create", on_delete="ignore") == DELETES_IGNORED
    assert asked({"email": ADA, "status": "archived"}, "create", apply_status="always") == CREATES_ONLY


@pytest.mark.parametrize(("operation", "limits"), [("upsert", (False, False)), ("update", (True, False)), ("create", (False, True))])
def test_an_operation_limits_whom_a_record_writes(operation: Operation, limits: tuple[bool, bool]) -> None:
    """Only contacts that are there, or only those that are not."""
    found = wanted({"status": "pending", "status_if_new": "unsubscribed"}, operation)

    assert (found.existing_only, found.new_only) == limits
    assert (found.status, found.status_if_new) == ("pending", "unsubscribed")


@pytest.mark.parametrize(
    ("previous", "kept"),
    [(None, False), ("", False), (ADA, False), (ADA.upper(), False), ("old@contacts.example", True)],
)
def test_another_email_address_before_is_another_contact(previous: str | None, kept: bool) -> None:
    """The same one, in any case, is none before."""
    assert wanted({"previous_email": previous}).previous_id == (subscriber_hash(previous or "") if kept else None)


def test_a_value_that_a_merge_field_cannot_take_rejects_its_record_or_is_left_out() -> None:
    """As invalid_values says; what could not be read before is told as well."""
    with pytest.raises(InvalidValueError, match="AGE"):
        wanted({"custom_fields": {"AGE": "old"}})
    found = wanted({"custom_fields": {"AGE": "old"}, "first_name": "Ada", "left_out": ("vip",)}, invalid_values="leave_out")

    assert found.left_out == ("vip", "AGE")
    assert found.body == {"email_address": ADA, "merge_fields": {"FNAME": "Ada"}}
    with pytest.raises(UnknownMergeFieldError):
        wanted({"custom_fields": {"SIZE": "S"}})
    assert invalid(InvalidValueError("AGE", "expects a number")).field == "AGE"


def test_blank_cells_clear_on_request() -> None:
    """With empty_values clear; else they leave alone what is there."""
    assert wanted({"first_name": None}).body == {"email_address": ADA}
    assert wanted({"first_name": None}, empty_values="clear").body["merge_fields"] == {"FNAME": ""}


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ({"extras": {"lname": "L", "other": "x"}}, {"LNAME": "L"}),
        ({"extras": {"other": "x"}}, {}),
        ({"last_name": "Own", "extras": {"LNAME": "L", "AGE": 7}}, {"LNAME": "Own", "AGE": 7}),
        ({"last_name": None, "extras": {"LNAME": "L"}}, {"LNAME": "L"}),
        ({"custom_fields": {"LNAME": "Mapped"}, "extras": {"LNAME": "L", "FNAME": "F"}}, {"LNAME": "Mapped", "FNAME": "F"}),
        ({"custom_fields": None, "extras": {"LNAME": "L"}}, {"LNAME": "L"}),
    ],
)
def test_a_column_that_is_called_like_a_merge_field_gives_way(columns: dict[str, Any], fields: dict[str, Any]) -> None:
    """To a field of a unified name and to a mapping that have a value; columns of other names fill nothing."""
    assert wanted(columns).body.get("merge_fields", {}) == fields


def test_groups_that_are_named_become_ids_and_unknown_ones_are_refused_or_left_out() -> None:
    """By the names of the audience."""
    groups = Groups()
    groups.add_interests("Topics", [{"id": "i1", "name": "News"}])
    known = Audience("a1", groups=groups)
    arrival = Arrival(Entry((None, "s"), 0, 1), MappedContact({"email": ADA, "interests": {"topics/news": True, "Topics/Chess": True}}))

    found = change_of(arrival, known, config(invalid_values="leave_out"))
    assert isinstance(found, Change)
    assert (found.body["interests"], found.left_out) == ({"i1": True}, ("interests",))
    with pytest.raises(InvalidValueError):
        change_of(arrival, known, config())


@pytest.mark.parametrize(
    ("columns", "additions", "removals", "told"),
    [
        ({}, ["Crowd"], [], False),
        ({"tags": ["A"]}, ["A", "Crowd"], [], False),
        ({"tags_to_remove": ["A"]}, ["Crowd"], ["A"], False),
        ({"tags_to_remove": ["crowd ", "A"]}, ["Crowd"], ["A"], True),
    ],
)
def test_everybody_who_comes_gets_the_membership_tag(
    columns: dict[str, Any], additions: list[str], removals: list[str], told: bool
) -> None:
    """A record that would take it away is told so."""
    found = wanted(columns, tag="Crowd")

    assert (sorted(found.tagging.additions), found.tagging.removals) == (additions, removals)
    assert found.left_out == ((MEMBERSHIP_REMOVAL,) if told else ())
    assert "Crowd" not in wanted(columns).tagging.additions


@pytest.mark.parametrize(("mode", "whole"), [("replace", True), ("add", False)])
def test_tags_replace_on_request(mode: str, whole: bool) -> None:
    """With tag_mode replace, by a record that names tags."""
    assert wanted({"tags": ["A"]}, tag_mode=mode).tagging.whole is whole
    assert wanted({}, tag_mode=mode).tagging.whole is False


def test_fields_that_mailchimp_refuses_are_left_out() -> None:
    """Merge fields by their tags, with and without their prefix, and what a contact can do without; never the email address."""
    body = {"email_address": ADA, "language": "xx", "vip": True, "merge_fields": {"AGE": 1, "FNAME": "Ada"}}
    one = change(body=dict(body), left_out=("SIZE",))

    assert one.leave_out(["email_address", "vip", "LNAME", "ip_opt"]) is False
    assert (one.body, one.left_out) == (body, ("SIZE",))
    assert one.leave_out(["merge_fields.AGE", "language", "ip_opt"]) is True
    assert one.body == {"email_address": ADA, "vip": True, "merge_fields": {"FNAME": "Ada"}}
    assert one.left_out == ("SIZE", "AGE", "language")
    assert one.leave_out(["FNAME"]) is True
    assert one.body == {"email_address": ADA, "vip": True}


@pytest.mark.parametrize(
    ("name", "optional"),
    [
        *((name, True) for name in ("language", "ip_signup", "ip_opt", "timestamp_signup", "timestamp_opt", "location")),
        *((name, True) for name in ("interests", "marketing_permissions")),
        *((name, False) for name in ("email_address", "vip", "email_type", "status", "status_if_new")),
    ],
)
def test_a_contact_is_written_without_the_fields_that_it_can_do_without(name: str, *, optional: bool) -> None:
    """Not without its email address, nor with another consent or another form of its mail than was asked for."""
    one = change(body={name: "x", "other": 1})

    assert one.leave_out([name]) is optional
    assert one.body == ({"other": 1} if optional else {name: "x", "other": 1})


@pytest.mark.parametrize(
    "name", ["language", "ip_signup", "ip_opt", "timestamp_signup", "timestamp_opt", "location", "interests", "marketing_permissions"]
)
def test_what_a_contact_can_be_written_without(name: str) -> None:
    """Each of these may be refused without losing the record."""
    one = change(body={"email_address": ADA, name: "x"})

    assert one.leave_out([name]) is True
    assert one.body == {"email_address": ADA}


@pytest.mark.parametrize(
    ("more", "fits"),
    [({}, True), ({"previous_id": "1" * 32}, False), ({"body": {"marketing_permissions": []}}, False), ({"body": {"vip": True}}, True)],
)
def test_a_row_of_a_bulk_call_holds_neither_permissions_nor_another_address(more: dict[str, Any], fits: bool) -> None:
    """Such a change goes by a call of its own."""
    assert fits_bulk(change(**more)) is fits


@pytest.mark.parametrize(
    ("earlier", "later", "together"),
    [
        ({}, {}, True),
        ({"kind": "archive"}, {"kind": "archive"}, True),
        ({}, {"kind": "archive"}, False),
        ({"existing_only": True}, {"existing_only": True}, True),
        ({"existing_only": True}, {}, False),
        ({"new_only": True}, {"new_only": True}, True),
        ({}, {"new_only": True}, False),
        ({"existing_only": True}, {"new_only": True}, False),
        ({"previous_id": "p"}, {}, True),
        ({"previous_id": "p"}, {"previous_id": "p"}, True),
        ({"previous_id": "p"}, {"previous_id": "q"}, False),
        ({}, {"previous_id": "p"}, False),
        ({"kind": "archive"}, {"kind": "archive", "previous_id": "p"}, False),
    ],
)
def test_changes_are_made_one_where_that_has_the_same_effect(earlier: dict[str, Any], later: dict[str, Any], together: bool) -> None:
    """Of one kind, for the same contacts, and without another address that came in between."""
    assert foldable(change(**earlier), change(**later)) is together


def test_of_two_changes_the_later_wins_field_by_field() -> None:
    """Every record keeps its entry, every note stays, and what the later does not say is what the earlier said."""
    earlier = change(
        1,
        body={"vip": True, "language": "de", "merge_fields": {"AGE": 1, "FNAME": "A"}, "interests": {"i1": True}},
        status="pending",
        status_if_new="unsubscribed",
        previous_id="p",
        left_out=("x",),
        tagging=Tagging({"a": ("a", True)}),
    )
    later = change(2, body={"vip": False, "merge_fields": {"FNAME": "B"}, "interests": {"i2": True}}, left_out=("y",), existing_only=True)
    found = merged(earlier, later, is_managed([]))

    assert found.body == {
        "vip": False,
        "language": "de",
        "merge_fields": {"AGE": 1, "FNAME": "B"},
        "interests": {"i1": True, "i2": True},
    }
    assert ([entry.number for entry in found.entries], found.number) == ([1, 2], 1)
    assert (found.status, found.status_if_new, found.previous_id) == ("pending", "unsubscribed", "p")
    assert (found.left_out, found.tagging.additions, found.existing_only, found.new_only) == (("x", "y"), ["a"], True, False)
    assert merged(change(), change(), is_managed([])).body == {}
    again = merged(earlier, change(status="subscribed", status_if_new="pending", new_only=True), is_managed([]))
    assert (again.status, again.status_if_new, again.existing_only, again.new_only) == ("subscribed", "pending", False, True)


def test_changes_wait_in_their_order() -> None:
    """Those of one contact one behind the other, what could not be sent in front; who has none waits no more."""
    waiting = Waiting(is_managed([]))
    first, second = change(1), change(2, kind="archive")
    ben = Change("ben@x.org", "b" * 32, [Entry((None, "s"), 0, 3)])
    assert [waiting.add(one) for one in (first, second, ben)] == [[], [], []]

    assert (len(waiting), first.id in waiting, "c" * 32 in waiting) == (2, True, False)
    assert waiting.heads(set()) == [first, ben]
    assert waiting.heads({ben.id}) == [first]
    waiting.take(first)
    assert waiting.heads(set()) == [second, ben]
    waiting.put_back(first)
    assert waiting.heads(set()) == [first, ben]
    for one in (first, second):
        waiting.take(one)
    assert (len(waiting), first.id in waiting) == (1, False)
    waiting.put_back(first)
    assert waiting.heads(set()) == [ben, first]


def test_a_change_that_could_not_be_sent_is_first_again() -> None:
    """In front of all that came since."""
    waiting = Waiting(is_managed([]))
    several = [change(1), change(2, existing_only=True), change(3, new_only=True)]
    for one in several:
        waiting.add(one)
    waiting.take(several[0])
    waiting.put_back(several[0])
    order = []
    while heads := waiting.heads(set()):
        order += heads
        waiting.take(heads[0])
    assert order == several


def test_a_deletion_that_waits_is_void_when_its_contact_comes_back() -> None:
    """Its records are given back, and what came before it stays; one that came after it waits behind."""
    waiting = Waiting(is_managed([]))
    waiting.add(change(1, body={"vip": True}))
    waiting.add(change(2, kind="archive"))
    waiting.add(change(3, kind="archive"))

    assert [entry.number for entry in waiting.add(change(4, body={"language": "de"}))] == [2, 3]
    [head] = waiting.heads(set())
    assert ([entry.number for entry in head.entries], head.body) == ([1, 4], {"vip": True, "language": "de"})
    waiting.take(head)
    assert not len(waiting)
