"""Senders who drip, who say nothing, and who do not read: on a virtual clock, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, cast

import pytest
import uvicorn
from starlette.requests import Request
from uvicorn.server import ServerState

from destination_mailchimp_unified.live.bodies import Bodies
from destination_mailchimp_unified.live.connections import WatchedConnection
from destination_mailchimp_unified.live.requests import RefusedError
from integration_tests.simulation.clock import run
from unit_tests.destination.posting import Server, in_chunks, serving

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
MEBIBYTE = 1 << 20
LARGEST = 8 * MEBIBYTE
"""Bytes of a body that is taken."""


class Wire(asyncio.Transport):
    """A connection; `unread` is what the other end has not read."""

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


async def _silent(_: WatchedConnection) -> None:
    await asyncio.sleep(3_600)


async def _dripping(connection: WatchedConnection) -> None:
    for byte in HEAD[:-4] * 3:
        if not connection.transport.is_closing():
            connection.data_received(bytes([byte]))
            await asyncio.sleep(1)


async def _dripping_after_an_answer(connection: WatchedConnection) -> None:
    await asyncio.sleep(1)
    connection.data_received(HEAD)
    await asyncio.sleep(1)
    await _dripping(connection)


async def _not_reading(connection: WatchedConnection) -> None:
    connection.data_received(HEAD)
    cast("Wire", connection.transport).unread = 1_000_000
    await asyncio.sleep(3_600)


def seconds_until_cut_off(sender: Callable[[WatchedConnection], Awaitable[None]]) -> float | None:
    """Return after how many seconds a sender is disconnected, None when that never happens."""
    cut_off: list[float] = []

    class Timed(Wire):
        def abort(self) -> None:
            cut_off.append(asyncio.get_running_loop().time())
            super().abort()

    async def story() -> None:
        await sender(connected(Timed()))

    run(story())
    return cut_off[0] if cut_off else None


@pytest.mark.parametrize(
    ("sender", "seconds"), [(_silent, 30.0), (_dripping, 30.0), (_dripping_after_an_answer, 60.0), (_not_reading, 60.0)]
)
def test_a_connection_that_finishes_no_request_is_closed(sender: Callable[[WatchedConnection], Awaitable[None]], seconds: float) -> None:
    """Who sends nothing, or a byte of a header now and then, or reads no answer, has thirty to sixty seconds of that."""
    assert seconds_until_cut_off(sender) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(("seconds_of_an_answer", "pause"), [(900.0, 15.0), (0.0, 20.0), (25.0, 4.0)])
def test_a_connection_that_works_is_not_closed(seconds_of_an_answer: float, pause: float) -> None:
    """An answer may take a quarter of an hour, and requests may come one after the other for hours."""

    async def story() -> None:
        wire = Wire()
        connection = connected(wire, seconds_of_an_answer)
        for _ in range(10):
            connection.data_received(HEAD)
            await asyncio.sleep(seconds_of_an_answer + pause)
        assert not wire.is_closing()

    run(story())


def test_a_connection_that_is_gone_is_watched_no_more() -> None:
    """Nothing is left of it on the event loop."""

    async def story() -> None:
        wire = Wire()
        connected(wire).connection_lost(None)
        await asyncio.sleep(3_600)
        assert not wire.aborted

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


# Bodies.


@pytest.mark.parametrize(("seconds", "status"), [(59, 400), (61, 408)])
def test_a_body_has_a_minute(seconds: int, status: int) -> None:
    """However steadily it comes: later it is refused, and until then it is read, here to the end of something that is no JSON."""

    async def story(server: Server) -> None:
        reply = await server.ask("POST", "/contacts", in_chunks([b" "] * seconds, seconds=1.0))
        assert (reply.status, len(reply.json["error"].split()) > 3) == (status, True)

    serving(story)


async def taken(bodies: Bodies, body: bytearray, *chunks: bytes) -> int | None:
    """Let a body be read; returns the status of its refusal."""
    try:
        await bodies.read(Request({"type": "http", "method": "POST", "headers": []}, in_chunks(chunks)), body)
    except RefusedError as error:
        return error.status
    return None


@pytest.mark.parametrize(("more", "status"), [(b"", None), (b"x", 413)])
def test_a_body_of_eight_mebibytes_is_taken_and_no_larger_one(more: bytes, status: int | None) -> None:
    """However it is cut, and without a header that says how long it is."""

    async def story() -> None:
        for chunks in ([b"x" * LARGEST + more], [b"x" * (LARGEST - 10), b"x" * 10 + more], [b"x" * 10, b"x" * (LARGEST - 10) + more]):
            bodies = Bodies()
            with bodies.room() as body:
                assert await taken(bodies, body, *chunks) == status
                assert len(body) <= LARGEST, "it is read no further"

    run(story())


@pytest.mark.parametrize("last", [LARGEST, 1])
def test_bodies_together_have_a_limit(last: int) -> None:
    """64 MiB are in memory; one byte more finds no room and is told when to come again, until one of them is done with."""

    async def story() -> None:
        bodies = Bodies()
        with ExitStack() as others:
            for size in (*[LARGEST] * 7, LARGEST - last):
                assert await taken(bodies, others.enter_context(bodies.room()), b"x" * size) is None
            with bodies.room() as first:
                assert await taken(bodies, first, b"x" * last) is None
                with bodies.room() as second:
                    assert await taken(bodies, second, b"x") == 503
                    assert bodies.held == 8 * LARGEST, "nothing more is kept"
            with bodies.room() as later:
                assert await taken(bodies, later, b"x" * last) is None
        assert bodies.held == 0

    run(story())


def test_a_body_that_is_cut_off_is_refused() -> None:
    """Its sender hung up: nothing of it is written."""

    async def hung_up() -> Any:
        return {"type": "http.disconnect"}

    async def story(server: Server) -> None:
        assert (await server.ask("POST", "/contacts", hung_up)).status == 400

    serving(story)
