"""The client: what it retries, how long, and what it gives up."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypedDict

import pytest

from integration_tests.simulation.clock import run
from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator
from mailchimp_unified.client import TRIES_FOR_A_WHOLE_ANSWER, MailchimpClient
from mailchimp_unified.config import ConnectionConfig
from mailchimp_unified.errors import (
    BugError,
    ConfigError,
    FirewallError,
    IncompleteAnswerError,
    MailchimpError,
    NotFoundError,
    ServerError,
    SignInError,
    StaleError,
    TimedOutError,
    TransientError,
)
from mailchimp_unified.patience import INTERACTIVE, Patience
from mailchimp_unified.request import Request
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.kernel.conftest import Answers, Scripted, answer

PING = Request("/ping", "a ping")
LISTS = Request("/lists", "the audiences", {"count": 10}, items="lists")
OAUTH = {"auth_type": "oauth2.0", "access_token": DEFAULT_OAUTH_TOKEN}
FIREWALL = b"<HTML><H1>Access Denied</H1> Reference #18.2f</HTML>"


def always(body: Any, status: int = 200, **headers: str) -> Answers:
    """Return the same answer to everything."""
    return lambda _: answer(body, status, **headers)


def first(failures: Iterable[Received | Exception], then: Answers) -> Answers:
    """Return some answers in their order, and from then on what a script says."""
    left = list(failures)
    return lambda outgoing: left.pop(0) if left else then(outgoing)


async def outcome(scripted: Scripted, request: Request, patience: Patience | None = None) -> tuple[Any, float]:
    """Return the body or the error of a call, and the seconds it took."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        return (await scripted.client(patience).call(request)).body, clock() - began
    except MailchimpError as error:
        return error, clock() - began


def called(scripted: Scripted, request: Request = PING, patience: Patience | None = None) -> tuple[Any, float]:
    """Call once, on a virtual clock."""
    return run(outcome(scripted, request, patience))


