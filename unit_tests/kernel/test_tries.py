"""How often and how long Mailchimp is asked: each number is a promise to the user, or a courtesy to Mailchimp."""

from __future__ import annotations

import asyncio
import random

import pytest

from integration_tests.simulation.clock import run
from mailchimp_emulator import DEFAULT_OAUTH_TOKEN
from mailchimp_unified.errors import MailchimpError, TimedOutError, TransientError
from mailchimp_unified.patience import INTERACTIVE, Patience
from mailchimp_unified.request import Request
from mailchimp_unified.transport import Received
from unit_tests.kernel.conftest import Answers, Scripted, answer

PING = Request("/ping", "a ping")
NO_CONNECTION = TransientError("Could not connect to Mailchimp", sent=False)
STEADY = Patience(first_back_off=10.0, longest_back_off=10.0, rest_after_timeout=0.0, total=100.0, first_answer=30.0)


@pytest.fixture(autouse=True)
def _longest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is as long as it may be: what jitter takes off is not the subject."""
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)


def tried(answers: Answers, patience: Patience, request: Request = PING) -> tuple[int, float, MailchimpError | None]:
    """Return the requests of one call, the seconds it took, and its error."""
    scripted = Scripted(answers, seconds=0.0)

    async def calling() -> tuple[float, MailchimpError | None]:
        try:
            await scripted.client(patience).call(request)
        except MailchimpError as error:
            return asyncio.get_running_loop().time(), error
        return asyncio.get_running_loop().time(), None

    seconds, error = run(calling())
    return len(scripted.seen), seconds, error


def test_a_host_that_never_answered_is_tried_for_the_time_until_the_first_answer() -> None:
    """With pauses of 10 s, 30 s hold four tries: a wrong host is named soon, not after the whole patience."""
    requests, seconds, error = tried(lambda _: NO_CONNECTION, STEADY)

    assert (requests, seconds) == (4, 30.0)
    assert isinstance(error, TransientError)


def test_a_host_that_answered_once_has_the_whole_patience() -> None:
    """Any answer, be it an error, shows that Mailchimp is there: what fails from then on may pass."""
    first = [answer({}, 500)]

    requests, seconds, _ = tried(lambda _: first.pop() if first else NO_CONNECTION, STEADY)

    assert (requests, seconds) == (11, 100.0)


def test_the_whole_patience_is_no_longer_because_nothing_was_answered() -> None:
    """Who has little time does not wait for a first answer longer than for any other."""
    assert tried(lambda _: NO_CONNECTION, Patience(first_back_off=1.0, longest_back_off=1.0, total=5.0, first_answer=60.0))[:2] == (6, 5.0)


@pytest.mark.parametrize(
    ("patience", "answered", "seconds"),
    [(Patience(), False, 120.0), (Patience(), True, 900.0), (INTERACTIVE, False, 8.0), (INTERACTIVE, True, 12.0)],
)
def test_a_sync_is_patient_and_a_form_is_not(patience: Patience, answered: bool, seconds: float) -> None:
    """Two minutes until the first answer and fifteen in all for a sync; seconds for who waits in front of a form."""
    assert tried(lambda _: answer({}, 500) if answered else NO_CONNECTION, patience)[1] == seconds


@pytest.mark.parametrize(("patience", "pauses"), [(Patience(), [1, 2, 4, 8, 16, 32, 60, 60]), (INTERACTIVE, [0.5, 1, 2, 4, 4])])
def test_pauses_double_up_to_the_longest(patience: Patience, pauses: list[float]) -> None:
    """A short disturbance costs a second, a long one is not made worse."""
    failures = [answer({}, 500)] * len(pauses)

    requests, seconds, error = tried(lambda _: failures.pop() if failures else answer({}), patience)

    assert error is None
    assert (requests, seconds) == (len(pauses) + 1, float(sum(pauses)))


def test_after_a_timeout_mailchimp_has_a_rest() -> None:
    """A call that timed out is still counted among the ten that Mailchimp allows, for some seconds."""
    failures = [TimedOutError("Mailchimp did not respond")]

    assert tried(lambda _: failures.pop() if failures else answer({}), Patience())[1] == Patience().rest_after_timeout == 10.0


NOT_WHOLE = answer({"things": None})
TRIES: dict[str, tuple[Received, Request, int]] = {
    "an answer that is not whole": (NOT_WHOLE, Request("/things", "the things", items="things"), 5),
    "a 404 for what was there a moment ago": (answer({}, 404), PING.surely(), 3),
    "a 404 for what may not be there": (answer({}, 404), PING, 1),
    "a refusal": (answer({"title": "Invalid Resource", "status": 400}, 400), PING, 1),
}


@pytest.mark.parametrize(("received", "request_", "tries"), TRIES.values(), ids=TRIES)
def test_what_stays_the_same_is_believed_after_some_tries(received: Received, request_: Request, tries: int) -> None:
    """It says so often enough that it is not an accident."""
    requests, _, error = tried(lambda _: received, Patience(), request_)

    assert error is not None
    assert requests == tries


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_a_page_that_may_be_too_big_is_given_up_after_the_tries_of_its_caller(tries: int) -> None:
    """Only failures that a smaller page might avoid count: throttling does not."""
    failures = [answer({}, 429)] * 3
    scripted = Scripted(lambda _: failures.pop() if failures else answer({}, 504), seconds=0.0)

    with pytest.raises(TransientError):
        run(scripted.client().call(PING, tries=tries))

    assert len(scripted.seen) == 3 + tries


def test_a_token_asks_three_times_for_its_data_center() -> None:
    """Before the first call of all: then the host that serves every account is used."""
    scripted = Scripted(lambda outgoing: answer({}, 500) if "metadata" in outgoing.url else answer({}))

    run(scripted.client(credentials={"auth_type": "oauth2.0", "access_token": DEFAULT_OAUTH_TOKEN}).call(PING))

    assert ["metadata" in one.url for one in scripted.seen] == [True, True, True, False]


def test_what_the_calls_cost_is_counted() -> None:
    """Each request and each retry once, and the seconds of both: the summary of a sync is made of them."""
    failures = [answer({}, 500), answer({}, 429)]
    scripted = Scripted(lambda _: failures.pop() if failures else answer({}), seconds=0.5)

    async def calling() -> tuple[int, int, float, float]:
        client = scripted.client(Patience(first_back_off=1.0, longest_back_off=60.0))
        await client.call(PING)
        await client.call(PING)
        traffic = client.traffic
        return traffic.requests, traffic.retries, traffic.waited_seconds, traffic.backed_off_seconds

    assert run(calling()) == (4, 2, 2.0, 1.0 + 2.0)


@pytest.mark.parametrize(("patience", "connect", "read"), [(Patience(), 10.0, 130.0), (INTERACTIVE, 4.0, 8.0)])
def test_one_request_waits_longer_than_mailchimp_does(patience: Patience, connect: float, read: float) -> None:
    """A sync gives a call up only after Mailchimp has, which is after 120 s; a form gives it up in seconds."""
    scripted = Scripted(lambda _: answer({}), seconds=0.0)

    run(scripted.client(patience).call(PING))

    assert (scripted.seen[0].connect, scripted.seen[0].read) == (connect, read)
