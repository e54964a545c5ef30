"""What is wanted of one contact: from a unified contact to a change, and several changes merged into one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import with_ids
from destination_mailchimp_unified.audience.tag_names import fold
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.planning.tags import Tagging, merged_tagging, tagging, with_tag
from destination_mailchimp_unified.settling.outcomes import Outcome, rejected, skipped
from mailchimp_unified.entities.contact import ARCHIVED, merge_values, refuse, to_mailchimp
from mailchimp_unified.entities.contact_fields import FIELDS
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.request import Json

Action = Literal["upsert", "archive", "unsubscribe"]

NO_EMAIL = rejected("the record has no email address")
NO_EMAIL_COLUMN = rejected("the record has no email address: no column is mapped to email (see field_mapping)")
SUPERSEDED = skipped("a later record restores the contact")
CREATES_ONLY = skipped("the row was deleted, and only new contacts are written")
MEMBERSHIP_REMOVAL = "the removal of the membership tag"
DELETES_IGNORED = skipped("the row was deleted, and on_delete is ignore")


@dataclass
class Change:
    """What is wanted of one contact, by one record or by several. `body` holds neither status nor tags."""

    email: str
    id: str
    entries: list[Entry]
    kind: Action = "upsert"
    body: Json = field(default_factory=dict)
    tagging: Tagging = field(default_factory=Tagging)
    status: str | None = None
    status_if_new: str | None = None
    existing_only: bool = False
    new_only: bool = False
    # The id under which Mailchimp knows the contact so far, when its email address changes.
    previous_id: str | None = None
    # Fields whose values could not be used, by name: the contact is written without them.
    left_out: tuple[str, ...] = ()
    # Whether it was compared with what was read, and found to change something.
    differs: bool = False

    @property
    def number(self) -> int:
        """The number of its first record."""
        return self.entries[0].number

    @property
    def removes_tags_only(self) -> bool:
        """Whether taking tags away is all it asks for."""
        wants_tags = self.tagging.removals and not self.tagging.additions and not self.tagging.whole
        return bool(wants_tags) and self.kind == "upsert" and not self.previous_id and self.body.keys() == {"email_address"}

    def leave_out(self, refused: Iterable[str]) -> bool:
        """Leave out the fields that Mailchimp refused by name. Returns whether any of them was in the body."""
        names = {name.removeprefix("merge_fields.") for name in refused}
        values = self.body.get("merge_fields", {})
        bad = [
            *(tag for tag in values if tag in names),
            *(name for name in self.body if name in names and name in FIELDS and FIELDS[name].optional),
        ]
        self.body = {name: value for name, value in self.body.items() if name not in bad and name != "merge_fields"}
        if kept := {tag: value for tag, value in values.items() if tag not in bad}:
            self.body["merge_fields"] = kept
        self.left_out = (*self.left_out, *bad)
        return bool(bad)


def change_of(arrival: Arrival, audience: Audience, config: DestinationConfig) -> Change | Outcome:
    """Return the change a record asks for, or its outcome when it asks for nothing that can be done.

    Raises UnknownMergeFieldError for a merge field that the audience does not have.
    """
    unified = arrival.contact.unified
    email = unified.get("email")
    if not email:
        return NO_EMAIL if "email" in unified else NO_EMAIL_COLUMN
    change = Change(email, subscriber_hash(email), [arrival.entry])
    kind = _kind(arrival, config)
    if isinstance(kind, Outcome):
        return kind
    if kind != "upsert" and arrival.operation == "create":
        return CREATES_ONLY
    if kind != "upsert":
        change.kind = kind
        return change
    left_out: list[str] = list(arrival.contact.left_out)

    def on_invalid(error: InvalidValueError) -> None:
        if config.invalid_values == "reject":
            refuse(error)
        left_out.append(error.tag)

    named = with_ids(_with_extras(arrival.contact, audience), audience.groups, on_invalid)
    change.body = to_mailchimp(named, audience.merge_fields, clear_empty=config.empty_values == "clear", on_invalid=on_invalid)
    change.left_out = tuple(left_out)
    previous = unified.get("previous_email")
    change.previous_id = subscriber_hash(previous) if previous and subscriber_hash(previous) != change.id else None
    change.tagging = tagging(unified.get("tags"), unified.get("tags_to_remove"), replace=config.tag_mode == "replace")
    if arrival.membership_tag:
        _give_membership(change, arrival.membership_tag)
    change.status, change.status_if_new = unified.get("status"), unified.get("status_if_new")
    change.existing_only, change.new_only = arrival.operation == "update", arrival.operation == "create"
    return change


def _give_membership(change: Change, tag: str) -> None:
    """Let everybody who comes have the membership tag; a record that would take it away is told so."""
    if fold(tag) in map(fold, change.tagging.removals):
        change.left_out = (*change.left_out, MEMBERSHIP_REMOVAL)
    change.tagging = with_tag(change.tagging, tag)


def _kind(arrival: Arrival, config: DestinationConfig) -> Action | Outcome:
    unified = arrival.contact.unified
    if arrival.operation == "archive":
        return "archive"
    if unified.get("is_deleted"):
        return DELETES_IGNORED if config.on_delete == "ignore" else config.on_delete
    return "archive" if config.apply_status != "never" and unified.get("status") == ARCHIVED else "upsert"


def _with_extras(contact: MappedContact, audience: Audience) -> Json:
    """Add the columns whose names are tags of the audience; what has a unified name or a mapping wins."""
    fields = {merge_field.tag: value for column, value in contact.extras.items() if (merge_field := audience.merge_field(column))}
    if not fields:
        return contact.unified
    taken = {tag for tag, value in merge_values(contact.unified).items() if value is not None}
    fields = {tag: value for tag, value in fields.items() if tag not in taken}
    return {**contact.unified, "custom_fields": {**fields, **(contact.unified.get("custom_fields") or {})}}


def invalid(error: InvalidValueError) -> Outcome:
    """Return the outcome of a record with a value that cannot be written."""
    return rejected(f"{error.tag}: {error.reason}", field=error.tag)


def fits_bulk(change: Change) -> bool:
    """Return whether a row of a bulk call can hold a change: it knows no marketing permissions and no other email address."""
    return "marketing_permissions" not in change.body and not change.previous_id


def foldable(earlier: Change, later: Change) -> bool:
    """Return whether two changes in a row have the same effect as one."""
    alike = earlier.kind == later.kind and earlier.existing_only == later.existing_only and earlier.new_only == later.new_only
    return alike and later.previous_id in (None, earlier.previous_id)


def merged(earlier: Change, later: Change, managed: Callable[[str], bool]) -> Change:
    """Return both changes as one, the later winning field by field; every record keeps its own entry."""
    body = {**earlier.body, **later.body}
    for name in ("merge_fields", "interests"):
        if name in body:
            body[name] = {**earlier.body.get(name, {}), **later.body.get(name, {})}
    return Change(
        email=later.email,
        id=later.id,
        entries=[*earlier.entries, *later.entries],
        kind=later.kind,
        body=body,
        tagging=merged_tagging(earlier.tagging, later.tagging, managed),
        status=later.status or earlier.status,
        status_if_new=later.status_if_new or earlier.status_if_new,
        existing_only=later.existing_only,
        new_only=later.new_only,
        previous_id=earlier.previous_id,
        left_out=(*earlier.left_out, *later.left_out),
    )


@dataclass
class Waiting:
    """The changes that wait to be sent, in order of arrival, those of one contact in their order."""

    managed: Callable[[str], bool]
    _by_id: dict[str, list[Change]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, contact_id: str) -> bool:
        return contact_id in self._by_id

    def add(self, change: Change) -> list[Entry]:
        """Add a change, folding it into the last one of its contact where both have the same effect.

        Returns the entries of a deletion that it makes void: the contact stays, with the status it has.
        """
        queue = self._by_id.setdefault(change.id, [])
        void: list[Entry] = []
        if queue and queue[-1].kind != "upsert" and change.kind == "upsert":
            void = queue.pop().entries
        if queue and foldable(queue[-1], change):
            queue[-1] = merged(queue[-1], change, self.managed)
        else:
            queue.append(change)
        return void

    def put_back(self, change: Change) -> None:
        """Put a change back in front of those of its contact: it could not be sent, and is planned again."""
        self._by_id.setdefault(change.id, []).insert(0, change)

    def heads(self, blocked: set[str]) -> list[Change]:
        """Return the first change of every contact that is not blocked."""
        return [queue[0] for contact_id, queue in self._by_id.items() if contact_id not in blocked]

    def take(self, change: Change) -> None:
        """Remove the first change of a contact: it is on its way."""
        queue = self._by_id[change.id]
        queue.pop(0)
        if not queue:
            del self._by_id[change.id]
