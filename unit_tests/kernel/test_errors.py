"""From an answer to the error that says who must act."""

from __future__ import annotations

import re

import orjson
import pytest
from airbyte_cdk.models import FailureType

from mailchimp_unified import errors
from mailchimp_unified.errors import TransientError
from mailchimp_unified.failed_responses import FailedResponse, error_for
from source_mailchimp_unified.faults import traced

PROBLEM = "application/problem+json; charset=utf-8"
HTML = "text/html"


def problem(status: int, title: str, detail: str = "", method: str = "GET", **more: object) -> FailedResponse:
    """Return a problem document as Mailchimp writes it."""
    body = orjson.dumps({"title": title, "status": status, "detail": detail, **more})
    return FailedResponse(status, "the contacts", method, PROBLEM, body)


TABLE = {
    "401": (problem(401, "API Key Invalid"), errors.SignInError, FailureType.config_error, "sign in again"),
    "403 wrong data center": (
        problem(403, "Forbidden", "The API key provided is linked to datacenter 'us6'"), errors.DataCenterError, FailureType.config_error, "data center"),
    "403 role": (problem(403, "Forbidden", "no access"), errors.PermissionDeniedError, FailureType.config_error, "higher role"),
    "403 disabled": (problem(403, "User Disabled"), errors.AccountDisabledError, FailureType.config_error, "deactivated"),
    "403 without JSON": (FailedResponse(403, "the contacts", content_type=HTML, body=b"<h1>"), errors.TransientError, FailureType.transient_error, "HTTP 403"),
    "404": (problem(404, "Resource Not Found"), errors.NotFoundError, FailureType.config_error, "the contacts"),
    "429": (problem(429, "TooManyRequests"), errors.TransientError, FailureType.transient_error, "HTTP 429"),
    "500": (problem(500, "InternalServerError"), errors.ServerError, FailureType.transient_error, "HTTP 500"),
    "502 HTML": (FailedResponse(502, "the contacts", content_type=HTML, body=b"<h1>"), errors.ServerError, FailureType.transient_error, "HTTP 502"),
    "akamai": (problem(403, "akamai_503", type="akamai_error_message"), errors.FirewallError, FailureType.transient_error, "IP address"),
    "400 reading": (problem(400, "Invalid Resource"), errors.BugError, FailureType.system_error, "as malformed"),
    "400 writing": (
        problem(400, "Member In Compliance State", "x", "PUT"), errors.RejectedRecordError, FailureType.system_error, "Member In Compliance State"),
    "400 bad JSON": (problem(400, "JSON Parse Exception", "x", "POST"), errors.BugError, FailureType.system_error, "as malformed"),
    "405 writing": (problem(405, "Method Not Allowed", "x", "DELETE"), errors.RejectedRecordError, FailureType.system_error, "Method Not Allowed"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "class_", "failure", "words"), TABLE.values(), ids=TABLE.keys())
def test_an_answer_is_classed_by_who_must_act(answer: FailedResponse, class_: type[Exception], failure: FailureType, words: str) -> None:
    """Status and content type decide the class, the class decides Airbyte's failure type, and the message says what to do."""
    error = error_for(answer)

    assert type(error) is class_
    assert traced(error).failure_type == failure
    assert words in error.message


@pytest.mark.parametrize(("status", "sent"), [(429, False), (403, False), (500, True), (502, True)])
def test_a_throttled_request_was_not_carried_out(status: int, sent: bool) -> None:
    """Only a throttle is surely before the deed."""
    error = error_for(FailedResponse(status, "the contacts", "POST", HTML, b""))

    assert isinstance(error, errors.TransientError)
    assert error.sent == sent


def test_retry_after_is_heeded() -> None:
    """When Mailchimp names a pause, it becomes the pause."""
    error = error_for(FailedResponse(429, "the contacts", content_type=PROBLEM, body=b"{}", retry_after="7"))

    assert isinstance(error, errors.TransientError)
    assert error.retry_after == 7


