"""The emulator's own time, from which every timestamp and Date header comes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import formatdate


@dataclass(slots=True)
class Clock:
    """Real time plus an offset, or a moment at which time stands still.

    `tick_per_request` and `tick_per_edit` move it by that many seconds for each API request and each churn edit.
    """

    offset: float = 0.0
    frozen_at: float | None = None
    tick_per_request: float = 0.0
    tick_per_edit: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    def second(self) -> int:
        """The whole second in which a change made now falls: Mailchimp keeps no finer time."""
        return int(self.now())

    def http_date(self, skew: float = 0) -> str:
        """The moment as a Date header has it, off by so many seconds."""
        return formatdate(int(self.second() + skew), usegmt=True)

    def set(self, moment: float) -> None:
        """Make it that moment."""
        if self.frozen_at is None:
            self.offset = moment - time.time()
        else:
            self.frozen_at = moment

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        if self.frozen_at is None:
            self.offset += seconds
        else:
            self.frozen_at += seconds

    def freeze(self) -> None:
        """Stand still."""
        self.frozen_at = self.now()

    def run(self) -> None:
        """Let a frozen clock run again from where it stood."""
        self.offset, self.frozen_at = self.now() - time.time(), None
