"""The reject guard: a wrong mapping is not sent through a whole audience, and a sync that wrote nothing does not end well. Pure."""

from __future__ import annotations

from collections import Counter

from destination_mailchimp_unified.config import ALL_PERCENT
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.errors import ConfigError

MIN_RECORDS_TO_JUDGE = 100
"""Records that must have come before their share of rejects means anything."""

MIN_RECORDS_ALL_REJECTED = 1000
"""The same where only a sync is stopped all of whose records are rejected: tables may begin with rows without an email address."""


class RejectGuard:
    """Counts rejects, and stops a sync that has too many."""

    def __init__(self, most_percent: float | None) -> None:
        self._most = most_percent
        self._reasons: Counter[str] = Counter()
        self._rejected = 0

    def note(self, outcome: Outcome, came: int) -> None:
        """Count an outcome, `came` records having come so far. Raises ConfigError when too many are rejected.

        Those under way count as good: what is refused here is settled sooner than what Mailchimp takes.
        """
        if outcome.kind == "rejected":
            self._rejected += 1
            self._reasons[outcome.reason] += 1
        if self._most is None or not self._rejected:
            return
        least = MIN_RECORDS_ALL_REJECTED if self._most >= ALL_PERCENT else MIN_RECORDS_TO_JUDGE
        if came >= least and self._rejected * ALL_PERCENT >= self._most * came:
            raise ConfigError(
                f"{self._rejected} of {came} records were rejected, and max_rejected_percent is {self._most:g}: the sync was stopped."
                f" The most common reason: {self._commonest}. See the log for the others."
            )

    def finish(self, came: int) -> None:
        """Raise ConfigError when records came and every one of them was rejected, however few they were."""
        if self.all_rejected(came):
            raise ConfigError(
                f"All {came} records were rejected. The most common reason: {self._commonest}."
                " Correct the mapping or the records and run the sync again."
            )

    def all_rejected(self, came: int) -> bool:
        """Return whether records came and every one of them was rejected."""
        return bool(came) and self._rejected == came

    @property
    def _commonest(self) -> str:
        return max(self._reasons, key=self._reasons.__getitem__)
