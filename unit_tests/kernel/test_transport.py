"""Requests as they go over the wire: packed answers, big answers, and no redirect."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from requests.auth import HTTPBasicAuth

from mailchimp_unified.transport import Outgoing, Received, ThreadedTransport


@contextmanager
def serving(body: bytes, status: int = 200, **headers: str) -> Iterator[str]:
    """Serve one answer on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/x"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def received(url: str) -> Received:
    """Return the answer to one request."""

    async def sending() -> Received:
        transport = ThreadedTransport(1)
        try:
            return await transport.send(Outgoing("GET", url, "x", {}, None, HTTPBasicAuth("a", "b"), 10.0, 10.0))
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
