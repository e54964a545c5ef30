"""Which audiences a sync reads, and what it makes of clocks that differ."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.account import NOW
from unit_tests.kernel.conftest import answer
from unit_tests.source.mailchimp import Mailchimp, Synced, member, sync


def ids(synced: Synced) -> list[Any]:
    """Return the ids of the audiences that were emitted."""
    return [one["id"] for one in synced.records("lists")]


def test_the_chosen_audiences_are_read_in_the_order_of_the_configuration() -> None:
    """Each once, however often it is named; without a choice all are read in Mailchimp's order."""
    mailchimp = Mailchimp(3)
    first, second, third = mailchimp.ids

    assert ids(sync(mailchimp, "lists", list_ids=[third, first, third])) == [third, first]
    assert ids(sync(mailchimp, "lists")) == [first, second, third]


def test_a_chosen_audience_that_the_listing_lacks_is_asked_for_by_its_name() -> None:
    """The listing may lag behind; the others are not asked for."""
    mailchimp = Mailchimp(3)
    mailchimp.listed = mailchimp.listed[1:]
    synced = sync(mailchimp, "lists", list_ids=mailchimp.ids[:2])

    assert (ids(synced), synced.errors) == (mailchimp.ids[:2], [])
    assert [len(synced.asked(f"/lists/{one}")) for one in mailchimp.ids] == [1, 0, 0]


@pytest.mark.parametrize("number", [0, 2])
def test_chosen_audiences_that_are_not_there_are_named_with_those_that_are(number: int) -> None:
    """So that the configuration can be mended at once."""
    mailchimp = Mailchimp(number)
    if number:
        mailchimp.listed[1] = {**mailchimp.listed[1], "name": ""}
    synced = sync(mailchimp, "contacts", list_ids=["aaaaaaaaa1", *mailchimp.ids, "aaaaaaaaa2"])

    [error] = synced.errors
    assert error.startswith("config_error")
    assert [one in error for one in ("aaaaaaaaa1, aaaaaaaaa2", "none, the account is empty")] == [True, not number]
    assert [one in error for one in (*mailchimp.ids, "Audience 0")] == [True] * number + [bool(number)]
    assert "Audience 1" not in error


@pytest.mark.parametrize("odd", ["no object", None, {"name": "no id"}, {"id": 5}, {"id": ""}, {"id": None}, {"id": ["a"]}], ids=str)
def test_a_row_that_is_no_audience_is_said_after_all_others_are_read(odd: Any) -> None:
    """It is no mistake of the configuration."""
    mailchimp = Mailchimp(2)
    mailchimp.members = {one: [member(number)] for number, one in enumerate(mailchimp.ids)}
    mailchimp.listed.insert(1, odd)
    synced = sync(mailchimp)

    assert synced.names == [0, 1]
    assert [one.partition(":")[0] for one in synced.errors] == ["system_error"]


def test_audiences_that_are_all_in_order_are_no_error() -> None:
    """Nor is an account without any."""
    assert [sync(Mailchimp(number)).errors for number in (0, 1, 2)] == [[], [], []]


@pytest.mark.parametrize(("size", "requests"), [(1, 1), (9, 1), (10, 5), (11, 4), (20, 7)])
def test_audiences_of_several_pages_are_all_read(size: int, requests: int) -> None:
    """A page that is not full is the only request; else the end is looked for, and everything read from there."""
    mailchimp = Mailchimp(size)
    synced = sync(mailchimp, "lists", page_size=10)

    assert ids(synced) == mailchimp.ids
    assert len(synced.asked("/lists")) == requests


def test_the_account_is_asked_for_its_audiences_once_in_a_sync() -> None:
    """However many streams need them; and once for each that seems to be gone."""
    mailchimp = Mailchimp(2)
    state = sync(mailchimp, "tags").states("tags")[-1]
    mailchimp.listed = mailchimp.listed[1:]
    synced = sync(mailchimp, ["tags", "lists", "contacts"], state)

    assert len(synced.asked("/3.0/lists")) == 1
    assert len(synced.asked(f"/lists/{mailchimp.ids[0]}")) <= 1


@pytest.mark.parametrize(
    ("ahead", "words"), [(0, None), (119, None), (-119, None), (120, "120"), (-120, "120"), (3_600, "3,600"), (-86_400, "86,400")]
)
def test_clocks_that_differ_by_two_minutes_are_said(ahead: int, words: str | None) -> None:
    """By how much, and which of them is ahead; by less they are taken for right."""
    synced = sync(Mailchimp(1), "lists", clock=NOW.timestamp() - ahead)

    assert [one.args for one in synced.logs if one.levelname == "WARNING"] == (
        [(words, "ahead of" if ahead > 0 else "behind")] if words else []
    )


def test_an_answer_without_a_date_ends_the_streams_of_audiences() -> None:
    """The end of the sync cannot be fixed without it: this machine's clock may be wrong."""
    mailchimp = Mailchimp(1)
    mailchimp.answers["/lists"] = answer({"lists": mailchimp.listed, "total_items": 1}, Date="")
    synced = sync(mailchimp, ["contacts", "lists", "tags"])

    assert synced.messages
    assert all(synced.statuses(stream) == ["STARTED", "INCOMPLETE"] for stream in ("contacts", "lists", "tags"))
