"""The records of one audience that have come and are not on their way yet, and what they ask of it (`Demand`)."""

from __future__ import annotations

from collections.abc import Sequence

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import wants_groups
from destination_mailchimp_unified.intake.arrivals import Arrival
from destination_mailchimp_unified.intake.planned import PlannedField
from destination_mailchimp_unified.planning.changes import Waiting
from destination_mailchimp_unified.planning.plan import fits_bulk
from destination_mailchimp_unified.planning.tags import is_managed
from mailchimp_unified.entities.contact import merge_values
from mailchimp_unified.text import is_blank, visible


class Backlog:
    """`arrived` are records as they came, `waiting` the changes that earlier ones were made into.

    `written_singly` is how many contacts were written by calls of their own so far.
    """

    def __init__(self, audience: Audience, managed_tags: Sequence[str]) -> None:
        self.arrived: list[Arrival] = []
        self.waiting = Waiting(is_managed(managed_tags))
        self.written_singly = 0
        self.fields_asked_for: set[str] = set()
        self._audience = audience

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
        return any(arrival.contact.unified.get(name) is not None for arrival in self.arrived for name in ("tags", "tags_to_remove"))

    def wants_groups(self) -> bool:
        """Return whether any arrived record names a group or a marketing permission by its name."""
        return any(wants_groups(arrival.contact.unified) for arrival in self.arrived)

    def missing_fields(self) -> list[PlannedField]:
        """Return the merge fields that the mapping names, arrived records fill and the audience lacks; each once."""
        missing: dict[str, PlannedField] = {}
        for arrival in self.arrived:
            for tag, value in merge_values(arrival.contact.unified).items():
                planned = arrival.planned.get(visible(tag).upper())
                if planned and not is_blank(value) and self._audience.merge_field(tag) is None and planned.tag not in self.fields_asked_for:
                    missing.setdefault(planned.tag, planned)
        self.fields_asked_for |= missing.keys()
        return list(missing.values())

    def contacts(self) -> int:
        """Return how many contacts are to be written, as far as is known."""
        return self.written_singly + len(self.waiting) + len(self.arrived)

    def apart(self) -> int:
        """Return how many of those that wait can only be written by calls of their own."""
        return sum(1 for change in self.waiting.heads(set()) if change.kind != "upsert" or not fits_bulk(change))
