"""The statuses of an audience are read in windows of time that nobody can join while they are read."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit_tests.account import NOW, Account, audiences, destination, written

ROWS, PAGE, WORKERS = 60, 10, 4
SAMPLED = (19, 38, 57)
"""The rows at which an audience of six pages is cut for four workers."""


def bounds(seconds: list[int | None]) -> tuple[set[str], set[str]]:
    """Return where windows end and where they begin in an audience whose sampled rows changed so many seconds before now."""
    ages = dict(zip(SAMPLED, seconds, strict=True))
    oldest = [10_000 - n for n in range(ROWS)]
    times = [ages.get(n, oldest[n]) for n in range(ROWS)]
    members = [
        {"id": f"{n:032x}", "status": "subscribed", "last_changed": None if age is None else moment(age)} for n, age in enumerate(times)
    ]
    connector, scripted = destination(Account(audiences(1), members=members), page_size=PAGE)
    record = {"type": "RECORD", "record": {"stream": "people", "emitted_at": 1, "data": {"email": "new@contacts.example"}}}

    list(written(connector, orjson.dumps(record), write_mode="bulk", num_workers=WORKERS))

    listings = [one.params for one in scripted.seen if one.url.endswith("/members") and one.params.get("status") != "archived"]
    ends, begins = ({str(one[name]) for one in listings if name in one} for name in ("before_last_changed", "since_last_changed"))
    return ends, begins


def moment(age: int) -> str:
    """Return the time so many seconds before now, as Mailchimp writes it."""
    return (NOW - timedelta(seconds=age)).isoformat()


@settings(max_examples=40)
@given(st.tuples(*[st.one_of(st.none(), st.integers(-5, 5), st.integers(6, 9_000))] * 3))
def test_windows_are_cut_only_before_the_horizon(seconds: tuple[int | None, ...]) -> None:
    """A sampled row cuts where it is older than the second before the first answer, and newer than the row that cuts before it.

    One without a time cuts nowhere.
    """
    ages = [age for age in seconds if age is not None and age >= 1]

    ends, begins = bounds(list(seconds))

    assert ends == {moment(age) for before, age in pairwise([ROWS + 9_000, *ages]) if age < before}
    assert {moment(age) for age in ages[-1:]} <= begins


@pytest.mark.parametrize("seconds", [[None, None, None], [0, 0, 0], [-1, 0, None]])
def test_an_audience_that_cannot_be_cut_is_read_in_one_window(seconds: list[int | None]) -> None:
    """Where no sample lies before the horizon nothing is left out, and nothing has an end."""
    ends, _ = bounds(seconds)

    assert not ends