def test_the_words_of_a_refusal_survive() -> None:
    """The fields that Mailchimp complains about are kept with its messages."""
    error = error_for(problem(400, "Invalid Resource", "merge", "PUT", errors=[{"field": "LTV", "message": "Please enter a number"}]))

    assert isinstance(error, errors.RejectedRecordError)
    assert error.fields == (("LTV", "Please enter a number"),)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Wed, 25 Nov 2026 12:00:09 GMT", 9.0),
        ("Wed, 25 Nov 2026 11:59:00 GMT", 0.0),
        ("soon", 0.0),
        ("\u00b2", 0.0),
        (None, 0.0),
    ],
)
def test_a_pause_that_mailchimp_asks_for_is_never_less_than_none(value: str | None, seconds: float) -> None:
    """In seconds, or as a time by Mailchimp's own clock; one that is over, or is none, is no pause."""
    answer = FailedResponse(429, "a ping", "GET", "application/json", b"{}", retry_after=value, date="Wed, 25 Nov 2026 12:00:00 GMT")
    error = error_for(answer)

    assert isinstance(error, TransientError)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("value", "date", "some"),
    [
        ("Wed, 25 Nov 2099 12:00:00 GMT", None, True),
        ("Wed, 25 Nov 1999 12:00:00 GMT", None, False),
        ("Wed, 25 Nov 2099 12:00:00 GMT", "soon", False),
        ("Wed, 25 Nov 2099 12:00:00 -0000", None, False),
    ],
)
def test_a_time_to_come_back_is_a_pause_without_a_date_too(value: str, date: str | None, some: bool) -> None:
    """Then by the clock of this machine; a time that cannot be compared is no pause."""
    error = error_for(FailedResponse(429, "a ping", "GET", "application/json", b"{}", retry_after=value, date=date))

    assert isinstance(error, TransientError)
    assert (error.retry_after > 0) is some


def test_an_error_claims_nothing_that_is_not_known() -> None:
    """Its request may have been carried out, nobody answered, and neither a smaller page nor a pause is known to help."""
    error = TransientError("No answer", what="the contacts", detail="x")

    assert (error.sent, error.answered, error.heavy, error.retry_after) == (True, False, False, 0.0)
    assert (error.is_final, error.after_lost_answer, error.detail) == (False, False, "x")
    assert (str(error), str(TransientError("No answer"))) == ("No answer for the contacts.", "No answer.")
    assert errors.RejectedRecordError("x").temporary is False
    assert errors.TimedOutError("x").heavy
    assert errors.ServerError("x").heavy


@pytest.mark.parametrize(
    ("tries", "seconds", "numbers"),
    [
        (1, 0.6, ["1"]),
        (2, 119.0, ["2", "119"]),
        (3, 120.0, ["3", "2"]),
        (4, 899.0, ["4", "15"]),
        (5, 5_400.0, ["5", "90"]),
        (20, 119.94, ["20", "120"]),
    ],
)
def test_an_error_that_is_given_up_says_how_often_and_how_long_it_was_tried(tries: int, seconds: float, numbers: list[str]) -> None:
    """In seconds, and from two minutes on in minutes; once needs no number."""
    error = TransientError("No answer", what="a ping")
    error.give_up(tries, seconds)

    assert re.findall(r"\d+(?:\.\d+)?", error.message) == numbers
    assert ("minutes" in error.message) is (seconds >= 120)
    assert str(error) == error.message


@pytest.mark.parametrize(("length", "quoted"), [(0, 0), (299, 299), (300, 300), (301, 300), (5_000, 300)])
def test_of_an_answer_that_is_no_problem_document_the_beginning_is_quoted(length: int, quoted: int) -> None:
    """Three hundred characters tell which machine it came from."""
    assert error_for(FailedResponse(502, "the contacts", content_type=HTML, body=b"x" * length)).detail == "x" * quoted


@pytest.mark.parametrize(("before", "class_"), [(0, errors.FirewallError), (1_987, errors.FirewallError), (1_988, errors.TransientError)])
def test_a_firewall_says_so_in_the_first_two_thousand_bytes(before: int, class_: type[TransientError]) -> None:
    """Somewhere in a long page such words may stand by chance."""
    body = b" " * before + b"Access Denied" + b" " * 5_000

    assert type(error_for(FailedResponse(403, "the contacts", content_type=HTML, body=body))) is class_


