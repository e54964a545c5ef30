"""Whole syncs of the destination over a simulated Mailchimp: in this process, on a virtual clock, without sockets."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.intake.lines import Chunks
from integration_tests.simulation.people import Person
from integration_tests.simulation.world import Weather
from integration_tests.streaming.simulated import LIST, Days
from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_emulator.models import Member
from mailchimp_unified.transport import Outgoing, Received

Json = dict[str, Any]

STATE = "a state"
"""Stands for a state among the messages of an input."""

STREAM = "people"


@dataclass
class Sync:
    """A sync that is over: the requests that it made, each with its second, when which states came back, and what was logged."""

    world: Mailchimp
    states: list[Json] = field(default_factory=list)
    state_seconds: list[float] = field(default_factory=list)
    log: list[logging.LogRecord] = field(default_factory=list)
    error: Exception | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """How many records were written and how many rejected, as the states say."""
        found: Counter[str] = Counter()
        for message in self.states:
            found.update({name: int(count) for name, count in message["state"]["destinationStats"].items()})
        return found["recordCount"], found["rejectedRecordCount"]

    def calls(self, *methods: str) -> list[tuple[float, str, str, Any]]:
        """Return second, method, path and body of the requests with these methods."""
        return [one for one in self.world.calls if one[1] in methods]

    @property
    def writes(self) -> list[tuple[float, str, str, Any]]:
        """The requests that write."""
        return self.calls("POST", "PUT", "PATCH", "DELETE")


class Steady(Weather):
    """Every request takes as long as every other."""

    def latency(self, chance: random.Random) -> float:
        """Return the seconds that a request takes."""
        return self.usual


class Mailchimp(Days):
    """An account with one audience, in which people are."""

    def __init__(self, *people: Person, latency: float = 0.1, **readings: Any) -> None:
        super().__init__(1, Steady(latency), readings=readings)
        self.calls: list[tuple[float, str, str, Any]] = []
        self.params: list[Json] = []
        self.began = self.now
        self.place(*people)

    async def send(self, outgoing: Outgoing) -> Received:
        """Keep a request, and answer it."""
        path = outgoing.url.partition("/3.0")[2].removeprefix(f"/lists/{LIST}")
        self.calls.append((self.now - self.began, outgoing.method, path, orjson.loads(outgoing.body) if outgoing.body else None))
        self.params.append(dict(outgoing.params))
        return await super().send(outgoing)

    def member(self, email: str) -> Member:
        """Return a contact by the email address."""
        return next(one for one in self.state.account.audiences[LIST].members.values() if one.email == email)


def person(number: int, status: str = "subscribed", **more: Any) -> Person:
    """Somebody who has been there for a day."""
    return Person(LIST, f"p{number}@contacts.example", status, **more)


def record(number: int, **columns: Any) -> Json:
    """Return the columns of a record of such a person."""
    return {"email": f"p{number}@contacts.example", "list_id": LIST, **columns}


def write(
    world: Mailchimp,
    *messages: Json | float | str | bytes,
    mode: str = "append",
    properties: Json | None = None,
    give: Callable[[Chunks], Any] | None = None,
    streams: Sequence[Json] | None = None,
    **options: Any,
) -> Sync:
    """Write records, given as their columns, pauses in seconds, states, and other lines, then the end of the input.

    `properties` are those of the stream's schema; without them the columns are learned from the records.
    `give` feeds the input in its own way instead, `streams` are the configured streams of another catalog.
    """
    destination = DestinationMailchimpUnified(
        transport=lambda: world, new_loop=world.new_loop, feed=lambda intake, _: tasks.append(_task(intake, messages, give))
    )
    config = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "list_id": LIST, "max_rejected_percent": None, **options}
    described = {"name": STREAM, "json_schema": {"properties": properties or {}}, "supported_sync_modes": ["full_refresh"]}
    configured = streams or [{"stream": described, "sync_mode": "full_refresh", "destination_sync_mode": mode}]
    tasks: list[asyncio.Task[None]] = []
    logger = logging.getLogger("destination.unit")
    world.began, sync = world.now, Sync(world)
    logger.propagate, logger.handlers = False, [_Log(sync.log)]
    logger.setLevel(logging.INFO)
    world.calls, world.params = [], []
    try:
        for line in destination.write_lines(logger, config, {"streams": list(configured)}, lambda _: b""):
            sync.states.append(orjson.loads(line))
            sync.state_seconds.append(world.now - world.began)
    except Exception as error:  # noqa: BLE001 - how a sync ends is for the test to say
        sync.error = error
    return sync


class _Log(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, kept: list[logging.LogRecord]) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._kept.append(record)


def _task(intake: Chunks, messages: Sequence[Json | float | str | bytes], give: Callable[[Chunks], Any] | None) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(give(intake) if give else _give(intake, messages))


async def _give(intake: Chunks, messages: Sequence[Json | float | str | bytes]) -> None:
    lines: list[bytes] = []
    for number, message in enumerate(messages):
        if isinstance(message, bytes):
            lines.append(message)
            continue
        if isinstance(message, (int, float)):
            if lines:
                intake.add(b"".join(lines))
            lines = []
            await asyncio.sleep(message)
        else:
            lines.append(state_line(number) if message == STATE else record_line(message))
    if lines:
        intake.add(b"".join(lines))
    intake.add(b"")


def record_line(columns: Any, stream: str = STREAM) -> bytes:
    """Return the line of a record with these columns."""
    return orjson.dumps({"type": "RECORD", "record": {"stream": stream, "emitted_at": 1, "data": columns}}) + b"\n"


def state_line(number: int) -> bytes:
    """Return the line of a state."""
    stream = {"stream_descriptor": {"name": STREAM}, "stream_state": {"at": number}}
    return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream}}) + b"\n"
