"""What becomes of a request: the rules of the API, and the faults. Nothing here waits or knows a socket."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from mailchimp_emulator.auth import authenticate, authorize
from mailchimp_emulator.calls import Call
from mailchimp_emulator.canned import canned, retry_after
from mailchimp_emulator.control import Control
from mailchimp_emulator.described import Question
from mailchimp_emulator.faults import ANSWER, CONNECTION_KINDS, DATE, IGNORE_OFFSET, RUN
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.problems import TRIGGERED, Problem, not_found
from mailchimp_emulator.replies import HTTP_OK, Reply, request_id
from mailchimp_emulator.rewriting import REWRITES, rewritten
from mailchimp_emulator.routes import API, OAUTH, RECORDS, Router
from mailchimp_emulator.rule import Asked, Rule
from mailchimp_emulator.state import State
from mailchimp_emulator.vendor import API_ROOT

_COLLECTIONS = ("members", "lists", "segments", "merge-fields", "tags")


class Outcome(NamedTuple):
    """What becomes of a request: an answer, or a connection that breaks, after half of the answer where there is one."""

    reply: Reply | None
    broken: Rule | None = None


class Answering:
    """Answers calls from one state."""

    def __init__(self, state: State, control: Control) -> None:
        self.state, self.control = state, control
        self.api, self.oauth = _routers()

    def outcome(self, call: Call, entry: Entry) -> Outcome:
        """What becomes of a request, faults included; nothing here waits or knows a socket."""
        if not self.state.faults.rules:
            return Outcome(self.answer(call))
        asked = Asked(call.method, call.path, call.query)
        self._run(asked, "before")
        rule = self.state.faults.instead(asked)
        reply = None if rule is not None and _takes_no_effect(rule, call) else self._rewritten(call, asked, entry)
        self._run(asked, "after")
        if rule is None:
            assert reply is not None, "only a fault stands in for an answer"
            return Outcome(self._dated(reply, asked, entry))
        self._note(entry, rule)
        if rule.kind in CONNECTION_KINDS:
            return Outcome(reply, rule)
        return Outcome(self._dated(self._instead(rule), asked, entry))

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
        reply = self.answer(call)
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

    def answer(self, call: Call) -> Reply:
        """Answer a call as it is, without faults."""
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

    def headers(self, reply: Reply) -> dict[str, str]:
        """The headers with which an answer is sent now."""
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
        return headers


@cache
def _routers() -> tuple[Router, Router]:
    return Router(API), Router(OAUTH)


def _takes_no_effect(rule: Rule, call: Call) -> bool:
    """Whether a request whose answer is replaced is not carried out either; half an answer needs a whole one."""
    reads_whole = rule.kind in ("truncate", "drip") and call.method == "GET"
    return rule.when != "after" and not reads_whole


def _schema(call: Call) -> str:
    """The schema that the Link header names: `/schema/3.0/Lists/Members/Collection.json`."""
    words = [part.title().replace("-", "") for part in call.path.split("/")[2:] if part in _COLLECTIONS]
    kind = "Collection" if call.path.rsplit("/", 1)[-1] in _COLLECTIONS else "Instance"
    return "/".join(["/schema/3.0", *(words or ["Root"]), f"{kind}.json"])
