"""Requests as they go over the wire: packed answers, big answers, and no redirect."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import urllib3
from requests.auth import HTTPBasicAuth

from mailchimp_unified import transport as transports
from mailchimp_unified.errors import MailchimpError, TimedOutError, TransientError
from mailchimp_unified.transport import Outgoing, Received, ThreadedTransport


@contextmanager
def serving(body: bytes, status: int = 200, before: Callable[[str], None] = lambda _: None, **headers: str) -> Iterator[str]:
    """Serve one answer on this machine; `before` is called with the target of each request before it is answered."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            before(self.path)
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), text)
            self.end_headers()
            self.wfile.write(body)

        def do_CONNECT(self) -> None:
            before(self.path)
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/x"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def outgoing(url: str, connect: float = 10.0, read: float = 10.0) -> Outgoing:
    """Return a request."""
    return Outgoing("GET", url, "x", {}, None, HTTPBasicAuth("a", "b"), connect, read)


def received(url: str) -> Received:
    """Return the answer to one request."""

    async def sending() -> Received:
        transport = ThreadedTransport(1)
        try:
            return await transport.send(outgoing(url))
        finally:
            transport.close()

    return asyncio.run(sending())


def test_a_packed_answer_is_unpacked() -> None:
    """Mailchimp packs what is asked for so; what comes out is the body."""
    with serving(gzip.compress(b'{"lists": []}'), Content_Encoding="gzip") as url:
        assert received(url).content == b'{"lists": []}'


def test_a_big_answer_is_read_by_the_mebibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces would cost more than the answer; between two of them the clock is looked at."""
    asked: list[int] = []
    read1 = urllib3.HTTPResponse.read1

    def noted(self: urllib3.HTTPResponse, amt: int, *, decode_content: bool) -> bytes:
        asked.append(amt)
        return read1(self, amt, decode_content=decode_content)

    monkeypatch.setattr(urllib3.HTTPResponse, "read1", noted)
    body = bytes(range(256)) * 12_000
    with serving(body) as url:
        assert received(url).content == body
    assert set(asked) == {1 << 20}


def test_a_redirect_is_not_followed() -> None:
    """It would take the credentials elsewhere."""
    with serving(b"", 302, Location="http://127.0.0.1:9/") as url:
        assert received(url).status == 302


@pytest.mark.parametrize(("seconds", "in_time"), [(0.0, True), (10.0, True), (12.9, True), (13.0, True), (13.1, False), (1_000.0, False)])
def test_a_body_has_the_time_to_connect_and_to_read(seconds: float, in_time: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that drips on and on is given up after both, no matter how steadily it comes."""
    times = [5_000.0, 5_000.0 + seconds]
    monkeypatch.setattr(transports, "time", SimpleNamespace(monotonic=lambda: times.pop(0) if len(times) > 1 else times[0]))

    async def sending(url: str) -> Received | MailchimpError:
        transport = ThreadedTransport(1)
        try:
            return await transport.send(outgoing(url, connect=3.0, read=10.0))
        except TransientError as error:
            return error
        finally:
            transport.close()

    with serving(b"body") as url:
        found = asyncio.run(sending(url))

    if in_time:
        assert isinstance(found, Received)
        assert found.content == b"body"
    else:
        assert isinstance(found, TimedOutError)


def test_what_waits_for_a_thread_is_not_sent_after_the_end_and_what_is_under_way_is_not_waited_for() -> None:
    """A process that ends does so at once."""
    begun, may_answer, answered = threading.Event(), threading.Event(), threading.Event()
    seen: list[str] = []

    def before(path: str) -> None:
        seen.append(path)
        begun.set()
        may_answer.wait(2)
        answered.set()

    async def story(url: str) -> tuple[bool, bool]:
        transport = ThreadedTransport(1)
        under_way = asyncio.ensure_future(transport.send(outgoing(url)))
        waiting = asyncio.ensure_future(transport.send(outgoing(f"{url}/waiting")))
        await asyncio.to_thread(begun.wait, 10)
        transport.close()
        waited = answered.is_set()
        may_answer.set()
        content = (await under_way).content
        await asyncio.wait([waiting])
        return waited, content == b"body" and waiting.cancelled()

    with serving(b"body", before=before) as url:
        assert asyncio.run(story(url)) == (False, True)
    assert seen == ["/x"]


def test_a_proxy_of_the_machine_is_used_for_https_and_never_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http is for this machine only, where no proxy can help."""
    seen: list[str] = []
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    with serving(b"proxy", before=seen.append) as proxy, serving(b"direct") as url:
        monkeypatch.setenv("HTTP_PROXY", proxy.removesuffix("/x"))
        monkeypatch.setenv("HTTPS_PROXY", proxy.removesuffix("/x"))
        assert received(url).content == b"direct"
        assert seen == []
        with pytest.raises(TransientError):
            received("https://us6.api.mailchimp.com/3.0/ping")

    assert seen == ["us6.api.mailchimp.com:443"]
