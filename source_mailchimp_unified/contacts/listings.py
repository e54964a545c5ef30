"""The listings of a list's members: which of them together hold the contacts that are wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailchimp_unified.entities import contact
from mailchimp_unified.entities.entity import nested

COUNTS = {"subscribed": "member_count", "unsubscribed": "unsubscribe_count", "cleaned": "cleaned_count"}
"""The statuses of which an audience tells how many there are: https://mailchimp.com/developer/marketing/api/lists/get-lists-info/."""


@dataclass(frozen=True)
class Listing:
    """The members with a `status` or, without one, all but archived ones; `keep` filters what comes."""

    status: str | None
    keep: frozenset[str] | None = None

    @property
    def key(self) -> str:
        """The name of the listing in a state."""
        return self.status or ",".join(sorted(self.keep or ()))

    def rows(self, audience: Mapping[str, Any]) -> int:
        """Return about how many members the listing holds by the audience's own counts, some minutes old; 0 without a count."""
        stats = nested(audience, "stats")
        names = COUNTS.values() if self.status is None else [COUNTS[self.status]] if self.status in COUNTS else []
        counts = [stats.get(name) for name in names]
        return sum(max(0, count) for count in counts if isinstance(count, int))


EVERYTHING = (Listing(None), Listing(contact.ARCHIVED))
"""All contacts; archived ones are in a listing of their own."""


def listings(wanted: frozenset[str]) -> tuple[Listing, ...]:
    """Return the listings that together hold the contacts of the wanted statuses."""
    present = wanted - {contact.ARCHIVED}
    archived = (Listing(contact.ARCHIVED),) if contact.ARCHIVED in wanted else ()
    if not present:
        return archived
    if len(present) == 1:
        return (Listing(next(iter(present))), *archived)
    everything = len(present) == len(contact.STATUSES) - 1
    return (Listing(None, None if everything else present), *archived)