def test_a_key_and_a_token_open_the_same_account() -> None:
    """A key is sent as Basic, a token as Bearer after one look at its metadata."""

    async def both(url: str) -> None:
        for credentials in ({"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, OAUTH):
            client = MailchimpClient(ConnectionConfig.model_validate({"credentials": credentials, "api_url": url}))
            await client.call(PING)
            client.close()

    with Emulator() as mailchimp:
        asyncio.run(both(mailchimp.url))
        entries = mailchimp.journal()

    assert [entry["path"] for entry in entries] == ["/3.0/ping", "/oauth2/metadata", "/3.0/ping"]
    assert {entry["status"] for entry in entries} == {200}


TRANSIENT: dict[str, Received | Exception] = {
    **{str(status): answer({"title": "x"}, status) for status in (408, 409, 423, 425, 429, 500, 502, 503, 504)},
    "403 without JSON": Received(403, {"Content-Type": "text/html"}, b""),
    "a firewall": Received(403, {"Content-Type": "text/html"}, FIREWALL),
    "not JSON": answer(b"<html>"),
    "cut off": answer(b'{"health'),
    "no connection": TransientError("Could not connect to Mailchimp", sent=False),
    "no answer": TimedOutError("Mailchimp did not respond"),
}


@pytest.mark.parametrize("failure", TRANSIENT.values(), ids=TRANSIENT)
def test_what_passes_by_itself_is_tried_again(failure: Received | Exception) -> None:
    """One such failure costs time only."""
    scripted = Scripted(first([failure], always({"ok": True})))

    body, _ = called(scripted)

    assert body == {"ok": True}
    assert len(scripted.seen) == 2


@pytest.mark.parametrize("failure", TRANSIENT.values(), ids=TRANSIENT)
@pytest.mark.parametrize("patience", [Patience(), INTERACTIVE], ids=["sync", "check"])
def test_what_does_not_pass_is_given_up_in_time(failure: Received | Exception, patience: Patience) -> None:
    """The tries end with the time for them, and nobody has to act."""
    scripted = Scripted(first([failure] * 100_000, always({})))

    error, seconds = called(scripted, patience=patience)

    assert isinstance(error, TransientError)
    assert seconds <= patience.total + scripted.seconds + 0.01
    assert len(scripted.seen) > 3


@pytest.mark.parametrize(
    ("value", "least", "most"), [("7", 7, 70), ("3600", 890, 901), ("Wed, 25 Nov 2026 12:00:09 GMT", 9, 70), ("soon", 0, 70)]
)
def test_a_pause_that_mailchimp_asks_for_is_kept_within_the_time_that_is_left(value: str, least: float, most: float) -> None:
    """Retry-After, in seconds or as a time, is the least pause; it never makes a call longer than its whole time."""
    scripted = Scripted(first([answer({}, 429, **{"Retry-After": value})], always({"ok": True})))

    body, seconds = called(scripted)

    assert body == {"ok": True}
    assert least <= seconds <= most


def test_calls_fail_at_once_after_mailchimp_was_given_up() -> None:
    """When a call has used up its time and nothing has succeeded since, a hundred others do not wait one after the other."""
    scripted = Scripted(lambda _: TimedOutError("Mailchimp did not respond"), seconds=130)

    async def all_of_them() -> float:
        client = scripted.client()
        results = await asyncio.gather(*(client.call(PING) for _ in range(100)), return_exceptions=True)
        assert all(isinstance(result, TransientError) for result in results)
        return asyncio.get_running_loop().time()

    assert run(all_of_them()) < 900 + 3 * 130


def test_one_dead_collection_does_not_take_the_others_with_it() -> None:
    """After a call was given up the next one is tried all the same, and its success lets others be patient again."""
    scripted = Scripted(lambda outgoing: answer({}, 500 if outgoing.url.endswith("dead") else 200))

    async def one_after_the_other() -> tuple[Any, Any]:
        client = scripted.client()
        results = [await asyncio.gather(client.call(Request(path, "x")), return_exceptions=True) for path in ("/dead", "/alive", "/alive")]
        return [type(result[0]).__name__ for result in results], len(scripted.seen)

    names, _ = run(one_after_the_other())
    assert names == ["ServerError", "Reply", "Reply"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lists": None},
        {"lists": "x"},
        {"total_items": 3},
        {"lists": [], "total_items": 3},
        {"error": "x"},
        {"lists": {}, "total_items": 0},
    ],
    ids=str,
)
def test_an_answer_that_is_not_whole_is_no_answer(body: dict[str, Any]) -> None:
    """It is asked for again; if nothing helps, the call fails after a few tries."""
    mended = Scripted(first([answer(body)], always({"lists": [{"id": "a"}], "total_items": 1})))
    broken = Scripted(always(body))

    assert called(mended, LISTS)[0]["lists"] == [{"id": "a"}]
    error, seconds = called(broken, LISTS)
    assert isinstance(error, IncompleteAnswerError)
    assert len(broken.seen) == TRIES_FOR_A_WHOLE_ANSWER
    assert seconds < 120


def test_an_empty_collection_is_whole() -> None:
    """Nothing is there, and the count says so."""
    assert called(Scripted(always({"lists": [], "total_items": 0})), LISTS)[0] == {"lists": [], "total_items": 0}
    assert called(Scripted(always({"lists": []})), LISTS)[0] == {"lists": []}


def test_a_firewall_is_named() -> None:
    """A page of a firewall is about the IP address, not about too many requests."""
    error, _ = called(Scripted(lambda _: Received(403, {"Content-Type": "text/html"}, FIREWALL)), patience=INTERACTIVE)

    assert isinstance(error, FirewallError)
    assert "IP address" in error.message


def test_a_network_that_comes_up_later_costs_time_only() -> None:
    """A sync that begins before the network is there waits for it, and fails as transient when it does not come."""
    late = Scripted(first([TransientError("Could not connect to Mailchimp", sent=False)] * 6, always({"ok": True})))
    never = Scripted(lambda _: TransientError("Could not connect to Mailchimp", sent=False))

    assert called(late)[0] == {"ok": True}
    error, seconds = called(never)
    assert isinstance(error, TransientError)
    assert 60 < seconds < 130


def test_requests_are_never_more_than_workers() -> None:
    """So many requests as there are workers are open at once, pauses included."""
    scripted = Scripted(first([answer({}, 429)] * 10, always({})))

    async def many() -> None:
        client = scripted.client(workers=3)
        await asyncio.gather(*(client.call(PING) for _ in range(40)))

    run(many())
    assert scripted.peak == 3


def test_a_command_ends_in_its_time() -> None:
    """What is done within some seconds is given up after them, with the words of what failed last."""
    scripted = Scripted(always({}, 500))

    async def command() -> float:
        client = scripted.client()
        with pytest.raises(TransientError, match="HTTP 500"):
            async with client.within(20):
                await client.call(PING)
        return asyncio.get_running_loop().time()

    assert 20 <= run(command()) < 21


METADATA: dict[str, tuple[Received, str]] = {
    "a data center": (answer({"dc": "us3"}), "us3.api.mailchimp.com"),
    "an endpoint": (answer({"api_endpoint": "https://us4.api.mailchimp.com"}), "us4.api.mailchimp.com"),
    "a foreign endpoint": (answer({"api_endpoint": "https://example.org"}), "api.mailchimp.com"),
    "neither": (answer({}), "api.mailchimp.com"),
    "gone": (answer({}, 404), "api.mailchimp.com"),
    "withdrawn": (answer({}, 410), "api.mailchimp.com"),
    "failing": (answer({}, 500), "api.mailchimp.com"),
    "no JSON": (answer(b"<html>"), "api.mailchimp.com"),
}


@pytest.mark.parametrize(("metadata", "host"), METADATA.values(), ids=METADATA)
def test_a_token_finds_its_host(metadata: Received, host: str) -> None:
    """The data center, else the endpoint of Mailchimp's that the metadata names, else the host that serves every account."""
    scripted = Scripted(lambda outgoing: metadata if "metadata" in outgoing.url else answer({}))

    run(scripted.client(credentials=OAUTH).call(PING))

    assert scripted.seen[-1].url == f"https://{host}/3.0/ping"


@pytest.mark.parametrize("metadata", [answer({"error": "invalid_token"}), answer({}, 401)])
def test_a_refused_token_is_seen(metadata: Received) -> None:
    """A refusal, be it with status 200, sends the token nowhere else."""
    scripted = Scripted(lambda _: metadata)

    with pytest.raises(SignInError):
        run(scripted.client(credentials=OAUTH).call(PING))

    assert len(scripted.seen) == 1


class NameKept(TypedDict, total=False):
    """What the tests keep of an audience."""

    name: str


ODD = b'{"name": "A\\ud800", "value": NaN, "rows": ["x\\udfff", {"k\\ud800": 1}]}'


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (
            ODD,
            {
                "name": "A\N{REPLACEMENT CHARACTER}",
                "value": None,
                "rows": ["x\N{REPLACEMENT CHARACTER}", {"k\N{REPLACEMENT CHARACTER}": 1}],
            },
        ),
        (b'{"name": "A\xff"}', {"name": "A\N{REPLACEMENT CHARACTER}"}),
    ],
    ids=["surrogates and NaN", "bytes"],
)
def test_one_odd_value_does_not_cost_a_page(content: bytes, body: dict[str, Any]) -> None:
    """What strict parsers refuse is read leniently before the page is given up."""
    scripted = Scripted(lambda _: answer(content))

    assert called(scripted)[0] == body
    assert len(scripted.seen) == 1


