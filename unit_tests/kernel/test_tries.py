"""How often and how long Mailchimp is asked: each number is a promise to the user, or a courtesy to Mailchimp."""

from __future__ import annotations

import asyncio
import logging
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
NO_CONNECTION = TransientError("No connection to Mailchimp", sent=False)
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
    failures = [TimedOutError("Mailchimp did not answer")]

    assert tried(lambda _: failures.pop() if failures else answer({}), Patience())[1] == Patience().rest_after_timeout == 10.0


@pytest.mark.parametrize(("patience", "rest"), [(Patience(), 10.0), (INTERACTIVE, 0.5)])
def test_chance_does_not_shorten_the_rest_after_a_timeout(patience: Patience, rest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the pause would have been; a form has less time for it."""
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)
    failures = [TimedOutError("Mailchimp did not answer")]

    assert tried(lambda _: failures.pop() if failures else answer({}), patience)[1] == rest


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


@pytest.mark.parametrize(("total", "requests", "seconds"), [(100.0, 11, 100.0), (100.5, 12, 100.5), (99.0, 11, 99.0), (0.0, 1, 0.0)])
def test_the_last_try_is_made_when_the_time_is_over_and_no_sooner(total: float, requests: int, seconds: float) -> None:
    """With pauses of 10 s the last one is as long as there is time; the error that is raised then is the final one."""
    patience = Patience(first_back_off=10.0, longest_back_off=10.0, total=total)

    found, took, error = tried(lambda _: answer({}, 500), patience)

    assert (found, took) == (requests, seconds)
    assert isinstance(error, TransientError)
    assert error.is_final
    assert ("11 times" in error.message, "12 times" in error.message) == (requests == 11, requests == 12)


@pytest.mark.parametrize(("total", "requests", "seconds"), [(0.0, 1, 0.0), (0.5, 2, 0.5), (0.75, 3, 0.75), (1.0, 3, 1.0), (5.0, 3, 1.0)])
def test_what_was_there_a_moment_ago_is_asked_for_in_the_time_that_is_left(total: float, requests: int, seconds: float) -> None:
    """Three times at most, with pauses of half a second here; the last one is no longer than there is time."""
    patience = Patience(first_back_off=0.5, longest_back_off=0.5, total=total)

    assert tried(lambda _: answer({}, 404), patience, PING.surely())[:2] == (requests, seconds)


@pytest.mark.parametrize(("pause", "level"), [(4.9, logging.DEBUG), (5.0, logging.INFO), (5.1, logging.INFO), (60.0, logging.INFO)])
def test_a_pause_of_five_seconds_is_named_where_everybody_sees_it(pause: float, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """A shorter one is no news; nobody takes a waiting sync for a dead one."""
    failures = [answer({}, 500)]

    with caplog.at_level(logging.DEBUG):
        tried(lambda _: failures.pop() if failures else answer({}), Patience(first_back_off=pause, longest_back_off=pause))

    assert [record.levelno for record in caplog.records if "retrying" in record.message] == [level]


def test_every_request_is_logged_with_its_status_its_size_and_its_time(caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody looks unless something is slow; without its body."""
    scripted = Scripted(lambda _: answer(b"{}"), seconds=0.25)

    async def calling() -> None:
        client = scripted.client()
        for _ in range(2):
            await client.call(Request("/lists", "the audiences", {"count": 1}, method="POST", body={"x": 1}))

    with caplog.at_level(logging.DEBUG):
        run(calling())

    assert [record.args for record in caplog.records if record.name == "mailchimp_unified.client"] == [
        ("POST", "/lists", {"count": 1}, 200, 2, 0.25)
    ] * 2


def test_a_page_that_is_given_up_with_time_left_is_not_final() -> None:
    """Its caller asks for less, and other calls are made as before, be it in the last second."""
    patience = Patience(first_back_off=99.5, longest_back_off=99.5, total=100.0)
    scripted = Scripted(lambda _: answer({}, 504), seconds=0.0)

    async def calling() -> bool:
        with pytest.raises(TransientError) as raised:
            await scripted.client(patience).call(PING, tries=2)
        assert asyncio.get_running_loop().time() == 99.5
        return raised.value.is_final

    assert run(calling()) is False


def test_the_time_for_retries_counts_from_when_the_caller_began() -> None:
    """A caller that asked for more before has so much less time."""

    async def calling() -> float:
        client = Scripted(lambda _: answer({}, 500), seconds=0.0).client(STEADY)
        await asyncio.sleep(50)
        with pytest.raises(TransientError):
            await client.call(PING, since=20.0)
        return asyncio.get_running_loop().time()

    assert run(calling()) == 20.0 + STEADY.total


def test_a_host_that_gives_errors_is_not_silent() -> None:
    """After calls were given up because of its errors the next one is tried all the same."""
    scripted = Scripted(lambda outgoing: answer({}, 200 if outgoing.url.endswith("alive") else 500), seconds=0.0)

    async def calling() -> int:
        client = scripted.client(STEADY)
        await asyncio.gather(*(client.call(Request("/dead", "x")) for _ in range(3)), return_exceptions=True)
        before = len(scripted.seen)
        await client.call(Request("/alive", "x"))
        return len(scripted.seen) - before

    assert run(calling()) == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_call_that_succeeds_after_one_was_given_up_makes_all_patient_again(times: int) -> None:
    """Others are tried for their whole time from then on."""
    dead = {"dead"}
    scripted = Scripted(lambda outgoing: NO_CONNECTION if outgoing.url.rpartition("/")[2] in dead else answer({}), seconds=0.0)

    async def calling() -> tuple[float, int]:
        client = scripted.client(STEADY)
        clock = asyncio.get_running_loop().time
        await client.call(PING)
        for _ in range(times):
            with pytest.raises(TransientError):
                await client.call(Request("/dead", "x"))
            await client.call(PING)
        began, before = clock(), len(scripted.seen)
        with pytest.raises(TransientError):
            await client.call(Request("/dead", "x"))
        return clock() - began, len(scripted.seen) - before

    assert run(calling()) == (100.0, 11)
