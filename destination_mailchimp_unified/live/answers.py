"""What a sender is told about an event. Pure."""

from __future__ import annotations

from typing import Any

from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.request import Json


def answer(own_id: Any, number: int, outcome: Outcome, *, dry_run: bool) -> Json:
    """Return the answer to one event: its id (its number, from 1, when it has none), what became of it, and why.

    `words` are Mailchimp's own about this contact, `notes` say what was left undone; both only where there are any,
    `retry` where the same may be accepted some hours later. Email addresses in them are masked; the id is the sender's and comes back as it was.
    """
    told: Json = {"id": number if own_id is None else own_id, "outcome": outcome.kind}
    told |= {"reason": outcome.reason or None, "field": outcome.field or None}
    if outcome.words:
        told["words"] = outcome.words
    if outcome.notes:
        told["notes"] = list(outcome.notes)
    if outcome.later:
        told["retry"] = "later"
    if dry_run:
        told["dry_run"] = True
    return told
