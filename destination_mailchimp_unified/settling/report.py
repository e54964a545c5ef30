"""What a sync says about itself in the log: rejects, progress, a summary. No address stands there in clear."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from destination_mailchimp_unified.intake.lines import StreamKey
from destination_mailchimp_unified.settling.outcomes import SHOWN_REJECTS, Outcome, Tally, reject_line
from mailchimp_unified.client import Traffic

PROGRESS_SECONDS = 60.0


class Report:
    """Writes to the log at sane intervals."""

    def __init__(self, logger: logging.Logger, *, dry_run: bool) -> None:
        self._logger, self._dry_run = logger, dry_run
        self._began = self._last = time.monotonic()
        self._rejects = 0

    def note(self, stream: StreamKey, email: str, outcome: Outcome) -> None:
        """Log a reject, the first hundred times."""
        if outcome.kind != "rejected":
            return
        self._rejects += 1
        if self._rejects <= SHOWN_REJECTS:
            self._logger.warning(reject_line(stream[1], email, outcome))
        if self._rejects == SHOWN_REJECTS:
            self._logger.warning("Further rejects are only counted.")

    def progress(self, tallies: Mapping[StreamKey, Tally], open_records: int) -> None:
        """Log how far the sync is, once a minute."""
        if time.monotonic() - self._last < PROGRESS_SECONDS:
            return
        self._last = time.monotonic()
        settled = sum(tally.settled for tally in tallies.values())
        self._logger.info("%d records are settled, %d are under way.", settled, open_records)

    def summary(self, tallies: Mapping[StreamKey, Tally], left_out: int, traffic: Traffic, workers: int) -> None:
        """Log what became of the records of every stream, and what it took."""
        would = "This was a dry run: nothing was written. It would have been: " if self._dry_run else ""
        for (_, name), tally in tallies.items():
            self._logger.info("%sStream %s: %s.", would, name, tally.sentence())
        settled = sum(tally.settled for tally in tallies.values())
        self._logger.info(
            "%s %d records in %.1f s, %d lines of the input left out: %d requests, %d retries;"
            " %.1f s of waiting for Mailchimp and %.1f s of pauses, over %d workers.",
            "Checked" if self._dry_run else "Settled", settled, time.monotonic() - self._began, left_out,
            traffic.requests, traffic.retries, traffic.waited_seconds, traffic.backed_off_seconds, workers,
        )  # fmt: skip
