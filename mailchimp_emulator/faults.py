"""Faults on demand: which requests go wrong, how, and before or after they took effect."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from mailchimp_emulator.problems import Problem, forbidden, internal_error, too_many_requests
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.vendor import SIMULTANEOUS_CONNECTIONS

_HTML = "text/html; charset=UTF-8"
_ACCESS_DENIED = b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1></BODY></HTML>"
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body>"
# https://github.com/drewm/mailchimp-api/issues/327
_AKAMAI = {
    "type": "akamai_error_message",
    "title": "akamai_503",
    "status": 503,
    "ref_no": "Reference Number: 00.810a1602.1600000000.2f6d1b",
}
# Faults of the connection, which the server plays out on the socket.
CONNECTION_KINDS = ("reset", "truncate", "hang")
_PROBLEMS: dict[str, Any] = {
    "429": lambda: too_many_requests(SIMULTANEOUS_CONNECTIONS),
    "403_json": forbidden,
    "500": internal_error,
}
_REPLIES = {
    "403_html": Reply(403, _ACCESS_DENIED, content_type=_HTML),
    "502_html": Reply(502, _BAD_GATEWAY, content_type=_HTML),
    "503_akamai": Reply(503, orjson.dumps(_AKAMAI), content_type="application/json"),
    "empty_200": Reply(200, b""),
    "not_json_200": Reply(200, b"<html><body>One moment, please</body></html>", content_type=_HTML),
}
KINDS = (*_PROBLEMS, *_REPLIES, *CONNECTION_KINDS)


@dataclass(slots=True)
class Rule:
    """Requests that match `method` and `path` (a regular expression) go wrong in the way of `kind`.

    The first `after` matches pass; of the others each is hit with `probability`, at most `times` in all.
    With `when` "after" the request takes effect and only its answer is lost.
    """

    kind: str
    method: str = ""
    path: str = ""
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    when: str = "before"
    matched: int = 0
    hits: int = 0

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Rule:
        """Read a rule; unknown keys and kinds are errors."""
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(raw) - known):
            raise ValueError(f"unknown keys in a fault: {', '.join(unknown)}")
        rule = cls(**raw)
        if rule.kind not in KINDS:
            raise ValueError(f"unknown fault {rule.kind!r}; known: {', '.join(KINDS)}")
        if rule.when not in ("before", "after"):
            raise ValueError("when is 'before' or 'after'")
        return rule

    def strikes(self, method: str, path: str, chance: random.Random) -> bool:
        """Whether this request is hit; counts matches and hits."""
        if (self.method and self.method != method) or (self.path and not re.search(self.path, path)):
            return False
        self.matched += 1
        spent = self.times is not None and self.hits >= self.times
        if spent or self.matched <= self.after or chance.random() >= self.probability:
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force and the chance that decides among equals."""

    rules: list[Rule] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def set(self, rules: list[dict[str, Any]], seed: int = 0) -> None:
        """Replace the rules and begin the chance anew."""
        self.rules = [Rule.of(rule) for rule in rules]
        self.chance = random.Random(seed)

    def strike(self, method: str, path: str) -> Rule | None:
        """The first rule that hits this request."""
        return next((rule for rule in self.rules if rule.strikes(method, path, self.chance)), None)


def faulty_reply(kind: str) -> Reply:
    """The answer that stands in for the real one."""
    if kind in _PROBLEMS:
        problem: Problem = _PROBLEMS[kind]()
        return Reply.of_problem(problem)
    return _REPLIES[kind]
