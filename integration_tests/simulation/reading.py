"""Whole syncs of the source in one process: what is read, killed and begun again, and what a warehouse makes of it."""

from __future__ import annotations

import re
import traceback
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from integration_tests.simulation.process import Files, logged
from integration_tests.simulation.promises import Run
from integration_tests.simulation.reading_promises import broken_after_sync, broken_at_the_end
from integration_tests.simulation.reading_stories import ReadingStory, ReadSync
from integration_tests.simulation.world import World
from mailchimp_emulator import DEFAULT_API_KEY
from source_mailchimp_unified.entrypoint import Entrypoint
from source_mailchimp_unified.faults import traced
from source_mailchimp_unified.source import SourceMailchimpUnified

Json = dict[str, Any]
Key = tuple[Any, ...]

KEYS = {"contacts": ("list_id", "id"), "lists": ("id",), "tags": ("list_id", "id"), "users": ("id",)}
CURSORS = {"contacts": "updated_at"}

_EMITTED_AT = re.compile(r'"emitted_at":[0-9.e+]+')


@dataclass
class Warehouse:
    """What a platform keeps of the records: of each key the version with the newest cursor, the later one of equals.

    `certain` are the keys of records that a state followed. Of others, which a killed sync left behind, no later sync knows: `hiding`
    are those of which a newer version is left behind and hides the tombstone that came later.
    """

    rows: dict[str, dict[Key, Json]] = field(default_factory=lambda: defaultdict(dict))
    certain: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    hiding: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    _left_behind: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def add(self, stream: str, record: Json, *, certain: bool) -> None:
        """Take in a record."""
        key = tuple(record.get(name) for name in KEYS[stream])
        if certain:
            self.certain[stream].add(key)
        before, cursor = self.rows[stream].get(key), CURSORS.get(stream, "updated_at")
        if before is None or (record.get(cursor) or "") >= (before.get(cursor) or ""):
            self.rows[stream][key] = record
            (self._left_behind[stream].discard if certain else self._left_behind[stream].add)(key)
            self.hiding[stream].discard(key)
        elif record.get("is_deleted") and certain and key in self._left_behind[stream]:
            self.hiding[stream].add(key)


@dataclass
class Attempt:
    """One sync as the platform saw it."""

    number: int
    began: float
    records: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, str] = field(default_factory=dict)
    killed: bool = False
    failure: str = ""
    struck: list[str] = field(default_factory=list)
    horizon: float = 0.0
    rows: int = 0

    @property
    def skewed(self) -> bool:
        """Whether a Date header was wrong during the sync."""
        return any("date" in fault for fault in self.struck)

    def is_complete(self, stream: str) -> bool:
        """Whether the stream said that it is complete."""
        return self.statuses.get(stream) == "COMPLETE"


