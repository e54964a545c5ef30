"""Who came in this sync, and who therefore may lose the membership tag. Pure.

A contact has left an audience when it carries the tag and none of the streams that feed the audience brought it, all of them whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from destination_mailchimp_unified.audience.contact_ids import ContactIds
from destination_mailchimp_unified.intake.arrivals import StreamKey

COMPLETE, INCOMPLETE = "COMPLETE", "INCOMPLETE"
"""Statuses of a stream: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol#airbytestreamstatustracemessage."""

ANYWHERE = ""
"""Stands for the audience of a record that does not tell it."""

NOT_COMPLETE = "the source did not report it as complete"
UNREADABLE = "a line could not be read, and its contact is unknown"
NOBODY_CAME = "no contacts arrived for it"


@dataclass
class Seen:
    """Who came, by stream and audience: a contact counts as its last record in a stream says. Which streams ended well."""

    unreadable: bool = False
    _came: dict[tuple[StreamKey, str], ContactIds] = field(default_factory=dict)
    _statuses: dict[StreamKey, str] = field(default_factory=dict)

    def note(self, stream: StreamKey, list_id: str, contact_ids: Iterable[str], *, deleted: bool = False) -> None:
        """Note the contacts that a record is about; a deleted row brings nobody."""
        came = self._came.get((stream, list_id))
        if came is None:
            came = self._came[stream, list_id] = ContactIds()
        for contact_id in contact_ids:
            if deleted:
                came.discard(contact_id)
            else:
                came.add(contact_id)

    def note_status(self, stream: StreamKey, status: str) -> None:
        """Note how a stream stands: the last word counts, but one that failed does not become whole again."""
        if self._statuses.get(stream) != INCOMPLETE:
            self._statuses[stream] = status

    def is_complete(self, stream: StreamKey) -> bool:
        """Return whether the source said that it has sent all of a stream, and nothing else since."""
        return self._statuses.get(stream) == COMPLETE

    def anybody(self, list_id: str) -> bool:
        """Return whether any contact came for an audience."""
        return any(len(came) for (_, where), came in self._came.items() if where == list_id)

    def is_here(self, list_id: str, contact_id: str) -> bool:
        """Return whether a contact came: for this audience, or for one that its record did not tell."""
        return any(contact_id in came for (_, where), came in self._came.items() if where in (list_id, ANYWHERE))

    def is_deleted(self, list_id: str, contact_id: str) -> bool:
        """Return whether a row of the contact was deleted."""
        return any(came.is_out(contact_id) for (_, where), came in self._came.items() if where in (list_id, ANYWHERE))


Fate = Literal["stays", "leaves", "changed meanwhile"]


def fate(presence: Seen, list_id: str, contact_id: str, last_changed: str, began: str) -> Fate:
    """Return what becomes of a contact who carries the tag.

    Who did not come and yet changed since the sync `began` (RFC 3339, by Mailchimp's clock) may have been given the tag by somebody
    else in the meantime: the next sync decides. A contact whose row was deleted was changed by this very sync.
    """
    if presence.is_here(list_id, contact_id):
        return "stays"
    if last_changed >= began and not presence.is_deleted(list_id, contact_id):
        return "changed meanwhile"
    return "leaves"


def is_too_many(leaving: int, carriers: int, most_percent: float) -> bool:
    """Return whether more of those who carry the tag left than may."""
    return leaving * 100 > most_percent * carriers
