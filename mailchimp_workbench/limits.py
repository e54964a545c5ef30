"""How much a request may carry, and a clear answer when it carries more."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailchimp_workbench.templating import problem_page

MEGABYTE = 1 << 20
UPLOAD_PATH = "/send/upload"
LARGEST_UPLOAD = 100 * MEGABYTE
LARGEST_FORM = 4 * MEGABYTE
"""A mapping of a thousand columns takes a third of a megabyte."""

MOST_DRAINED = 2048 * MEGABYTE
"""A browser shows an answer only when it could send all it had; beyond this the connection is cut."""


class TooLargeError(Exception):
    """The request carries more than it may."""


@dataclass(frozen=True)
class Limit:
    """Refuses requests whose body is too large, by what they announce and by what comes."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = LARGEST_UPLOAD if scope["path"] == UPLOAD_PATH else LARGEST_FORM
        body = _Body(receive, most)
        try:
            _check_announced(scope, most)
            await self.app(scope, body.receive, send)
        except TooLargeError:
            await body.drain()
            await _refusal(scope, most)(scope, receive, send)


def _check_announced(scope: Scope, most: int) -> None:
    if int(Headers(scope=scope).get("content-length") or 0) > most:
        raise TooLargeError


class _Body:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._size, self._ended = 0, False

    async def receive(self) -> Message:
        message = await self._next()
        if self._size > self._most:
            raise TooLargeError
        return message

    async def drain(self) -> None:
        while not self._ended and self._size <= MOST_DRAINED:
            await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def _refusal(scope: Scope, most: int) -> ASGIApp:
    title = f"This is larger than {most // MEGABYTE} MB."
    words = (
        "Nothing was read. Please split the file, or load it into the DuckDB file and choose the table." if most == LARGEST_UPLOAD else ""
    )
    return problem_page(Headers(scope=scope), 413, title, words)