def test_what_is_not_kept_of_an_answer_is_skipped() -> None:
    """Of an answer only what was asked to be kept is there; one of another form is parsed whole."""
    keeps = Request("/x", "x", keeps=NameKept)

    assert called(Scripted(always({"name": "A", "id": "1"})), keeps)[0] == {"name": "A"}
    assert called(Scripted(always({"name": 1, "id": "1"})), keeps)[0] == {"name": 1, "id": "1"}


def test_a_caller_may_limit_the_heavy_tries() -> None:
    """Where a smaller page might work, two server errors are enough; a throttle is not one of them."""

    async def limited(answers: Callable[[Outgoing], Received | Exception]) -> int:
        scripted = Scripted(answers)
        with pytest.raises(ServerError):
            await scripted.client().call(PING, tries=2)
        return len(scripted.seen)

    assert run(limited(always({}, 500))) == 2
    assert run(limited(first([answer({}, 429)] * 3, always({}, 504)))) == 5


def test_a_page_that_timed_out_silences_no_other_call() -> None:
    """Only where a call has used up its whole time is Mailchimp taken for silent: a page that may be too big proves nothing."""
    scripted = Scripted(
        lambda outgoing: TimedOutError("Mailchimp did not respond") if outgoing.url.endswith("big") else answer({"ok": True})
    )

    async def one_after_the_other() -> Any:
        client = scripted.client()
        with pytest.raises(TimedOutError):
            await client.call(Request("/big", "a big page"), tries=2)
        return (await client.call(PING)).body

    assert run(one_after_the_other()) == {"ok": True}


