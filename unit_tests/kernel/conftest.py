"""A Mailchimp that is a function: what it answers, and the requests it saw, on a clock that never waits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.config import ConnectionConfig
from mailchimp_unified.patience import Patience
from mailchimp_unified.transport import Outgoing, Received

Answers = Callable[[Outgoing], Received | Exception]


def answer(body: Any, status: int = 200, **headers: str) -> Received:
    """Return an answer with a JSON body, or with bytes as they are."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Received(status, {"Content-Type": "application/json", "Date": "Wed, 25 Nov 2026 12:00:00 GMT", **headers}, content)


@dataclass
class Scripted:
    """A transport whose answers are a function of the request; each takes `seconds`."""

    answers: Answers
    seconds: float = 0.1
    seen: list[Outgoing] = field(default_factory=list)
    open: int = 0
    peak: int = 0

    async def send(self, outgoing: Outgoing) -> Received:
        """Answer, or raise what the script says."""
        self.seen.append(outgoing)
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            await asyncio.sleep(self.seconds)
            found = self.answers(outgoing)
        finally:
            self.open -= 1
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """Nothing to close."""

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [urlsplit(one.url).path for one in self.seen]

    def client(self, patience: Patience | None = None, credentials: Mapping[str, str] | None = None, workers: int = 6) -> MailchimpClient:
        """Return a client that talks to this script."""
        credentials = credentials or {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}
        config = ConnectionConfig.model_validate({"credentials": dict(credentials), "num_workers": workers})
        return MailchimpClient(config, patience=patience, transport=self)


@pytest.fixture(autouse=True)
def _same_jitter() -> None:
    """The same pauses in every run."""
    random.seed(0)
