"""What became of a record: exactly one outcome each, and how outcomes are counted and shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from mailchimp_unified.errors import MailchimpError, RejectedRecordError
from mailchimp_unified.identity import mask_email, masked

SHOWN_REJECTS = 100
"""Rejects that are logged one by one; the others are only counted."""

COMPLIANCE_STATE = "Member In Compliance State"
FORGOTTEN = "Forgotten Email Not Subscribed"
"""Titles of refusals: https://mailchimp.com/developer/marketing/docs/errors/."""

Kind = Literal["created", "updated", "unchanged", "skipped", "rejected"]
KINDS: tuple[Kind, ...] = ("created", "updated", "unchanged", "skipped", "rejected")


@dataclass(frozen=True)
class Outcome:
    """What became of a record: `reason` is a class of reasons to count by, `words` what Mailchimp or we say about this one.

    Neither holds an address in clear.
    """

    kind: Kind
    reason: str = ""
    words: str = ""


CREATED, UPDATED, UNCHANGED = Outcome("created"), Outcome("updated"), Outcome("unchanged")


def skipped(reason: str) -> Outcome:
    """Return the outcome of a record that asks for nothing that may be done."""
    return Outcome("skipped", reason)


def rejected(reason: str, words: str = "") -> Outcome:
    """Return the outcome of a record that cannot be written; `words` may hold addresses, they are masked."""
    return Outcome("rejected", reason, masked(words))


_REASONS = {
    COMPLIANCE_STATE: "the contact unsubscribed, bounced or is under compliance review",
    FORGOTTEN: "the contact was permanently deleted and can only sign up again",
}


def rejected_by(error: MailchimpError) -> Outcome:
    """Return the outcome of a record that Mailchimp refused, in Mailchimp's own words."""
    if not isinstance(error, RejectedRecordError):
        return rejected(masked(error.message), error.detail)
    complaints = "; ".join(f"{name}: {message}" if name else message for name, message in error.fields)
    words = " ".join(part for part in (error.detail, complaints) if part)
    fields = sorted({name for name, _ in error.fields if name})
    if error.title in _REASONS:
        return rejected(_REASONS[error.title], words)
    return rejected(f"Mailchimp refuses {', '.join(fields)}" if fields else masked(_sentence(error)), words)


def _sentence(error: RejectedRecordError) -> str:
    # Mailchimp's details name the address: without it they are a class of reasons.
    words = " ".join("the address" if "@" in word else word for word in error.detail.split())
    return words or error.message


@dataclass
class Tally:
    """Outcomes of one stream, and of all streams together."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.counts[outcome.kind] += 1
        if outcome.reason:
            self.reasons[outcome.kind, outcome.reason] += 1

    @property
    def settled(self) -> int:
        """Records that have their outcome."""
        return self.counts.total()

    @property
    def rejected(self) -> int:
        """Records that were rejected."""
        return self.counts["rejected"]

    def sentence(self) -> str:
        """Return the counts and reasons as a line for the log."""
        counts = ", ".join(f"{self.counts[kind]} {kind}" for kind in KINDS)
        reasons = "; ".join(f"{count} {kind}: {reason}" for (kind, reason), count in self.reasons.most_common())
        return f"{counts} ({reasons})" if reasons else counts


def reject_line(stream: str, email: str, outcome: Outcome) -> str:
    """Return a line for the log about one reject, the address masked."""
    words = f" Mailchimp says: {outcome.words}" if outcome.words else ""
    return f"Rejected {mask_email(email) if email else 'a record without an address'} of stream {stream}: {outcome.reason}.{words}"
