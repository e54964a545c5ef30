"""The server: every API request passes the connection gate, the journal, latency, churn and faults on its way."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from aiohttp import web

from mailchimp_emulator.auth import authenticate, authorize
from mailchimp_emulator.calls import Call
from mailchimp_emulator.canned import canned, retry_after
from mailchimp_emulator.churn import Churn
from mailchimp_emulator.control import Control
from mailchimp_emulator.described import Question
from mailchimp_emulator.faults import ANSWER, CONNECTION_KINDS, DATE, IGNORE_OFFSET, RUN
from mailchimp_emulator.home import POLICY, home
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.problems import TRIGGERED, Problem, not_found, too_many_requests
from mailchimp_emulator.replies import HTTP_OK, NO_CONTENT, Reply, request_id
from mailchimp_emulator.rewriting import REWRITES, rewritten
from mailchimp_emulator.routes import API, OAUTH, RECORDS, Router
from mailchimp_emulator.rule import Asked, Rule
from mailchimp_emulator.vendor import API_ROOT
from mailchimp_emulator.wire import play

if TYPE_CHECKING:
    from mailchimp_emulator.state import State

MAX_BODY_BYTES = 64 * 1024 * 1024
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
        response = await self._fault_or_answer(request, _call(state, request, raw), entry)
        if delay and state.behavior.latency_share_after:
            # The time the emulator itself took is a part of the latency.
            await asyncio.sleep(max(0.0, arrived + delay - asyncio.get_running_loop().time()))
        return response

    def _delay(self) -> float:
        latency = self.state.latency
        return max(0.0, latency.seconds + latency.jitter * self._chance.uniform(-1, 1)) if latency.seconds else 0.0

    async def _fault_or_answer(self, request: web.Request, call: Call, entry: Entry) -> web.StreamResponse:
        if not self.state.faults.rules:
            return self._respond(self._answer(call))
        asked = Asked(call.method, call.path, call.query)
        self._run(asked, "before")
        rule = self.state.faults.instead(asked)
        reply = None if rule is not None and _takes_no_effect(rule, call) else self._rewritten(call, asked, entry)
        self._run(asked, "after")
        if rule is None:
            assert reply is not None, "only a fault stands in for an answer"
            return self._respond(self._dated(reply, asked, entry))
        self._note(entry, rule)
        if rule.kind in CONNECTION_KINDS:
            return await play(request, rule.kind, reply.body if reply else None, self.state.clock.http_date(), rule.seconds)
        return self._respond(self._dated(self._instead(rule), asked, entry))

    def _run(self, asked: Asked, when: str) -> None:
        """Run the commands of the rules that wait for this request: what happens just before or after it."""
        for rule in self.state.faults.striking(asked, (RUN,), when):
            try:
                for command in rule.commands:
                    self.control.run({**command})
            except (Problem, ValueError, KeyError, TypeError) as failure:
                rule.failure = f"{type(failure).__name__}: {failure}"

    def _note(self, entry: Entry, rule: Rule) -> None:
        self.state.stats.faults += 1
        entry.fault = f"{entry.fault}+{rule.kind}" if entry.fault else rule.kind

    def _instead(self, rule: Rule) -> Reply:
        reply = Reply.of_text(rule.status, rule.body, rule.content_type) if rule.kind == ANSWER else canned(rule.kind)
        if rule.retry_after is not None:
            reply.headers["Retry-After"] = retry_after(rule.retry_after, self.state.clock.now())
        reply.headers |= rule.headers
        return reply

    def _rewritten(self, call: Call, asked: Asked, entry: Entry) -> Reply:
        """Let the real answer come about, then change what the rules want changed in it."""
        for rule in self.state.faults.striking(asked, (IGNORE_OFFSET,)):
            call.query = {name: text for name, text in call.query.items() if name not in ("offset", "cursor")}
            self._note(entry, rule)
        reply = self._answer(call)
        if reply.status != HTTP_OK:
            return reply
        rules = self.state.faults.striking(asked, tuple(REWRITES))
        for rule in rules:
            self._note(entry, rule)
        if rules:
            reply.body = rewritten(reply.body, rules, self._records_key(call), call.query)
        return reply

    def _records_key(self, call: Call) -> str | None:
        """Where the items of an answer stand, None where the answer is one item."""
        path = call.path[len(API_ROOT) :]
        if call.method != "GET":
            return None
        return RECORDS.get(path.rsplit("/", 1)[-1]) or self.state.described.key(path)

    def _dated(self, reply: Reply, asked: Asked, entry: Entry) -> Reply:
        for rule in self.state.faults.striking(asked, (DATE,)):
            self._note(entry, rule)
            reply.headers["Date"] = self.state.clock.http_date(rule.skew) if rule.text is None else rule.text
        return reply

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
            question = Question(call.query, call.account, call.behavior, self.state.clock.now())
            described = self.state.described.answer(path, question) if call.method == "GET" else None
            if described is None:
                raise
            return call.show(described)
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


async def _without_empty_date(_: web.Request, response: web.StreamResponse) -> None:
    """Send no Date where a fault took it away: the web server would put one of its own in the place of none."""
    if response.headers.get("Date") == "":
        del response.headers["Date"]


def _takes_no_effect(rule: Rule, call: Call) -> bool:
    """Whether a request whose answer is replaced is not carried out either; half an answer needs a whole one."""
    reads_whole = rule.kind in ("truncate", "drip") and call.method == "GET"
    return rule.when != "after" and not reads_whole


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
