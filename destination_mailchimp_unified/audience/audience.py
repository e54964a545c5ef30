"""What is known of one audience."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from destination_mailchimp_unified.audience.comparison import Comparison
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.audience.tag_names import fold
from mailchimp_unified.entities.merge_field import MergeField
from mailchimp_unified.request import Json


@dataclass
class Tag:
    """A tag of the audience in the spelling that Mailchimp has; the id is None until Mailchimp named it."""

    name: str
    id: int | None = None


@dataclass
class Audience:
    """An audience as far as writing depends on it. `known` tells whether it was found, `statuses` is None until they were read.

    `began` is the moment of the first look at it, by Mailchimp's clock, RFC 3339.
    """

    id: str
    known: bool = False
    began: str = ""
    name: str = ""
    double_optin: bool = False
    subscribed: int = 0
    definitions: list[Json] = field(default_factory=list)
    merge_fields: dict[str, MergeField] = field(default_factory=dict)
    tags: dict[str, Tag] | None = None
    # Names of groups and marketing permissions; None until they were asked for.
    groups: Groups | None = None
    statuses: Statuses | None = None
    # What their words mean that were read with the statuses; None where only statuses were read.
    comparison: Comparison | None = None
    # Whether contacts may be compared at all, and whether all that they are compared by is known.
    compares: bool = True
    is_compared: bool = False
    # Contacts that were written before that: what was read of them may be older.
    written_before: Statuses = field(default_factory=Statuses)
    # How many were written since the statuses were last read.
    written: int = 0
    # Whether the listing had as many contacts as Mailchimp counts: only then is somebody unknown taken for new.
    listed_whole: bool = False
    # The second up to which the statuses are known, by Mailchimp's clock, and when that was, by the loop's.
    statuses_until: datetime | None = None
    statuses_asked: float = 0.0
    # Rows of the plain listing and of the archived ones, and the first page of each until it is read or found not to be.
    totals: tuple[int, int] | None = None
    first_pages: list[list[Json]] = field(default_factory=list)
    # Contacts that Mailchimp reported as being there although no listing had them.
    appeared: set[str] = field(default_factory=set)
    # Whether the last contact that was written without knowing its status turned out to be new: where to begin with the next.
    expects_new: bool = False

    def status_of(self, contact_id: str) -> str | None:
        """Return the status of a contact, None when it is not in the audience (or nothing was read)."""
        return self.statuses.get(contact_id) if self.statuses is not None else None

    def note(self, contact_id: str, status: Any) -> None:
        """Keep the statuses up to date with an answer of Mailchimp's."""
        if self.statuses is not None and isinstance(status, str):
            self.statuses.put(contact_id, status)

    def note_member(self, member: Json) -> None:
        """Learn the status of a contact, and what it is compared by, from a listing."""
        if self.statuses is not None:
            words = self.comparison.of_member(member) if self.comparison else ()
            self.statuses.put(str(member["id"]), str(member.get("status")), words)

    def note_written(self, *contact_ids: str | None) -> None:
        """Note that calls wrote contacts: they are compared no more."""
        for contact_id in filter(None, contact_ids if self.compares else ()):
            self.written += 1
            if self.statuses is not None:
                self.statuses.mark_written(contact_id)
            if not self.is_compared:
                self.written_before.put(contact_id, "subscribed")

    def begin_to_know(self, comparison: Comparison | None) -> None:
        """Begin to know statuses, and what contacts are compared by where there is a comparison."""
        self.comparison, self.written, self.is_compared = comparison, 0, False
        self.statuses = Statuses(comparison.words if comparison else 0, sum(self.totals or ()))

    def words_of(self, contact_id: str) -> Sequence[int] | None:
        """Return what a contact is compared by, None when it is not known, or when this sync has written the contact."""
        if self.statuses is None or not self.is_compared or self.written_before.get(contact_id):
            return None
        return self.statuses.words(contact_id)

    def note_tags(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Learn tags from an answer of Mailchimp's."""
        if self.tags is None:
            return
        for row in rows:
            name = str(row.get("name"))
            known = self.tags.get(fold(name))
            if known is None or known.id is None:
                self.tags[fold(name)] = Tag(name, row.get("id"))

    def spelled(self, name: str) -> str:
        """Return a tag's name as the audience spells it; a name that is new keeps the spelling it came with first."""
        if self.tags is None:
            return name
        return self.tags.setdefault(fold(name), Tag(name)).name

    def tag_id(self, name: str) -> int | None:
        """Return the id of a tag, None when it is not known."""
        tag = (self.tags or {}).get(fold(name))
        return tag.id if tag else None

    def merge_field(self, tag: str) -> MergeField | None:
        """Return the merge field with this tag, ignoring case."""
        return self.merge_fields.get(tag) or self.merge_fields.get(tag.upper())

    @property
    def required_tags(self) -> list[str]:
        """Tags of the merge fields that a new contact must have."""
        return [tag for tag, merge_field in self.merge_fields.items() if merge_field.required]
