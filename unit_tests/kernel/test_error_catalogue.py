"""Every refusal and disturbance that is known of Mailchimp: its answer in; class, failure type, words and repetition out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson
import pytest
import requests
from airbyte_cdk.models import FailureType
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN
from mailchimp_unified import errors
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.config import ConnectionConfig
from mailchimp_unified.patience import Patience
from mailchimp_unified.request import Reply, Request
from mailchimp_unified.transport import ThreadedTransport
from source_mailchimp_unified.faults import traced

CONFIG, TRANSIENT, SYSTEM = FailureType.config_error, FailureType.transient_error, FailureType.system_error
PROBLEM, HTML = "application/problem+json; charset=utf-8", "text/html"
TYPE = "https://mailchimp.com/developer/marketing/docs/errors/"


@dataclass(frozen=True)
class Seen:
    """An answer as it was seen, and the method of the request."""

    status: int
    title: str = ""
    detail: str = ""
    method: str = "GET"
    body: bytes | None = None
    content_type: str = PROBLEM
    more: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body, a problem document unless another one is given."""
        problem = {"type": TYPE, "title": self.title, "status": self.status, "detail": self.detail, "instance": "x", **self.more}
        return orjson.dumps({name: value for name, value in problem.items() if value is not None}) if self.body is None else self.body


@dataclass(frozen=True)
class Verdict:
    """What becomes of it."""

    class_: type[errors.MailchimpError]
    failure: FailureType
    words: str
    retried: bool = False


def record(words: str) -> Verdict:
    """The owner of the record must act."""
    return Verdict(errors.RejectedRecordError, SYSTEM, words)


def bug() -> Verdict:
    """The maintainers must act."""
    return Verdict(errors.BugError, SYSTEM, "as malformed")


def busy(words: str, class_: type[errors.TransientError] = errors.TransientError) -> Verdict:
    """Nobody must act."""
    return Verdict(class_, TRANSIENT, words, retried=True)


def failing(status: int) -> Verdict:
    """Nobody must act, and a smaller page might work."""
    return busy(f"HTTP {status}", errors.ServerError)


BLOCKED = busy("IP address", errors.FirewallError)


SIGN_IN = Verdict(errors.SignInError, CONFIG, "Mailchimp rejected the")
PERMISSION = Verdict(errors.PermissionDeniedError, CONFIG, "higher role")
WRONG_FIELDS = "Your merge fields were invalid."
SCHEMA = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."
AKAMAI = b'{"type":"akamai_error_message","title":"akamai_503","status":503,"ref_no":"Reference Number: 00.810a1602"}'


def invalid(detail: str, *complaints: tuple[str, str], method: str = "PUT") -> Seen:
    """An Invalid Resource."""
    listed = {"errors": [{"field": name, "message": message} for name, message in complaints]} if complaints else {}
    return Seen(400, "Invalid Resource", detail, method, more=listed)


