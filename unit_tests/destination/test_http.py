"""What the HTTP server answers: to whom, to what, and with which status; without sockets, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from destination_mailchimp_unified.intake.arrivals import stream_key
from destination_mailchimp_unified.intake.lines import Unusable
from destination_mailchimp_unified.live.answers import answer
from destination_mailchimp_unified.live.events import Streams
from destination_mailchimp_unified.live.requests import RefusedError, check_headers, events_of, full, status_of
from destination_mailchimp_unified.settling.outcomes import CREATED, UPDATED, Outcome, rejected, skipped
from unit_tests.destination.posting import TOKEN, Server, in_chunks, serving
from unit_tests.destination.writing import Mailchimp, person, record

MEBIBYTE = 1 << 20
STREAMS = Streams(stream_key("events", None), stream_key("events", "unified"))
NOBODY = {"email": "nobody"}


def refusal(check: Callable[[], object]) -> int | None:
    """Return the status with which something is refused, None where it is not."""
    try:
        check()
    except RefusedError as error:
        return error.status
    return None


# Answers.


@pytest.mark.parametrize(
    ("own_id", "outcome", "told"),
    [
        (None, CREATED, {"id": 7, "outcome": "created", "reason": None, "field": None}),
        ("a", CREATED, {"id": "a", "outcome": "created", "reason": None, "field": None}),
        (0, UPDATED, {"id": 0, "outcome": "updated", "reason": None, "field": None}),
        (1, skipped("why"), {"id": 1, "outcome": "skipped", "reason": "why", "field": None}),
        (1, rejected("why", "words", "vip"), {"id": 1, "outcome": "rejected", "reason": "why", "field": "vip", "words": "words"}),
        (1, UPDATED.noting(("b", "a")), {"id": 1, "outcome": "updated", "reason": None, "field": None, "notes": ["b", "a"]}),
        (1, Outcome("rejected", "x", later=True), {"id": 1, "outcome": "rejected", "reason": "x", "field": None, "retry": "later"}),
    ],
)
def test_an_answer_says_what_there_is_to_say(own_id: object, outcome: Outcome, told: dict[str, Any]) -> None:
    """The id or the number, the outcome, reason and field always; anything else only where there is something; a dry run says so."""
    assert answer(own_id, 7, outcome, dry_run=False) == told
    assert answer(own_id, 7, outcome, dry_run=True) == {**told, "dry_run": True}


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ([], 200),
        ([CREATED], 200),
        ([CREATED, UPDATED, skipped("x")], 200),
        ([rejected("x")], 422),
        ([rejected("x"), rejected("y")], 422),
        ([CREATED, rejected("x")], 207),
        ([rejected("x"), skipped("y")], 207),
    ],
)
def test_the_status_tells_whether_anything_was_rejected(kinds: list[Outcome], status: int) -> None:
    """Nothing, all, or some."""
    assert status_of(kinds) == status


def test_an_object_is_answered_by_an_object_and_a_list_by_a_list_in_its_order() -> None:
    """Numbered from 1 where there is no id, once Mailchimp has answered."""

    async def story(server: Server) -> None:
        one = await server.post({**record(1), "id": "a"})
        many = await server.post(record(2), NOBODY, {**record(3), "id": {"x": 1}})
        none = await server.post()
        bad = await server.post(NOBODY)

        assert (one.status, one.json["id"], one.json["outcome"]) == (200, "a", "created")
        told = [(each["id"], each["outcome"]) for each in many.json]
        assert (many.status, told) == (207, [(1, "created"), (2, "rejected"), ({"x": 1}, "created")])
        assert (none.status, none.json) == (200, [])
        assert (bad.status, bad.json["field"]) == (422, "email")
        assert {reply.headers["content-type"] for reply in (one, many, none, bad)} == {"application/json"}
        single = await server.ask("POST", "/contacts", in_chunks([orjson.dumps([record(4)])]))
        assert [each["outcome"] for each in single.json] == ["created"]

    world = Mailchimp()
    serving(story, world)
    assert set(world.statuses()) == {f"p{number}@contacts.example" for number in (1, 2, 3, 4)}


def test_a_dry_run_is_told_in_every_answer() -> None:
    """And nothing is written."""

    async def story(server: Server) -> None:
        assert [each["dry_run"] for each in (await server.post(record(1), NOBODY)).json] == [True, True]

    world = Mailchimp()
    serving(story, world, dry_run=True)
    assert world.statuses() == {}


# What is refused.


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"", 400), (b"12", 422), (b'"text"', 422), (b"null", 422), (b"[" * 5_000 + b"]" * 5_000, 400)]
)
def test_a_body_that_holds_no_contacts_is_refused(body: bytes, status: int) -> None:
    """With words that say what to do, and with nothing written."""

    async def story(server: Server) -> None:
        reply = await server.ask("POST", "/contacts", in_chunks([body]))
        assert (reply.status, len(reply.json["error"].split()) > 3) == (status, True)
        assert "retry-after" not in reply.headers

    world = Mailchimp()
    serving(story, world)
    assert world.statuses() == {}


@pytest.mark.parametrize(("count", "status"), [(5_000, None), (5_001, 413)])
def test_a_request_holds_five_thousand_contacts_at_most(count: int, status: int | None) -> None:
    """Ten bulk calls."""
    assert refusal(lambda: events_of(b"[" + b",".join([b"{}"] * count) + b"]", STREAMS)) == status


def test_each_item_of_a_list_is_an_event() -> None:
    """An object is one; anything else in a list is answered as what it is: no contact."""
    assert [events_of(body, STREAMS)[1] for body in (b"{}", b"[{}]", b"[]")] == [False, True, True]
    assert [isinstance(event.message, Unusable) for event in events_of(b'[{}, 1, "x", null, []]', STREAMS)[0]] == [False, *[True] * 4]


@pytest.mark.parametrize(("length", "status"), [(8 * MEBIBYTE - 1, None), (8 * MEBIBYTE, None), (8 * MEBIBYTE + 1, 413)])
def test_a_header_that_promises_more_than_eight_mebibytes_is_refused(length: int, status: int | None) -> None:
    """Before the body is read."""
    assert refusal(lambda: check_headers("application/json", "", str(length))) == status


@pytest.mark.parametrize("header", [{"content_type": "text/plain"}, {"content_encoding": "gzip"}, {"content_type": None}])
def test_headers_are_looked_at_first(header: dict[str, str | None]) -> None:
    """A body of another kind is not read."""

    async def unread() -> Any:
        raise AssertionError("the body was read")

    async def story(server: Server) -> None:
        assert (await server.ask("POST", "/contacts", unread, **header)).status == 415

    serving(story)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/contacts", 405), ("POST", "/healthz", 405), ("GET", "/nothing", 404)])
def test_what_is_not_there_is_answered_with_what_is(method: str, path: str, status: int) -> None:
    """In JSON, as every answer."""

    async def story(server: Server) -> None:
        reply = await server.ask(method, path)
        assert (reply.status, "POST /contacts" in reply.json["error"]) == (status, True)
        assert ("allow" in reply.headers) == (status == HTTPStatus.METHOD_NOT_ALLOWED)

    serving(story)


def test_a_refusal_can_be_told_from_another_one_like_it() -> None:
    """As any exception, it can be in a set: tools that print errors keep them so."""
    assert len({full(), full()}) == 2


# Who is answered.


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer wrong", 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (TOKEN, 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
    ],
)
def test_who_does_not_show_the_token_is_refused(header: str | None, status: int) -> None:
    """Neither contacts nor metrics are to be had; health says nothing worth hiding."""

    async def story(server: Server) -> None:
        replies = [
            await server.ask("POST", "/contacts", in_chunks([b"[]"]), authorization=header),
            await server.ask("GET", "/metrics", authorization=header),
        ]
        assert [reply.status for reply in replies] == [status, status]
        assert [reply.headers.get("www-authenticate") for reply in replies] == [None if status == HTTPStatus.OK else "Bearer"] * 2
        assert (await server.ask("GET", "/healthz", authorization=header)).status == 200

    serving(story)


@pytest.mark.parametrize(
    ("host", "token", "status"),
    [
        ("localhost:8080", None, 200),
        ("127.0.0.1:8080", None, 200),
        ("[::1]:8080", None, 200),
        ("attacker.example", None, 400),
        ("www.localhost", None, 400),
        ("attacker.example", TOKEN, 200),
    ],
)
def test_without_a_token_only_names_of_this_machine_are_answered(host: str, token: str | None, status: int) -> None:
    """A web page cannot reach the server by a name of its own; with a token any name will do."""

    async def story(server: Server) -> None:
        assert (await server.ask("POST", "/contacts", in_chunks([b"[]"]), host=host)).status == status
        assert (await server.ask("GET", "/metrics", host=host)).status == status

    serving(story, token=token)


# Where there is no room, and where Mailchimp is away.


@pytest.mark.parametrize(("waiting", "more", "status"), [(9_999, 1, 422), (9_998, 2, 422), (9_999, 2, 503)])
def test_who_finds_no_room_is_told_when_to_come_again(waiting: int, more: int, status: int) -> None:
    """Ten thousand contacts may wait: a request of which not all have room is not taken at all."""

    async def story(server: Server) -> None:
        async def receive() -> Any:
            # Just before the body is there, others come.
            fill(server, waiting)
            return {"type": "http.request", "body": orjson.dumps([NOBODY] * more), "more_body": False}

        reply = await server.ask("POST", "/contacts", receive)
        assert (reply.status, reply.headers.get("retry-after")) == (status, "2" if status == HTTPStatus.SERVICE_UNAVAILABLE else None)

    serving(story)


def fill(server: Server, count: int) -> None:
    """Let so many events wait."""
    for _ in range(count):
        server.service.feed.put(Unusable("", b""), lambda _: None)


def test_a_full_server_reads_no_body() -> None:
    """It would only fill the memory."""

    async def unread() -> Any:
        raise AssertionError("the body was read")

    async def story(server: Server) -> None:
        fill(server, 10_000)
        assert (await server.ask("POST", "/contacts", unread)).status == 503

    serving(story)


def test_health_says_whether_contacts_are_written() -> None:
    """Not while Mailchimp is away, nor once the server is ending; who waits is told that the outcome is unknown and to come again."""
    world = Mailchimp(person(1))

    async def story(server: Server) -> None:
        assert (await server.ask("GET", "/healthz")).status == 200
        world.state.faults.set([{"kind": "503"}], 1)
        reply = await server.post(record(1))
        assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        assert (await server.ask("GET", "/healthz")).status == 503
        world.state.faults.set([], 1)
        await server.service.pipeline.opened.wait()
        assert (await server.ask("GET", "/healthz")).status == 200
        assert (await server.post(record(1, first_name="Later"))).status == 200
        server.service.end()
        assert (await server.ask("GET", "/healthz")).status == 503

    serving(story, world)
    assert world.values()["p1@contacts.example"] == "Later"


def test_metrics_count_outcomes_requests_and_what_waits() -> None:
    """Every outcome is there from the beginning, at 0, so that an alert can be made of it."""
    world = Mailchimp()

    async def metrics(server: Server) -> dict[tuple[str, ...], float]:
        text = (await server.ask("GET", "/metrics")).body.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {(sample.name.removeprefix("mailchimp_unified_"), *sample.labels.values()): sample.value for sample in samples}

    async def story(server: Server) -> None:
        before = await metrics(server)
        assert {key[1]: before[key] for key in before if key[0] == "contacts_total"} == dict.fromkeys(
            ("created", "updated", "unchanged", "skipped", "rejected"), 0.0
        )
        await server.post(record(1), record(2), NOBODY)
        await server.post(record(1, first_name="Other"))
        found = await metrics(server)
        assert [found["contacts_total", kind] for kind in ("created", "updated", "rejected")] == [2, 1, 1]
        assert [found["requests_total", status] for status in ("200", "207")] == [1, 1]
        assert found["answer_seconds_count",] == 2
        assert (found["waiting",], found["ready",]) == (0, 1)
        assert found["mailchimp_requests_total",] == world.sent
        fill(server, 1)
        assert (await metrics(server))["waiting",] == 1

    serving(story, world)
