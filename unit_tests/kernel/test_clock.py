"""What time it is at Mailchimp, as far as its answers tell."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from integration_tests.simulation.clock import run
from mailchimp_unified.clock import MailchimpClock, date_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_mailchimps_time_is_that_of_the_last_answer_and_what_has_passed_since() -> None:
    """An answer without a date changes nothing, and before the first one nobody knows."""

    async def shown() -> list[datetime | None]:
        clock = MailchimpClock()
        found = [clock.now, clock.note(None), clock.now, clock.note(NOON)]
        await asyncio.sleep(10)
        found.append(clock.now)
        clock.note(None)
        await asyncio.sleep(5)
        return [*found, clock.now]

    assert run(shown()) == [None, None, None, NOON, NOON + timedelta(seconds=10), NOON + timedelta(seconds=15)]


@pytest.mark.parametrize(
    ("header", "date"),
    [("Wed, 25 Nov 2026 12:00:00 GMT", NOON), ("Wed, 25 Nov 2026 13:00:00 +0100", NOON), ("soon", None), ("", None), (None, None)],
)
def test_a_date_header_is_a_time_or_none(header: str | None, date: datetime | None) -> None:
    """In UTC, however it is written."""
    assert date_of(header) == date
