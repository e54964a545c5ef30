"""People who edit while others read: a stream of random edits with a seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.models import Member
from mailchimp_emulator.seed import FIRST_NAMES
from mailchimp_emulator.state import State
from mailchimp_emulator.writes import Writer

DEFAULT_MIX = {"edit": 0.7, "archive": 0.1, "unarchive": 0.05, "add": 0.1, "tag": 0.05}
_BEAT_SECONDS = 0.02
_KEYS = {"edits_per_request", "edits_per_second", "mix", "seed", "list_id"}


class Churn:
    """Edits before each answer (`edits_per_request`), or all the time (`edits_per_second`)."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._task: asyncio.Task[None] | None = None
        self._kinds: dict[str, Callable[[Audience, Writer], None]] = {
            "edit": self._edit,
            "archive": self._archive,
            "unarchive": self._unarchive,
            "add": self._add,
            "tag": self._tag,
            "unsubscribe": self._unsubscribe,
            "forget": self._forget,
        }
        self.stop()

    def start(self, wanted: dict[str, Any]) -> None:
        """Begin, replacing any churn before; keys as in `ControlClient.churn`."""
        if unknown := sorted(set(wanted) - _KEYS):
            raise ValueError(f"unknown keys in churn: {', '.join(unknown)}")
        mix = wanted.get("mix") or DEFAULT_MIX
        if unknown := sorted(set(mix) - set(self._kinds)):
            raise ValueError(f"unknown edits: {', '.join(unknown)}; known: {', '.join(self._kinds)}")
        self.stop()
        self.chance = random.Random(wanted.get("seed", 0))
        self.mix, self.list_id = mix, wanted.get("list_id")
        self.edits_per_request = int(wanted.get("edits_per_request", 0))
        if rate := float(wanted.get("edits_per_second", 0)):
            self._task = asyncio.get_running_loop().create_task(self._run(rate))

    def stop(self) -> None:
        """Let everybody rest."""
        if self._task is not None:
            self._task.cancel()
        self._task, self.edits_per_request, self.list_id = None, 0, None
        self.mix, self.chance, self.added = dict(DEFAULT_MIX), random.Random(0), 0

    def before_answer(self) -> None:
        """Make the edits that fall before the next answer."""
        self.apply(self.edits_per_request)

    async def _run(self, rate: float) -> None:
        owed = 0.0
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            owed += rate * _BEAT_SECONDS
            self.apply(int(owed))
            owed -= int(owed)

    def apply(self, count: int) -> None:
        """Make `count` edits now, each at its own moment of the virtual clock."""
        state = self.state
        for _ in range(count):
            audience = self._audience()
            if audience is None:
                return
            state.clock.advance(state.clock.tick_per_edit)
            kind = self.chance.choices(list(self.mix), list(self.mix.values()))[0]
            writer = Writer(state.account, audience, state.behavior, state.clock.second(), outside_the_api=True)
            self._kinds[kind](audience, writer)
            state.stats.churn_edits += 1

    def _audience(self) -> Audience | None:
        audiences = self.state.account.audiences
        if self.list_id is not None:
            return audiences.get(self.list_id)
        return self.chance.choice(list(audiences.values())) if audiences else None

    def _one(self, members: Any) -> Member | None:
        return members[self.chance.randrange(len(members))] if members else None

    def _edit(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.bare)
        if member is not None:
            name = f"{self.chance.choice(FIRST_NAMES)} {self.chance.randrange(10**6)}"
            member.merge_fields = {**member.merge_fields, "FNAME": name}
            audience.changed(member, writer.now)

    def _archive(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.ordered["subscribed"])
        if member is not None:
            audience.changed(member, writer.now, "archived")

    def _unarchive(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.ordered["archived"])
        if member is not None:
            audience.changed(member, writer.now, "subscribed")

    def _add(self, audience: Audience, writer: Writer) -> None:
        self.added += 1
        email = f"newcomer.{self.added}.{audience.next_seq()}@contacts.example"
        values = {"FNAME": self.chance.choice(FIRST_NAMES)}
        audience.add(Member(audience.next_seq(), email, "subscribed", writer.now, values, {}, timestamp_opt=writer.now))

    def _tag(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.bare)
        if member is not None:
            name = f"Churn {self.chance.randrange(5)}"
            if not writer.untag(member, [name]):
                writer.tag(member, [name])

    def _unsubscribe(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.ordered["subscribed"])
        if member is not None:
            writer.leave(member)

    def _forget(self, audience: Audience, writer: Writer) -> None:
        member = self._one(audience.bare)
        if member is not None:
            writer.forget(member.id)
