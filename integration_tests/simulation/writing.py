"""Whole syncs of the destination in one process: what comes in, is killed and comes again, and what becomes of the audience."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.intake.lines import Chunks
from destination_mailchimp_unified.intake.refreshes import ATTEMPT_VARIABLE
from integration_tests.simulation.people import new_list
from integration_tests.simulation.policy_promises import broken_by_policies
from integration_tests.simulation.process import logged
from integration_tests.simulation.promises import Run
from integration_tests.simulation.world import BEGINNING, Killed, World
from integration_tests.simulation.writing_promises import broken_at_acknowledgment, broken_at_the_end, broken_by_requests, may_fail
from integration_tests.simulation.writing_stories import LIST, Line, WriteSync, WritingStory
from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_emulator.models import subscriber_hash

Json = dict[str, Any]

STREAM = "people"
_CATALOG = {"name": STREAM, "json_schema": {}, "supported_sync_modes": ["full_refresh"], "is_resumable": True}
# A sync that is begun again continues from the last state: the catalog says the same of it, the environment names the attempt.
_GENERATION = {"generation_id": 7, "minimum_generation_id": 7, "sync_id": 42}


def contact_id(line: Line) -> str:
    """Return the id of the contact that a record is about."""
    return subscriber_hash(str(line.get("email")).strip())


@dataclass
class WriteAttempt:
    """One sync as the platform saw it: the first line it was given, when each was given, and the last one acknowledged."""

    number: int
    first: int
    given: dict[int, float] = field(default_factory=dict)
    acknowledged: int = 0
    rejected: int = 0
    began: float = 0.0
    ended: float = 0.0
    killed: bool = False
    failure: str = ""
    struck: list[str] = field(default_factory=list)


class WritingRun(Run):
    """A story of the destination, told once."""

    destination: type[DestinationMailchimpUnified] = DestinationMailchimpUnified

    def __init__(self, story: WritingStory) -> None:
        self.story = story
        super().__init__(World(story.seed, readings=dict(story.readings)))
        self.attempts: list[WriteAttempt] = []
        # How many lines are acknowledged: a state acknowledges itself and every record before it.
        self.acknowledged = 0

    def run(self) -> None:
        """Tell the whole story; what is broken is in `broken`."""
        world, story = self.world, self.story
        new_list(world.state, LIST, BEGINNING - 400 * 86_400, double_optin=story.double_optin)
        world.populate(story.people)
        for sync in (*story.syncs, WriteSync()):
            if self.acknowledged < len(story.lines):
                self._attempt(sync)
        if self.acknowledged < len(story.lines) and dict(story.config)["max_new_contacts"] is None:
            self._break("acknowledgment", f"{self.acknowledged} of {len(story.lines)} lines were acknowledged in the end")
        self._report(broken_by_requests(self))
        self._report(broken_by_policies(self))
        self._report(broken_at_the_end(self))

    def _attempt(self, sync: WriteSync) -> None:
        world, attempt = self.world, WriteAttempt(len(self.attempts), self.acknowledged)
        self.attempts.append(attempt)
        world.begin(sync.events, sync.faults, sync.kill)
        world.peak = 0
        world.log.append(f"{world.now:.3f} sync {attempt.number} from line {attempt.first}")
        attempt.began = world.now
        with logged(world), pytest.MonkeyPatch.context() as environment:
            environment.setenv(ATTEMPT_VARIABLE, str(attempt.number))
            self._write(attempt)
        attempt.ended = world.now
        attempt.struck = list(world.struck)
        if attempt.failure and not may_fail(self, attempt):
            self._break("disturbances", f"sync {attempt.number} failed though only {attempt.struck} came: {attempt.failure}")
        if world.peak > self.story.workers:
            self._break("connections", f"{world.peak} requests were open, {self.story.workers} are allowed")
        world.pass_time(sync.gap)

    def _write(self, attempt: WriteAttempt) -> None:
        world, story = self.world, self.story
        destination = self.destination(transport=lambda: world, new_loop=world.new_loop, feed=self._feed, page_size=story.page_size)
        config = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "num_workers": story.workers, **dict(story.config)}
        streams = {"streams": [{"stream": _CATALOG, "sync_mode": "full_refresh", "destination_sync_mode": story.mode, **_GENERATION}]}
        lines = destination.write_lines(logging.getLogger("airbyte"), config, streams, lambda _: b"")
        while (line := self._next(lines, attempt)) is not None and not world.dead:
            self._take(attempt, line)
        attempt.killed = world.dead
        world.bury()
        lines.close()

    def _next(self, lines: Iterator[bytes], attempt: WriteAttempt) -> bytes | None:
        """Return the next line of the sync, None at its end, however it ends."""
        try:
            return next(lines, None)
        except Killed:
            return None
        except Exception as error:  # noqa: BLE001 - the end of a failed sync
            attempt.failure = str(error) or type(error).__name__
            self.world.log.append(f"{self.world.now:.3f} failed: {''.join(traceback.format_exception(error))}")
            return None

    def _feed(self, chunks: Chunks, _: object) -> None:
        attempt, story = self.attempts[-1], self.story

        async def feed() -> None:
            chunk: list[bytes] = []
            for place in range(attempt.first, len(story.lines)):
                line = story.lines[place]
                if line.pause and chunk:
                    chunks.add(b"".join(chunk))
                    chunk = []
                    await asyncio.sleep(line.pause)
                attempt.given[place] = self.world.now
                chunk.append(_message(place, line))
            chunks.add(b"".join(chunk) + (_status(story.end) if story.end else b""))
            chunks.add(b"")

        self._feeding = asyncio.get_running_loop().create_task(feed())

    def _take(self, attempt: WriteAttempt, line: bytes) -> None:
        message = orjson.loads(line)
        self.world.log.append(f"{self.world.now:.3f} {line.decode().strip()}")
        place = message["state"]["stream"]["stream_state"]["line"]
        expected = next((n for n in range(self.acknowledged, len(self.story.lines)) if self.story.lines[n].is_state), None)
        if place != expected:
            self._break("order", f"the state of line {place} came, that of line {expected} was to come")
        statistics = message["state"]["destinationStats"]
        rejected = int(statistics.get("rejectedRecordCount", 0))
        settled = int(statistics["recordCount"]) + rejected
        if settled != place - self.acknowledged:
            self._break(
                "counts", f"the state of line {place} counts {settled} records, {place - self.acknowledged} came since the one before"
            )
        attempt.rejected += rejected
        self._report(broken_at_acknowledgment(self, attempt, place))
        self.acknowledged = attempt.acknowledged = place + 1


def _status(word: str) -> bytes:
    told = {"stream_descriptor": {"name": STREAM}, "status": word}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": told}}) + b"\n"


def _message(place: int, line: Line) -> bytes:
    if line.is_state:
        stream = {"stream_descriptor": {"name": STREAM}, "stream_state": {"line": place}}
        return orjson.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream}}) + b"\n"
    return orjson.dumps({"type": "RECORD", "record": {"stream": STREAM, "emitted_at": 1, "data": dict(line.columns)}}) + b"\n"
