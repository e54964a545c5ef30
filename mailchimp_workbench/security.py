"""The gate before every page: this machine only, this page only, and only with the token of the printed address.

A page on the internet can make a browser send requests to 127.0.0.1. The name in `Host` keeps out rebound domain names, `Origin` keeps
out other pages (those on other ports of this machine too), the cookie keeps out other people of this machine.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD")
OPEN_PATH, STATIC = "/open", "/static/"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""No script and no style but those of our own files: text from a CSV file or from Mailchimp can run nothing."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer, browsers hide the origin of our own forms too
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

UNKNOWN_VISITOR = "Open the URL that the command printed: it contains the token of this workbench.\n"
WRONG_HOST = "This page is available only at its own address on this machine.\n"
WRONG_ORIGIN = "This request comes from another page, so nothing was done.\n"


@dataclass(frozen=True)
class Gate:
    """Lets requests of the own page pass, and gives each answer the headers that keep it private."""

    app: ASGIApp
    port: int
    token: str
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            guarded = _with_headers(send)
            answer = self._refusal(scope) or self._opened(scope)
            await (answer or self.app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts():
            return PlainTextResponse(WRONG_HOST, 403)
        if origin != f"http://{host}" and (origin is not None or scope["method"] not in SAFE_METHODS):
            return PlainTextResponse(WRONG_ORIGIN, 403)
        if scope["path"] == OPEN_PATH or scope["path"].startswith(STATIC):
            return None
        if not secrets.compare_digest(_cookie(headers, self._cookie_name()).encode(), self.session.encode()):
            return PlainTextResponse(UNKNOWN_VISITOR, 401)
        return None

    def _opened(self, scope: Scope) -> Response | None:
        if scope["path"] != OPEN_PATH:
            return None
        given = QueryParams(scope["query_string"]).get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse(UNKNOWN_VISITOR, 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie_name(), self.session, path="/", httponly=True, samesite="strict")
        return answer

    def _hosts(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    def _cookie_name(self) -> str:
        # Browsers share cookies between the ports of a host: two workbenches need two names.
        return f"workbench_{self.port}"


def _cookie(headers: Headers, name: str) -> str:
    morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    return morsel.value if morsel else ""


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            _add_headers(message)
        await send(message)

    return guarded


def _add_headers(message: MutableMapping[str, Any]) -> None:
    own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    message["headers"] = [*message.get("headers", []), *own]
