"""Which changes change nothing, as far as the last reading of the audience tells. Pure.

Of a change that is about more than fields and tags this is never said: deletions, statuses to be applied, new email addresses and
contacts to be brought back from the archive go by calls, since what was read earlier must not decide about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison, Wanted, comparison_of
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival
from destination_mailchimp_unified.planning.changes import Change, fits_bulk
from destination_mailchimp_unified.planning.tags import is_managed
from mailchimp_unified.entities.comparable import MERGE_FIELDS, fields_in
from mailchimp_unified.entities.contact import ARCHIVED
from mailchimp_unified.entities.contact_fields import FIELDS, LISTS


def shown_by(arrivals: Iterable[Arrival], changes: Iterable[Change]) -> list[str]:
    """Return the fields of a member that show what these records fill."""
    names = {name for arrival in arrivals for name, value in arrival.contact.unified.items() if value is not None}
    found = {name for name in names if FIELDS[name].role == "body" and name != "email"}
    found |= {name for change in changes for name in change.body}
    if any(FIELDS[name].role == "merge field" for name in names) or any(arrival.contact.extras for arrival in arrivals):
        found.add(MERGE_FIELDS)
    if names.intersection(LISTS) or any(change.tagging for change in changes):
        found |= {"tags", "tags_count"}
    return sorted(found | {"email_address"})


def comparison_for(changes: Iterable[Change], audience: Audience, config: DestinationConfig, shown: Sequence[str] | None) -> Comparison:
    """Return what contacts are best compared by to find out which of these changes change something."""
    wanted = [_wanted(change) for change in changes if change.kind == "upsert"]
    return comparison_of(wanted, audience.merge_fields, is_managed(config.managed_tags), shown)


def changes_nothing(change: Change, audience: Audience, config: DestinationConfig) -> bool:
    """Return whether a contact has all that a change wants, and has not been written since it was read."""
    status = audience.status_of(change.id)
    if audience.comparison is None or status is None or _is_about_more(change, status, config):
        return False
    if change.removes_tags_only and any(audience.tag_id(name) is None for name in change.tagging.removals):
        # A tag that the audience did not have may have been made since: asking again costs little.
        return False
    words = audience.words_of(change.id)
    return words is not None and audience.comparison.is_met(_wanted(change), words, _spellings(change, status))


def _is_about_more(change: Change, status: str, config: DestinationConfig) -> bool:
    applies = config.apply_status != "never" and change.status is not None and (change.status, status) != ("subscribed", "subscribed")
    restores = config.restore_archived and status == ARCHIVED
    return change.kind != "upsert" or bool(change.previous_id) or change.new_only or applies or restores


def _wanted(change: Change) -> Wanted:
    tags = {key: present for key, (_, present) in change.tagging.wanted.items()}
    return Wanted(change.body, fields_in(change.body), tags, change.tagging.whole)


def _spellings(change: Change, status: str) -> set[str]:
    """Return the spellings of an email address that a call would leave: bulk calls send it, others keep the one that is there."""
    email = str(change.body["email_address"])
    return {email} if status == "subscribed" and fits_bulk(change) else {email, email.lower()}
