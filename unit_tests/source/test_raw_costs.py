"""What a reading is going to cost is said once, before it is spent, and only where it is much."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration_tests.raw.account import moment
from source_mailchimp_unified.raw.cost import Cost
from source_mailchimp_unified.raw.entering import mark, requests_for, settled, size_of
from source_mailchimp_unified.raw.pages import pages_of
from source_mailchimp_unified.raw_collections import Parent
from unit_tests.source.raw_sync import Told

PARENT = Parent.model_validate({"row": "lists", "param": "list_id", "size": ["members", "cleaned"], "dates": ["at"]})


def numbers(told: Told) -> list[list[str]]:
    """Return the numbers in each warning."""
    return [re.findall(r"\d[\d,]*", line) for line in told.warnings]


@pytest.mark.parametrize(
    ("requests", "parts", "of", "said"),
    [
        (0, 0, "reports", []),
        (300, 300, "reports", []),
        (301, 301, "reports", [["301"]]),
        (1_301, 12, "reports", [["1,301", "12"]]),
        (1_301, 12, "", [["1,301"]]),
    ],
)
def test_more_than_three_hundred_requests_are_announced(requests: int, parts: int, of: str, said: list[list[str]]) -> None:
    """With the number of parts that they are for, where that is another one and the parts have a name."""
    told = Told()
    Cost("It needs", told).expect(requests, parts, of)

    assert numbers(told) == said


def test_a_reading_may_be_noteworthy_from_the_first_request_on() -> None:
    """But not when there is nothing to ask for."""
    told = Told()
    for requests in (0, 1):
        Cost("It needs", told, noteworthy=0).expect(requests, requests)

    assert numbers(told) == [["1"]]


def test_what_answers_count_is_added_to_what_was_expected() -> None:
    """By the page, once for each part, and never less than was expected of it."""
    told = Told()
    cost = Cost("It needs", told)
    cost.expect(298, 298)
    one, other, third = cost.count(), cost.count(5), cost.count()

    one(3_000)  # Two more than was expected.
    one(9_000)  # The next page of the same part.
    other(2_000)  # Three less than was expected.
    assert numbers(told) == []
    third(1_001)
    assert numbers(told) == [["301"]]


def test_a_reading_of_which_nothing_was_expected_counts_from_none() -> None:
    """What its answers count beyond a page for each part."""
    for extra, said in ((300, []), (301, [["301"]])):
        told = Told()
        Cost("It needs", told).count()((extra + 1) * 1_000)

        assert numbers(told) == said


def test_a_reading_is_announced_once() -> None:
    """However much comes to it later."""
    told = Told()
    cost = Cost("It needs", told)
    cost.expect(400, 400)
    cost.count()(9_000_000)
    cost.expect(500, 500)

    assert numbers(told) == [["400"]]


@pytest.mark.parametrize(("items", "pages"), [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (2_000, 2), (2_001, 3)])
def test_a_request_gives_a_thousand_items(items: int, pages: int) -> None:
    """And even what is empty takes one."""
    assert pages_of(items) == pages
    assert requests_for(PARENT, {"members": items}) == pages


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ({}, 0),
        ({"members": 3}, 3),
        ({"members": 3, "cleaned": 1}, 4),
        ({"members": 0, "cleaned": 1}, 1),
        ({"members": -5, "cleaned": 2}, 2),
        ({"members": "3", "cleaned": None}, 0),
    ],
)
def test_the_size_of_a_part_is_the_sum_of_what_its_parent_counts(told: dict[str, Any], size: int) -> None:
    """Whole numbers from 0 on; what is none counts nothing."""
    assert size_of(PARENT, told) == size
    assert size_of(None, told) == 0


def test_a_mark_of_another_form_tells_nothing_of_its_time() -> None:
    """A parent that has a time is newer than it."""
    now = mark(PARENT, {"at": moment(1)})
    assert now is not None

    assert settled("odd", now, 700, 600)
    assert settled("odd-", now, 700, 600)
