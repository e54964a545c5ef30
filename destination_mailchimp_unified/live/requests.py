"""What a request to POST /contacts holds: events, or words that say why it holds none. Knows nothing of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from destination_mailchimp_unified.live.events import Event, Streams, event_of
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.parsing import UnreadableError, exactly_parsed

LARGEST_BODY = 8 << 20
"""Bytes of a request."""

MOST_EVENTS = 5_000
"""Events of a request: ten bulk calls."""


RETRY_AFTER = 2
"""Seconds after which a sender that found no room may try again: about the time of a few Mailchimp calls."""


@dataclass(eq=False)
class RefusedError(Exception):
    """A request that is not carried out: the status, and the words that say what to do."""

    status: HTTPStatus
    words: str
    retry_after: int | None = None


def check_headers(content_type: str, encoding: str, length: str) -> None:
    """Raise RefusedError for a body that is not read at all."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, with the header Content-Type: application/json.")
    if encoding.strip().lower() not in ("", "identity"):
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body uncompressed, without the header Content-Encoding.")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise too_large()


def too_large() -> RefusedError:
    """Return the refusal of a body that is too large."""
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {LARGEST_BODY} bytes in one request.")


def full() -> RefusedError:
    """Return the refusal of a request that finds no room."""
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many contacts are waiting. Retry later.", RETRY_AFTER)


def events_of(body: bytes, streams: Streams) -> tuple[list[Event], bool]:
    """Return the events of a body, and whether it was a list. Raises RefusedError."""
    try:
        content = exactly_parsed(body)
    except UnreadableError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not JSON, or is nested too deeply.") from None
    if isinstance(content, dict):
        return [event_of(content, streams)], False
    if not isinstance(content, list):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is one contact, as a JSON object, or a list of them.")
    if len(content) > MOST_EVENTS:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {MOST_EVENTS} contacts in one request.")
    return [event_of(columns, streams) for columns in content], True


def status_of(outcomes: Iterable[Outcome]) -> HTTPStatus:
    """Return 200 where nothing was rejected, 422 where everything was, 207 in between."""
    rejected = {outcome.kind == "rejected" for outcome in outcomes}
    if rejected == {True}:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.MULTI_STATUS if len(rejected) > 1 else HTTPStatus.OK


def words(text: str) -> dict[str, Any]:
    """Return an answer that is not an outcome."""
    return {"error": text}
