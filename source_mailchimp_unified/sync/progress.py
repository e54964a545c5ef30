"""How far a long reading is, in the log: a sync that says nothing for minutes is taken for dead."""

from __future__ import annotations

import logging
import time

PROGRESS_SECONDS = 15.0
"""The log names the progress of a reading about as often."""


class Progress:
    """Says how far something is, but not more often than is of use."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._named_at = time.monotonic()

    def tell(self, words: str, *counts: object) -> None:
        """Log `words` about `counts` when it is time again."""
        now = time.monotonic()
        if now - self._named_at >= PROGRESS_SECONDS:
            self._named_at = now
            self._logger.info(words, *counts)
