"""When a sync with rejects is stopped, and when it ends badly."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from destination_mailchimp_unified.pipeline.reject_guard import RejectGuard
from destination_mailchimp_unified.settling.outcomes import CREATED, UNCHANGED, UPDATED, Outcome, rejected, skipped
from mailchimp_unified.errors import ConfigError
from unit_tests.destination.writing import STATE, Mailchimp, person, record, write

BAD = rejected("no good")


def stopped_at(most: float | None, outcomes: Iterable[Outcome]) -> int | None:
    """Return after which record a sync is stopped in which each is settled as it comes, None where it is not."""
    guard = RejectGuard(most)
    for number, outcome in enumerate(outcomes, 1):
        try:
            guard.note(outcome, number)
        except ConfigError:
            return number
    return None


@pytest.mark.parametrize(
    ("most", "rejects", "good", "stopped"),
    [
        (10, 100, 0, 100),
        (10, 99, 0, None),
        (10, 10, 90, 100),
        (10, 9, 91, None),
        (10, 50, 49, None),
        (0, 0, 2_000, None),
        (100, 1_000, 1, 1_000),
        (100, 1_000, 0, 1_000),
        (100, 999, 0, None),
        (99, 100, 0, 100),
        (0, 100, 0, 100),
        (None, 2_000, 0, None),
    ],
)
def test_a_sync_is_stopped_once_its_share_of_rejects_means_something(
    most: float | None, rejects: int, good: int, stopped: int | None
) -> None:
    """A hundred records must have come, and a thousand where only a sync is stopped all of whose records are rejected."""
    assert stopped_at(most, [*[BAD] * rejects, *[CREATED] * good]) == stopped


@pytest.mark.parametrize("good", [CREATED, UPDATED, UNCHANGED, skipped("x")])
@pytest.mark.parametrize(
    ("most", "rejects", "stopped"), [(10, 10, 100), (10, 9, None), (2.5, 3, 100), (2.5, 2, None), (100, 99, None), (0, 1, 100)]
)
def test_the_share_is_of_all_records_that_have_come(most: float, rejects: int, stopped: int | None, good: Outcome) -> None:
    """Exactly max_rejected_percent is too many; records that were not rejected are good, as are those under way."""
    assert stopped_at(most, [*[good] * (100 - rejects), *[BAD] * rejects]) == stopped


@pytest.mark.parametrize(("most", "good", "stopped"), [(100, 1, None), (100, 0, 1_000), (50, 1_001, None)])
def test_one_good_record_keeps_a_sync_that_may_reject_all(most: float, good: int, stopped: int | None) -> None:
    """By 100 only nothing but rejects is too many."""
    assert stopped_at(most, [*[CREATED] * good, *[BAD] * 1_000]) == stopped


@pytest.mark.parametrize(("rejects", "came", "fails"), [(0, 0, False), (0, 1, False), (1, 1, True), (1, 2, False), (2, 2, True)])
@pytest.mark.parametrize("most", [None, 10.0, 100.0])
def test_a_sync_all_of_whose_records_are_rejected_ends_badly(most: float | None, rejects: int, came: int, fails: bool) -> None:
    """However few they are, and no matter how many may be rejected; an empty one ends well."""
    guard = RejectGuard(most)
    for _ in range(rejects):
        guard.note(BAD, came)

    assert guard.all_rejected(came) == fails
    if fails:
        with pytest.raises(ConfigError):
            guard.finish(came)
    else:
        guard.finish(came)


def test_the_message_names_the_most_common_reason() -> None:
    """Of several that are as common, the first."""
    guard = RejectGuard(None)
    for reason in ("rare", "common", "common", "other"):
        guard.note(rejected(reason), 4)

    with pytest.raises(ConfigError, match="common") as raised:
        guard.finish(4)
    assert not [word for word in ("rare", "other") if word in raised.value.message]


@pytest.mark.parametrize(("rejects", "fails"), [(9, False), (10, True)])
def test_a_whole_sync_is_stopped_before_its_states_are_acknowledged(rejects: int, fails: bool) -> None:
    """The failure is the user's to mend: the platform reads the same again once it is."""
    world = Mailchimp(*[person(number) for number in range(100)])
    records = [*[record(number) for number in range(rejects, 100)], *[record(number, email="nobody") for number in range(rejects)]]

    sync = write(world, *records, STATE, max_rejected_percent=10)

    assert (isinstance(sync.error, Exception), len(sync.states)) == (fails, not fails)
