"""Senders who drip, who say nothing, and who do not read: on a virtual clock, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import orjson
import pytest
import uvicorn
from uvicorn.server import ServerState

from destination_mailchimp_unified.live import bodies
from destination_mailchimp_unified.live.connections import WATCH_SECONDS, WatchedConnection
from destination_mailchimp_unified.live.server import application
from destination_mailchimp_unified.live.service import Service
from integration_tests.simulation.clock import run
from integration_tests.streaming.simulated import CALM, Days, pipeline_in

TOKEN = "0123456789abcdef0123"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"authorization", f"Bearer {TOKEN}".encode())]


class Wire(asyncio.Transport):
    """A connection whose other end reads so many bytes a second."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = self.closed = False
        self.unread = 0

    def write(self, data: Any) -> None:
        """Keep nothing."""

    def get_write_buffer_size(self) -> int:
        """Return what the other end has not read."""
        return self.unread

    def abort(self) -> None:
        """Close at once."""
        self.aborted = True

    def close(self) -> None:
        """Close."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.closed or self.aborted

    def pause_reading(self) -> None:
        """Read no more."""

    def resume_reading(self) -> None:
        """Read again."""


def connected(wire: Wire, seconds_of_an_answer: float = 0.0) -> WatchedConnection:
    """Return a new connection to a server that answers after some seconds."""

    async def answer(_: Any, __: Any, send: Any) -> None:
        await asyncio.sleep(seconds_of_an_answer)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(cast("Any", answer), log_config=None, lifespan="off", timeout_keep_alive=3600)
    connection = WatchedConnection(config, ServerState(), {}, asyncio.get_running_loop())
    connection.connection_made(wire)
    return connection


async def _silent(connection: WatchedConnection) -> None:
    await asyncio.sleep(2 * WATCH_SECONDS + 1)


async def _dripping(connection: WatchedConnection) -> None:
    for byte in HEAD[:-4] * 3:
        if not connection.transport.is_closing():
            connection.data_received(bytes([byte]))
            await asyncio.sleep(1)


async def _dripping_after_an_answer(connection: WatchedConnection) -> None:
    connection.data_received(HEAD)
    await asyncio.sleep(1)
    await _dripping(connection)


@pytest.mark.parametrize("sender", [_silent, _dripping, _dripping_after_an_answer])
def test_a_connection_that_finishes_no_request_is_closed(sender: Any) -> None:
    """A client that sends nothing, or a byte of a header now and then, is disconnected after a minute, even after a first request."""

    async def story() -> None:
        wire = Wire()
        await sender(connected(wire))
        assert wire.aborted

    run(story())


def test_a_connection_that_works_is_not_closed() -> None:
    """An answer may take a quarter of an hour, and requests may come one after the other for hours."""

    async def story() -> None:
        wire = Wire()
        connection = connected(wire, seconds_of_an_answer=900.0)
        for _ in range(4):
            connection.data_received(HEAD)
            await asyncio.sleep(900.0 + WATCH_SECONDS / 2)
        assert not wire.is_closing()

    run(story())


@pytest.mark.parametrize(("reads", "aborted"), [(False, True), (True, False)])
def test_a_sender_who_does_not_read_its_answer_is_cut_off(reads: bool, aborted: bool) -> None:
    """An answer that nobody takes leaves the memory after a minute; one that is read slowly is left alone."""

    async def story() -> None:
        wire = Wire()
        connection = connected(wire)
        connection.data_received(HEAD)
        wire.unread = 1_000_000
        for _ in range(100):
            await asyncio.sleep(1)
            wire.unread -= reads
        assert wire.aborted == aborted

    run(story())


async def _post(service: Service, receive: Any) -> tuple[int, dict[str, Any]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/contacts", "raw_path": b"/contacts", "root_path": "", "query_string": b"",
        "headers": HEADERS, "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("localhost", 1),
    }  # fmt: skip
    await application(service, TOKEN)(scope, receive, send)
    return sent[0]["status"], orjson.loads(b"".join(message.get("body", b"") for message in sent))


def _in_a_world(story: Any) -> None:
    world = Days(31, CALM)

    async def told() -> None:
        service = Service(pipeline_in(world))
        serving = asyncio.create_task(service.run())
        await service.pipeline.opened.wait()
        await story(service)
        service.end()
        await serving

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(told())


def test_a_body_that_drips_is_refused() -> None:
    """A body that takes longer than a minute is answered 408, however steadily it comes."""

    async def receive() -> Any:
        await asyncio.sleep(1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def story(service: Service) -> None:
        status, said = await _post(service, receive)
        assert (status, len(said["error"].split()) > 3) == (408, True)

    _in_a_world(story)


def test_bodies_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many large bodies at once are not all taken into memory: one finds no room and is told when to come again; later there is room."""
    monkeypatch.setattr(bodies, "MOST_BODY_BYTES", 150_000)

    def body() -> Any:
        content = orjson.dumps({"email": "a@contacts.example", "note": "x" * 100_000})
        parts = [content[:50_000], content[50_000:]]

        async def receive() -> Any:
            await asyncio.sleep(1)
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        return receive

    async def story(service: Service) -> None:
        app_posts: list[Coroutine[Any, Any, Any]] = []
        shared = application(service, TOKEN)
        monkeypatch.setattr("integration_tests.streaming.test_slow_senders.application", lambda *_: shared)
        app_posts += [_post(service, body()) for _ in range(2)]
        assert sorted(status for status, _ in await asyncio.gather(*app_posts)) == [200, 503]
        assert (await _post(service, body()))[0] == 200

    _in_a_world(story)
