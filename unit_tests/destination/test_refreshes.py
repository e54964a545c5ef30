"""Whether every record of a stream comes in this sync: only where nothing else can be."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from destination_mailchimp_unified.intake.refreshes import INCREMENTAL, NOT_SAID, RESUMED, UNKNOWN_ATTEMPT, Refresh, refresh_of

FULL, STEP = "full_refresh", "incremental"

DOUBTS: list[tuple[Refresh, bool, str | None, str]] = [
    # Airbyte: overwrite, append, and a stream that never had a generation before.
    (Refresh(FULL, 7, 7, 42), False, None, ""),
    (Refresh(FULL, 7, 0, 42), False, "3", ""),
    (Refresh(FULL, 1, 1, 42), False, None, ""),
    # What can be resumed came whole only in the first attempt.
    (Refresh(FULL, 7, 7, 42, resumable=True), False, "0", ""),
    (Refresh(FULL, 7, 7, 42, resumable=True), False, "1", RESUMED),
    (Refresh(FULL, 7, 7, 42, resumable=True), False, None, UNKNOWN_ATTEMPT),
    (Refresh(FULL, 7, 7, 42, resumable=True), True, None, ""),
    (Refresh(FULL, 7, 7, 42, resumable=True), True, "1", RESUMED),
    # A refresh that removes records, one that retains them, and a hybrid, of an incremental stream.
    (Refresh(STEP, 7, 7, 42), False, "0", ""),
    (Refresh(STEP, 7, 7, 42), False, "1", RESUMED),
    (Refresh(STEP, 7, 7, 42), False, None, UNKNOWN_ATTEMPT),
    (Refresh(STEP, 7, 0, 42), True, "0", INCREMENTAL),
    (Refresh(STEP, 7, 6, 42), True, "0", INCREMENTAL),
    (Refresh(STEP, 0, 0, 42), True, "0", INCREMENTAL),
    # PyAirbyte, and programs that know no generations.
    (Refresh(FULL, 1, 1, 1), False, None, NOT_SAID),
    (Refresh(FULL, 1, 1, 1), True, None, ""),
    (Refresh(FULL, 1, 1, 1, resumable=True), True, None, ""),
    (Refresh(STEP, 1, 1, 1), True, None, INCREMENTAL),
    (Refresh(FULL), False, "0", NOT_SAID),
    (Refresh(FULL), True, None, ""),
    (Refresh(), True, None, INCREMENTAL),
]


@pytest.mark.parametrize(("refresh", "trusts", "attempt", "doubt"), DOUBTS)
def test_what_a_catalog_tells(refresh: Refresh, trusts: bool, attempt: str | None, doubt: str) -> None:
    """Each way in which platforms and runners configure a stream."""
    assert refresh.doubt(every_sync_is_complete=trusts, attempt=attempt) == doubt


def test_nothing_is_sure_in_a_later_attempt_of_what_can_be_resumed() -> None:
    """No matter what the catalog and the configuration say."""
    numbers = (None, 0, 1, 7)
    for mode, generation, oldest, sync_id, trusts in product((FULL, STEP, ""), numbers, numbers, numbers, (True, False)):
        refresh = Refresh(mode, generation, oldest, sync_id, resumable=True)
        assert refresh.doubt(every_sync_is_complete=trusts, attempt="1")


@pytest.mark.parametrize("odd", ["7", 7.0, True, None, [7]])
def test_odd_generations_are_none(odd: Any) -> None:
    """What is no number says nothing."""
    configured = {"stream": {"name": "a", "is_resumable": odd}, "sync_mode": FULL, "generation_id": odd, "minimum_generation_id": odd}

    found = refresh_of(configured)
    assert (found.generation, found.oldest_generation, found.sync_id) == (None, None, None)
    assert found.resumable == (odd is True)
