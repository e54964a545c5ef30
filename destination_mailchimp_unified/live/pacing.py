"""Pacing of events: a lone one goes at once, and a burst waits a moment for the rest of it."""

from __future__ import annotations

from destination_mailchimp_unified.pipeline.pacing import Pacing

BURST_SECONDS = 0.02
"""So long several events wait for more to come after the last of them."""

AGE_SECONDS = 0.1
"""How often it is looked which events have waited for so long: no event waits longer than twice this for others, however steadily they come."""


class LivePacing(Pacing):
    """Decides when events stop waiting for a full batch."""

    _hurried = 0
    _aged = 0

    def _begin_age(self, first: int) -> None:
        if "age" not in self._timers:
            self._aged = first
            self._set("age", AGE_SECONDS, self._all_that_aged)

    def input_pauses(self) -> None:
        """Note that nothing more has come yet."""
        more = self._number - self._hurried
        if more == 1:
            self.all()
        elif more:
            self._set("idle", BURST_SECONDS, self.all)

    def all(self) -> None:
        """Let everything go that has come."""
        self._hurried = self._number
        super().all()

    def _all_that_aged(self) -> None:
        """Let those go that came before the last look. In a burst they have long gone in full batches."""
        self._drop("age")
        self._hurry(self._aged)
        if self._number > self._aged:
            self._aged = self._number
            self._set("age", AGE_SECONDS, self._all_that_aged)
