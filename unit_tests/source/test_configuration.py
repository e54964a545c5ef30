"""What the configuration of the source may hold, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified.source import parse_source_config
from unit_tests.account import CONFIG


def parsed(**more: Any) -> Any:
    """Return a configuration."""
    return parse_source_config({**CONFIG, **more})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("2024-01-31", "2024-01-31T00:00:00+00:00"),
        (" 2024-01-31T10:00:00Z ", "2024-01-31T10:00:00+00:00"),
        ("2024-01-31T10:00:00", "2024-01-31T10:00:00+00:00"),
        ("2024-01-31T10:00:00+02:00", "2024-01-31T08:00:00+00:00"),
        ("", None),
    ],
)
def test_a_start_date_is_a_time_in_utc(given: str, taken: str | None) -> None:
    """Where it names no zone, too."""
    assert parsed(start_date=given).start_date == taken


def test_a_start_date_lies_in_the_past() -> None:
    """By its own zone: the same hour may be yet to come in one place and over in another."""
    now = datetime.now(UTC)
    for minutes, refused in ((-5, False), (5, True)):
        moment = (now + timedelta(minutes=minutes)).replace(tzinfo=None, microsecond=0)
        for written in (f"{moment.isoformat()}", f"{moment.isoformat()}Z", f"{(moment + timedelta(hours=2)).isoformat()}+02:00"):
            if refused:
                with pytest.raises(ConfigError):
                    parsed(start_date=written)
            else:
                assert parsed(start_date=written).start_date == f"{moment.isoformat()}+00:00"


@pytest.mark.parametrize("wrong", ["next week", "2024-13-01", "31.1.2024", 2024])
def test_a_start_date_that_is_none_is_refused(wrong: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(ConfigError):
        parsed(start_date=wrong)


def test_no_chosen_status_means_all() -> None:
    """Archived contacts included."""
    everything = {"subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"}

    assert parsed().wanted_statuses == parsed(statuses=[]).wanted_statuses == everything
    assert parsed(statuses=["cleaned", "archived"]).wanted_statuses == {"cleaned", "archived"}


@pytest.mark.parametrize(("seconds", "taken"), [(0, True), (86_400, True), (-1, False), (86_401, False)])
def test_the_lookback_is_from_nothing_to_a_day(seconds: int, taken: bool) -> None:
    """Nothing turns it off."""
    if taken:
        assert parsed(lookback_seconds=seconds).lookback_seconds == seconds
    else:
        with pytest.raises(ConfigError):
            parsed(lookback_seconds=seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lookback_seconds": "120"},
        {"lookback_seconds": True},
        {"include_remote_data": "yes"},
        {"include_remote_data": 1},
        {"exclude_bot_activity": "true"},
        {"exclude_bot_activity": 0},
        {"statuses": ["deleted"]},
        {"statuses": "cleaned"},
        {"list_ids": ["../x"]},
        {"raw_streams": "campaigns"},
        {"raw_streams": ["campaign"]},
        {"raw_streams": 5},
    ],
    ids=str,
)
def test_a_value_of_another_kind_is_refused(wrong: dict[str, Any]) -> None:
    """A text that looks like a number or an answer is a mistake of a template, not a value."""
    with pytest.raises(ConfigError) as refused:
        parsed(**wrong)

    assert next(iter(wrong)) in str(refused.value)


def test_nothing_is_chosen_without_being_asked_for() -> None:
    """All audiences, all dates, neither the raw answers nor raw streams, bots like all others, and what shows late by two minutes."""
    default = parsed()

    assert (default.start_date, default.list_ids, default.raw_streams) == (None, [], [])
    assert (default.include_remote_data, default.exclude_bot_activity) == (False, False)
    assert default.lookback_seconds == 120
    assert parsed(include_remote_data=True, exclude_bot_activity=True).include_remote_data
