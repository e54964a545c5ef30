"""How states are read and written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.simulation.clock import run
from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified.sync.shared import Shared
from source_mailchimp_unified.sync.state import (
    fingerprint,
    key_values,
    parse_contacts_state,
    parse_snapshot_state,
    record_key,
)

MARK = "__ab_full_refresh_sync_complete"


@pytest.mark.parametrize(
    ("moment", "second"),
    [
        ("1970-01-01T00:00:00+00:00", 0),
        ("2026-11-25T12:00:00+00:00", 1_795_608_000),
        ("2026-11-25T12:00:00Z", 1_795_608_000),
        ("2026-11-25T14:00:00+02:00", 1_795_608_000),
        ("2026-11-25T12:00:00", 1_795_608_000),
        ("2026-11-25T12:00:00.900+00:00", 1_795_608_000),
    ],
)
def test_a_moment_is_a_second(moment: str, second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time without a zone is in UTC, no matter where this machine is; a part of a second does not count."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert epoch(moment) == second


@given(st.integers(-(10**9), 10**10))
def test_a_second_is_written_as_a_moment_and_read_again(second: int) -> None:
    """In the form in which Mailchimp writes times."""
    assert epoch(moment_of(second)) == second
    assert moment_of(second).endswith("+00:00")


@pytest.mark.parametrize(
    "ours",
    [
        {},
        {"lists": {}},
        {"lists": {}, "later": 1},
        {"statuses": ["subscribed"]},
        {MARK: True},
        {"lists": {"a": {"later": 1}}},
        {"full_refresh": True},
    ],
    ids=str,
)
def test_a_state_of_contacts_is_taken(ours: Mapping[str, Any]) -> None:
    """Of an earlier or a later version, in which it may hold more, too."""
    parse_contacts_state(ours)


@pytest.mark.parametrize(
    "foreign",
    [
        {"cursor": 1},
        {"lists": 5},
        {"lists": {"a": {"updated_at": "soon"}}},
        {"lists": {}, "start_date": "soon"},
        {"lists": {"a": {"seen": {}}}},
    ],
    ids=str,
)
def test_a_foreign_state_is_a_mistake_of_the_configuration_that_names_the_stream(foreign: Mapping[str, Any]) -> None:
    """The user clears the state of that stream."""
    with pytest.raises(ConfigError) as refused:
        parse_contacts_state(foreign)

    assert " contacts " in refused.value.message


@pytest.mark.parametrize("key", ["a", '"a"', "{}", "5", "null", ""])
def test_every_key_of_a_state_is_looked_at(key: str) -> None:
    """One that is no list of values is of another source."""
    parse_snapshot_state("tags", {"records": {'["a",1]': "f"}})
    with pytest.raises(ConfigError):
        parse_snapshot_state("tags", {"records": {'["a",1]': "f", key: "f"}})


@given(st.lists(st.text() | st.integers(-(2**63), 2**64 - 1) | st.none() | st.booleans(), max_size=4))
def test_a_key_is_read_as_it_was_written(values: list[Any]) -> None:
    """For values of any kind."""
    record = {str(number): value for number, value in enumerate(values)}

    assert key_values(record_key(record, record)) == values


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=5))
def test_a_record_has_the_same_fingerprint_in_any_order(record: dict[str, int]) -> None:
    """And another one with any other value."""
    assert fingerprint(record) == fingerprint(dict(reversed(record.items())))
    assert fingerprint(record) != fingerprint({**record, "more": 1})
    assert len(fingerprint(record)) == 16


def test_what_is_shared_is_done_once() -> None:
    """Everybody gets the result, though one who waits for it is canceled."""
    begun: list[int] = []

    async def work() -> int:
        begun.append(1)
        await asyncio.sleep(10)
        return len(begun)

    async def everybody() -> list[Any]:
        shared = Shared(work)
        waiting = [asyncio.ensure_future(shared.get()) for _ in range(3)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        return [type(found[0]), *found[1:], await shared.get()]

    assert run(everybody()) == [asyncio.CancelledError, 1, 1, 1]


def test_what_is_shared_fails_for_everybody() -> None:
    """With the same error, and without another try."""
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)
        raise LookupError("no")

    async def everybody() -> list[Any]:
        shared = Shared(work)
        return list(await asyncio.gather(shared.get(), shared.get(), return_exceptions=True))

    assert [str(one) for one in run(everybody())] == ["no", "no"]
    assert begun == [1]
