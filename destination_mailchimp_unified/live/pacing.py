"""Pacing of events: a lone one goes at once, and a burst waits a moment for the rest of it."""

from __future__ import annotations

from destination_mailchimp_unified.pipeline.pacing import Pacing

BURST_SECONDS = 0.02
"""So long several events wait for more to come after the last of them."""

MOST_SECONDS = 0.2
"""No event waits longer for others, however steadily they come."""


class LivePacing(Pacing):
    """Decides when events stop waiting for a full batch."""

    _age_seconds = MOST_SECONDS
    _hurried = 0

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
