"""Pacing: how long a record waits for its batch to fill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from destination_mailchimp_unified.pipeline.lane import Lane

STATE_SECONDS = 0.2
"""How long a state waits for more input to fill its batches, when there is more."""

IDLE_SECONDS = 1.0
"""After so long without input, what waits is sent."""

AGE_SECONDS = 30.0
"""No record waits longer than this for a batch to fill."""


class Pacing:
    """Decides when records stop waiting for a full batch: then it hurries the lanes. Belongs to the event loop that it is made on."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lanes = lanes
        self._number = 0
        self._state_number = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def came(self, number: int, state_number: int) -> None:
        """Note that something came: `number` records by now, and a state after `state_number` of them, which should be settled soon."""
        self._drop("idle")
        if number > self._number:
            first, self._number = self._number + 1, number
            self._begin_age(first)
        if state_number > self._state_number:
            self._state_number = state_number
            self._set("state", STATE_SECONDS, self._up_to_the_state)

    def input_pauses(self) -> None:
        """Note that nothing more has come yet: nothing will fill the batches of a state."""
        if "state" in self._timers:
            self._up_to_the_state()
        self._set("idle", IDLE_SECONDS, self.all)

    def all(self) -> None:
        """Let everything go that has come."""
        for name in list(self._timers):
            self._drop(name)
        self._hurry(self._number)

    def _begin_age(self, first: int) -> None:
        self._set("age", AGE_SECONDS, self.all)

    def _up_to_the_state(self) -> None:
        self._drop("state")
        self._hurry(self._state_number)

    def _hurry(self, number: int) -> None:
        for lane in self._lanes.values():
            lane.flush(number)

    def _set(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        if name not in self._timers:
            self._timers[name] = self._loop.call_later(seconds, then)

    def _drop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
