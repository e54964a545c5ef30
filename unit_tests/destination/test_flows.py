from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from destination_mailchimp_unified.audience import lookups
from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.pipeline.flows import Flow, Flows, call, follow, gather
from mailchimp_unified.client import Reply, Request
from mailchimp_unified.errors import MailchimpError, NotFoundError, TransientError
from mailchimp_unified.pool import Done

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Pool:
    """A pool whose answers a test gives, in whatever order it likes."""

    def __init__(self) -> None:
        self.open: dict[str, Any] = {}
        self.answered: list[Done[Any]] = []

    def submit(self, request: Request, owner: Any) -> None:
        """Keep a request until the test answers it."""
        self.open[request.path] = owner

    def next_done(self, timeout: float | None = None) -> Done[Any]:
        """Give the oldest answer, as the real pool does."""
        if not self.answered:
            raise queue.Empty
        return self.answered.pop(0)

    def answer(self, flows: Flows, path: str, error: MailchimpError | None = None) -> None:
        """Let an answer come in."""
        self.answered.append(Done(self.open.pop(path), None if error else Reply({"path": path}), error))
        flows.deliver()


@pytest.fixture
def pool() -> Pool:
    """A pool of the test's own."""
    return Pool()


def asked_in_turn(*paths: str) -> Flow[list[str]]:
    """Ask for one after the other and return what came."""
    came = []
    for path in paths:
        reply = yield from call(Request(path, "a test"))
        came.append(reply.body["path"])
    return came


def collected(flow: Flow[Any], into: list[Any]) -> Flow[None]:
    """Keep the result, or the error, of a flow."""
    try:
        into.append((yield from flow))
    except MailchimpError as error:
        into.append(error)


def test_no_flow_waits_for_another(pool: Pool) -> None:
    """Of two flows side by side the quick one goes on while the slow one still waits for its first answer."""
    results: list[Any] = []
    flows = Flows(pool)  # type: ignore[arg-type]
    flows.start(collected(gather([asked_in_turn("slow"), asked_in_turn("a", "b", "c")]), results))

    for path in ("a", "b", "c"):
        pool.answer(flows, path)
    assert results == []
    pool.answer(flows, "slow")

    assert results == [[["slow"], ["a", "b", "c"]]]
    assert flows.requests_open == 0


def test_the_first_error_comes_when_all_have_ended(pool: Pool) -> None:
    """What failed beside others is raised once nothing of it is under way any more."""
    results: list[Any] = []
    flows, error = Flows(pool), NotFoundError("gone")  # type: ignore[arg-type]
    flows.start(collected(gather([asked_in_turn("a"), asked_in_turn("b", "c")]), results))

    pool.answer(flows, "a", error)
    pool.answer(flows, "b")
    assert results == []
    pool.answer(flows, "c")

    assert results == [error]


def test_flows_that_ask_for_nothing_end_at_once(pool: Pool) -> None:
    """Nothing to gather, and flows without a request, need no answer to go on."""
    results: list[Any] = []
    flows = Flows(pool)  # type: ignore[arg-type]

    flows.start(collected(gather([]), results))
    flows.start(collected(gather([asked_in_turn(), gather([asked_in_turn()])]), results))

    assert results == [[], [[], [[]]]]


def test_an_error_of_a_flow_that_nobody_waits_for_is_raised(pool: Pool) -> None:
    """What no flow takes care of ends the sync."""
    flows = Flows(pool)  # type: ignore[arg-type]
    flows.start(asked_in_turn("a"))  # type: ignore[arg-type]

    with pytest.raises(TransientError):
        pool.answer(flows, "a", TransientError("later"))


def test_followed_alone_a_flow_gives_the_same() -> None:
    """A command without a pool gets the results and the errors that a sync gets."""

    def answer(request: Request) -> Reply:
        if request.path == "bad":
            raise NotFoundError("gone")
        return Reply({"path": request.path})

    results: list[Any] = []

    assert follow(answer, gather([asked_in_turn("a", "b"), asked_in_turn("c")])) == [["a", "b"], ["c"]]
    follow(answer, collected(gather([asked_in_turn("a"), asked_in_turn("bad")]), results))
    assert isinstance(results[0], NotFoundError)


def members(*rows: tuple[str, str]) -> Callable[[], Reply]:
    """Return a listing of ids and statuses."""
    return lambda: Reply({"members": [{"id": one, "status": status} for one, status in rows], "total_items": len(rows)}, NOW)


def test_whoever_is_archived_during_the_look_is_not_taken_for_new() -> None:
    """The archived contacts are asked for after the others were answered, so that nobody can be in neither answer."""
    contact = "0" * 32
    held = {"status": "subscribed"}
    audience = Audience("a")

    def answer(request: Request) -> Reply:
        wants_archived = request.params.get("status") == "archived"
        found = members((contact, held["status"]))() if wants_archived == (held["status"] == "archived") else members()()
        held["status"] = "archived"
        return found

    follow(answer, lookups.count_contacts(audience))

    assert audience.status_of(contact) == "archived"
