"""One audience (list): its members in the orders in which Mailchimp reads them, its tags and its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from mailchimp_emulator.member_index import LateIndex, MemberIndex
from mailchimp_emulator.models import (
    RANK_BITS,
    Interest,
    InterestCategory,
    Member,
    MergeField,
    Segment,
    stable_hex,
    subscriber_hash,
)

# Multiplying by an odd number modulo 2^64 can be undone, so a contact_id leads back to its member without an index.
_SCATTER = 0x9E3779B97F4A7C15
_GATHER = pow(_SCATTER, -1, 1 << 64)
_MASK = (1 << 64) - 1

NEW_LIST_MERGE_FIELDS = (
    ("FNAME", "First Name", "text", True),
    ("LNAME", "Last Name", "text", True),
    ("ADDRESS", "Address", "address", False),
    ("PHONE", "Phone Number", "phone", False),
    ("BIRTHDAY", "Birthday", "birthday", False),
)


class Audience:
    """State of one audience. Every change of a member goes through `add`, `changed`, `readdress` or `remove`."""

    def __init__(self, list_id: str, web_id: int, name: str, created: int, settings: dict[str, Any]) -> None:
        self.id, self.web_id, self.name, self.date_created = list_id, web_id, name, created
        self.settings = settings
        self.members: dict[str, Member] = {}
        self.by_seq: list[Member | None] = []
        self.forgotten: set[str] = set()
        self.index = MemberIndex()
        self.ordered, self.bare = self.index.ordered, self.index.bare
        # What listings see; None while changes show at once.
        self.late: LateIndex | None = None
        self.merge_fields: dict[int, MergeField] = {}
        self.segments: dict[int, Segment] = {}
        self.categories: dict[str, InterestCategory] = {}
        self.version = 0
        self.last_sub = self.last_unsub = 0
        # When campaigns were sent to it.
        self.sent: list[int] = []
        self._tag_ids: dict[str, int] = {}
        self._contact_prefix = stable_hex(list_id, 16)
        self._orderings: dict[tuple[Any, ...], list[Member]] = {}
        self._ordering_version = -1
        for tag, title, kind, public in NEW_LIST_MERGE_FIELDS:
            self.add_merge_field(tag, title, kind, public=public)

    # Members.

    def find(self, key: str) -> Member | None:
        """A member by MD5 of the address, address or contact_id."""
        if "@" in key:
            return self.members.get(subscriber_hash(key))
        return self.members.get(key.lower()) or self._by_contact_id(key.lower())

    def contact_id(self, member: Member) -> str:
        """The id that a contact keeps when its address changes."""
        return f"{self._contact_prefix}{(member.seq * _SCATTER) & _MASK:016x}"

    def _by_contact_id(self, key: str) -> Member | None:
        if len(key) != 32 or not key.startswith(self._contact_prefix):
            return None
        try:
            seq = (int(key[16:], 16) * _GATHER) & _MASK
        except ValueError:
            return None
        return self.by_seq[seq] if seq < len(self.by_seq) else None

    def next_seq(self) -> int:
        """The number of the next member."""
        return len(self.by_seq)

    def add(self, member: Member) -> None:
        """Take in a new member."""
        self.by_seq.append(member)
        self.members[member.id] = member
        self.index.add(member)
        self._note(member)
        self.version += 1

    def add_many(self, members: Sequence[Member]) -> None:
        """Fill the audience at once; far cheaper than one by one."""
        self.by_seq.extend(members)
        self.members.update({member.id: member for member in members})
        self.index.add_many(members)
        if self.late is not None:
            self.late.add_many(members)
        self.version += 1

    def changed(self, member: Member, now: int, status: str | None = None) -> None:
        """Note a change that moves last_changed."""
        self.index.remove(member)
        member.status = status or member.status
        member.last_changed = now
        member.rank = now << RANK_BITS | member.seq
        self.index.add(member)
        self.refreshed(member)

    def refreshed(self, member: Member) -> None:
        """Note a change that leaves last_changed alone."""
        member.fragment = None
        self._note(member)
        self.version += 1

    def show_late(self, seconds: float) -> None:
        """Let listings see each change so many seconds after its last_changed; zero is at once."""
        if not seconds:
            self.late = None
        elif self.late is None:
            self.late = LateIndex(seconds)
            self.late.add_many(self.members.values())
        else:
            self.late.seconds = seconds

    def _note(self, member: Member) -> None:
        if self.late is not None:
            self.late.note(member)

    def readdress(self, member: Member, email: str) -> None:
        """Give a member another address, and with it another id."""
        del self.members[member.id]
        member.email, member.id = email, subscriber_hash(email)
        self.members[member.id] = member
        self.refreshed(member)

    def remove(self, member: Member) -> None:
        """Permanent deletion: the email address cannot be imported again."""
        self.index.remove(member)
        if self.late is not None:
            self.late.remove(member)
        del self.members[member.id]
        self.by_seq[member.seq] = None
        self.forgotten.add(member.id)
        self.version += 1

    def ordering(self, key: tuple[Any, ...], build: Callable[[], list[Member]]) -> list[Member]:
        """A filtered and sorted list of members, kept until the audience changes."""
        if self._ordering_version != self.version:
            self._orderings, self._ordering_version = {}, self.version
        if key not in self._orderings:
            self._orderings[key] = build()
        return self._orderings[key]

    # Tags and segments.

    def tag(self, name: str) -> Segment | None:
        """The tag of that name in any case: the first spelling is the one that stays."""
        found = self._tag_ids.get(name.casefold())
        return None if found is None else self.segments[found]

    def add_segment(self, segment: Segment) -> Segment:
        """Take in a segment; a static one is a tag."""
        self.segments[segment.id] = segment
        if segment.type == "static":
            self._tag_ids[segment.name.casefold()] = segment.id
        self.version += 1
        return segment

    def rename_segment(self, segment: Segment, name: str, now: int) -> None:
        """Rename a segment; its members show the new name."""
        if self._tag_ids.pop(segment.name.casefold(), None) is not None:
            self._tag_ids[name.casefold()] = segment.id
        segment.name, segment.updated_at = name, now
        self.forget_fragments(self.tagged(segment.id))

    def remove_segment(self, segment: Segment) -> None:
        """Deleting a tag takes it from its members; their last_changed stays."""
        for member in self.tagged(segment.id):
            member.tags = {tag: added for tag, added in member.tags.items() if tag != segment.id}
            member.fragment = None
        if self.late is not None:
            self.late.untag(segment.id)
        self._tag_ids.pop(segment.name.casefold(), None)
        del self.segments[segment.id]
        self.version += 1

    def tagged(self, segment_id: int) -> list[Member]:
        """Every member that carries the tag, in order of joining the audience, archived ones included."""

        def scan() -> list[Member]:
            return [member for member in self.members.values() if segment_id in member.tags]

        return self.ordering(("tagged", segment_id), scan)

    # Fields.

    def add_merge_field(self, tag: str, name: str, kind: str, **more: Any) -> MergeField:
        """Define a merge field, with the options that its type has by itself."""
        merge_id = max(self.merge_fields, default=0) + 1
        made = MergeField(merge_id, tag, name, kind, **more)
        made.display_order = made.display_order or merge_id + 1
        made.options = {**made.default_options(), **made.options}
        self.merge_fields[merge_id] = made
        self.forget_fragments()
        return made

    def merge_field(self, tag: str) -> MergeField | None:
        """The merge field of that tag."""
        return next((field for field in self.merge_fields.values() if field.tag == tag), None)

    def merge_tags(self) -> list[str]:
        """The tags in the order in which a member's merge_fields shows them."""
        return [field.tag for field in sorted(self.merge_fields.values(), key=attrgetter("display_order", "merge_id"))]

    def add_category(self, title: str, kind: str) -> InterestCategory:
        """Add a group of interests."""
        number = len(self.categories)
        made = InterestCategory(stable_hex(f"category:{self.id}:{number}", 10), title, kind, number)
        self.categories[made.id] = made
        self.forget_fragments()
        return made

    def add_interest(self, category: InterestCategory, name: str) -> Interest:
        """Add an interest; members have it off until they choose it."""
        number = len(category.interests) + 1
        made = Interest(stable_hex(f"interest:{category.id}:{number}", 10), name, number)
        category.interests[made.id] = made
        self.forget_fragments()
        return made

    def interest_ids(self) -> list[str]:
        """The ids that a member shows under interests."""
        return [interest for category in self.categories.values() for interest in category.interests]

    def forget_fragments(self, members: Iterable[Member] | None = None) -> None:
        """Drop cached JSON after something changed that members show."""
        for member in self.members.values() if members is None else members:
            member.fragment = None
        if self.late is not None:
            self.late.forget_fragments()
        self.version += 1
