"""Whole lives of `mailchimp-unified-stream` in one process: what it is sent, is killed with and is sent again, and what it answers."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from destination_mailchimp_unified.live.output import Output
from destination_mailchimp_unified.live.pipeline import pipeline_of
from destination_mailchimp_unified.live.stdio import answer_lines
from integration_tests.simulation.people import new_list
from integration_tests.simulation.process import logged
from integration_tests.simulation.promises import Run
from integration_tests.simulation.stream_promises import broken_by_requests, broken_in_the_account, broken_in_the_answers, may_fail
from integration_tests.simulation.stream_stories import Life, StreamStory
from integration_tests.simulation.world import BEGINNING, Killed, World
from integration_tests.simulation.writing_stories import LIST
from mailchimp_emulator import DEFAULT_API_KEY

Json = dict[str, Any]

SLOW_READER_SECONDS = 2.0


@dataclass
class Lived:
    """One process as its sender saw it: the events it was sent, in order, when, and what it answered."""

    number: int
    began: float
    sent: list[int] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
    killed: bool = False
    failure: str = ""
    struck: list[str] = field(default_factory=list)


class _Answers(Output):
    """Gives answers to the sender on the event loop, at once or slowly; a dead process answers nothing."""

    def __init__(self, run: StreamRun, lived: Lived) -> None:
        self._run, self._lived = run, lived
        super().__init__(self._give, in_order=run.story.in_order)

    def _begin(self) -> None:
        """Begin no thread."""

    def _give(self, text: bytes) -> None:
        self._run.answered(self._lived, text)

    def _pass_on(self) -> None:
        if self._ready and not self._run.world.dead:
            text, lines = b"".join(self._ready), len(self._ready)
            self._ready.clear()
            self._give(text)
            self._loop.call_later(SLOW_READER_SECONDS * self._run.story.slow_reader, self._note_written, text, lines)

    async def finish(self) -> None:
        """Give what is left."""
        self._pass_on()


class StreamRun(Run):
    """A story of the stream, told once."""

    def __init__(self, story: StreamStory) -> None:
        self.story = story
        super().__init__(World(story.seed, readings=dict(story.readings)))
        self.lives: list[Lived] = []
        # What each event was answered, by its id: those that are missing are sent again.
        self.outcomes: dict[int, Json] = {}

    def run(self) -> None:
        """Tell the whole story; what is broken is in `broken`."""
        world, story = self.world, self.story
        new_list(world.state, LIST, BEGINNING - 400 * 86_400, double_optin=story.double_optin)
        world.populate(story.people)
        for life in (*story.syncs, Life()):
            if len(self.outcomes) < len(story.lines):
                self._live(life)
        self._report(broken_by_requests(self))
        self._report(broken_in_the_account(self))

    def _live(self, life: Life) -> None:
        world = self.world
        lived = Lived(len(self.lives), world.now)
        self.lives.append(lived)
        world.begin(life.events, life.faults, life.kill)
        world.peak = 0
        world.log.append(f"{world.now:.3f} process {lived.number}")
        with logged(world), asyncio.Runner(loop_factory=world.new_loop) as runner:
            try:
                runner.run(self._work(life, lived))
            except Killed:
                lived.killed = True
            except Exception as error:  # noqa: BLE001 - the end of a process that failed
                lived.failure = str(error) or type(error).__name__
                world.log.append(f"{world.now:.3f} failed: {''.join(traceback.format_exception(error))}")
            world.bury()
        lived.struck = list(world.struck)
        if lived.failure and not may_fail(lived):
            self._break("disturbances", f"process {lived.number} failed though only {lived.struck} came: {lived.failure}")
        if world.peak > self.story.workers:
            self._break("connections", f"{world.peak} requests were open, {self.story.workers} are allowed")
        self._report(broken_in_the_answers(self, lived))
        world.pass_time(life.gap)

    async def _work(self, life: Life, lived: Lived) -> None:
        credentials = {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}
        config = {"credentials": credentials, "list_id": LIST, "num_workers": self.story.workers, **dict(self.story.config)}
        pipeline = pipeline_of(config, "events", logging.getLogger("stream"))
        pipeline.transport = self.world
        await answer_lines(pipeline, self._lines(life, lived), _Answers(self, lived))

    async def _lines(self, life: Life, lived: Lived) -> AsyncIterator[list[bytes | None]]:
        chunk: list[bytes | None] = []
        for line in self.story.lines:
            if line.get("id") in self.outcomes:
                continue
            if len(lived.sent) == life.stop:
                break
            if line.pause and chunk:
                yield chunk
                chunk = []
                await asyncio.sleep(line.pause)
            lived.sent.append(line.get("id"))
            chunk.append(orjson.dumps(dict(line.columns)))
        yield chunk

    def answered(self, lived: Lived, text: bytes) -> None:
        """Take answers."""
        self.world.log += [f"{self.world.now:.3f} {line.decode()}" for line in text.splitlines()]
        answers = [orjson.loads(line) for line in text.splitlines()]
        lived.answers += answers
        self.outcomes.update((one["id"], one) for one in answers)

    @property
    def told(self) -> Counter[str]:
        """How often each outcome was answered."""
        return Counter(str(one["outcome"]) for one in self.outcomes.values())
