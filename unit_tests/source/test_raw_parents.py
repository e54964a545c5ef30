"""The items that partition a collection: read once for all its children, side by side, and what becomes of those that refuse."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from integration_tests.simulation.clock import run
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import BugError, MailchimpError, NotFoundError, PermissionDeniedError
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Reply, Request
from source_mailchimp_unified.raw.parents import Parents, Partitions
from source_mailchimp_unified.raw_collections import table
from source_mailchimp_unified.sync.account import Account
from source_mailchimp_unified.sync.streams import Session
from unit_tests.source.raw_sync import Told

Answer = Callable[[Request], list[Any] | Exception]

CLOSED, GONE, FAILED = PermissionDeniedError("closed"), NotFoundError("gone"), BugError("failed")


class Client:
    """A client without a limit: each answer takes a second."""

    def __init__(self, answers: Answer) -> None:
        self.answers = answers
        self.asked: list[Request] = []
        self.open = self.peak = 0

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer with a page."""
        self.asked.append(request)
        self.open += 1
        self.peak = max(self.peak, self.open)
        await asyncio.sleep(1)
        self.open -= 1
        found = self.answers(request)
        if isinstance(found, Exception):
            raise found
        offset, count = (int(request.params.get(name, 0)) for name in ("offset", "count"))
        return Reply({request.items: found[offset : offset + count], "total_items": len(found)})

    def paths(self) -> list[str]:
        """Return the paths that were asked for."""
        return [request.path for request in self.asked]


def read(client: Client, *names: str, told: Told | None = None) -> list[Partitions]:
    """Return the partitions of some rows. Raises what keeps them from being read."""

    async def reading() -> list[Partitions]:
        logger: logging.Logger = told or Told()
        pager = Pager(cast("MailchimpClient", client), logger)
        session, parents = Session(pager.client, pager, Account(pager, []), logger), Parents(logger)
        return list(await asyncio.gather(*(parents.partitions(table()[name], session) for name in names)))

    return run(reading())


def below(request: Request, items: list[Any]) -> list[Any]:
    """Return these automations, and two emails of each."""
    return items if request.path == "/automations" else [{"id": "one"}, {"id": "two"}]


def automations(number: int) -> list[dict[str, str]]:
    """Return so many automations."""
    return [{"id": f"a{n}"} for n in range(number)]


def refused(request: Request, **errors: MailchimpError) -> Any:
    """Return two automations, and what becomes of the emails of each."""
    return below(request, automations(len(errors))) if request.path == "/automations" else errors[request.path.split("/")[2]]


def test_a_collection_without_a_parent_is_one_partition() -> None:
    """Nothing is asked for to know that."""
    client = Client(lambda _: FAILED)
    (partitions,) = read(client, "reports")

    assert [(one.values, one.told) for one in partitions] == [((), {})]
    assert (partitions.count, client.asked) == (1, [])


def test_the_items_of_a_parent_are_read_once_for_all_its_children() -> None:
    """In brief: no more than the keys, and what any of the children has to know."""
    client = Client(lambda request: below(request, automations(2)))
    emails, removed = read(client, "automation_emails", "automation_removed_subscribers")

    assert [one.values for one in emails] == [one.values for one in removed] == [("a0",), ("a1",)]
    assert client.paths() == ["/automations"]
    assert client.asked[0].params["fields"] == "automations.id,total_items"


def test_twenty_parts_of_a_parent_are_read_side_by_side() -> None:
    """No more: each holds a page."""
    client = Client(lambda request: below(request, automations(45)))
    (partitions,) = read(client, "automation_email_queue")

    assert client.peak == 20
    assert len(client.asked) == 1 + 45
    assert {one.values for one in partitions} == {(f"a{n}", key) for n in range(45) for key in ("one", "two")}
    assert partitions.count == len(list(partitions)) == 90