# https://mailchimp.com/developer/marketing/docs/errors/ and threads of people who met them.
TABLE: dict[str, tuple[Seen, Verdict]] = {
    # A record that Mailchimp does not take.
    "compliance": (
        Seen(400, "Member In Compliance State", "a@b.c is in a compliance state due to unsubscribe, bounce, or compliance review", "PUT"),
        record("Member In Compliance State"),
    ),
    "forgotten": (
        Seen(400, "Forgotten Email Not Subscribed", "a@b.c was permanently deleted and cannot be re-imported.", "POST"),
        record("Forgotten Email Not Subscribed"),
    ),
    "exists, without a type": (
        Seen(
            400, "Member Exists", "a@b.c is already a list member. Use PUT to insert or update list members.", "POST", more={"type": None}
        ),
        record("Member Exists"),
    ),
    "malformed address": (invalid("Please provide a valid email address.", method="POST"), record("Invalid Resource")),
    "fake address": (invalid("foo@example.com looks fake or invalid, please enter a real email address."), record("Invalid Resource")),
    "merge field of the wrong type": (invalid(WRONG_FIELDS, ("LTV", "Please enter a number")), record("Invalid Resource")),
    "merge field missing": (invalid(WRONG_FIELDS, ("FNAME", "Please enter a value")), record("Invalid Resource")),
    "merge field blank": (invalid(WRONG_FIELDS, ("FNAME", "This value should not be blank.")), record("Invalid Resource")),
    "schema": (invalid(SCHEMA, ("", "Required fields were not provided: email_address")), record("Invalid Resource")),
    "sign-up throttle": (
        invalid("a@b.c has signed up to a lot of lists very recently; we're not allowing more signups for now"),
        record("temporarily blocks sign-ups"),
    ),
    "cannot be archived": (
        Seen(405, "Method Not Allowed", "This list member cannot be removed. Can not archive a contact that is bounced", "DELETE"),
        record("Method Not Allowed"),
    ),
    "invalid action": (
        Seen(400, "Invalid Action", "The action requested was not valid for this resource.", "POST"),
        record("Invalid Action"),
    ),
    # A refusal of the record, so that a bulk write is divided until it fits any new limit.
    "more than 500 at once": (
        Seen(400, "Bad Request", "Maximum allowed member items exceeded, please provide at most 500", "POST"),
        record("Bad Request"),
    ),
    # What we send wrongly.
    "bad request": (Seen(400, "Bad Request", "Your request could not be processed."), bug()),
    "fields of a read": (invalid(SCHEMA, ("status", "x"), method="GET"), bug()),
    "bad JSON": (Seen(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error.", "POST"), bug()),
    "method of a read": (Seen(405, "Method Not Allowed", "The requested method and resource are not compatible."), bug()),
    "nesting": (Seen(414, "Resource Nesting Too Deep", "The sub-resource requested is nested too deeply.", "PUT"), bug()),
    "method override": (Seen(422, "InvalidMethodOverride", "", "POST"), bug()),
    "requested fields": (Seen(422, "RequestedFieldsInvalid", "", "PUT"), bug()),
    "export in progress": (Seen(400, "Account Export in Progress", ""), bug()),
    "too many exports": (Seen(400, "Too Many Account Exports", ""), bug()),
    # What the user must change.
    "key invalid": (
        Seen(401, "API Key Invalid", "Your API key may be invalid, or you've attempted to access the wrong datacenter."),
        SIGN_IN,
    ),
    "key missing": (Seen(401, "API Key Missing", "Your request did not include an API key."), SIGN_IN),
    "two keys": (Seen(401, "API Key Invalid", "The API key included in the query parameters is not consistent", "POST"), SIGN_IN),
    "forbidden": (Seen(403, "Forbidden", "You do not have permission."), PERMISSION),
    "forbidden to write": (Seen(403, "Forbidden", "You do not have permission.", "PUT"), PERMISSION),
    "plan": (Seen(403, "Authorization Failure", "User does not have access to the requested operation"), PERMISSION),
    "disabled": (
        Seen(403, "User Disabled", "This account has been deactivated."),
        Verdict(errors.AccountDisabledError, CONFIG, "deactivated. Reactivate"),
    ),
    "data center": (
        Seen(403, "Forbidden", "The API key provided is linked to datacenter 'us6'"),
        Verdict(errors.DataCenterError, CONFIG, "wrong data center"),
    ),
    "not there": (
        Seen(404, "Resource Not Found", "The requested resource could not be found."),
        Verdict(errors.NotFoundError, CONFIG, "404 (not found) for audience a1b2c3d4e5"),
    ),
    "plain http": (Seen(426, "Upgrade Required", "", "PUT"), Verdict(errors.ConfigError, CONFIG, "HTTPS only")),
    "redirect": (Seen(302, body=b"", content_type=HTML), Verdict(errors.ConfigError, CONFIG, "redirect")),
    # What passes.
    "throttle": (Seen(429, "TooManyRequests", "You have exceeded the limit of 10 simultaneous connections."), busy("HTTP 429")),
    "throttle, as older texts call it": (Seen(429, "Too Many Requests", ""), busy("HTTP 429")),
    "throttle without JSON": (Seen(429, body=b"<h1>", content_type=HTML), busy("HTTP 429")),
    "throttle as 403 HTML": (Seen(403, body=b"<H1>Slow down</H1>", content_type=HTML), busy("HTTP 403")),
    "a firewall's page": (Seen(403, body=b"<H1>Access Denied</H1> Reference #18.2f", content_type=HTML), BLOCKED),
    "throttle as an empty 403": (Seen(403, body=b"", content_type="application/json"), busy("HTTP 403")),
    "too many batches": (Seen(429, "TooManyRequests", "You have more than 500 pending webhooks.", "POST"), busy("HTTP 429")),
    "blocked by the CDN": (Seen(503, body=AKAMAI), BLOCKED),
    "blocked by the CDN with 403": (Seen(403, body=AKAMAI), BLOCKED),
    "server error": (Seen(500, "InternalServerError", "A deep, internal error has occurred"), failing(500)),
    "timed out at the CDN": (Seen(502, body=b"<html>", content_type=HTML), failing(502)),
    "unavailable": (Seen(503, body=b"", content_type=HTML), failing(503)),
    "switched off": (Seen(503, "ComplianceRelated", "This method has been disabled."), failing(503)),
    "not in time": (Seen(408, body=b"", content_type=HTML), busy("HTTP 408")),
    "in conflict": (Seen(409, "Conflict", "", "PUT"), busy("HTTP 409")),
    "locked": (Seen(423, "Locked", "", "PUT"), busy("HTTP 423")),
    "too early": (Seen(425, body=b"", content_type=HTML), busy("HTTP 425")),
    "HTML with success": (Seen(200, body=b"<html>", content_type=HTML), busy("not JSON")),
    "cut off": (Seen(200, body=b'{"members": [', content_type="application/json"), busy("truncated")),
}

DISTURBANCES: dict[str, tuple[Exception, Verdict]] = {
    "reset": (requests.ConnectionError("reset by peer"), busy("Lost the connection")),
    "cut off while reading": (requests.exceptions.ChunkedEncodingError(), busy("Lost the connection")),
    "no answer in time": (requests.ReadTimeout(), Verdict(errors.TimedOutError, TRANSIENT, "did not respond", retried=True)),
    "no connection in time": (requests.ConnectTimeout(), busy("Could not connect")),
    "certificate": (
        requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
        Verdict(errors.ConfigError, CONFIG, "certificate"),
    ),
    "no such host": (
        requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "no such host"))),  # type: ignore[arg-type]
        busy("Could not connect"),
    ),
    "another host that closes": (
        requests.ConnectionError(MaxRetryError(None, "/", ProtocolError("closed"))),  # type: ignore[arg-type]
        busy("Lost the connection"),
    ),
    "aborted": (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), busy("Lost the connection")),
    "no TLS": (requests.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER]"), busy("Lost the connection")),
    "no answer in time, while reading": (
        ReadTimeoutError(None, "/", "timed out"),  # type: ignore[arg-type]
        Verdict(errors.TimedOutError, TRANSIENT, "did not respond", retried=True),
    ),
    "no URL": (requests.exceptions.InvalidURL("x"), Verdict(errors.ConfigError, CONFIG, "api_url")),
}


