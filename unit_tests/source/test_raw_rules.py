"""Raw streams: what is asked for when much is refused, and what a state knows."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from hypothesis import example, given
from hypothesis import strategies as st

from integration_tests.commands import catalog
from mailchimp_unified.errors import NotFoundError, PermissionDeniedError
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified.raw.parents import Partitions
from source_mailchimp_unified.raw.positions import PartitionPosition, Positions
from source_mailchimp_unified.raw.refusals import Refusals
from source_mailchimp_unified.raw_collections import refusal, table
from unit_tests.account import CONFIG, Account, audiences, source
from unit_tests.kernel.conftest import answer


def partitions(number: int) -> Partitions:
    """Return so many partitions."""
    made = Partitions()
    made.add((), [str(n) for n in range(number)], ())
    return made


def asked(number: int, opens_at: int | None) -> tuple[list[str], list[str]]:
    """Return which of so many partitions are asked for, first and in the end, where one gives something and the others are refused."""
    refusals, all_of_them = Refusals(), partitions(number)
    refusals.expect(number)
    first: list[str] = []
    for partition in refusals.asked(iter(all_of_them)):
        first.append(str(partition.values[0]))
        if int(first[-1]) == opens_at:
            refusals.give()
        else:
            refusals.refuse(PermissionDeniedError("closed"), partition)
    return first, [str(one.values[0]) for one in refusals.passed_over(iter(all_of_them))]


def test_a_closed_collection_is_asked_for_thirty_times() -> None:
    """After twenty refusals only ten more are tried, evenly spread; when all are refused, the rest is not asked for."""
    first, later = asked(1_000, None)

    assert first[:20] == [str(n) for n in range(20)]
    assert len(first) <= 20 + 10
    assert first[20:] == [str(n) for n in range(100, 1_000, 100)]
    assert later == []


@example(number=400, opens_at=40)
@example(number=1_000, opens_at=19)
@example(number=1_000, opens_at=900)
@given(number=st.integers(1, 400), opens_at=st.integers(0, 400))
def test_a_collection_that_opens_is_asked_for_completely(number: int, opens_at: int) -> None:
    """When a single one of those asked for is read, every other is asked for too, each once."""
    first, later = asked(number, opens_at)

    everything = [str(n) for n in range(number)]
    if str(opens_at) in first:
        assert sorted([*first, *later]) == sorted(everything)
    else:
        assert later == []
    assert len(set(first)) == len(first)


def test_a_state_is_empty_until_something_is_known() -> None:
    """And again when it was cleared, with the same room as at first."""
    positions = Positions("mailchimp_campaigns", {})
    assert positions.empty

    for _ in range(2):
        for key, versions in (("a", 15_000), ("b", 5_001)):
            position = PartitionPosition()
            for number in range(versions):
                position.note(number.to_bytes(6, "big"), None)
            positions.close([key], position, None)
        assert not positions.empty
        assert [len(positions.open([key], None, 0).known) for key in ("a", "b")] == [15_000, 5_000]
        positions.clear()
        assert positions.empty


def test_a_stream_that_costs_a_request_for_each_item_is_read_only_when_it_is_named() -> None:
    """It is refused with the words for it; named, and every other row, it is read."""
    for row in table().values():
        costly = row.parent is not None and row.on_request
        assert (refusal(row.stream, []) is not None) == costly, row.name
        assert refusal(row.stream, [row.name]) is None


def synced(stream: str, account: dict[str, Any], state: list[Any], **config: Any) -> tuple[list[str], list[Any], list[str]]:
    """Return the paths that a sync asks for, its states, and what it warns of, in an account of these collections by path."""

    def answers(outgoing: Outgoing) -> Received:
        path = outgoing.url.partition("/3.0")[2]
        return answer(account[path]) if path in account else Account(audiences(1))(outgoing)

    warned: list[str] = []

    class Warned(logging.Logger):
        def warning(self, msg: object, *_: object, **__: object) -> None:
            warned.append(str(msg))

    connector, scripted = source(answers)
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog([stream]))
    messages = list(connector.read(Warned("raw"), {**CONFIG, **config}, configured, state))
    return scripted.paths, [one.state for one in messages if one.state], warned


def test_a_quiet_sync_of_a_raw_stream_warns_of_nothing() -> None:
    """A warning says that something was left out; here is nothing of that kind."""
    account = {"/campaigns": {"campaigns": [{"id": "c", "create_time": "2026-01-01T00:00:00+00:00"}], "total_items": 1}}

    assert synced("mailchimp_campaigns", account, [], raw_streams=["campaigns"])[2] == []


def test_what_is_below_a_parent_that_tells_nothing_is_asked_for_in_every_sync() -> None:
    """Only a parent that tells when it last changed can say that there is nothing new."""
    account = {"/ping": {}, "/reports": {"reports": [{"id": "r"}], "total_items": 1}, "/reports/r/email-activity": {"emails": []}}
    paths, states, _ = synced("mailchimp_email_activity", account, [], raw_streams=["email_activity"])
    again, _, _ = synced("mailchimp_email_activity", account, states[-1:], raw_streams=["email_activity"])

    assert [one.rpartition("/")[2] for one in paths].count("email-activity") == 1
    assert [one.rpartition("/")[2] for one in again].count("email-activity") == 1


def test_a_cursor_begins_the_next_reading_its_lookback_earlier() -> None:
    """The first reading asks for no time at all; the next one for what changed since, and ten minutes before."""
    seen = "2026-11-20T10:00:00+00:00"
    mail = {"email_id": "e", "campaign_id": "r", "list_id": "a", "activity": [{"action": "open", "timestamp": seen}]}
    account = {
        "/ping": {},
        "/reports": {"reports": [{"id": "r"}], "total_items": 1},
        "/reports/r/email-activity": {"emails": [mail], "total_items": 1},
    }
    asked: list[Any] = []
    states: list[Any] = []
    for start in (None, None, "2026-11-22T00:00:00Z"):
        config = {"raw_streams": ["email_activity"], **({"start_date": start} if start else {})}
        params, states = windows(account, states[-1:], config)
        asked += params

    assert asked == [None, "2026-11-20T09:50:00+00:00", "2026-11-21T23:59:59+00:00"]


def windows(account: dict[str, Any], state: list[Any], config: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return since when a sync asks for activity, and its states."""
    since: list[Any] = []

    def answers(outgoing: Outgoing) -> Received:
        path = outgoing.url.partition("/3.0")[2]
        if path.endswith("email-activity"):
            since.append(outgoing.params.get("since"))
        return answer(account[path]) if path in account else Account(audiences(1))(outgoing)

    configured = ConfiguredAirbyteCatalogSerializer.load(catalog(["mailchimp_email_activity"]))
    messages = list(source(answers)[0].read(logging.getLogger("raw"), {**CONFIG, **config}, configured, state))
    return since, [one.state for one in messages if one.state]


