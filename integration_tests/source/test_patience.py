"""Nobody waits for an answer that does not come: how long each command takes, on a clock of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.commands import catalog, config
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.errors import TimedOutError, TransientError
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import SourceMailchimpUnified

LOGGER = logging.getLogger("test")
NOW = 1_795_608_000.0
DATE = {"Date": "Wed, 25 Nov 2026 12:00:00 GMT"}
ACCOUNT = {"account_id": "a", "login_id": "b", "account_name": "Shop", "role": "owner"}


def answer(body: Any, status: int = 200, **headers: str) -> Received:
    """Return an answer with a JSON body, or with bytes as they are."""
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    return Received(status, {"Content-Type": kind, **DATE, **headers}, body if isinstance(body, bytes) else orjson.dumps(body))


def healthy(outgoing: Outgoing) -> Received:
    """Answer as an account with a hundred audiences of no contacts does."""
    path = outgoing.url.partition("/3.0")[2]
    if path == "/":
        return answer(ACCOUNT)
    if path == "/lists":
        return answer({"lists": [{"id": f"{number:010d}", "name": f"List {number}"} for number in range(100)], "total_items": 100})
    name = {"members": "members", "merge-fields": "merge_fields", "segments": "segments"}[path.rpartition("/")[2]]
    return answer({name: [], "total_items": 0})


class Sick:
    """Answers in order until it is asked for a path with `part` in it; then never as one should."""

    def __init__(self, part: str, sickness: Callable[[Outgoing], Received]) -> None:
        self.part, self.sickness = part, sickness
        self.requests = 0

    async def send(self, outgoing: Outgoing) -> Received:
        """Take the time that the sickness takes."""
        self.requests += 1
        if self.part not in outgoing.url:
            await asyncio.sleep(0.2)
            return healthy(outgoing)
        try:
            found = self.sickness(outgoing)
        except TimedOutError:
            await asyncio.sleep(outgoing.read)
            raise
        await asyncio.sleep(0.2)
        return found

    def close(self) -> None:
        """Nothing to close."""


def silent(outgoing: Outgoing) -> Received:
    """Answer nothing, or drip until the time is up."""
    raise TimedOutError(f"Mailchimp did not respond within {outgoing.read:g} s", what=outgoing.what)


def unreachable(outgoing: Outgoing) -> Received:
    """Let nobody connect."""
    raise TransientError(f"Could not connect to Mailchimp while requesting {outgoing.what}", sent=False)


SICK: dict[str, Callable[[Outgoing], Received]] = {
    "answers nothing": silent,
    "cannot be reached": unreachable,
    "answers 500": lambda _: answer({"title": "Internal", "status": 500}, 500),
    "answers 429 with an hour to wait": lambda _: answer({"title": "TooMany", "status": 429}, 429, **{"Retry-After": "3600"}),
    "is behind a firewall": lambda _: answer(b"<H1>Access Denied</H1> Reference #18.2d351ab8", 403),
    "answers without a list": lambda _: answer({}),
}


class Clock:
    """Makes the event loops of one command and tells how long they ran."""

    def __init__(self) -> None:
        self.loop: VirtualClockLoop | None = None
        self.seconds = 0.0

    def new_loop(self) -> VirtualClockLoop:
        """Return a loop whose time stays readable when it is closed."""
        self.loop = VirtualClockLoop()
        return self.loop


def sick_source(part: str, sickness: Callable[[Outgoing], Received]) -> tuple[SourceMailchimpUnified, Clock, Sick]:
    """Return a source before a sick Mailchimp, and its clock."""
    clock, transport = Clock(), Sick(part, sickness)
    return SourceMailchimpUnified(transport=lambda: transport, new_loop=clock.new_loop, now=lambda: NOW), clock, transport


@pytest.mark.parametrize("sickness", SICK.values(), ids=SICK.keys())
@pytest.mark.parametrize("part", ["/3.0", "/lists", "/members"])
def test_check_ends_within_30_seconds(part: str, sickness: Callable[[Outgoing], Received]) -> None:
    """No matter what Mailchimp does and where it begins: FAILED, with a clear message."""
    source, clock, transport = sick_source(part, sickness)

    status = source.check(LOGGER, config("http://127.0.0.1:9"))

    assert clock.loop is not None
    assert clock.loop.time() <= 30
    assert status.status.value == "FAILED"
    assert transport.requests > 1 or "/3.0" not in part or sickness is silent
    if part == "/3.0":
        words = {"answers nothing": "did not respond", "is behind a firewall": "IP address"}
        name = next(name for name, one in SICK.items() if one is sickness)
        assert words.get(name, "") in (status.message or "")


@pytest.mark.parametrize("sickness", SICK.values(), ids=SICK.keys())
@pytest.mark.parametrize("part", ["/3.0", "/merge-fields"])
def test_discover_ends_within_60_seconds(part: str, sickness: Callable[[Outgoing], Received]) -> None:
    """A hundred audiences that cannot be read do not wait for each other."""
    source, clock, _ = sick_source(part, sickness)

    with pytest.raises(AirbyteTracedException):
        source.discover(LOGGER, config("http://127.0.0.1:9"))

    assert clock.loop is not None
    assert clock.loop.time() <= 60


def test_one_failure_of_a_check_is_no_failure() -> None:
    """Each step of a check is tried again: a single 500, at any step, does not end it."""
    for part in ("/3.0/", "/lists", "/members"):
        failures = [answer({"status": 500}, 500)]

        def once(outgoing: Outgoing, failures: list[Received] = failures) -> Received:
            return failures.pop() if failures else healthy(outgoing)

        source, _, _ = sick_source(part, once)

        assert source.check(LOGGER, config("http://127.0.0.1:9")).status.value == "SUCCEEDED"


@pytest.mark.parametrize(("name", "minutes"), [("cannot be reached", 3), ("answers nothing", 20), ("answers 500", 20)])
def test_a_hundred_dead_audiences_do_not_wait_one_after_the_other(name: str, minutes: int) -> None:
    """A sync gives up once, for all of them; nobody is told that the configuration is wrong."""
    source, clock, _ = sick_source("/3.0" if name == "cannot be reached" else "/members", SICK[name])
    wanted = ConfiguredAirbyteCatalogSerializer.load(catalog(["contacts"]))

    with pytest.raises(AirbyteTracedException) as failed:
        list(source.read(LOGGER, config("http://127.0.0.1:9"), wanted))

    assert failed.value.failure_type is not None
    assert failed.value.failure_type.value == "transient_error"
    assert clock.loop is not None
    assert clock.loop.time() <= minutes * 60
