"""What becomes of the records: each outcome is counted, reported and judged, and states are released once all before them is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.pipeline.reject_guard import RejectGuard
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import Outcome
from destination_mailchimp_unified.settling.rejected_records import Store, outcome_line
from destination_mailchimp_unified.settling.report import Report


class Settlement:
    """Takes the outcome of every record, and emits each state once every record before it is settled and every reject is kept.

    `tell` is told of every outcome; `tasks` is set by the writer. Belongs to the event loop that it is made on.
    """

    tasks: asyncio.TaskGroup

    def __init__(
        self,
        ledger: Ledger,
        report: Report,
        guard: RejectGuard | None,
        emit: Callable[[bytes], None],
        rejects: Store | None,
        tell: Callable[[Entry, Outcome], None] | None = None,
    ) -> None:
        self._ledger, self._report, self._guard, self._emit, self._rejects, self._tell = ledger, report, guard, emit, rejects, tell
        self._keeping: asyncio.Task[None] | None = None
        self._ended = False
        # Set when a record is settled, until the states that it held back are released.
        self._settled = asyncio.Event()

    def settle(self, entry: Entry, contact_id: str, outcome: Outcome) -> None:
        """Note what became of a record; `contact_id` is "" when it has no contact. Raises ConfigError when too many are rejected."""
        self._ledger.settle(entry, outcome)
        self._report.note(entry, contact_id, outcome)
        if self._rejects and (outcome.kind == "rejected" or self._report.dry_run):
            self._rejects.add(outcome_line(entry, contact_id, outcome))
        self._report.progress(self._ledger.tallies, self._ledger.open_records)
        if not self._settled.is_set():
            self._settled.set()
            asyncio.get_running_loop().call_soon(self.release)
        if self._guard:
            self._guard.note(outcome, self._ledger.came)
        if self._tell:
            self._tell(entry, outcome)

    async def progress(self) -> None:
        """Wait until a record is settled."""
        # What has just been settled releases its states first; a wait for what is there already would let nobody else work.
        await asyncio.sleep(0)
        await self._settled.wait()

    def release(self) -> None:
        """Emit the states before which nothing is open."""
        self._settled.clear()
        if not (self._rejects and self._rejects.pending):
            for state in self._ledger.released():
                self._emit(state)
        else:
            self._begin_keeping()

    def _begin_keeping(self) -> None:
        if not self._ended and (self._keeping is None or self._keeping.done()):
            self._keeping = self.tasks.create_task(self._keep_and_release())

    def end(self) -> None:
        """Begin no more tasks: what is left to be released is released by `finish`."""
        self._ended = True

    async def finish(self) -> None:
        """Release what is left. Does nothing about records that are still open."""
        self.end()
        await self._keep_and_release()

    async def _keep_and_release(self) -> None:
        """Release states once the rejected records before them are safe."""
        while True:
            states = list(self._ledger.released())
            if self._rejects and self._rejects.pending:
                await self._rejects.flush()
            for state in states:
                self._emit(state)
            if not states:
                return
