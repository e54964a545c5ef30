"""Raw streams: what is asked for when much is refused, what a state knows, and where pages by cursor end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from hypothesis import example, given
from hypothesis import strategies as st

from integration_tests.commands import catalog
from integration_tests.simulation.clock import run
from mailchimp_unified.errors import BugError, PermissionDeniedError
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Reply, Request
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified.files import read_catalog, read_state
from source_mailchimp_unified.raw.pages import collection_request, keys_of_items, read_pages
from source_mailchimp_unified.raw.parents import Partitions
from source_mailchimp_unified.raw.positions import Position, Positions
from source_mailchimp_unified.raw.refusals import Refusals
from source_mailchimp_unified.raw_collections import refusal, table
from unit_tests.account import CONFIG, Account, audiences, source
from unit_tests.kernel.conftest import answer

if TYPE_CHECKING:
    from mailchimp_unified.client import MailchimpClient


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
            position = Position()
            for number in range(versions):
                position.note(number.to_bytes(6, "big"), None)
            positions.close([key], position, None)
        assert not positions.empty
        assert [len(positions.open([key], None, 0).known) for key in ("a", "b")] == [15_000, 5_000]
        positions.clear()
        assert positions.empty


class Cursors:
    """A collection with cursors: so many pages, of which the last names no other; `rows` are those of a page by its number."""

    def __init__(self, pages: int, rows: Callable[[int], list[dict[str, Any]]]) -> None:
        self.pages, self.rows, self.asked = pages, rows, 0

    async def call(self, request: Request, **_: object) -> Reply:
        """Answer with a page."""
        self.asked += 1
        at = int(str(request.params.get("cursor") or 0))
        return Reply({"contacts": self.rows(at), "next_cursor": str(at + 1) if at + 1 < self.pages else ""})

    def read(self) -> list[Any]:
        """Return the ids of what a reading of all pages gives."""

        async def reading() -> list[Any]:
            row, pager = table()["audience_contacts"], Pager(cast("MailchimpClient", self), logging.getLogger("test"))
            pages = read_pages(pager, row, collection_request(row, ("a",), {}), keys_of_items(row), lambda _: None)
            return [item["id"] async for items in pages for item in items]

        return run(reading())


@pytest.mark.parametrize("pages", [1, 2, 30])
def test_pages_by_cursor_are_read_to_the_last(pages: int) -> None:
    """As long as each page says where the next one is."""
    assert Cursors(pages, lambda at: [{"id": at}]).read() == list(range(pages))


def test_pages_by_cursor_that_lead_nowhere_are_an_error() -> None:
    """The same page again and again, or nothing but empty ones: the reading ends, and nothing passes for complete."""
    for rows in (lambda _: [{"id": 0}], lambda _: []):
        endless = Cursors(10**9, rows)
        with pytest.raises(BugError, match="no end"):
            endless.read()
        assert endless.asked < 200


@pytest.mark.parametrize("form", ["message", "catalog", "lines"])
def test_a_catalog_is_taken_as_discover_printed_it(form: str, tmp_path: Path) -> None:
    """As the message, as the catalog in it, or as all lines of the command."""
    catalog = {"streams": [{"name": "contacts", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}]}
    message = {"type": "CATALOG", "catalog": catalog}
    texts = {
        "message": json.dumps(message),
        "catalog": json.dumps(catalog),
        "lines": json.dumps({"type": "LOG", "log": {"message": "x"}}) + "\n" + json.dumps(message) + "\n",
    }
    path = tmp_path / "catalog.json"
    path.write_text(texts[form])

    assert [one.stream.name for one in read_catalog(str(path)).streams] == ["contacts"]


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


STATE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "contacts"}, "stream_state": {"lists": {}}}}


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("", 0),
        ("[]", 0),
        (json.dumps(STATE), 1),
        (json.dumps([STATE, STATE]), 2),
        (json.dumps({"type": "STATE", "state": STATE}) + "\n" + json.dumps({"type": "STATE", "state": STATE}), 2),
    ],
)
def test_a_state_is_taken_as_it_was_printed(text: str, states: int, tmp_path: Path) -> None:
    """Alone, in a list or one a line; an empty file is no state, and neither is no file."""
    path = tmp_path / "state.json"
    path.write_text(text)

    assert len(read_state(str(path))) == states
    assert read_state(None) == []


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
