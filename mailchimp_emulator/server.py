"""The server: every API request passes the connection gate, the journal, latency, churn and faults on its way."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from typing import TYPE_CHECKING, Any

from aiohttp import web

from mailchimp_emulator.auth import authenticate, authorize
from mailchimp_emulator.calls import Call
from mailchimp_emulator.churn import Churn
from mailchimp_emulator.control import Control
from mailchimp_emulator.faults import CONNECTION_KINDS, Rule, faulty_reply
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.problems import TRIGGERED, Problem, not_found, too_many_requests
from mailchimp_emulator.replies import HTTP_OK, NO_CONTENT, Reply, request_id
from mailchimp_emulator.routes import API, OAUTH, Router
from mailchimp_emulator.vendor import API_ROOT

if TYPE_CHECKING:
    from mailchimp_emulator.state import State

MAX_BODY_BYTES = 64 * 1024 * 1024
# How often a hanging request looks whether its client is still there.
_HANG_LOOK_SECONDS = 0.02
_TRUNCATED_STUB = b'{"id":"'
_COLLECTIONS = ("members", "lists", "segments", "merge-fields", "tags")


class Server:
    """Serves one state; the order of its steps is the order of the methods."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.api, self.oauth = Router(API), Router(OAUTH)
        self.churn = Churn(state)
        self.control = Control(state, self.churn)
        self._chance = random.Random(0)

    def app(self) -> web.Application:
        """The aiohttp application: control plane and everything else."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/_control/{name:.*}", self.control.answer)
        app.router.add_route("*", "/{path:.*}", self.serve)
        return app

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Count the request as open from here to its last byte but one."""
        state, stats = self.state, self.state.stats
        stats.requests += 1
        stats.open += 1
        stats.peak_open = max(stats.peak_open, stats.open)
        entry = _entry(request, stats.open, state.clock.now())
        state.journal.add(entry)
        try:
            response = await self._admit(request, entry)
            entry.status = entry.status or response.status
            if state.journal.capture_answers and isinstance(response, web.Response) and isinstance(response.body, bytes):
                entry.answer = response.body
            return response
        finally:
            stats.open -= 1

    async def _admit(self, request: web.Request, entry: Entry) -> web.StreamResponse:
        state, limit = self.state, self.state.behavior.connection_limit
        if limit and entry.open > limit:
            state.stats.refused_429 += 1
            return self._respond(Reply.of_problem(too_many_requests(limit)))
        raw = await request.read()
        if state.journal.capture_bodies:
            entry.raw = raw
        delay, arrived = self._delay(), asyncio.get_running_loop().time()
        if delay:
            await asyncio.sleep(delay * (1 - state.behavior.latency_share_after))
        state.clock.advance(state.clock.tick_per_request)
        self.churn.before_answer()
        response = await self._fault_or_answer(request, _call(state, request, raw), entry)
        if delay and state.behavior.latency_share_after:
            # Whatever the emulator itself took is a part of the latency.
            await asyncio.sleep(max(0.0, arrived + delay - asyncio.get_running_loop().time()))
        return response

    def _delay(self) -> float:
        latency = self.state.latency
        return max(0.0, latency.seconds + latency.jitter * self._chance.uniform(-1, 1)) if latency.seconds else 0.0

    async def _fault_or_answer(self, request: web.Request, call: Call, entry: Entry) -> web.StreamResponse:
        rule = self.state.faults.strike(call.method, call.path)
        if rule is None:
            return self._respond(self._answer(call))
        self.state.stats.faults += 1
        entry.fault = rule.kind
        reads_whole = rule.kind == "truncate" and call.method == "GET"
        reply = self._answer(call) if rule.when == "after" or reads_whole else None
        return await self._play(request, rule, reply)

    async def _play(self, request: web.Request, rule: Rule, reply: Reply | None) -> web.StreamResponse:
        if rule.kind not in CONNECTION_KINDS:
            return self._respond(faulty_reply(rule.kind))
        if rule.kind == "truncate":
            return await _truncate(request, reply.body if reply else _TRUNCATED_STUB)
        if rule.kind == "hang":
            while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(_HANG_LOOK_SECONDS)
        return _reset(request)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._route(call)
        except Problem as problem:
            return Reply.of_problem(problem)

    def _route(self, call: Call) -> Reply:
        if call.path.startswith("/oauth2/"):
            handler, call.params = self.oauth.match(call.method, call.path)
            return handler(call)
        if call.path != API_ROOT and not call.path.startswith(API_ROOT + "/"):
            raise not_found()
        if trigger := TRIGGERED.get(call.headers.get("X-Trigger-Error", "")):
            raise trigger()
        authenticate(call.account, call.headers, call.query)
        authorize(call.account, call.method, call.path)
        reply = self._reply(call, call.path[len(API_ROOT) :])
        if reply.status == HTTP_OK:
            reply.headers.setdefault("Link", f'<{call.origin}{_schema(call)}>; rel="describedBy"')
        return reply

    def _reply(self, call: Call, path: str) -> Reply:
        """Let the handler of a path answer, else what is described there."""
        try:
            handler, call.params = self.api.match(call.method, path)
        except Problem:
            described = self.state.described.answer(call, path)
            if described is None:
                raise
            return described
        return handler(call)

    def _respond(self, reply: Reply) -> web.Response:
        headers = {
            "Server": "openresty",
            "Content-Type": reply.content_type,
            "X-Request-Id": reply.id or request_id(),
            "Date": self.state.clock.http_date(),
            **reply.headers,
        }
        if reply.status == HTTP_OK:
            headers["Vary"] = "Accept-Encoding"
        if reply.status >= 400 and "Link" not in headers:
            schema = f"{self.state.origin}/schema/3.0/Definitions/ProblemDetailDocument.json"
            headers["Link"] = f'<{schema}>; rel="describedBy"'
        self.state.stats.bytes_out += len(reply.body)
        body = None if reply.status == NO_CONTENT else reply.body
        return web.Response(status=reply.status, body=body, headers=headers)


def _schema(call: Call) -> str:
    """The schema that the Link header names: `/schema/3.0/Lists/Members/Collection.json`."""
    words = [part.title().replace("-", "") for part in call.path.split("/")[2:] if part in _COLLECTIONS]
    kind = "Collection" if call.path.rsplit("/", 1)[-1] in _COLLECTIONS else "Instance"
    return "/".join(["/schema/3.0", *(words or ["Root"]), f"{kind}.json"])


def _entry(request: web.Request, open_now: int, at: float) -> Entry:
    headers = {name.lower(): text for name, text in request.headers.items()}
    return Entry(0, at, request.method, request.path, dict(request.query), headers, open_now)


def _call(state: State, request: web.Request, raw: bytes) -> Call:
    method = request.method
    if method == "POST":
        # https://mailchimp.com/developer/marketing/docs/methods-parameters/#method-override
        method = request.headers.get("X-HTTP-Method-Override", method).upper()
    return Call(state, method, request.path, dict(request.query), request.headers, raw, request.remote or "")


async def _truncate(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send half, and close."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body) + 2)}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(body[: len(body) // 2 + 1])
    if request.transport is not None:
        request.transport.close()
    return response


def _reset(request: web.Request) -> web.Response:
    """Break the connection without an answer; a linger of zero makes the kernel send RST."""
    transport = request.transport
    if transport is not None:
        link: Any = transport.get_extra_info("socket")
        if link is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
