"""How long the source waits, how much it keeps, and how finely it cuts: each number is a promise, or a courtesy."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, Status
from airbyte_cdk.utils import AirbyteTracedException
from hypothesis import given
from hypothesis import strategies as st

from integration_tests.commands import catalog
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.request import PAGE_SIZE
from mailchimp_unified.windows import sample_offsets
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified import run as console
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.raw.positions import PartitionPosition, Positions
from source_mailchimp_unified.sync.fingerprints import digest, packed
from source_mailchimp_unified.sync.progress import Progress
from unit_tests.account import CONFIG, LOGGER, NOW, Account, audiences
from unit_tests.kernel.conftest import Scripted


def slow(seconds: float) -> tuple[SourceMailchimpUnified, list[VirtualClockLoop]]:
    """Return the source of an account whose answers take so long, and the loops that it runs on."""
    loops: list[VirtualClockLoop] = []

    def new_loop() -> asyncio.AbstractEventLoop:
        loops.append(VirtualClockLoop())
        return loops[-1]

    scripted = Scripted(Account(audiences(1)), seconds=seconds)
    return SourceMailchimpUnified(transport=lambda: scripted, new_loop=new_loop, now=NOW.timestamp), loops


def checked(seconds: float) -> tuple[Status, float]:
    """Return what a check says, and after how many seconds, where each answer takes some."""
    connector, loops = slow(seconds)
    return connector.check(LOGGER, CONFIG).status, loops[-1].time()


def test_a_discovery_ends_in_55_seconds() -> None:
    """No matter what Mailchimp does: the platform allows a minute. Until then it keeps trying."""
    assert slow(20.0)[0].discover(LOGGER, CONFIG).streams
    connector, loops = slow(1_000.0)
    with pytest.raises(AirbyteTracedException):
        connector.discover(LOGGER, CONFIG)
    assert loops[-1].time() == pytest.approx(55.0)


def test_a_check_ends_in_25_seconds() -> None:
    """No matter what Mailchimp does: the platform's form waits for half a minute. Until then it keeps trying."""
    assert checked(7.0)[0] == Status.SUCCEEDED
    assert checked(1_000.0) == (Status.FAILED, pytest.approx(25.0))


def test_what_shows_late_by_two_minutes_is_found_without_being_asked_for() -> None:
    """The lookback is 120 seconds unless the configuration says otherwise, and a day at most."""
    lookbacks = [SourceConfig.model_validate({**CONFIG, **more}).lookback_seconds for more in ({}, {"lookback_seconds": 86_400})]

    assert lookbacks == [120, 86_400]
    with pytest.raises(ValueError, match="lookback_seconds"):
        SourceConfig.model_validate({**CONFIG, "lookback_seconds": 86_401})


