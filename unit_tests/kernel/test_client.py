"""The client: what it retries, what it sends, and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator
from mailchimp_unified.client import MailchimpClient, Patience, Request
from mailchimp_unified.config import ConnectionConfig
from mailchimp_unified.errors import ConfigError, SignInError, TransientError, UnreachableError

PATIENCE = Patience(connect=1.0, read=0.2, rest_after_timeout=0.01, first_back_off=0.01, longest_back_off=0.02, total=1.0)
PING = Request("/ping", "a ping")


@pytest.fixture
def mailchimp() -> Iterator[Emulator]:
    """An empty local Mailchimp."""
    with Emulator() as emulator:
        yield emulator


def client(url: str, **credentials: Any) -> MailchimpClient:
    """Return a client with little patience."""
    credentials = credentials or {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}
    return MailchimpClient(ConnectionConfig.model_validate({"credentials": credentials, "api_url": url}), patience=PATIENCE)


def test_a_key_and_a_token_open_the_same_account(mailchimp: Emulator) -> None:
    """A key is sent as Basic, a token as Bearer after one look at its metadata."""
    client(mailchimp.url).call(PING)
    client(mailchimp.url, auth_type="oauth2.0", access_token=DEFAULT_OAUTH_TOKEN).call(PING)

    assert [entry["path"] for entry in mailchimp.journal()] == ["/3.0/ping", "/oauth2/metadata", "/3.0/ping"]
    assert {entry["status"] for entry in mailchimp.journal()} == {200}


def test_a_reply_carries_mailchimps_time(mailchimp: Emulator) -> None:
    """The date is the server's, whatever the local clock says."""
    mailchimp.clock(set="2031-05-05T05:05:05+00:00", freeze=True)

    reply = client(mailchimp.url).call(PING)

    assert reply.date is not None
    assert reply.date.isoformat() == "2031-05-05T05:05:05+00:00"


def test_a_disturbance_that_does_not_end_is_a_transient_error(mailchimp: Emulator) -> None:
    """Tries end with the time for them, and the error says that nobody is to blame."""
    mailchimp.faults([{"kind": "500"}])
    patient = client(mailchimp.url)

    with pytest.raises(TransientError):
        patient.call(PING)

    assert patient.traffic.requests == len(mailchimp.journal()) > 3
    assert patient.traffic.retries == patient.traffic.requests - 1


class NameKept(TypedDict, total=False):
    """What the tests keep of an audience."""

    name: str


class WrongKept(TypedDict, total=False):
    """What no audience looks like."""

    name: int


@pytest.mark.parametrize("fault", [None, "truncate", "not_json_200"])
def test_what_is_not_kept_of_an_answer_is_skipped(mailchimp: Emulator, fault: str | None) -> None:
    """Of a whole answer only what was asked to be kept is there; one that is cut off is asked for again."""
    (list_id,) = mailchimp.seed(name="A")
    mailchimp.faults([{"kind": fault, "times": 1}] if fault else [])

    reply = client(mailchimp.url).call(Request(f"/lists/{list_id}", "an audience", keeps=NameKept))

    assert reply.body == {"name": "A"}
    assert len(mailchimp.journal()) == (2 if fault else 1)


def test_an_answer_of_another_form_is_parsed_whole(mailchimp: Emulator) -> None:
    """What does not fit into what is kept is left to whoever looks at it."""
    (list_id,) = mailchimp.seed(name="A")

    reply = client(mailchimp.url).call(Request(f"/lists/{list_id}", "an audience", keeps=WrongKept))

    assert (reply.body["id"], reply.body["name"]) == (list_id, "A")


@pytest.mark.parametrize(("kind", "requests"), [("429", 2), ("403_html", 2), ("500", 1), ("reset", 1), ("hang", 1), ("truncate", 1)])
def test_what_is_not_repeatable_is_repeated_only_when_it_was_surely_not_done(mailchimp: Emulator, kind: str, requests: int) -> None:
    """A call that creates something is sent again after a throttle, and never after a failure that may have come too late."""
    mailchimp.seed(name="A")
    mailchimp.faults([{"kind": kind, "times": 1, "method": "POST"}])
    creation = Request("/lists/x/segments", "a tag", method="POST", body={"name": "A", "static_segment": []}, repeatable=False)

    with pytest.raises((TransientError, ConfigError)):
        client(mailchimp.url).call(creation)

    assert len([entry for entry in mailchimp.journal() if entry["method"] == "POST"]) == requests


def test_a_host_that_never_answers_is_the_users_to_correct() -> None:
    """Nothing listens there: a config error after a few tries, naming the host."""
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9\b"):
        client("http://127.0.0.1:9").call(PING)


def test_a_refused_token_is_seen_although_the_status_is_200(mailchimp: Emulator) -> None:
    """Mailchimp answers 200 with an error about a token it does not know."""
    with pytest.raises(SignInError, match="sign in again"):
        client(mailchimp.url, auth_type="oauth2.0", access_token="nonsense").call(PING)


def test_stopping_ends_the_pauses(mailchimp: Emulator) -> None:
    """A client that is stopped fails at once instead of waiting for the next try."""
    mailchimp.faults([{"kind": "500"}])
    stopped = MailchimpClient(ConnectionConfig.model_validate(
        {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}
    ))  # fmt: skip
    stopped.stop()

    with pytest.raises(TransientError):
        stopped.call(PING)
