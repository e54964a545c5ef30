"""What a sync of contacts makes of the state it is given, and of rows that are odd."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils import AirbyteTracedException
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_tests.commands import catalog
from mailchimp_unified.clock import moment_of
from unit_tests.account import CONFIG, LOGGER, NOW, Account, audiences, source
from unit_tests.source.test_contacts_reading import HORIZON, Audience, read

LIST = audiences(1)[0]["id"]


def state(second: int, **more: Any) -> dict[str, Any]:
    """Return a state of the list with a cursor."""
    return {"lists": {"a": {"updated_at": moment_of(second), **more}}}


def quiet(rows: int) -> Audience:
    """Return a list at rest, a row each ten seconds until the horizon."""
    return Audience([HORIZON - 10 * number for number in range(rows)], 0, 0)


@pytest.mark.parametrize(("ahead", "again"), [(60, False), (119, False), (300, True), (3_600, True), (86_400, True)])
def test_a_cursor_of_a_clock_that_was_wrong_does_not_count(ahead: int, again: bool) -> None:
    """What such a cursor has hidden nobody knows: everything is read again. Two minutes are no wrong clock."""
    emitted = read(quiet(50), state(HORIZON + ahead))

    assert (len(emitted.ids) == 50) == again
    assert emitted.stream.state()["lists"]["a"]["updated_at"] <= moment_of(HORIZON + 120)


def test_a_state_that_knows_no_rows_is_continued() -> None:
    """As an earlier version left it: what is in the lookback comes again, what is before it does not."""
    assert len(read(quiet(50), state(HORIZON - 100)).ids) == 10 + 12


def test_what_is_in_the_lookback_comes_once_even_when_it_is_more_than_a_state_holds() -> None:
    """Then the state has one fingerprint of all of it; nothing comes again while that holds, and all of it when something left."""
    audience = Audience([HORIZON - number % 60 for number in range(1_000)], 0, 0)

    first = read(audience)
    second = read(audience, first.stream.state())

    assert len(set(first.ids)) == 1_000
    assert second.ids == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=40), st.integers(1, 120))
def test_only_what_changed_comes_again(ages: list[int], later: int) -> None:
    """A second sync emits the contacts that changed since the first, and no others, no matter how close to its horizon they were."""
    audience = Audience([HORIZON - age for age in ages], 0, 0)
    first = read(audience)
    audience.changed[len(ages)] = HORIZON - 1
    changed = list(range(0, len(ages), 3))
    audience.changed.update(dict.fromkeys(changed, HORIZON - later % 100))
    moved = [number for number in changed if HORIZON - later % 100 != HORIZON - ages[number]]

    second = read(audience, first.stream.state())

    assert sorted(map(int, second.ids)) == sorted([*moved, len(ages)])


def contacts(members: list[Any]) -> tuple[list[Any], list[str]]:
    """Return the record messages of a sync of contacts, and the statuses of its stream."""
    connector, _ = source(Account(audiences(1), members=members))
    messages: list[Any] = []
    with contextlib.suppress(AirbyteTracedException):
        messages.extend(connector.read(LOGGER, CONFIG, ConfiguredAirbyteCatalogSerializer.load(catalog(["contacts"])), []))
    statuses = [one.trace.stream_status.status.value for one in messages if one.trace and one.trace.stream_status]
    return [one.record for one in messages if one.record], statuses


def member(number: int, **more: Any) -> dict[str, Any]:
    """Return a row of a listing."""
    changed = (NOW - timedelta(seconds=1_000 - number)).isoformat()
    email = f"p{number}@contacts.example"
    return {"id": f"{number:032x}", "list_id": LIST, "email_address": email, "status": "subscribed", "last_changed": changed, **more}


@pytest.mark.parametrize("property_", ["timestamp_opt", "timestamp_signup", "sms_subscription_last_updated"])
def test_a_time_that_is_none_is_null_and_named(property_: str) -> None:
    """It harms its own field only: the record says what could not be read, and the other rows of the page say nothing."""
    records, statuses = contacts([member(0), member(1, **{property_: "soon"}), member(2)])

    assert [record.data.get(property_) for record in records] == [None] * 3
    assert [[one.field for one in record.meta.changes] if record.meta else [] for record in records] == [[], [property_], []] or (
        [bool(record.meta) for record in records] == [False, True, False]
    )
    assert statuses[-1] == "COMPLETE"


def test_a_row_that_is_no_contact_fails_its_stream_at_the_end() -> None:
    """Everything else was read before, and the stream says so once."""
    records, statuses = contacts([member(0), {"last_changed": member(1)["last_changed"]}, member(2)])

    assert [record.data["email"] for record in records] == ["p0@contacts.example", "p2@contacts.example"]
    assert statuses[-1] == "INCOMPLETE"


def test_nothing_is_read_beyond_the_second_before_the_first_answer() -> None:
    """The horizon is Mailchimp's own time less a second: what changes in the second of the answer may still be incomplete."""
    connector, scripted = source(Account(audiences(1), members=[member(0)]))
    list(connector.read(LOGGER, CONFIG, ConfiguredAirbyteCatalogSerializer.load(catalog(["contacts"])), []))

    until = {str(one.params["before_last_changed"]) for one in scripted.seen if one.url.endswith("/members")}
    assert until == {(NOW - timedelta(seconds=1)).isoformat()}