@pytest.mark.parametrize("error", [CLOSED, GONE])
def test_a_parent_that_refuses_everywhere_is_nowhere_to_be_had(error: MailchimpError) -> None:
    """Its children learn the refusal. One 404 is not believed."""
    told = Told()
    client = Client(lambda request: refused(request, a0=error, a1=error))

    with pytest.raises(type(error)):
        read(client, "automation_email_queue", told=told)

    assert len(client.asked) == 1 + (4 if error is GONE else 2)
    assert told.warnings == []


@pytest.mark.parametrize(("other", "errors"), [(None, 0), (FAILED, 1)])
def test_a_parent_that_refuses_in_parts_is_read_in_the_others(other: MailchimpError | None, errors: int) -> None:
    """A warning says of how many parts what is below is left out. One that fails is an error of its children."""

    def answers(request: Request) -> Any:
        found = refused(request, a0=CLOSED, a1=other or FAILED, a2=CLOSED)
        return [{"id": "one"}] if other is None and request.path.split("/")[2:3] == ["a1"] else found

    told = Told()
    (partitions,) = read(Client(answers), "automation_email_queue", told=told)

    assert [one.values for one in partitions] == ([("a1", "one")] if other is None else [])
    assert len(partitions.errors) == errors
    assert [re.findall(r"\d+", line) for line in told.warnings] == [["2", "3"]]


def test_one_404_of_a_part_is_not_believed() -> None:
    """It may be trouble in passing: the second answer counts, and nothing is said."""
    seen: list[str] = []

    def answers(request: Request) -> Any:
        seen.append(request.path)
        return GONE if request.path == "/automations/a0/emails" and seen.count(request.path) == 1 else below(request, automations(2))

    told = Told()
    (partitions,) = read(Client(answers), "automation_email_queue", told=told)

    assert partitions.count == 4
    assert (partitions.errors, told.warnings) == ([], [])


@pytest.mark.parametrize("key", [None, "", {"a": 1}, ["a"]])
def test_an_item_that_does_not_say_its_key_is_an_error_once(key: Any) -> None:
    """What belongs to it cannot be asked for: an empty key would make the path of another collection. A number is a key."""
    (partitions,) = read(Client(lambda _: [{"id": "a0"}, {"id": key}, "odd", {"id": 0}]), "automation_emails")

    assert [one.values for one in partitions] == [("a0",), (0,)]
    assert len(partitions.errors) == 1


def test_what_is_missing_of_a_parent_is_missing_of_its_children() -> None:
    """The errors of all above are theirs."""
    (partitions,) = read(Client(lambda request: below(request, [{"id": "a0"}, {}])), "automation_email_queue")

    assert partitions.count == 2
    assert len(partitions.errors) == 1


def test_what_an_item_tells_is_kept_with_its_key() -> None:
    """By the name of the field, with dots for what is inside."""
    report = {"id": "r", "emails_sent": 7, "opens": {"last_open": "2026-01-01T00:00:00+00:00"}, "subject_line": "x"}
    (partitions,) = read(Client(lambda _: [report]), "report_sent_to")

    (told,) = [one.told for one in partitions]
    assert (told["emails_sent"], told["opens.last_open"]) == (7, "2026-01-01T00:00:00+00:00")
    assert "subject_line" not in told


def test_the_keys_of_very_many_parts_are_announced() -> None:
    """More than three hundred requests, one for each part."""
    for number, said in ((300, []), (301, [["301"]])):
        told = Told()
        read(Client(lambda request, number=number: below(request, automations(number))), "automation_email_queue", told=told)

        assert [re.findall(r"\d+", line) for line in told.warnings] == said


def test_progress_counts_all_keys_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the pages that were read, and of the part under way."""
    seconds = iter(range(0, 100_000, 15))
    monkeypatch.setattr("source_mailchimp_unified.sync.progress.time.monotonic", lambda: float(next(seconds)))
    told = Told()

    read(
        Client(lambda request: automations(2) if request.path == "/automations" else automations(1_500)),
        "automation_email_queue",
        told=told,
    )

    counts = [int(re.findall(r"\d[\d,]*", line)[0].replace(",", "")) for level, line in told.lines if level == logging.INFO]
    assert counts[0] == 2
    assert counts[-1] == 3_000
    assert counts == sorted(counts)
