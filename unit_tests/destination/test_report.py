"""What a sync says about itself: how much of it, how often, and about what."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.settling.ledger import Tally
from destination_mailchimp_unified.settling.outcomes import CREATED, UPDATED, Outcome, rejected, skipped
from destination_mailchimp_unified.settling.report import Report
from mailchimp_unified.client import Traffic

PEOPLE: StreamKey = (None, "people")
OTHERS: StreamKey = ("ns", "others")
CONTACT = "c" * 32


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.records.append(record)


@dataclass
class Log:
    """A report, its log, and its clock, which begins at 1,000 s."""

    dry_run: bool = False
    now: float = 1_000.0
    kept: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        logger = logging.getLogger("test.report")
        logger.handlers, logger.propagate = [self.kept], False
        logger.setLevel(logging.INFO)
        self.report = Report(logger, lambda: self.now, dry_run=self.dry_run)

    @property
    def lines(self) -> list[str]:
        """What was logged."""
        return [record.getMessage() for record in self.kept.records]

    @property
    def arguments(self) -> list[Any]:
        """The numbers and names of each line."""
        return [record.args for record in self.kept.records]

    def note(self, outcome: Outcome, stream: StreamKey = PEOPLE, contact_id: str = CONTACT) -> None:
        """Note the outcome of a record."""
        self.report.note(Entry(stream, 0, 99, row=7), contact_id, outcome)


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (4, 4), (5, 6), (6, 6), (60, 6)])
def test_five_rejects_for_one_reason_are_logged(count: int, lines: int) -> None:
    """With the fifth it is said that there are no more."""
    log = Log()
    for _ in range(count):
        log.note(rejected("alike"))

    assert len(log.lines) == lines
    assert len([line for line in log.lines if "alike" in line]) == min(count, 5)


@pytest.mark.parametrize(("count", "lines"), [(99, 99), (100, 101), (101, 101), (500, 101)])
def test_a_hundred_rejects_are_logged_in_all(count: int, lines: int) -> None:
    """However many reasons there are."""
    log = Log()
    for number in range(count):
        log.note(rejected(f"reason <{number}>"))

    assert len(log.lines) == lines
    assert len([line for line in log.lines if "<" in line]) == min(count, 100)


def test_the_last_of_a_hundred_that_is_a_fifth_is_followed_by_one_line() -> None:
    """That none are logged any more says that none of its kind are."""
    log = Log()
    for number in range(95):
        log.note(rejected(f"reason <{number}>"))
    for _ in range(5):
        log.note(rejected("alike"))

    assert len(log.lines) == 101


def test_what_is_alike_is_alike_in_one_stream() -> None:
    """The same reason in another stream is logged as often."""
    log = Log()
    for stream in (PEOPLE, OTHERS):
        for _ in range(9):
            log.note(rejected("alike"), stream)

    assert len([line for line in log.lines if "alike" in line]) == 10


def test_only_rejects_are_logged() -> None:
    """One by one; the others are counted in the summary."""
    log = Log()
    for outcome in (CREATED, UPDATED, skipped("why")):
        log.note(outcome)

    assert log.lines == []


@pytest.mark.parametrize(
    ("stream", "contact_id", "words", "shown", "hidden"),
    [
        (OTHERS, CONTACT, "No.", ["7", "others", CONTACT, "why", "No."], ["99"]),
        (PEOPLE, "", "", ["7", "people", "why"], ["99", "contact", "says"]),
        (NOWHERE, "", "", ["99", "why"], ["7", "contact", "says"]),
    ],
)
def test_a_reject_names_its_record_and_its_contact(
    stream: StreamKey, contact_id: str, words: str, shown: list[str], hidden: list[str]
) -> None:
    """By the number in its stream, or that of the line where it belongs to none; with Mailchimp's words where there are some."""
    log = Log()
    log.note(rejected("why", words), stream, contact_id)

    [line] = log.lines
    assert [word in line for word in shown] == [True] * len(shown)
    assert [word in line for word in hidden] == [False] * len(hidden)


def tallies(**outcomes: list[Outcome]) -> dict[StreamKey, Tally]:
    """Tallies of streams by name."""
    found: dict[StreamKey, Tally] = {}
    for name, some in outcomes.items():
        tally = found[NOWHERE if name == "nowhere" else (None, name)] = Tally()
        for outcome in some:
            tally.add(outcome)
    return found


def test_progress_is_told_once_a_minute() -> None:
    """Counted from the beginning, and then from the last time: how many records of all streams are settled, and how many are open."""
    log = Log()
    told = []
    for second in (0.0, 59.9, 60.0, 61.0, 119.9, 120.0, 121.0):
        log.now = 1_000.0 + second
        log.report.progress(tallies(people=[CREATED, UPDATED], others=[CREATED]), 4)
        told.append(len(log.lines))

    assert told == [0, 0, 1, 1, 1, 2, 2]
    assert log.arguments == [(3, 4)] * 2


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_summary_has_a_line_for_each_stream_and_one_for_all(dry_run: bool) -> None:
    """With what else there is to say; a dry run says that it was one."""
    log = Log(dry_run)
    log.now = 1_012.5
    traffic = Traffic(requests=9, retries=2)
    log.report.summary(tallies(people=[CREATED, rejected("why")], nowhere=[rejected("no")]), ["And this.", "And that."], traffic, 3)

    people, nowhere, *more, last = log.lines
    assert ("people" in people, "1 created" in people, "1 rejected" in people) == (True, True, True)
    assert ("Stream" in nowhere, "1 rejected" in nowhere) == (False, True)
    assert more == ["And this.", "And that."]
    assert log.arguments[-1][1:] == (3, 12.5, 9, 2, 0.0, 0.0, 3)
    assert ["dry run" in line for line in (people, nowhere)] == [dry_run] * 2
    assert ("Checked" in last, "Settled" in last) == (dry_run, not dry_run)