@given(rows=st.integers(0, 3_000_000), workers=st.integers(1, 10))
def test_a_list_is_cut_for_its_workers(rows: int, workers: int) -> None:
    """No window has fewer than two pages; of a list that is big enough each has 5 to 20, and every worker has as many as the others."""
    offsets = sample_offsets(rows, PAGE_SIZE, workers)
    pages = -(-rows // PAGE_SIZE)
    windows = len(offsets) + 1

    assert offsets == sorted(offsets)
    assert all(0 < offset < rows for offset in offsets)
    if windows > 1:
        assert pages / windows >= 2
    if pages <= workers * 5:
        assert windows == max(1, min(workers, pages // 2))
    else:
        assert windows % workers == 0
        # The last round may be a little finer than five pages, so that no worker is busy alone.
        assert 2.5 <= pages / windows <= 21


@pytest.mark.parametrize(("pages", "workers", "windows"), [(3, 6, 1), (4, 6, 2), (12, 6, 6), (30, 6, 6), (200, 10, 30), (2_000, 10, 290)])
def test_a_list_of_known_size_has_a_known_number_of_windows(pages: int, workers: int, windows: int) -> None:
    """Few samples, early checkpoints, and nobody without work."""
    assert len(sample_offsets(pages * PAGE_SIZE, PAGE_SIZE, workers)) + 1 == windows


def test_a_fingerprint_takes_eight_characters_of_a_state() -> None:
    """A state of many thousand rows stays small, and no two of them are mistaken for each other."""
    assert len(packed(digest(number) for number in range(1_000))) == 8_000
    assert len({digest(number) for number in range(100_000)}) == 100_000


def test_a_state_of_raw_records_holds_twenty_thousand_versions() -> None:
    """What is beyond is counted, and would be emitted once more: neither lost nor kept in memory."""
    position = PartitionPosition()
    for number in range(20_010):
        position.note(digest(number), None)
    positions = Positions("mailchimp_campaigns", {})
    positions.close([], position, None)
    known = len(positions.open([], None, 0).known)

    assert (len(position.seen), position.beyond, known, positions.forgotten) == (20_000, 10, 20_000, 10)


def test_states_of_raw_records_come_at_most_some_fifty_times_in_a_sync() -> None:
    """Of a thousand partitions: each state holds all of them."""
    positions = Positions("mailchimp_campaigns", {})

    def read(number: int) -> bool:
        position = PartitionPosition(lookback=0)
        position.see(number, limit=10_000)
        return positions.close([str(number)], position, None)

    first, second = (sum(read(number) for number in range(1_000)) for _ in range(2))

    assert first > second == 50


def test_progress_is_told_every_quarter_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync that says nothing for minutes is taken for dead, and one that says everything is not read."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told: list[float] = []

    class Told(logging.Logger):
        def info(self, *_: object, **__: object) -> None:
            told.append(now)

    progress = Progress(Told("progress"))
    for second in range(61):
        now = float(second)
        progress.tell("reading")

    assert told == [15.0, 30.0, 45.0, 60.0]


def test_threads_take_turns_fifty_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers mostly wait: Python's own two hundred times cost more than they bring, and much fewer would keep answers waiting."""
    found: list[float] = []

    def launched(*_: Any) -> int:
        found.append(sys.getswitchinterval())
        return 0

    def ended(code: int) -> None:
        raise SystemExit(code)

    before = sys.getswitchinterval()
    monkeypatch.setattr(console, "launch", launched)
    monkeypatch.setattr(console, "tune", lambda: None)
    monkeypatch.setattr(console.os, "_exit", ended)
    try:
        with pytest.raises(SystemExit):
            console.main()
    finally:
        sys.setswitchinterval(before)
    assert found == [pytest.approx(0.02)]


def members(number: int) -> list[dict[str, Any]]:
    """Return so many members, each of a second of its own."""
    return [
        {
            "id": f"{n:032x}",
            "list_id": audiences(1)[0]["id"],
            "status": "subscribed",
            "last_changed": (NOW - timedelta(seconds=number + 100 - n)).isoformat(),
        }
        for n in range(number)
    ]


@pytest.mark.parametrize("workers", [1, 6])
def test_a_consumer_that_takes_nothing_more_stops_the_reading(workers: int) -> None:
    """Some pages wait, and what each worker holds and has asked for: not the list."""
    scripted = Scripted(Account(audiences(1), members=members(60_000)), seconds=0.0)
    connector = SourceMailchimpUnified(transport=lambda: scripted, new_loop=VirtualClockLoop, now=NOW.timestamp)
    ahead: list[int] = []
    taken = 0
    reading = connector.read(LOGGER, {**CONFIG, "num_workers": workers}, ConfiguredAirbyteCatalogSerializer.load(catalog(["contacts"])), [])
    for message in reading:
        if message.record is not None:
            taken += 1
            if taken % PAGE_SIZE == 500:
                ahead.append(sum("/members" in path for path in scripted.paths) - taken // PAGE_SIZE)
    assert taken == 60_000
    assert max(ahead) <= 3 + 3 * workers + 6