def test_what_is_not_found_does_not_close_a_collection() -> None:
    """Many campaigns may have no content, and all others have theirs: only permissions and failures are counted."""
    for error, asked_for in ((NotFoundError("gone"), 50), (PermissionDeniedError("closed"), 20 + 6)):
        refusals, parts = Refusals(), partitions(50)
        refusals.expect(50)
        taken = 0
        for partition in refusals.asked(iter(parts)):
            taken += 1
            refusals.refuse(error, partition)

        assert taken == asked_for
        assert (len(refusals.errors), refusals.unasked) == (asked_for, 50 - asked_for)


@pytest.mark.parametrize("failures", [19, 20])
def test_twenty_failures_close_a_collection(failures: int) -> None:
    """One less does not, and neither do any once something was read."""
    for given_first in (False, True):
        refusals = Refusals()
        refusals.expect(50)
        if given_first:
            refusals.give()
        taken = 0
        for _ in refusals.asked(iter(partitions(50))):
            taken += 1
            if taken <= failures:
                refusals.fail()

        assert taken == (50 if given_first or failures < 20 else 20 + 6)


@pytest.mark.parametrize("expected", [None, 0, 5])
def test_nothing_is_passed_over_where_more_partitions_come_than_were_expected(expected: int | None) -> None:
    """Then nobody knows which of them would be evenly spread."""
    refusals = Refusals()
    if expected is not None:
        refusals.expect(expected)
    taken = 0
    for partition in refusals.asked(iter(partitions(30))):
        taken += 1
        refusals.refuse(PermissionDeniedError("closed"), partition)

    assert (taken, refusals.unasked) == (30, 0)


def test_only_partitions_that_are_not_found_may_turn_out_to_be_missing() -> None:
    """Neither the whole collection nor one that is closed."""
    (partition,) = partitions(1)
    refusals, gone = Refusals(), NotFoundError("gone")
    refusals.refuse(gone)
    refusals.refuse(PermissionDeniedError("closed"), partition)
    refusals.refuse(gone, partition)

    assert refusals.not_found == [(partition, gone)]
    assert len(refusals.errors) == 3


def test_what_was_passed_over_is_counted_until_it_is_asked_for() -> None:
    """Where nothing was read it never is, and the count stays."""
    refusals = Refusals()
    refusals.expect(50)
    for partition in refusals.asked(iter(partitions(50))):
        refusals.refuse(PermissionDeniedError("closed"), partition)
    assert (list(refusals.passed_over(iter(partitions(50)))), refusals.unasked) == ([], 24)

    refusals.give()
    assert (len(list(refusals.passed_over(iter(partitions(50))))), refusals.unasked) == (24, 0)
