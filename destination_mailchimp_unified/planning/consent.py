"""Consent: which status a new contact gets, and which status an existing one is moved to. Pure.

Nobody is moved into `subscribed` unless the configuration says so, and a contact who was asked and has not answered stays `pending`.
"""

from __future__ import annotations

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.planning.changes import Change
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.entities.contact_fields import NEW_STATUSES

HOLDING = ("subscribed", "pending")
"""Statuses of contacts who can be unsubscribed."""

OPT_OUTS = ("unsubscribed", "cleaned", "transactional")
"""Statuses in which nobody gets marketing, but for archived: https://mailchimp.com/help/about-your-contacts/."""

NOT_BY_PATCH = (ARCHIVED, "transactional")
"""Statuses that PATCH does not take: https://mailchimp.com/developer/marketing/api/list-members/update-list-member/."""

STAYS_ARCHIVED = "stay archived"


def new_status(change: Change, audience: Audience, config: DestinationConfig) -> str | None:
    """Return the status a contact is created with; None when it is not to be created.

    The record's `status_if_new` comes first. Its `status` can only ask for less than the configuration gives, but with
    apply_status `always`. A record that says cleaned or archived creates nobody. On an audience with double opt-in nobody is
    created as subscribed unless `status_if_new` of the configuration says `subscribed`: they are asked first.
    """
    if change.existing_only or change.status not in (None, *NEW_STATUSES):
        return None
    given: str = config.status_if_new if config.status_if_new != "auto" else "subscribed"
    asked = change.status_if_new or change.status
    if asked and (change.status_if_new or config.apply_status == "always" or _reach(asked) <= _reach(given)):
        given = asked
    return _asked_first(given, audience, config)


def status_to_set(change: Change, now: str, audience: Audience, config: DestinationConfig) -> str | None:
    """Return the status that a contact who has the status `now` is moved to; None when it keeps the one it has."""
    wanted = change.status if config.apply_status != "never" else None
    if wanted and wanted not in (now, ARCHIVED) and _may_move(now, wanted, config):
        return _asked_first(wanted, audience, config) if wanted == "subscribed" else wanted
    if now == ARCHIVED and config.restore_archived:
        return new_status(change, audience, config)
    return None


def direct_status(change: Change, config: DestinationConfig) -> str | None:
    """Return the status that may be set together with the fields, regardless of the contact's own status."""
    given = change.status if config.apply_status == "always" and change.status in OPT_OUTS else None
    return None if given in NOT_BY_PATCH else given


def wants_status(change: Change, now: str, config: DestinationConfig) -> bool:
    """Return whether the record's status is one to be applied to a contact who has the status `now`."""
    return config.apply_status != "never" and change.status not in (None, now)


def notes(change: Change, now: str, config: DestinationConfig) -> tuple[str, ...]:
    """Return what was left undone of a change to an existing contact who now has the status `now`, in words for the summary."""
    found = (STAYS_ARCHIVED,) if now == ARCHIVED and change.kind == "upsert" else ()
    if change.status in (None, now) or change.kind != "upsert":
        return found
    if config.apply_status != "always":
        return (*found, f"statuses not applied: apply_status is {config.apply_status}")
    return (*found, "statuses not applied: the contact has to confirm first")


def _may_move(now: str, wanted: str, config: DestinationConfig) -> bool:
    if config.apply_status == "opt_outs":
        return wanted in OPT_OUTS and (now in HOLDING or (now == "transactional" and wanted == "unsubscribed"))
    return not (wanted == "subscribed" and now == "pending")


def _asked_first(status: str, audience: Audience, config: DestinationConfig) -> str:
    return "pending" if status == "subscribed" and audience.double_optin and config.status_if_new != "subscribed" else status


def _reach(status: str) -> int:
    return {"subscribed": 2, "pending": 1}.get(status, 0)