@pytest.mark.parametrize(
    "answer",
    [
        FailedResponse(503, "a page", content_type=HTML, body=b"Access Denied"),
        FailedResponse(429, "a page", content_type=HTML, body=b"Access Denied"),
        problem(403, "Forbidden", "Access Denied"),
        problem(403, "Forbidden", type="another"),
    ],
)
def test_only_a_page_with_403_is_a_firewalls(answer: FailedResponse) -> None:
    """A problem document is Mailchimp's own, and other statuses say what they mean."""
    assert not isinstance(error_for(answer), errors.FirewallError)


def test_what_a_firewall_blocks_was_not_carried_out_and_is_an_answer() -> None:
    """With the pause that it asks for."""
    error = error_for(FailedResponse(403, "a page", content_type=HTML, body=b"Access Denied", retry_after="9"))

    assert isinstance(error, errors.FirewallError)
    assert (error.sent, error.answered, error.heavy, error.retry_after) == (False, True, False, 9.0)


@pytest.mark.parametrize("status", [400, 404, 410, 418, 451, 499])
def test_what_is_refused_below_500_does_not_pass_by_itself(status: int) -> None:
    """Only a few statuses below 500 do."""
    assert not isinstance(error_for(problem(status, "x")), TransientError)


@pytest.mark.parametrize(
    ("status", "heavy"), [(408, False), (409, False), (423, False), (425, False), (429, False), (500, True), (599, True)]
)
def test_a_smaller_page_may_help_where_mailchimp_failed_inside(status: int, heavy: bool) -> None:
    """From 500 on; what came is an answer in every case."""
    error = error_for(FailedResponse(status, "the contacts", content_type=HTML))

    assert isinstance(error, TransientError)
    assert (error.heavy, error.answered) == (heavy, True)


@pytest.mark.parametrize(
    ("complaints", "fields"),
    [
        ([{"field": "A", "message": "x"}, 5, "y", {"field": "B"}], (("A", "x"), ("B", ""))),
        ("wrong", ()),
        ({"field": "A"}, ()),
        (None, ()),
        ([], ()),
    ],
)
def test_complaints_of_another_form_are_left_out(complaints: object, fields: tuple[tuple[str, str], ...]) -> None:
    """What is not a field with its message says nothing."""
    error = error_for(problem(400, "Invalid Resource", "x", "PUT", errors=complaints))

    assert isinstance(error, errors.RejectedRecordError)
    assert (error.fields, error.title, error.temporary) == (fields, "Invalid Resource", False)


def test_a_refusal_without_a_title_has_its_status_as_title() -> None:
    """Refusals are counted by their title."""
    error = error_for(FailedResponse(400, "a contact", "PUT", PROBLEM, b'{"detail": "x"}'))

    assert isinstance(error, errors.RejectedRecordError)
    assert "400" in error.title
    assert error.detail == "x"


def test_a_refusal_of_too_many_sign_ups_passes_after_some_hours() -> None:
    """The same record may be written again then."""
    detail = "a@b.c has signed up to a lot of lists very recently; we're not allowing more signups for now"
    error = error_for(problem(400, "Invalid Resource", detail, "PUT", errors=[{"field": "A", "message": "x"}]))

    assert isinstance(error, errors.RejectedRecordError)
    assert (error.temporary, error.title, error.fields) == (True, "Invalid Resource", (("A", "x"),))


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b""])
@pytest.mark.parametrize("content_type", [PROBLEM, HTML])
def test_what_is_no_object_is_no_problem_document(body: bytes, content_type: str) -> None:
    """Its words are quoted as they are, and without a problem document a 403 is a throttle."""
    answer = FailedResponse(403, "the contacts", content_type=content_type, body=body)

    assert (answer.problem, answer.title, answer.detail) == ({}, "", body.decode())
    assert type(error_for(answer)) is TransientError


def test_only_an_error_that_ends_a_command_says_what_to_do_next() -> None:
    """What failed for a while is also logged where a sync continues: trying again is advised only where a command ends with it."""
    error = TransientError("HTTP 500", what="the contacts of Newsletter")
    error.give_up(3, 900)

    assert traced(error).message == error.closing_message != error.message
    assert errors.ConfigError("Set list_id.").closing_message == "Set list_id."
