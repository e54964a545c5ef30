"""The simulated Mailchimp: the emulator's rules without sockets, on a virtual clock, with people who act between any two requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import orjson

from integration_tests.simulation.clock import VirtualClockLoop
from integration_tests.simulation.people import Event, Person, happen, settle_in
from mailchimp_emulator.answering import Answering, Outcome
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.calls import Call
from mailchimp_emulator.churn import Churn
from mailchimp_emulator.control import Control
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.replies import reseed_ids
from mailchimp_emulator.state import Options, State
from mailchimp_unified.errors import TimedOutError, TransientError
from mailchimp_unified.transport import Outgoing, Received

BEGINNING = 1_767_225_600
"""The second at which every simulation begins: 1 January 2026."""

Json = dict[str, Any]


class Killed(SystemExit):
    """The process is gone: raised past all its tasks, as nothing in it may answer to `kill -9`."""


@dataclass(frozen=True)
class Seen:
    """A contact as it stood from a second of the simulation on; `by` tells whether a request or a person put it so."""

    at: float
    by: str
    status: str
    values: Mapping[str, Any]
    tags: frozenset[str]
    changed: int


@dataclass
class Weather:
    """How long requests take, in seconds: most of them `usual`, one in `slow_every` up to `slowest`."""

    usual: float = 0.2
    slowest: float = 20.0
    slow_every: int = 25

    def latency(self, chance: random.Random) -> float:
        """Return the seconds that the next request takes."""
        if not chance.randrange(self.slow_every):
            return chance.uniform(self.usual, self.slowest)
        return self.usual * chance.uniform(0.2, 2.0)


@dataclass(eq=False)
class World:
    """One account over several syncs. A `Transport` of the connectors, and their clock."""

    seed: int
    weather: Weather = field(default_factory=Weather)
    readings: Mapping[str, Any] = field(default_factory=dict)
    local_skew: float = 0.0
    log: list[str] = field(default_factory=list)
    sent: int = 0
    open: int = 0
    peak: int = 0
    rows: int = 0
    kill_at: int | None = None
    dead: bool = False

    def __post_init__(self) -> None:
        self.chance = random.Random(f"weather:{self.seed}")
        reseed_ids(self.seed)
        random.seed(self.seed)
        self.state = State(Options(journal=False, behavior=dict(self.readings)))
        self.state.clock.freeze()
        self.answering = Answering(self.state, Control(self.state, Churn(self.state)))
        self.struck: list[str] = []
        self.first_effect: float | None = None
        self.history: dict[tuple[str, str], list[Seen]] = {}
        self._base: float = BEGINNING
        self._loop: VirtualClockLoop | None = None
        self._due: list[Event] = []
        self._waiting: dict[int, tuple[Call, Entry]] = {}
        self.settle(BEGINNING)

    # Time.

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return an event loop whose time continues from now."""
        self._base, self._loop = self.now, VirtualClockLoop()
        return self._loop

    @property
    def now(self) -> float:
        """The moment of the simulation, in seconds since 1970."""
        return self._base + (self._loop.time() if self._loop else 0.0)

    def wall(self) -> float:
        """What the connector's own machine takes for now."""
        return self.now + self.local_skew

    def settle(self, moment: float) -> None:
        """Make it that moment in the account."""
        self.state.clock.frozen_at = moment

    def pass_time(self, seconds: float) -> None:
        """Let time pass between two syncs, with what was still to happen in it."""
        self._base, self._loop = self.now + seconds / 2, None
        self.settle(self.now)
        self._happen(self._due)
        self._due = []
        self._base += seconds / 2
        self.settle(self.now)

    # People.

    def populate(self, people: tuple[Person, ...]) -> None:
        """Put everybody where the story begins."""
        settle_in(self.state, people, BEGINNING)
        for audience in self.audiences:
            for identity in audience.members:
                self._note(audience, identity, "beginning")

    @property
    def audiences(self) -> list[Audience]:
        """The audiences there are."""
        return list(self.state.account.audiences.values())

    def begin(self, events: tuple[Event, ...], faults: tuple[Mapping[str, Any], ...], kill_at: int | None) -> None:
        """Begin a sync, in which people act just before the requests that their events name, counted from 0."""
        self.sent, self.open, self.kill_at, self.dead, self._waiting = 0, 0, kill_at, False, {}
        self.struck, self.first_effect, self.rows = [], None, 0
        self._due = sorted(events, key=lambda event: event.request)
        self.state.faults.set([dict(rule) for rule in faults], self.seed)

    def _happen(self, events: list[Event]) -> None:
        for event in events:
            done = happen(self.state, event)
            self.log.append(f"{self.now:.3f} {'' if done else 'nothing: '}{event.said}")
            for list_id in self.state.account.audiences if done else ():
                self._look(list_id, event.act)

    # Requests.

    async def send(self, outgoing: Outgoing) -> Received:
        """Answer a request after its latency, or break as a connection breaks."""
        if not self.dead and self.sent == self.kill_at:
            self.die()
            assert self._loop is not None, "a request is sent on a loop"
            self._loop.interrupt(Killed())
        if self.dead:
            await asyncio.get_running_loop().create_future()
        number, call = self._arrived(outgoing)
        self.open += 1
        self.peak = max(self.peak, self.open)
        latency = self.weather.latency(self.chance)
        share = self.chance.random()
        self._waiting[number] = call, Entry(number, self.now, call.method, call.path, {}, {}, self.open)
        try:
            await asyncio.sleep(latency * share)
            outcome = self._effect(number, call)
            await asyncio.sleep(latency * (1 - share))
            return await self._returned(outcome, outgoing)
        finally:
            self.open -= 1

    def close(self) -> None:
        """Nothing to close."""

    def _arrived(self, outgoing: Outgoing) -> tuple[int, Call]:
        number, self.sent = self.sent, self.sent + 1
        headers = SimpleNamespace(headers={})
        outgoing.auth(headers)  # type: ignore[arg-type]
        query = {name: str(value) for name, value in outgoing.params.items()}
        self.log.append(f"{self.now:.3f} > {number} {outgoing.method} {_short(outgoing.url, query)} {(outgoing.body or b'').decode()}")
        return number, Call(self.state, outgoing.method, urlsplit(outgoing.url).path, query, headers.headers, outgoing.body or b"")

    def die(self) -> None:
        """End the process. What was on its way to Mailchimp may arrive or not."""
        self.dead = True
        for number, (call, _) in sorted(self._waiting.items()):
            if self.chance.random() < 0.5:
                self._effect(number, call)
        self._waiting = {}
        self.log.append(f"{self.now:.3f} killed")

    def bury(self) -> None:
        """Let nothing of an ended process come after: what it leaves behind is only cleared away."""
        self.dead = True
        if self._loop is not None:
            self._loop.interrupt(None)

    def _effect(self, number: int, call: Call) -> Outcome:
        """Let a request take effect, after what people do before it."""
        _, entry = self._waiting.pop(number)
        self.settle(self.now)
        happening = [event for event in self._due if event.request <= number]
        self._due = self._due[len(happening) :]
        self._happen(happening)
        outcome = self.answering.outcome(call, entry)
        self.first_effect = self.first_effect or self.now
        if entry.fault:
            self.struck.append(entry.fault)
        said = outcome.broken.kind if outcome.broken else f"{outcome.reply.status if outcome.reply else ''} {entry.fault}".strip()
        self.log.append(f"{self.now:.3f} < {number} {said}")
        if call.method == "GET":
            self.rows += _rows(call, outcome)
        else:
            self._look(call.path.split("/")[3] if call.path.count("/") >= 3 else "", f"request {number}")
        return outcome

    async def _returned(self, outcome: Outcome, outgoing: Outgoing) -> Received:
        if outcome.broken is not None and outcome.broken.kind in ("hang", "drip"):
            await asyncio.sleep(outgoing.read)
            raise TimedOutError(f"Mailchimp did not respond within {outgoing.read:g} s", what=outgoing.what, detail="Timeout")
        if outcome.broken is not None or outcome.reply is None:
            raise TransientError(f"Lost the connection to Mailchimp while requesting {outgoing.what}", detail="ConnectionError")
        headers = self.answering.headers(outcome.reply)
        return Received(outcome.reply.status, {name: text for name, text in headers.items() if text}, outcome.reply.body)

    # What became of contacts.

    def _look(self, list_id: str, by: str) -> None:
        audience = self.state.account.audiences.get(list_id)
        if audience is None:
            return
        now = self.state.clock.second()
        for identity, member in audience.members.items():
            # Only what changed in this very second, or lost or won a tag without that, can be new.
            if member.last_changed == now or not self.state.behavior.tag_edit_moves_last_changed:
                self._note(audience, identity, by)
        for known in [key for key in self.history if key[0] == list_id and key[1] not in audience.members]:
            if self.history[known][-1].status != "gone":
                self.history[known].append(Seen(self.now, by, "gone", {}, frozenset(), now))

    def _note(self, audience: Audience, identity: str, by: str) -> None:
        member = audience.members[identity]
        tags = frozenset(audience.segments[tag].name for tag in member.tags)
        seen = Seen(self.now, by, member.status, dict(member.merge_fields), tags, member.last_changed)
        versions = self.history.setdefault((audience.id, identity), [])
        if not versions or _differs(versions[-1], seen):
            versions.append(seen)
            self.log.append(f"{self.now:.3f}   {member.email} is {member.status} {orjson.dumps(member.merge_fields).decode()} by {by}")


def _differs(before: Seen, after: Seen) -> bool:
    return (before.status, before.values, before.tags, before.changed) != (after.status, after.values, after.tags, after.changed)


def _rows(call: Call, outcome: Outcome) -> int:
    if not call.path.endswith("/members") or outcome.reply is None or outcome.reply.status != 200:
        return 0
    try:
        return len(orjson.loads(outcome.reply.body).get("members") or [])
    except (orjson.JSONDecodeError, AttributeError):
        return 0


def _short(url: str, query: Mapping[str, str]) -> str:
    shown = "&".join(f"{name}={value}" for name, value in query.items() if name not in ("fields", "exclude_fields"))
    return f"{urlsplit(url).path.removeprefix('/3.0')}?{shown}"
