"""From an answer to the error that says who must act."""

from __future__ import annotations

import orjson
import pytest
from airbyte_cdk.models import FailureType

from mailchimp_unified import errors
from mailchimp_unified.errors import Answer, TransientError, error_for
from source_mailchimp_unified.faults import traced

PROBLEM = "application/problem+json; charset=utf-8"
HTML = "text/html"


def problem(status: int, title: str, detail: str = "", method: str = "GET", **more: object) -> Answer:
    """Return a problem document as Mailchimp writes it."""
    body = orjson.dumps({"title": title, "status": status, "detail": detail, **more})
    return Answer(status, "the contacts", method, PROBLEM, body)


TABLE = {
    "401": (problem(401, "API Key Invalid"), errors.SignInError, FailureType.config_error, "sign in again"),
    "403 wrong data center": (
        problem(403, "Forbidden", "The API key provided is linked to datacenter 'us6'"), errors.DataCenterError, FailureType.config_error, "data center"),
    "403 role": (problem(403, "Forbidden", "no access"), errors.PermissionDeniedError, FailureType.config_error, "higher role"),
    "403 disabled": (problem(403, "User Disabled"), errors.AccountDisabledError, FailureType.config_error, "deactivated"),
    "403 without JSON": (Answer(403, "the contacts", content_type=HTML, body=b"<h1>"), errors.TransientError, FailureType.transient_error, "HTTP 403"),
    "404": (problem(404, "Resource Not Found"), errors.NotFoundError, FailureType.config_error, "the contacts"),
    "429": (problem(429, "TooManyRequests"), errors.TransientError, FailureType.transient_error, "HTTP 429"),
    "500": (problem(500, "InternalServerError"), errors.ServerError, FailureType.transient_error, "HTTP 500"),
    "502 HTML": (Answer(502, "the contacts", content_type=HTML, body=b"<h1>"), errors.ServerError, FailureType.transient_error, "HTTP 502"),
    "akamai": (problem(403, "akamai_503", type="akamai_error_message"), errors.FirewallError, FailureType.transient_error, "IP address"),
    "400 reading": (problem(400, "Invalid Resource"), errors.BugError, FailureType.system_error, "does not understand"),
    "400 writing": (
        problem(400, "Member In Compliance State", "x", "PUT"), errors.RejectedRecordError, FailureType.system_error, "Member In Compliance State"),
    "400 bad JSON": (problem(400, "JSON Parse Exception", "x", "POST"), errors.BugError, FailureType.system_error, "does not understand"),
    "405 writing": (problem(405, "Method Not Allowed", "x", "DELETE"), errors.RejectedRecordError, FailureType.system_error, "Method Not Allowed"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "class_", "failure", "words"), TABLE.values(), ids=TABLE.keys())
def test_an_answer_is_classed_by_who_must_act(answer: Answer, class_: type[Exception], failure: FailureType, words: str) -> None:
    """Status and content type decide the class, the class decides Airbyte's failure type, and the message says what to do."""
    error = error_for(answer)

    assert type(error) is class_
    assert traced(error).failure_type == failure
    assert words in error.message


@pytest.mark.parametrize(("status", "sent"), [(429, False), (403, False), (500, True), (502, True)])
def test_a_throttled_request_was_not_carried_out(status: int, sent: bool) -> None:
    """Only a throttle is surely before the deed: what is not repeatable is tried again after it alone."""
    error = error_for(Answer(status, "the contacts", "POST", HTML, b""))

    assert isinstance(error, errors.TransientError)
    assert error.sent == sent


def test_retry_after_is_heeded() -> None:
    """When Mailchimp names a pause, it becomes the pause."""
    error = error_for(Answer(429, "the contacts", content_type=PROBLEM, body=b"{}", retry_after="7"))

    assert isinstance(error, errors.TransientError)
    assert error.retry_after == 7


def test_the_words_of_a_refusal_survive() -> None:
    """The fields that Mailchimp complains about are kept with its messages."""
    error = error_for(problem(400, "Invalid Resource", "merge", "PUT", errors=[{"field": "LTV", "message": "Please enter a number"}]))

    assert isinstance(error, errors.RejectedRecordError)
    assert error.fields == (("LTV", "Please enter a number"),)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("Wed, 25 Nov 2026 12:00:09 GMT", 9.0), ("Wed, 25 Nov 2026 11:59:00 GMT", 0.0), ("soon", 0.0), (None, 0.0)],
)
def test_a_pause_that_mailchimp_asks_for_is_never_less_than_none(value: str | None, seconds: float) -> None:
    """In seconds, or as a time by Mailchimp's own clock; one that is over, or is none, is no pause."""
    answer = Answer(429, "a ping", "GET", "application/json", b"{}", retry_after=value, date="Wed, 25 Nov 2026 12:00:00 GMT")
    error = error_for(answer)

    assert isinstance(error, TransientError)
    assert error.retry_after == seconds


def test_only_an_error_that_ends_a_command_says_what_to_do_next() -> None:
    """What failed for a while is also logged where a sync continues: trying again is advised only where a command ends with it."""
    error = TransientError("HTTP 500", what="the contacts of Newsletter")
    error.give_up(3, 900)

    assert traced(error).message == error.closing_message != error.message
    assert errors.ConfigError("Set list_id.").closing_message == "Set list_id."
