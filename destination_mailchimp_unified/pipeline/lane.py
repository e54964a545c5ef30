"""The way of one audience's records: those that arrived, the changes that wait, the addresses that are on their way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.planning.changes import SUPERSEDED, Arrival, Change, Entry, Waiting, change_of, invalid
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.entities.contact import merge_values
from mailchimp_unified.entities.merge_field import InvalidValueError


@dataclass(eq=False)
class Lane:
    """Records for one audience. `gone` is the outcome of all of them when there is no such audience.

    `named` tells whether the configuration or the catalog names it: then it must be there.
    """

    audience: Audience
    waiting: Waiting
    named: bool = False
    gone: Outcome | None = None
    arrived: list[Arrival] = field(default_factory=list)
    on_their_way: set[str] = field(default_factory=set)
    preparing: bool = False
    nudged: bool = False
    # Records with a smaller number are due.
    due_before: int = 0
    written_singly: int = 0
    # Merge fields whose creation was tried.
    fields_asked_for: set[str] = field(default_factory=set)

    @property
    def list_id(self) -> str:
        """The id of the audience."""
        return self.audience.id

    @property
    def pending(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self.arrived) or len(self.waiting) > 0

    def is_due(self, change: Change) -> bool:
        """Return whether a change shall not wait for a full batch."""
        return change.number < self.due_before

    def missing_fields(self) -> dict[str, Any]:
        """Return a value for each merge field that arrived records fill and the audience lacks, by tag; each once."""
        missing: dict[str, Any] = {}
        for arrival in self.arrived:
            for tag, value in merge_values(arrival.contact.unified).items():
                if value is not None and self.audience.merge_field(tag) is None and tag not in self.fields_asked_for:
                    missing.setdefault(tag, value)
        self.fields_asked_for |= missing.keys()
        return missing

    def wants_tags(self) -> bool:
        """Return whether any arrived record says something about tags."""
        return any(arrival.contact.unified.get(name) is not None for arrival in self.arrived for name in ("tags", "tags_to_remove"))

    def absorb(self, config: DestinationConfig) -> Iterator[tuple[str, Entry, Outcome]]:
        """Turn the arrived records into waiting changes; yield address, record and outcome of those that are none."""
        arrived, self.arrived = self.arrived, []
        for arrival in arrived:
            try:
                change = change_of(arrival, self.audience, config)
            except InvalidValueError as error:
                change = invalid(error)
            if isinstance(change, Outcome):
                yield str(arrival.contact.unified.get("email") or ""), arrival.entry, change
            else:
                for entry in self.waiting.add(change):
                    yield change.email, entry, SUPERSEDED

    def take(self, change: Change) -> None:
        """Note that a change is on its way: no other of its address may go before it is settled."""
        self.waiting.take(change)
        self.on_their_way.add(change.id)
