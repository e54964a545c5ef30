"""The server: every API request passes the connection gate, the journal, latency, churn and faults on its way."""

from __future__ import annotations

import asyncio
import random

from aiohttp import web

from mailchimp_emulator.answering import Answering, Outcome
from mailchimp_emulator.calls import Call
from mailchimp_emulator.churn import Churn
from mailchimp_emulator.control import Control
from mailchimp_emulator.home import POLICY, home
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.problems import too_many_requests
from mailchimp_emulator.replies import NO_CONTENT, Reply, no_content
from mailchimp_emulator.state import State
from mailchimp_emulator.wire import play

MAX_BODY_BYTES = 64 * 1024 * 1024


class Server:
    """Serves one state; the order of its steps is the order of the methods."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.churn = Churn(state)
        self.control = Control(state, self.churn)
        self.answering = Answering(state, self.control)
        self._chance = random.Random(0)

    def app(self) -> web.Application:
        """The aiohttp application: control plane and everything else."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/_control/{name:.*}", self.control.answer)
        app.router.add_get("/", self.home)
        app.router.add_route("*", "/{path:.*}", self.serve)
        app.on_response_prepare.append(_without_empty_date)
        return app

    async def home(self, _: web.Request) -> web.Response:
        """Show a browser what there is; like the control plane neither counted nor in the journal."""
        return web.Response(text=home(self.state), content_type="text/html", headers={"Content-Security-Policy": POLICY})

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
        entry.raw = raw
        delay, arrived = self._delay(), asyncio.get_running_loop().time()
        if delay:
            await asyncio.sleep(delay * (1 - state.behavior.latency_share_after))
        state.clock.advance(state.clock.tick_per_request)
        self.churn.before_answer()
        response = await self._sent(request, self.answering.outcome(_call(state, request, raw), entry))
        if delay and state.behavior.latency_share_after:
            # The time the emulator itself took is a part of the latency.
            await asyncio.sleep(max(0.0, arrived + delay - asyncio.get_running_loop().time()))
        return response

    def _delay(self) -> float:
        latency = self.state.latency
        return max(0.0, latency.seconds + latency.jitter * self._chance.uniform(-1, 1)) if latency.seconds else 0.0

    async def _sent(self, request: web.Request, outcome: Outcome) -> web.StreamResponse:
        if outcome.broken is None:
            return self._respond(outcome.reply or no_content())
        body = outcome.reply.body if outcome.reply else None
        return await play(request, outcome.broken.kind, body, self.state.clock.http_date(), outcome.broken.seconds)

    def _respond(self, reply: Reply) -> web.Response:
        self.state.stats.bytes_out += len(reply.body)
        body = None if reply.status == NO_CONTENT else reply.body
        return web.Response(status=reply.status, body=body, headers=self.answering.headers(reply))


async def _without_empty_date(_: web.Request, response: web.StreamResponse) -> None:
    """Send no Date where a fault took it away: the web server would put one of its own in the place of none."""
    if response.headers.get("Date") == "":
        del response.headers["Date"]


def _entry(request: web.Request, open_now: int, at: float) -> Entry:
    headers = {name.lower(): text for name, text in request.headers.items()}
    return Entry(0, at, request.method, request.path, dict(request.query), headers, open_now)


def _call(state: State, request: web.Request, raw: bytes) -> Call:
    method = request.method
    if method == "POST":
        # https://mailchimp.com/developer/marketing/docs/methods-parameters/#method-override
        method = request.headers.get("X-HTTP-Method-Override", method).upper()
    return Call(state, method, request.path, dict(request.query), request.headers, raw, request.remote or "")
