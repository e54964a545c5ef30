"""What became of a record: exactly one outcome each, and how outcomes are counted and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from mailchimp_unified.errors import MailchimpError, RejectedRecordError
from mailchimp_unified.identity import masked

REASONS_COUNTED = 40
"""Reasons that are told apart in a summary; the others are counted together."""

OTHER_REASONS = "other reasons"

REASON_CHARACTERS = 200
"""Longest reason."""

WORDS_CHARACTERS = 500
"""Most that is quoted of what Mailchimp says about a record."""

COMPLIANCE_STATE = "Member In Compliance State"
FORGOTTEN = "Forgotten Email Not Subscribed"
NOT_ALLOWED = "Method Not Allowed"
MEMBER_EXISTS = "Member Exists"
"""Titles of refusals: https://mailchimp.com/developer/marketing/docs/errors/."""

WITHOUT = "written without "
"""Begins the note about a field whose value could not be used."""

OutcomeKind = Literal["created", "updated", "unchanged", "skipped", "rejected"]
KINDS: tuple[OutcomeKind, ...] = ("created", "updated", "unchanged", "skipped", "rejected")


@dataclass(frozen=True)
class Outcome:
    """What became of a record: `reason` is a class of reasons to count by, `words` what Mailchimp says about this one.

    `notes` say what was left undone, such as "stay archived"; `later` tells that the same record may be accepted some hours later.
    `field` names the field that was refused. None of these holds an email address in clear. `changes` say of a dry run what would
    become of which field: its name, old and new value.
    """

    kind: OutcomeKind
    reason: str = ""
    words: str = ""
    notes: tuple[str, ...] = ()
    later: bool = False
    field: str = ""
    changes: tuple[tuple[str, Any, Any], ...] = ()

    def noting(self, notes: tuple[str, ...]) -> Outcome:
        """Return this outcome with notes."""
        return replace(self, notes=notes) if notes else self

    def noting_nothing(self) -> Outcome:
        """Return this outcome without the notes about what was left out."""
        kept = tuple(note for note in self.notes if not note.startswith(WITHOUT))
        return self if kept == self.notes else replace(self, notes=kept)


CREATED, UPDATED, UNCHANGED = Outcome("created"), Outcome("updated"), Outcome("unchanged")


def skipped(reason: str) -> Outcome:
    """Return the outcome of a record that asks for nothing that may be done."""
    return Outcome("skipped", reason)


def rejected(reason: str, words: str = "", field: str = "") -> Outcome:
    """Return the outcome of a record that cannot be written; `words` may hold email addresses, they are masked."""
    return Outcome("rejected", reason[:REASON_CHARACTERS], masked(words[:WORDS_CHARACTERS]), field=field)


NOT_THERE = skipped("the contact is not in the audience")
NOT_CREATED = skipped("a contact that is cleaned or archived is not created")
ALREADY_THERE = skipped("the contact is in the audience, and only new contacts are written")
VANISHED = skipped("the contact was deleted while it was being written")
NO_AUDIENCE = rejected("there is no such audience")
NOT_ARCHIVED = Outcome("unchanged", "Mailchimp does not archive contacts that are archived, cleaned, or pending")

VALUE_TOO_DEEP = rejected("a value of the record is nested too deeply")
TEMPORARY = "temporary: Mailchimp blocks sign-ups for this email address; send the record again in a few hours"
TWO_CONTACTS = rejected("the audience has one contact under email and another under previous_email")
INCOMPLETE = "complete address"
"""In what Mailchimp says of a postal address that lacks a part: https://github.com/brandonseydel/MailChimp.Net/issues/631."""

INCOMPLETE_ADDRESS = rejected(
    "the contact's stored postal address is incomplete, and Mailchimp rejects every update; complete it or set required_fields to skip"
)

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
    if error.temporary:
        return replace(rejected(TEMPORARY, words), later=True)
    if error.title in _REASONS:
        return rejected(_REASONS[error.title], words)
    return rejected(f"Mailchimp rejected {', '.join(fields)}" if fields else masked(_sentence(error)), words, ", ".join(fields))


def _sentence(error: RejectedRecordError) -> str:
    # Mailchimp's details name the email address: without it they are a class of reasons.
    words = " ".join("the email address" if "@" in word else word for word in error.detail.split())
    return words or error.message