class Canned(BaseAdapter):
    """Gives the same answer, or raises the same exception, some times, and then succeeds."""

    def __init__(self, seen: Seen | Exception, times: int) -> None:
        super().__init__()
        self.seen, self.times, self.calls = seen, times, 0

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Answer."""
        self.calls += 1
        seen = self.seen if self.calls <= self.times else Seen(200, body=b"{}", content_type="application/json")
        if isinstance(seen, Exception):
            raise seen
        response = requests.Response()
        response.status_code, response.request = seen.status, request
        response.raw = HTTPResponse(BytesIO(seen.content()), preload_content=False)
        response.headers["Content-Type"] = seen.content_type
        return response

    def close(self) -> None:
        """Nothing to close."""


def call(canned: Canned, method: str = "GET", *, seconds: float = 0, token: str = "") -> Any:
    """Return the body of Mailchimp's answer, which is what is canned; tries end after so many seconds, without pauses."""
    return reply_to(canned, method, seconds=seconds, token=token).body


def reply_to(canned: Canned, method: str, *, seconds: float, token: str = "") -> Reply:
    """Call Mailchimp in the same way, and return the whole reply."""
    credentials = {"auth_type": "oauth2.0", "access_token": token} if token else {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}
    patience = Patience(rest_after_timeout=0, first_back_off=0, longest_back_off=0, total=seconds, first_answer=seconds)
    config = ConnectionConfig.model_validate({"credentials": credentials, "num_workers": 1})
    transport = ThreadedTransport(config.num_workers)
    request = Request("/lists/a1b2c3d4e5", "audience a1b2c3d4e5", method=method)

    async def calling() -> Reply:
        # The one thread's session.
        transport._threads.submit(lambda: transport._session("https://").mount("https://", canned)).result()
        client = MailchimpClient(config, patience=patience, transport=transport)
        try:
            return await client.call(request)
        finally:
            client.close()

    return asyncio.run(calling())


