"""The pipeline as a process runs it that lives for days: nothing that it learns is kept for good, and every event is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import StreamKey
from destination_mailchimp_unified.intake.lines import Input, Record, Unusable
from destination_mailchimp_unified.intake.streams import Target
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.lane import KEPT_SECONDS, LiveLane
from destination_mailchimp_unified.live.pacing import LivePacing
from destination_mailchimp_unified.live.room import Room
from destination_mailchimp_unified.pipeline.lane import Lane
from destination_mailchimp_unified.pipeline.pacing import Pacing
from destination_mailchimp_unified.pipeline.settlement import Settlement
from destination_mailchimp_unified.pipeline.writer import Writer
from destination_mailchimp_unified.settling.rejected_records import BUFFERED_BYTES, Store
from mailchimp_unified.client import MailchimpClient

AGEING_SECONDS = 60.0
"""How often it is looked what has aged."""

RENEWAL_SECONDS = 600.0
"""How often an audience's settings, merge fields and tags are read again: three requests."""

KEEPING_SECONDS = 5.0
"""So long rejects wait in memory for others to be put into the same object."""

MOST_COLUMNS = 5_000
"""Names of columns that are kept in mind; events may name others every time."""


class LiveSettlement(Settlement):
    """Takes the outcome of every event. No state waits for the rejects that are kept."""

    _keeps: asyncio.TimerHandle | None = None

    def release(self) -> None:
        """Let rejects be kept some seconds together: with object storage each time is an object."""
        self._settled.clear()
        pending = self._rejects.pending if self._rejects else 0
        if pending and self._keeps is None and not self._ended:
            self._keeps = asyncio.get_running_loop().call_later(KEEPING_SECONDS, self._keep)
        if pending >= BUFFERED_BYTES:
            # No event is taken while so many are not safe.
            self._begin_keeping()

    def _keep(self) -> None:
        self._keeps = None
        # At the end they are kept in any case.
        if not self._ended:
            self.tasks.create_task(self._keep_and_release())


class LiveWriter(Writer):
    """Writes the events of a feed. `opened` is called once the audiences that the configuration names are known."""

    def __init__(
        self,
        client: MailchimpClient,
        config: DestinationConfig,
        targets: dict[StreamKey, Target],
        logger: logging.Logger,
        feed: Feed,
        *,
        opened: Callable[[], None],
        rejects: Store | None,
    ) -> None:
        self._feed, self._opened = feed, opened
        self._room = Room(config.num_workers, self._look)
        self._live: dict[str, LiveLane] = {}
        super().__init__(client, config, targets, logger, lambda _: None, rejects=rejects)

    def _new_guard(self) -> None:
        # Each sender is told of each reject, and a share of all rejects since last week means nothing.
        return None

    def _new_settlement(self, emit: Callable[[bytes], None]) -> Settlement:
        return LiveSettlement(self._ledger, self._report, self._guard, emit, self._rejects, tell=self._feed.settled)

    def _new_pacing(self) -> Pacing:
        return LivePacing(self._lanes)

    def _new_lane(self, audience: Audience, *, named: bool) -> Lane:
        lane = LiveLane(audience, self._config, self._pager, self._creation, self._settlement.settle, named=named, room=self._room)
        self._live[audience.id] = lane
        return lane

    async def _write(self, intake: Input) -> None:
        self._running[""] = self._tasks.create_task(self._age())
        await super()._write(intake)

    async def _open(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            lane.wake()
        for lane in lanes:
            await lane.opened.wait()
        self._logger.info("Ready for events.")
        self._opened()

    def _kept(self, message: Record | Unusable) -> bytes:
        """Return an event as a sync would have been given it, so that a reject that is kept can be sent again by either."""
        line = super()._kept(message)
        return b'{"record":{"data":%b}}' % line if line and isinstance(message, Record) else line

    def _look(self) -> None:
        for lane in self._live.values():
            if lane.waits:
                lane.wake()

    async def _age(self) -> None:
        """Forget what is old, and learn again what is used."""
        clock = asyncio.get_running_loop().time
        renewed = clock()
        while True:
            await asyncio.sleep(AGEING_SECONDS)
            self._forget_columns()
            renews = clock() - renewed >= RENEWAL_SECONDS
            renewed = clock() if renews else renewed
            for list_id, lane in list(self._live.items()):
                unused = list_id != self._config.list_id and clock() - lane.used >= KEPT_SECONDS
                if lane.at_rest and (lane.gone or unused):
                    self._drop(list_id)
                    continue
                lane.forget()
                if renews and lane.audience.known:
                    await lane.renew()

    def _forget_columns(self) -> None:
        """Forget the columns of streams that have had very many: what each fills is found again."""
        for key, target in self._targets.items():
            if len(target.columns.names) > MOST_COLUMNS:
                self._targets[key] = replace(target, columns=replace(target.columns))

    def _drop(self, list_id: str) -> None:
        """Know an audience no more: its next event asks for it again."""
        self._running.pop(list_id).cancel()
        del self._lanes[list_id], self._live[list_id]
