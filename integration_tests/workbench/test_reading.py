"""A sync is started, watched, stopped and remembered from the page, and lives without one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.workbench.conftest import CUSTOMERS, GUESTS
from integration_tests.workbench.served import Visitor, served, words
from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

ALL = {"stream": ["contacts", "lists", "tags", "users"]}


@pytest.fixture
def mailchimp() -> Iterator[EmulatorProcess]:
    """An account that the test may change."""
    with EmulatorProcess(demo=True) as emulator:
        yield emulator


@pytest.fixture
def visitor(mailchimp: EmulatorProcess, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody at a workbench with an empty warehouse."""
    with served(tmp_path, mailchimp.url, tmp_path / "new.duckdb") as running:
        yield running.visitor()


def test_an_empty_warehouse_says_what_to_do(visitor: Visitor) -> None:
    """Without contacts every page offers to read them, and the search does too."""
    assert "No contacts yet" in visitor.get("/").text
    assert "No contacts yet" in visitor.get("/contacts?q=ada").text
    assert "Read all audiences" in visitor.get("/send").text
    assert "Nothing was run yet" in visitor.get("/read").text


def test_a_sync_is_followed_to_its_end_and_remembered(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """The first sync brings everything, by audience and by stream; the next brings what people changed since."""
    run = visitor.post("/read/start", data=ALL)
    events = visitor.followed(run)
    first = words(visitor.ended(run))
    mailchimp.act(CUSTOMERS, "dmitri.dubois.3@contacts.example", "unsubscribe_self")
    mailchimp.clock(advance=5)
    second = words(visitor.ended(visitor.post("/read/start", data=ALL)))

    assert events.count("event: progress") > 1
    assert "event: end" in events
    assert "Northwind Customers 5,000" in first
    assert "contacts 6,350" in first
    assert "contacts 1 " in second
    assert "3,699" in visitor.get("/status/audiences").text
    assert words(visitor.get("/read").text).count("Read all audiences") == 2


def test_a_sync_survives_a_closed_tab(visitor: Visitor) -> None:
    """Nobody has to look: the run continues when the page that started it is gone."""
    run = visitor.post("/read/start", data=ALL)
    with visitor.get(run.url.removeprefix(visitor.origin) + "/events", stream=True) as events:
        next(events.iter_lines())

    assert "contacts 6,350" in words(visitor.ended(run))


def test_a_sync_can_be_stopped_and_goes_on_later(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """A stopped sync says so, lets the next one begin, and that one ends with everything."""
    mailchimp.latency(1)
    run = visitor.post("/read/start", data=ALL)
    busy = visitor.post("/read/start", data=ALL)
    stopped = visitor.post(run.url.removeprefix(visitor.origin) + "/stop")
    mailchimp.latency(0)
    again = visitor.post("/read/start", data=ALL)
    visitor.ended(again)

    assert busy.status_code == 409
    assert "is running" in busy.text
    assert ">stopped<" in stopped.text
    assert "of 5,000 contacts" in words(visitor.get("/status/audiences").text)


def test_chosen_audiences_only(visitor: Visitor) -> None:
    """What was not chosen is not read, and stays as it was."""
    visitor.ended(visitor.post("/read/start", data=ALL))

    page = words(visitor.ended(visitor.post("/read/start", data={"stream": ["contacts"], "audience": [GUESTS]})))

    assert "Read Event Guests" in page
    assert "of 5,000 contacts" in words(visitor.get("/status/audiences").text)


def test_a_sync_that_fails_says_why(visitor: Visitor, mailchimp: EmulatorProcess) -> None:
    """The words are those of the source."""
    mailchimp.revoke(DEFAULT_API_KEY)

    page = words(visitor.ended(visitor.post("/read/start", data=ALL)))

    assert "failed" in page
    assert "The source failed." in page
    assert "key" in page


def test_nothing_chosen_is_said(visitor: Visitor) -> None:
    """A form without a stream starts nothing."""
    answer = visitor.post("/read/start", data={})

    assert answer.status_code == 400
    assert "No stream was chosen" in answer.text


def test_a_file_that_another_program_has_open_is_named(mailchimp: EmulatorProcess, tmp_path: Path) -> None:
    """The second workbench over a file does not start, and says why."""
    database = tmp_path / "shared.duckdb"
    (tmp_path / "second").mkdir()
    with (
        served(tmp_path, mailchimp.url, database),
        pytest.raises(AssertionError, match="another program may have it open"),
        served(tmp_path / "second", mailchimp.url, database),
    ):
        pass
    shutil.rmtree(tmp_path / "second")
