"""What is asked for before records are planned: what they need, once, and the whole audience where that pays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison, comparison_of
from destination_mailchimp_unified.audience.merge_fields import Creation, PlannedField
from destination_mailchimp_unified.pipeline.preparing import Preparation
from integration_tests.simulation.clock import run
from unit_tests.destination.asking import LIST, config, pager
from unit_tests.destination.test_knowing import Account, by_first_name
from unit_tests.destination.test_report import Kept

if TYPE_CHECKING:
    from destination_mailchimp_unified.pipeline.backlog import Backlog

Json = dict[str, Any]


@dataclass
class Asked:
    """What records ask of their audience."""

    count: int = 0
    tags: bool = False
    groups: bool = False
    missing: list[PlannedField] = field(default_factory=list)
    by: list[str] = field(default_factory=lambda: ["email_address"])
    alone: int = 0
    compared_by: Comparison | None = None
    among: list[Any] = field(default_factory=list)

    def wants_tags(self) -> bool:
        """Whether any says something about tags."""
        return self.tags

    def wants_groups(self) -> bool:
        """Whether any names a group."""
        return self.groups

    def missing_fields(self) -> list[PlannedField]:
        """The merge fields that are missing, each once."""
        found, self.missing = self.missing, []
        return found

    def contacts(self) -> int:
        """How many contacts there are."""
        return self.count

    def apart(self) -> int:
        """How many need calls of their own."""
        return self.alone

    def shown(self) -> list[str]:
        """The fields of a member that they fill."""
        return self.by

    def comparison(self, shown: Sequence[str] | None) -> Comparison:
        """What they are compared by."""
        self.among.append(shown)
        return self.compared_by or comparison_of([], {}, lambda _: False)


class Prepared:
    """An audience that is prepared for records, the requests that it took, and the log."""

    def __init__(
        self, asked: Asked, account: Account | None = None, *, compares: bool = True, page_size: int = 1_000, **options: Any
    ) -> None:
        self.account = account or Account()
        self.kept = Kept()
        self.audience = Audience(LIST, compares=compares)
        logger = logging.getLogger("test.preparing")
        logger.handlers, logger.propagate = [self.kept], False
        logger.setLevel(logging.INFO)
        found, _ = pager(self.account, page_size)
        creation = Creation(found.client, logger, dry_run=False)
        self.preparation = Preparation(self.audience, cast("Backlog", asked), config(**options), found, creation)

    def do(self, *steps: str | float) -> list[list[str]]:
        """Take steps, or pause for seconds; return the paths that each asked for, in order of names."""
        taken: list[list[str]] = []

        async def story() -> None:
            for step in steps:
                self.account.asked.clear()
                await (asyncio.sleep(step) if isinstance(step, float) else getattr(self.preparation, step)())
                taken.append(sorted(self.account.asked))

        run(story())
        return taken


ALWAYS = ["", "/merge-fields"]
COUNTED = ["/members", "/members"]
GROUPS = ["/interest-categories", "/interest-categories/c1/interests", "/interest-categories/c2/interests", "/members"]
GROUP_RULE = {"field_mapping": [{"column": "c", "field": "interests.Topics/News"}]}


@pytest.mark.parametrize(
    ("asked", "options", "paths"),
    [
        (Asked(), {}, ALWAYS),
        (Asked(tags=True), {}, [*ALWAYS, "/segments"]),
        (Asked(count=3), {}, ALWAYS),
        (Asked(count=4), {}, [*ALWAYS, *COUNTED]),
        (Asked(count=4), {"write_mode": "single"}, ALWAYS),
        (Asked(count=4, tags=True), {"write_mode": "bulk"}, [*ALWAYS, *COUNTED, "/segments"]),
        (Asked(groups=True, missing=[PlannedField("N", "N", "text")]), {"create_missing_merge_fields": True}, ALWAYS),
    ],
)
def test_what_the_records_need_that_are_there_is_asked_for_with_the_audience(asked: Asked, options: Json, paths: list[str]) -> None:
    """Its tags, and how many contacts it has, where bulk calls may pay."""
    prepared = Prepared(asked, **options)
    assert prepared.do("open") == [sorted(paths)]
    assert (prepared.audience.tags is not None, prepared.audience.totals is not None) == ("/segments" in paths, "/members" in paths)


def test_groups_that_a_rule_names_are_asked_for_with_the_audience() -> None:
    """Whether they exist is checked before anything is written."""
    assert Prepared(Asked(), **GROUP_RULE).do("open") == [sorted([*ALWAYS, *GROUPS])]


def test_what_records_need_later_is_asked_for_once() -> None:
    """Merge fields first, then groups, then tags, with how many contacts there are."""
    asked = Asked(count=4, tags=True, groups=True, missing=[PlannedField("N", "N", "text")])
    prepared = Prepared(asked, create_missing_merge_fields=True)

    first, second = prepared.do("look_up", "look_up")
    assert (first, second) == (sorted(["/merge-fields", *GROUPS, "/segments", *COUNTED]), [])
    assert [one["tag"] for one in prepared.account.bodies] == ["N"]


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (Asked(count=9), []),
        (Asked(missing=[PlannedField("N", "N", "text")]), []),
        (Asked(groups=True), GROUPS),
        (Asked(tags=True), ["/segments"]),
        (Asked(tags=True, count=4), ["/segments", *COUNTED]),
    ],
)
def test_only_what_records_need_is_asked_for(asked: Asked, paths: list[str]) -> None:
    """Merge fields are created only where the configuration asks for it."""
    assert Prepared(asked).do("look_up") == [sorted(paths)]


def test_what_was_counted_is_not_counted_again() -> None:
    """Not with the tags, and not to find out what pays."""
    asked = Asked(count=4)
    prepared = Prepared(asked)
    assert prepared.do("open") == [sorted([*ALWAYS, *COUNTED])]
    asked.tags = True

    assert prepared.do("look_up", "know_statuses") == [["/segments"], []]


@pytest.mark.parametrize(
    ("asked", "members", "options", "reads"),
    [
        (Asked(count=0), 3, {}, False),
        (Asked(count=3), 3, {}, False),
        (Asked(count=4), 3, {}, True),
        (Asked(count=4), 3, {"write_mode": "single"}, False),
        (Asked(count=0), 3, {"write_mode": "bulk"}, True),
        (Asked(count=4), 25, {}, True),
        (Asked(count=9, alone=9), 25, {}, False),
        (Asked(count=9, alone=9), 3, {}, True),
        (Asked(count=9, alone=9), 25, {"write_mode": "bulk"}, True),
    ],
)
def test_an_audience_is_read_where_bulk_pays(asked: Asked, members: int, options: Json, reads: bool) -> None:
    """Or where it is listed by the first pages anyway, or where the configuration says so."""
    prepared = Prepared(asked, Account(members), page_size=10, **options)
    prepared.do("know_statuses")

    assert (prepared.audience.statuses is not None) == reads
    assert prepared.audience.first_pages == []


def test_first_pages_are_kept_until_records_come() -> None:
    """Then they are read, or let go where reading does not pay."""
    asked = Asked(count=9)
    prepared = Prepared(asked, Account(25), page_size=10)
    prepared.do("open")
    asked.count = 0
    prepared.do("know_statuses")
    assert [len(one) for one in prepared.audience.first_pages] == [10, 0]
    asked.count = 1
    prepared.do("know_statuses")

    assert (prepared.audience.first_pages, prepared.audience.statuses) == ([], None)


def test_statuses_are_read_again_when_they_are_too_old() -> None:
    """After a minute, status by status; before it nothing is asked."""
    prepared = Prepared(Asked(count=9), Account(3))

    assert prepared.do("know_statuses", 30.0, "know_statuses", 31.0, "know_statuses") == [COUNTED, [], [], [], ["/members"] * 6]


@pytest.mark.parametrize(
    ("compares", "shown", "first_pages"),
    [
        (True, ["email_address", "merge_fields"], True),
        (True, ["email_address", "merge_fields", "vip"], True),
        (True, ["merge_fields"], False),
        (False, [], True),
    ],
)
def test_contacts_are_compared_by_the_fields_that_their_first_pages_show(compares: bool, shown: list[str], first_pages: bool) -> None:
    """Where records that came since fill others, the pages are read again; where nothing is compared nothing is shown."""
    asked = Asked(count=9, by=["email_address", "merge_fields", "vip"] if not compares else shown, compared_by=by_first_name())
    prepared = Prepared(asked, Account(3), compares=compares)
    [paths] = prepared.do("know_statuses")

    assert (len(paths) == 2) == first_pages
    assert asked.among == ([shown] if compares else [])
    assert prepared.audience.is_compared == compares
    assert prepared.account.fields[0] == ",".join(f"members.{name}" for name in ("id", "status", "last_changed", *shown)) + ",total_items"


def test_a_big_audience_is_compared_by_any_fields() -> None:
    """It is read anyway, in windows that show what is compared."""
    asked = Asked(count=9, by=["email_address", "merge_fields"], compared_by=by_first_name())
    prepared = Prepared(asked, Account(25), page_size=10, write_mode="bulk")
    prepared.do("know_statuses")

    assert (asked.among, prepared.audience.is_compared) == ([None], True)


@pytest.mark.parametrize(("alone", "words"), [(0, ["25", "3", "500"]), (9, ["25", "3"])])
def test_the_log_says_once_how_contacts_are_written(alone: int, words: list[str]) -> None:
    """And what it would take to read the audience, where that is known."""
    prepared = Prepared(Asked(count=9, alone=alone), Account(2_500))
    prepared.do("know_statuses", "know_statuses")

    [line] = prepared.kept.records
    numbers = {number.strip(".,;()") for number in line.getMessage().split()}
    assert ({"2500", "3", "9"} <= numbers, "500" in numbers) == (True, "500" in words)


def test_the_log_says_nothing_of_what_is_not_known() -> None:
    """Nobody asked how big the audience is."""
    prepared = Prepared(Asked(count=2), Account(25))
    prepared.do("know_statuses")

    [line] = prepared.kept.records
    assert isinstance(line.args, tuple)
    assert line.args[-2:] == (2, "")
