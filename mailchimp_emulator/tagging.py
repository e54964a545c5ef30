"""Tags of one contact: put on, taken off, made when they are new.

Public source: https://mailchimp.com/developer/marketing/api/list-member-tags/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.models import Member, Segment


@dataclass(slots=True)
class Tagging:
    """What edits the tags of one audience at one moment."""

    account: Account
    audience: Audience
    behavior: Behavior
    now: int

    def tag(self, member: Member, names: Iterable[str], *, readd_moves: bool = False) -> bool:
        """Put tags on a member; True when one was not there before."""
        wanted = [self._ensure(name) for name in names if name.strip()]
        fresh = [tag for tag in wanted if tag not in member.tags]
        if fresh:
            # A new dict, because seeded members share theirs.
            member.tags = {**member.tags, **dict.fromkeys(fresh, self.now)}
        if fresh or (readd_moves and wanted and self.behavior.tag_readd_moves_last_changed):
            self._tags_edited(member)
        return bool(fresh)

    def untag(self, member: Member, names: Iterable[str]) -> bool:
        """Take tags off a member; True when one was there."""
        tags = [tag.id for name in names if (tag := self.audience.tag(name)) is not None]
        return self.untag_ids(member, tags)

    def untag_ids(self, member: Member, tags: Iterable[int]) -> bool:
        """Take tags off a member by id; True when one was there."""
        gone = {tag for tag in tags if tag in member.tags}
        if not gone:
            return False
        member.tags = {tag: added for tag, added in member.tags.items() if tag not in gone}
        self._tags_edited(member)
        return True

    def tag_ids(self, member: Member, tags: Iterable[int]) -> bool:
        """Put tags on a member by id; True when one was not there before."""
        return self.tag(member, [self.audience.segments[tag].name for tag in tags])

    def _ensure(self, name: str) -> int:
        name = name.strip()
        return (self.audience.tag(name) or self.new_tag(name)).id

    def new_tag(self, name: str) -> Segment:
        """Make a tag."""
        made = Segment(next(self.account.segment_ids), name, "static", self.now, self.now)
        return self.audience.add_segment(made)

    def _tags_edited(self, member: Member) -> None:
        if self.behavior.tag_edit_moves_last_changed:
            self.audience.changed(member, self.now)
        else:
            self.audience.refreshed(member)
