"""Answers on their way out: status, body and headers, before they become HTTP."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from mailchimp_emulator.problems import Problem

JSON = "application/json; charset=utf-8"
PROBLEM_JSON = "application/problem+json; charset=utf-8"

# Request ids need to be unlike, not secret; this is many times cheaper than uuid4.
_ids = random.Random()


def reseed_ids(seed: int) -> None:
    """Let the same request ids come again, for who compares two runs."""
    _ids.seed(seed)


def request_id() -> str:
    """An id in the form of a UUID."""
    return str(UUID(int=_ids.getrandbits(128)))


@dataclass(slots=True)
class Reply:
    """Status, body and headers of an answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    id: str = ""

    @classmethod
    def of(cls, document: Any, status: int = 200, **headers: str) -> Reply:
        """A JSON answer."""
        return cls(status, orjson.dumps(document), headers=headers)

    @classmethod
    def of_text(cls, status: int, body: Any, content_type: str = "") -> Reply:
        """An answer as a test wants it: a text as it stands, anything else as JSON that may hold what JSON may not."""
        text = body if isinstance(body, str) else json.dumps(body)
        return cls(status, text.encode(errors="surrogatepass"), content_type or JSON)

    @classmethod
    def of_problem(cls, problem: Problem) -> Reply:
        """A refusal, with an id that is also its X-Request-Id."""
        identity = request_id()
        body = orjson.dumps(problem.body(identity))
        return cls(problem.status, body, PROBLEM_JSON, dict(problem.headers), identity)


HTTP_OK = 200
NO_CONTENT = 204


def no_content() -> Reply:
    """204 with a content type and no body, as Mailchimp sends it."""
    return Reply(NO_CONTENT)