def judged(seen: Seen | Exception, verdict: Verdict, method: str) -> None:
    """Assert what becomes of an answer that never gets better, and of one that does."""
    with pytest.raises(errors.MailchimpError) as raised:
        call(Canned(seen, times=1_000), method)
    error = raised.value
    assert type(error) is verdict.class_
    assert traced(error).failure_type == verdict.failure
    assert verdict.words in error.message
    once = Canned(seen, times=1)
    if not verdict.retried:
        with pytest.raises(verdict.class_):
            call(once, method, seconds=10)
        assert once.calls == 1
    else:
        assert call(once, method, seconds=10) == {}
        assert once.calls == 2


@pytest.mark.parametrize(("seen", "verdict"), TABLE.values(), ids=TABLE)
def test_answers(seen: Seen, verdict: Verdict) -> None:
    """Each known answer has its class, failure type and words, and is repeated or not; Mailchimp's own words are kept."""
    judged(seen, verdict, seen.method)
    if seen.detail and seen.status >= 400:
        with pytest.raises(errors.MailchimpError) as raised:
            call(Canned(seen, times=1_000), seen.method)
        assert raised.value.detail == seen.detail


@pytest.mark.parametrize(("error", "verdict"), DISTURBANCES.values(), ids=DISTURBANCES)
def test_disturbances(error: Exception, verdict: Verdict) -> None:
    """Each disturbance of the connection has its class, failure type and words, and is tried again."""
    judged(error, verdict, "GET")


@pytest.mark.parametrize("name", [name for name, (_, verdict) in TABLE.items() if verdict.retried])
def test_a_reply_tells_whether_an_answer_may_have_come_after_the_deed(name: str) -> None:
    """A throttle comes before it; what fails inside Mailchimp may have been carried out."""
    seen, verdict = TABLE[name]
    reply = reply_to(Canned(seen, times=1), "POST", seconds=10)

    assert reply.after_lost_answer == (seen.status not in (403, 423, 425, 429) and verdict is not BLOCKED)


@pytest.mark.parametrize("name", [name for name, (_, verdict) in DISTURBANCES.items() if verdict.retried])
def test_a_reply_tells_whether_a_request_may_have_reached_mailchimp_before(name: str) -> None:
    """Without a connection nothing was done; a connection that was lost later proves nothing."""
    error, _ = DISTURBANCES[name]
    reply = reply_to(Canned(error, times=1), "POST", seconds=10)

    assert reply.after_lost_answer == (name not in ("no connection in time", "no such host"))


def test_a_token_that_is_refused_with_success() -> None:
    """The metadata answers 200 to a bad token: it is a matter of signing in again, and not repeated."""
    refused = Seen(200, body=b'{"error":"invalid_token","error_description":"x"}', content_type="application/json")
    canned = Canned(refused, times=1_000)
    with pytest.raises(errors.SignInError, match="Sign in again") as raised:
        call(canned, seconds=10, token=DEFAULT_OAUTH_TOKEN)
    assert traced(raised.value).failure_type == CONFIG
    assert canned.calls == 1


def test_rows_of_a_bulk_answer_are_no_error() -> None:
    """A bulk write is answered 200 with its refusals inside: they reach the caller, row by row."""
    rows = [
        {
            "email_address": "a@b.c",
            "error": "is already a list member",
            "error_code": "ERROR_CONTACT_EXISTS",
            "field": "",
            "field_message": "",
        },
        {
            "email_address": "d@e.f",
            "error": WRONG_FIELDS,
            "error_code": "ERROR_GENERIC",
            "field": "LTV",
            "field_message": "Please enter a number",
        },
    ]
    answer = Seen(200, body=orjson.dumps({"errors": rows, "error_count": 2}), content_type="application/json")
    assert call(Canned(answer, times=1), "POST")["errors"] == rows


@pytest.mark.parametrize("name", [name for name, (seen, _) in TABLE.items() if "errors" in seen.more and seen.method != "GET"])
def test_complaints_about_fields_are_kept(name: str) -> None:
    """A refusal that names fields carries them."""
    seen, _ = TABLE[name]
    with pytest.raises(errors.RejectedRecordError) as raised:
        call(Canned(seen, times=1), seen.method)
    assert [{"field": field, "message": message} for field, message in raised.value.fields] == seen.more["errors"]