def test_a_connection_that_is_lost_for_good_silences_the_calls_that_wait() -> None:
    """Once one call has used up its whole time, those under way fail with their next failure and later ones at once."""
    scripted = Scripted(lambda _: TimedOutError("Mailchimp did not respond"), seconds=10)

    async def together() -> tuple[int, float]:
        client = scripted.client(Patience(total=60.0, first_answer=60.0))
        await asyncio.gather(*(client.call(PING) for _ in range(6)), return_exceptions=True)
        asked, began = len(scripted.seen), asyncio.get_running_loop().time()
        with pytest.raises(TimedOutError):
            await client.call(PING)
        return len(scripted.seen) - asked, asyncio.get_running_loop().time() - began

    assert run(together()) == (0, 0.0)


ENDINGS: dict[str, Answers] = {
    "success": always({}),
    "success after a retry": first([answer({}, 503)], always({})),
    "refused": always({"title": "Invalid Resource"}, 400),
    "not there": always({"title": "Resource Not Found"}, 404),
    "given up": always({}, 503),
}


@pytest.mark.parametrize("answers", ENDINGS.values(), ids=ENDINGS)
def test_a_call_that_is_over_keeps_nothing_of_its_request(answers: Answers) -> None:
    """A request of 500 contacts is gone with its call; the garbage collector looks too seldom to wait for it."""
    scripted = Scripted(answers)

    async def called_once() -> weakref.ref[Request]:
        request = Request("/lists/1", "an audience", method="POST", body={"members": []})
        await outcome(scripted, request, INTERACTIVE)
        return weakref.ref(request)

    async def left() -> Request | None:
        return (await called_once())()

    gc.collect()
    gc.disable()
    try:
        assert run(left()) is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("status", "class_"), [(200, None), (202, None), (299, None), (300, ConfigError), (304, ConfigError), (399, ConfigError)]
)
def test_every_redirect_is_refused(status: int, class_: type[MailchimpError] | None) -> None:
    """Following one would take the credentials elsewhere; what is below is a success."""
    scripted = Scripted(always({"ok": True}, status))

    found, _ = called(scripted)

    assert found == {"ok": True} if class_ is None else type(found) is class_
    assert len(scripted.seen) == 1


def test_the_first_refusal_is_400() -> None:
    """It is not taken for a redirect."""
    assert type(called(Scripted(always({"title": "Bad Request"}, 400)))[0]) is BugError


def test_an_answer_without_content_is_an_empty_one() -> None:
    """Archiving a contact returns no body."""
    assert called(Scripted(always(b"", 204)))[0] == {}


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null"])
def test_an_answer_that_is_no_object_is_for_the_maintainers(body: bytes) -> None:
    """No call has such an answer, and asking again does not help."""
    scripted = Scripted(always(body))

    assert type(called(scripted)[0]) is BugError
    assert len(scripted.seen) == 1


@pytest.mark.parametrize(("body", "detail"), [({"error": "wrong"}, "wrong"), ({}, ""), ({"error": None}, "")])
def test_mailchimps_words_for_an_answer_that_is_not_whole_are_kept(body: dict[str, Any], detail: str) -> None:
    """Where there are any."""
    error, _ = called(Scripted(always(body)), LISTS)

    assert isinstance(error, IncompleteAnswerError)
    assert error.detail == detail


