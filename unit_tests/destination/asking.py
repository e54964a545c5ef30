"""Pagers over a Mailchimp that is a function, on a virtual clock, and audiences for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from destination_mailchimp_unified.sending.scope import Scope
from mailchimp_unified.paging import Pager
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.kernel.conftest import Answers, Scripted, answer

Json = dict[str, Any]

LIST = "abc1234567"
OF_LIST = f"/3.0/lists/{LIST}"

QUIET = logging.getLogger("destination.unit.quiet")
QUIET.propagate, QUIET.handlers = False, [logging.NullHandler()]


def config(**options: Any) -> DestinationConfig:
    """Return a configuration with these options."""
    return DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}, "list_id": LIST, **options})


def path_of(outgoing: Outgoing) -> str:
    """Return the path of a request within the audience."""
    return urlsplit(outgoing.url).path.removeprefix(OF_LIST)


def body_of(outgoing: Outgoing) -> Any:
    """Return the body of a request."""
    return orjson.loads(outgoing.body or b"null")


def pager(answers: Answers, page_size: int = 1_000, seconds: float = 0.1) -> tuple[Pager, Scripted]:
    """Return a pager for an account that answers so, and what it is asked."""
    scripted = Scripted(answers, seconds=seconds)
    return Pager(scripted.client(), QUIET, page_size), scripted


def refused(detail: str = "no", title: str = "Invalid Resource", **more: Any) -> Received:
    """Return the answer to a call whose record Mailchimp does not take."""
    return answer({"type": "t", "title": title, "status": 400, "detail": detail, "instance": "i", **more}, 400)


def missing() -> Received:
    """Return the answer to a call about what is not there."""
    return answer({"type": "t", "title": "Resource Not Found", "status": 404, "detail": "", "instance": "i"}, 404)


def by_path(answers: Mapping[str, Callable[[Outgoing], Received] | Received]) -> Answers:
    """Return a Mailchimp that answers by method and path within the audience, such as "GET /members"."""

    def find(outgoing: Outgoing) -> Received:
        found = answers[f"{outgoing.method} {path_of(outgoing)}".strip()]
        return found(outgoing) if callable(found) else found

    return find


class Steps:
    """A Mailchimp that gives one answer after another; `calls` are the method, path and body of the requests."""

    def __init__(self, *answers: Received) -> None:
        self.answers, self.calls, self.params = list(answers), list[tuple[str, str, Any]](), list[Json]()

    def __call__(self, outgoing: Outgoing) -> Received:
        """Answer a request."""
        self.calls.append((outgoing.method, path_of(outgoing), body_of(outgoing)))
        self.params.append(dict(outgoing.params))
        assert self.answers, f"nobody expects {self.calls[-1]}"
        return self.answers.pop(0)

    @property
    def methods(self) -> str:
        """The methods of the requests, in order."""
        return " ".join(method for method, _, _ in self.calls)


def scope_of(answers: Answers, audience: Audience, /, **options: Any) -> Scope:
    """Return where changes are carried out: an audience, and a Mailchimp that answers so."""
    chosen = config(**options)
    return Scope(audience, chosen, pager(answers)[0], NewContacts(audience, chosen.max_new_contacts))
