"""The stream in virtual time: hours of events in seconds, against the simulated Mailchimp."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from destination_mailchimp_unified.live.events import event_of
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.pipeline import Pipeline, pipeline_of
from destination_mailchimp_unified.settling.outcomes import Outcome
from integration_tests.simulation.people import Event, Person, happen, new_list
from integration_tests.simulation.world import BEGINNING, Weather, World
from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_unified.transport import Outgoing, Received

LIST = "abc1234567"
CALM = Weather(usual=0.2, slowest=0.4, slow_every=10**9)

Json = dict[str, Any]


class Days(World):
    """A world in which requests are kept instead of what became of every contact: it lasts for days."""

    requests: list[tuple[float, str, str, bytes]]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.requests, self.log = [], deque(maxlen=100)  # type: ignore[assignment]
        new_list(self.state, LIST, BEGINNING - 86_400)
        self.begin((), (), None)

    async def send(self, outgoing: Outgoing) -> Received:
        """Keep a request and answer it."""
        self.requests.append(
            (self.now, outgoing.method, urlsplit(outgoing.url).path.removeprefix(f"/3.0/lists/{LIST}"), outgoing.body or b"")
        )
        return await super().send(outgoing)

    def _look(self, list_id: str, by: str) -> None:
        """Keep nothing."""

    def act(self, act: str, email: str, **more: Any) -> None:
        """Let somebody do something now."""
        self.settle(self.now)
        assert happen(self.state, Event(0, act, LIST, email, tuple(more.items())))

    def place(self, *people: Person) -> None:
        """Put people into the audience."""
        self.populate(people)

    def statuses(self) -> dict[str, str]:
        """Everybody's status, by email address."""
        return {member.email: member.status for member in self.state.account.audiences[LIST].members.values()}

    def values(self) -> dict[str, str]:
        """Everybody's first name, by email address."""
        return {member.email: member.merge_fields.get("FNAME", "") for member in self.state.account.audiences[LIST].members.values()}

    def methods(self, since: int = 0) -> Counter[str]:
        """Requests by method, after the first so many."""
        return Counter(method for _, method, _, _ in self.requests[since:])


class Live:
    """A pipeline at work, in the world's time."""

    def __init__(self, world: Days, pipeline: Pipeline, feed: Feed) -> None:
        self.world, self.pipeline, self.feed = world, pipeline, feed
        self.told: list[Outcome | None] = []

    async def put(self, columns: Json, tell: Callable[[Outcome | None], None] | None = None) -> None:
        """Send an event, as soon as there is room."""
        await self.feed.room()
        self.feed.put(event_of(columns, self.pipeline.streams).message, tell or self.told.append)

    async def ask(self, *events: Json) -> list[Outcome | None]:
        """Send events at once and wait for their outcomes."""
        futures = [asyncio.get_running_loop().create_future() for _ in events]
        for columns, future in zip(events, futures, strict=True):
            await self.put(columns, future.set_result)
        return list(await asyncio.gather(*futures))

    async def kinds(self, *events: Json) -> list[str]:
        """Send events at once and wait for the kinds of their outcomes."""
        return [outcome.kind if outcome else "unknown" for outcome in await self.ask(*events)]


def pipeline_in(world: Days, **options: Any) -> Pipeline:
    """Return a pipeline whose Mailchimp is the world."""
    logger = logging.getLogger("stream.simulated")
    logger.propagate, logger.handlers = False, [logging.NullHandler()]
    config = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "list_id": LIST, **options}
    pipeline = pipeline_of(config, "events", logger)
    pipeline.transport = world
    return pipeline


def live(world: Days, story: Callable[[Live], Coroutine[Any, Any, None]], **options: Any) -> Live:
    """Tell a story to a pipeline, and end it in order."""

    async def run() -> Live:
        pipeline, feed = pipeline_in(world, **options), Feed()
        told = Live(world, pipeline, feed)
        writing = asyncio.create_task(pipeline.run(feed))
        telling = asyncio.create_task(told_to_the_end(story, told))
        await asyncio.wait((writing, telling), return_when=asyncio.FIRST_COMPLETED)
        if writing.done() and not telling.done():
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling
        else:
            await telling
        await writing
        return told

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        return runner.run(run())


async def told_to_the_end(story: Callable[[Live], Coroutine[Any, Any, None]], told: Live) -> None:
    """Tell a story, and always end the feed."""
    try:
        await told.pipeline.opened.wait()
        await story(told)
    finally:
        told.feed.end()
