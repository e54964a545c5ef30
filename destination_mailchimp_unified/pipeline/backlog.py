"""The records of one audience that have come and are not on their way yet, and what they ask of it."""

from __future__ import annotations

from collections.abc import Sequence

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison
from destination_mailchimp_unified.audience.groups import wants_groups
from destination_mailchimp_unified.audience.merge_fields import PlannedField
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival
from destination_mailchimp_unified.intake.mapping import missing_fields
from destination_mailchimp_unified.planning.changes import Waiting, fits_bulk
from destination_mailchimp_unified.planning.compared import comparison_for, shown_by
from destination_mailchimp_unified.planning.tags import is_managed
from mailchimp_unified.entities.contact_fields import LISTS


class Backlog:
    """`arrived` are records as they came, `waiting` the changes that earlier ones were made into.

    `written_singly` is how many contacts were written by calls of their own so far.
    """

    def __init__(self, audience: Audience, config: DestinationConfig) -> None:
        self.arrived: list[Arrival] = []
        self.waiting = Waiting(is_managed(config.managed_tags))
        self.written_singly = 0
        self.fields_asked_for: set[str] = set()
        self._audience, self._config = audience, config

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.arrived or len(self.waiting))

    def take_arrived(self) -> list[Arrival]:
        """Return the records that came since the last time."""
        arrived, self.arrived = self.arrived, []
        return arrived

    def wants_tags(self) -> bool:
        """Return whether any arrived record says something about tags."""
        if any(arrival.membership_tag for arrival in self.arrived):
            return True
        return any(arrival.contact.unified.get(name) is not None for arrival in self.arrived for name in LISTS)

    def wants_groups(self) -> bool:
        """Return whether any arrived record names a group or a marketing permission by its name."""
        return any(wants_groups(arrival.contact.unified) for arrival in self.arrived)

    def missing_fields(self) -> list[PlannedField]:
        """Return the merge fields that the mapping names, arrived records fill and the audience lacks; each once."""
        missing = missing_fields(self.arrived, self._audience, self.fields_asked_for)
        self.fields_asked_for |= {field.tag for field in missing}
        return missing

    def contacts(self) -> int:
        """Return how many contacts are to be written, as far as is known."""
        return self.written_singly + len(self.waiting) + len(self.arrived)

    def apart(self) -> int:
        """Return how many of those that wait can only be written by calls of their own."""
        heads, compares = self.waiting.heads(set()), self._audience.compares
        return sum(1 for one in heads if one.kind != "upsert" or one.previous_id or not (compares or fits_bulk(one)))

    def shown(self) -> list[str]:
        """Return the fields of a member that any record fills."""
        return shown_by(self.arrived, self.waiting.heads(set()))

    def comparison(self, shown: Sequence[str] | None) -> Comparison:
        """Return what the contacts that wait are best compared by, among the fields `shown` (None: any)."""
        return comparison_for(self.waiting.heads(set()), self._audience, self._config, shown)