@pytest.mark.parametrize(
    ("failures", "lost"),
    [
        ([], False),
        ([answer({}, 429)], False),
        ([TransientError("No connection", sent=False)], False),
        ([answer({}, 500)], True),
        ([TimedOutError("x"), answer({}, 429)], True),
        ([answer({}, 429), answer(b"{")], True),
    ],
)
def test_a_reply_tells_whether_an_answer_before_it_was_lost(failures: list[Received | Exception], lost: bool) -> None:
    """Then an earlier try may have been carried out: what it says was there before may be our own doing. So do errors."""

    async def told() -> tuple[bool, bool]:
        reply = await Scripted(first(failures, always({}))).client().call(PING)
        with pytest.raises(NotFoundError) as raised:
            await Scripted(first(failures, always({"title": "x"}, 404))).client().call(PING)
        return reply.after_lost_answer, raised.value.after_lost_answer

    assert run(told()) == (lost, lost)


def test_a_404_that_was_not_believed_is_no_lost_answer() -> None:
    """It says that nothing was done."""

    async def told() -> bool:
        return (await Scripted(first([answer({}, 404)], always({}))).client().call(PING.surely())).after_lost_answer

    assert run(told()) is False


def test_before_every_try_the_caller_is_asked_whether_what_it_knows_still_holds() -> None:
    """What is too old to act on is not sent."""

    async def story(holds: list[bool]) -> tuple[str, int]:
        scripted = Scripted(first([answer({}, 429)], always({})))
        try:
            await scripted.client().call(PING, fresh=lambda: holds.pop(0))
        except StaleError:
            return "stale", len(scripted.seen)
        return "done", len(scripted.seen)

    assert run(story([True, True])) == ("done", 2)
    assert run(story([True, False])) == ("stale", 1)
    assert run(story([False])) == ("stale", 0)


def test_a_reply_says_when_it_was_asked_for_and_what_time_it_was_at_mailchimp() -> None:
    """The time of the last try; Mailchimp's from its answer, and from then on by the clock."""

    async def told() -> tuple[float, bool]:
        client = Scripted(first([answer({}, 429, **{"Retry-After": "30"})], always({})), seconds=1.0).client()
        assert client.clock.now is None
        reply = await client.call(PING)
        assert reply.date is not None
        return reply.asked, client.clock.now == reply.date

    asked, same = run(told())
    assert 31.0 <= asked <= 62.0
    assert same


@pytest.mark.parametrize(("failure", "detail"), [(answer({"title": "x", "detail": "y"}, 500), "y"), (None, "")])
def test_a_command_that_ends_before_anything_failed_says_so(failure: Received | None, detail: str) -> None:
    """Without words of Mailchimp's, and with them where it had any; what ends in time ends as it does."""

    async def command() -> str:
        client = Scripted(lambda _: failure or answer({}), seconds=1.0 if failure else 1_000.0).client()
        async with client.within(2_000):
            await asyncio.sleep(0)
        with pytest.raises(TransientError) as raised:
            async with client.within(20):
                await client.call(PING)
        return raised.value.detail

    assert run(command()) == detail


def test_the_body_is_json_and_a_call_without_one_sends_none() -> None:
    """Whole numbers of any size stay as they are."""
    scripted = Scripted(always({}))

    called(scripted)
    called(scripted, Request("/x", "x", method="POST", body={"id": 2**70}))
    called(scripted, Request("/x", "x", method="POST", body={}))

    assert [one.body for one in scripted.seen] == [None, b'{"id":%d}' % 2**70, b"{}"]


def test_the_host_of_a_token_is_looked_up_once() -> None:
    """Even if many calls begin at the same time."""
    scripted = Scripted(lambda outgoing: answer({"dc": "us3"} if "metadata" in outgoing.url else {}))

    async def many() -> None:
        client = scripted.client(credentials=OAUTH)
        await asyncio.gather(*(client.call(PING) for _ in range(5)))

    run(many())
    assert scripted.paths == ["/oauth2/metadata", *["/3.0/ping"] * 5]
