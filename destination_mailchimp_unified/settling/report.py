"""What a sync says about itself in the log: rejects, progress, a summary. No email address stands there in clear."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.settling.ledger import Tally
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.client import Traffic

PROGRESS_SECONDS = 60.0

SHOWN_REJECTS = 100
"""Rejects that are logged one by one; the others are only counted."""

SHOWN_ALIKE = 5
"""Rejects of one stream for one reason that are logged one by one."""


class Report:
    """Writes to the log at sane intervals. `clock` gives seconds."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float], *, dry_run: bool) -> None:
        self._logger, self._clock, self.dry_run = logger, clock, dry_run
        self._began = self._last = clock()
        self._shown = 0
        self._alike: Counter[tuple[StreamKey, str]] = Counter()

    def note(self, entry: Entry, contact_id: str, outcome: Outcome) -> None:
        """Log a reject: the first few for each reason, a hundred in all."""
        key = (entry.stream, outcome.reason)
        if outcome.kind != "rejected" or self._shown >= SHOWN_REJECTS or self._alike[key] >= SHOWN_ALIKE:
            return
        self._shown += 1
        self._alike[key] += 1
        self._logger.warning(_reject_line(entry, contact_id, outcome))
        if self._shown == SHOWN_REJECTS:
            self._logger.warning("%d rejects logged; the rest are only counted.", SHOWN_REJECTS)
        elif self._alike[key] == SHOWN_ALIKE:
            self._logger.warning("%d rejects of this kind logged; the rest are only counted.", SHOWN_ALIKE)

    def progress(self, tallies: Mapping[StreamKey, Tally], open_records: int) -> None:
        """Log how far the sync is, once a minute."""
        if self._clock() - self._last < PROGRESS_SECONDS:
            return
        self._last = self._clock()
        settled = sum(tally.settled for tally in tallies.values())
        self._logger.info("%d records settled, %d in progress.", settled, open_records)

    def summary(self, tallies: Mapping[StreamKey, Tally], more: Sequence[str], traffic: Traffic, workers: int) -> None:
        """Log what became of the records of every stream, what `more` there is to say, and what it took."""
        would = "Dry run; nothing was written. Would have been: " if self.dry_run else ""
        for stream, tally in tallies.items():
            name = "Lines that match no stream of the catalog" if stream == NOWHERE else f"Stream {stream[1]}"
            self._logger.info("%s%s: %s.", would, name, tally.sentence())
        for words in more:
            self._logger.info("%s", words)
        settled = sum(tally.settled for tally in tallies.values())
        self._logger.info(
            "%s %d records in %.1f s: %d requests, %d retries; %.1f s of waiting for Mailchimp and %.1f s of pauses, over %d workers.",
            "Checked" if self.dry_run else "Settled", settled, self._clock() - self._began,
            traffic.requests, traffic.retries, traffic.waited_seconds, traffic.backed_off_seconds, workers,
        )  # fmt: skip


def _reject_line(entry: Entry, contact_id: str, outcome: Outcome) -> str:
    """Return a line for the log about one reject, which names the record by its number and the contact by its id."""
    where = f"Record {entry.row} of stream {entry.stream[1]}" if entry.stream != NOWHERE else f"Line {entry.number}"
    whose = f" (contact {contact_id})" if contact_id else ""
    words = f" Mailchimp says: {outcome.words}" if outcome.words else ""
    return f"Rejected: {where}{whose}: {outcome.reason}.{words}"
