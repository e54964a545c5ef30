"""The pipeline behind a server: begun again when Mailchimp was away for too long, and the same feed for all requests meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from destination_mailchimp_unified.live.events import Event
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.pipeline import Pipeline
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.errors import TransientError

REST_SECONDS = 5.0
"""Between a pipeline that gave up and the next."""


class Service:
    """Settles events until it is ended. Belongs to one event loop."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.feed = Feed()
        self._ended = False

    @property
    def ready(self) -> bool:
        """Whether events are being written."""
        return self.pipeline.opened.is_set() and not self._ended

    async def run(self) -> None:
        """Write events until `end`. Raises what somebody has to correct; what only takes time is tried again."""
        while True:
            feed = self.feed
            try:
                await self.pipeline.run(feed)
            except TransientError as error:
                self.pipeline.logger.error("%s Waiting senders are told to send again.", error.message)  # noqa: TRY400 - foreseen
                self.feed = Feed()
                if self._ended:
                    self.feed.end()
            finally:
                feed.break_off()
            if self._ended:
                return
            await asyncio.sleep(REST_SECONDS)
            if self.feed.drained:
                return

    def end(self) -> None:
        """Write what was taken, and no more."""
        self._ended = True
        self.feed.end()

    async def settle(self, events: Sequence[Event]) -> list[Outcome] | None:
        """Return what became of events, in their order, or None when nobody knows. They are written whether one waits or not."""
        outcomes: list[Outcome | None] = [None] * len(events)
        left, done = len(events), asyncio.Event()

        def tell(place: int, outcome: Outcome | None) -> None:
            nonlocal left
            outcomes[place] = outcome
            left -= 1
            if not left:
                done.set()

        for place, event in enumerate(events):
            self.feed.put(event.message, partial(tell, place))
        if events:
            await done.wait()
        known = [outcome for outcome in outcomes if outcome is not None]
        return known if len(known) == len(events) else None