class ReadingRun(Run):
    """A story of the source, told once."""

    source: type[SourceMailchimpUnified] = SourceMailchimpUnified

    def __init__(self, story: ReadingStory) -> None:
        self.story = story
        super().__init__(World(story.seed, readings=dict(story.readings), local_skew=story.local_skew))
        self.warehouse = Warehouse()
        self.states: dict[str, Json] = {}
        self.attempts: list[Attempt] = []

    def run(self) -> None:
        """Tell the whole story; what is broken is in `broken`."""
        self.world.populate(self.story.people)
        for number, sync in enumerate(self.story.syncs):
            self.world.begin(sync.events, sync.faults, None)
            attempt = self.attempt(number, sync)
            self.attempts.append(attempt)
            self._report(broken_after_sync(self, attempt))
            self.world.pass_time(sync.gap)
        self._report(broken_at_the_end(self))

    def attempt(self, number: int, sync: ReadSync) -> Attempt:
        """Make one sync, killed after so many messages where the story says so."""
        world, attempt = self.world, Attempt(number, self.world.now)
        world.log.append(f"{world.now:.3f} sync {number}")
        pending: dict[str, list[Json]] = defaultdict(list)
        world.peak = 0
        lines = self._lines()
        place = 0
        while (line := self._next(lines, attempt)) is not None:
            self._take(attempt, line, pending)
            if sync.kill is not None and place >= sync.kill:
                world.die()
                attempt.killed = True
                break
            place += 1
        world.bury()
        lines.close()
        attempt.struck, attempt.rows = list(world.struck), world.rows
        attempt.horizon = world.first_effect or world.now
        if world.peak > self.story.workers:
            self._break("connections", f"{world.peak} requests were open, {self.story.workers} are allowed")
        if self.story.keeps_uncommitted or not (attempt.killed or attempt.failure):
            self._commit(pending, certain=False)
        return attempt

    def _next(self, lines: Iterator[str], attempt: Attempt) -> str | None:
        """Return the next line of the sync, None at its end, however it ends."""
        try:
            return next(lines, None)
        except Exception as error:  # noqa: BLE001 - the end of a failed sync
            failure = traced(error)
            attempt.failure = f"{failure.message} ({failure.failure_type})"
            self.world.log.append(
                f"{self.world.now:.3f} failed: {attempt.failure} {failure.internal_message} {''.join(traceback.format_exception(error))}"
            )
            return None

    def _lines(self) -> Generator[str, None, None]:
        world, story = self.world, self.story
        source = self.source(transport=lambda: world, new_loop=world.new_loop, now=world.wall, page_size=story.page_size)
        files = Files.here()
        config = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "num_workers": story.workers, **dict(story.config)}
        args = ["read", "--config", files.write("config", config), "--catalog", files.write("catalog", catalog(story.streams))]
        if self.states:
            states = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
                      for name, state in self.states.items()]  # fmt: skip
            args += ["--state", files.write("state", states)]
        with logged(world):
            entrypoint = Entrypoint(source)
            for line in entrypoint.lines(entrypoint.parse_args(args)):
                yield line.decode() if isinstance(line, bytes) else line

    def _take(self, attempt: Attempt, text: str, pending: dict[str, list[Json]]) -> None:
        for line in text.splitlines():
            message = orjson.loads(line)
            self.world.log.append(f"{self.world.now:.3f} {_EMITTED_AT.sub('', line)}")
            if message["type"] == "RECORD":
                stream, record = message["record"]["stream"], message["record"]["data"]
                attempt.records[stream] += 1
                pending[stream].append(record)
                self._check_tombstone(stream, record)
            elif message["type"] == "STATE":
                stream = message["state"]["stream"]["stream_descriptor"]["name"]
                self._check_counts(stream, message["state"], len(pending[stream]))
                self.states[stream] = message["state"]["stream"]["stream_state"]
                self._commit({stream: pending.pop(stream, [])}, certain=True)
            elif message["type"] == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                attempt.statuses[status["stream_descriptor"]["name"]] = status["status"]

    def _commit(self, pending: Mapping[str, list[Json]], *, certain: bool) -> None:
        for stream, records in pending.items():
            for record in records:
                self.warehouse.add(stream, record, certain=certain)

    def _check_counts(self, stream: str, state: Json, records: int) -> None:
        counted = (state.get("sourceStats") or {}).get("recordCount")
        if counted is not None and int(counted) != records:
            self._break("counts", f"a state of {stream} counts {counted} records, {records} came")

    def _check_tombstone(self, stream: str, record: Json) -> None:
        if not record.get("is_deleted") or stream not in ("lists", "tags"):
            return
        account = self.world.state.account
        audience = account.audiences.get(str(record["id"] if stream == "lists" else record.get("list_id")))
        there = audience is not None and (stream == "lists" or int(record["id"]) in audience.segments)
        if there:
            self._break("tombstones", f"{stream} {record['id']} is said to be deleted, and it is there")


def catalog(streams: tuple[str, ...]) -> Json:
    """Return a configured catalog of these streams, read incrementally."""
    return {"streams": [_configured(name) for name in streams]}


def _configured(name: str) -> Json:
    return {
        "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "incremental",
        "destination_sync_mode": "append_dedup",
    }
