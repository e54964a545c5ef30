"""A failed response of Mailchimp as the error that says who must act.

The titles are those of https://mailchimp.com/developer/marketing/docs/errors/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from mailchimp_unified.errors import (
    AccountDisabledError,
    BugError,
    ConfigError,
    DataCenterError,
    FirewallError,
    MailchimpError,
    NotFoundError,
    PermissionDeniedError,
    RejectedRecordError,
    ServerError,
    SignInError,
    TransientError,
)

PROBLEM_EXCERPT_CHARACTERS = 300
"""How much of an answer that is not a problem document is quoted in an error."""

FIREWALL_PAGE_BYTES = 2000
"""A firewall's page says so at its beginning."""

AKAMAI_PROBLEM_TYPE = "akamai_error_message"
"""Type of the JSON body with which the CDN before Mailchimp answers for it: https://github.com/drewm/mailchimp-api/issues/327."""

SIGNUP_THROTTLE_DETAIL = "has signed up to a lot of lists very recently"
"""Part of the detail of a temporary refusal: https://mailchimp.com/developer/marketing/docs/errors/."""


DATA_CENTER_DETAIL = "datacenter"
"""Part of the detail of a refusal of a key whose suffix is another data center's: https://mailchimp.com/developer/marketing/docs/errors/."""

USER_DISABLED_TITLE = "User Disabled"
"""Title of the refusal of a deactivated account: https://mailchimp.com/developer/marketing/docs/errors/."""

PARSE_TITLE = "JSON Parse Exception"
"""Title of the refusal of a body that is not JSON: https://mailchimp.com/developer/marketing/docs/errors/."""

FIREWALL_WORDS = b"access denied"
"""In the page of the firewall before Mailchimp, in lower case: https://github.com/drewm/mailchimp-api/issues/327."""

# The form of the request is wrong, regardless of its record: https://mailchimp.com/developer/marketing/docs/errors/.
_NEVER_THE_RECORD = (HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.UNPROCESSABLE_ENTITY)

# These pass by themselves: https://www.rfc-editor.org/rfc/rfc9110#section-15.5, https://www.rfc-editor.org/rfc/rfc4918#section-11.3.
_TRANSIENT = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.LOCKED,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
)

_NOT_CARRIED_OUT = (HTTPStatus.FORBIDDEN, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True)
class FailedResponse:
    """An HTTP answer as far as it decides between success and error; `what` names the request for the user."""

    status: int
    what: str
    method: str = "GET"
    content_type: str = "application/json"
    body: bytes = b""
    retry_after: str | None = None
    date: str | None = None
    problem: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", _problem(self.content_type, self.body))

    @property
    def title(self) -> str:
        """Mailchimp's problem title, "" when the body is not a problem document."""
        return str(self.problem.get("title") or "")

    @property
    def detail(self) -> str:
        """Mailchimp's own words, or the beginning of a body that is not a problem document."""
        if self.problem:
            return str(self.problem.get("detail") or "")
        return self.body[:PROBLEM_EXCERPT_CHARACTERS].decode("utf-8", "replace").strip()


def error_for(answer: FailedResponse) -> MailchimpError:
    """Turn an answer with a status of 400 or above into the error that says who must act.

    Branches on status code and content type only, as https://mailchimp.com/developer/marketing/docs/errors/ advises;
    the title only refines the wording.
    """
    if _is_firewall(answer):
        return _blocked(answer)
    if answer.status in _TRANSIENT or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _transient(answer)
    if answer.status == HTTPStatus.FORBIDDEN:
        return _forbidden(answer) if answer.problem else _transient(answer)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return SignInError(
            "Mailchimp rejected the credentials: the key or token is wrong, was revoked, or belongs to a user who was"
            " removed. Enter a new API key or sign in again.",
            detail=answer.detail,
        )
    return _refused(answer)


def _problem(content_type: str, body: bytes) -> dict[str, Any]:
    if "json" not in content_type:
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _transient(answer: FailedResponse) -> TransientError:
    # A throttled request was never carried out; one that failed inside Mailchimp may have been.
    kind = ServerError if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else TransientError
    return _passing(kind, f"HTTP {answer.status}", answer, sent=answer.status not in _NOT_CARRIED_OUT)


def _blocked(answer: FailedResponse) -> TransientError:
    words = f"A firewall in front of Mailchimp blocks the IP address of this machine (HTTP {answer.status})"
    return _passing(FirewallError, words, answer, sent=False)


def _passing(kind: type[TransientError], said: str, answer: FailedResponse, *, sent: bool) -> TransientError:
    pause = _seconds(answer.retry_after, answer.date)
    return kind(said, what=answer.what, detail=answer.detail, sent=sent, answered=True, retry_after=pause)


def _is_firewall(answer: FailedResponse) -> bool:
    if answer.problem.get("type") == AKAMAI_PROBLEM_TYPE:
        return True
    page = answer.body[:FIREWALL_PAGE_BYTES].lower()
    return answer.status == HTTPStatus.FORBIDDEN and not answer.problem and FIREWALL_WORDS in page


def _seconds(retry_after: str | None, date: str | None) -> float:
    """Return the pause that a Retry-After header names, in seconds or as a time; 0 when it names none."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _forbidden(answer: FailedResponse) -> ConfigError:
    if DATA_CENTER_DETAIL in answer.detail:
        return DataCenterError(
            "The API key's suffix names the wrong data center. Copy the whole key from Mailchimp again.",
            detail=answer.detail,
        )
    if answer.title == USER_DISABLED_TITLE:
        return AccountDisabledError("The Mailchimp account is deactivated. Reactivate it in Mailchimp.", detail=answer.detail)
    return PermissionDeniedError(
        f"This Mailchimp user does not have access to {answer.what}. Use a user with a higher role, or a plan that includes it.",
        detail=answer.detail,
    )


def _refused(answer: FailedResponse) -> MailchimpError:
    if answer.status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"Mailchimp returned 404 (not found) for {answer.what}.", detail=answer.detail)
    if answer.status == HTTPStatus.UPGRADE_REQUIRED:
        return ConfigError("Mailchimp accepts HTTPS only. Correct api_url.", detail=answer.detail)
    return _not_accepted(answer)


def _not_accepted(answer: FailedResponse) -> MailchimpError:
    fields = tuple((str(e.get("field", "")), str(e.get("message", ""))) for e in _complaints(answer))
    words = answer.title or f"status {answer.status}"
    if SIGNUP_THROTTLE_DETAIL in answer.detail:
        return RejectedRecordError(
            "Mailchimp temporarily blocks sign-ups for this email address; try again in a few hours.",
            detail=answer.detail,
            title=words,
            fields=fields,
            temporary=True,
        )
    if answer.method == "GET" or answer.status in _NEVER_THE_RECORD or answer.title == PARSE_TITLE:
        return BugError(f"Mailchimp rejected the request for {answer.what} as malformed ({words}).", detail=answer.detail)
    return RejectedRecordError(f"Mailchimp rejected the record ({words}).", detail=answer.detail, title=words, fields=fields)


def _complaints(answer: FailedResponse) -> list[dict[str, Any]]:
    complaints = answer.problem.get("errors")
    return [c for c in complaints if isinstance(c, dict)] if isinstance(complaints, list) else []
