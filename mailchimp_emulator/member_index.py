"""Members in the orders in which Mailchimp reads them, and what of them is seen while changes show late."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sortedcontainers import SortedKeyList

from mailchimp_emulator.models import Member
from mailchimp_emulator.vendor import STATUSES


class MemberIndex:
    """Members by status and all that are not archived, each in order of last_changed."""

    def __init__(self) -> None:
        self.ordered: dict[str, Any] = {status: _by_rank() for status in STATUSES}
        self.bare = _by_rank()

    def add(self, member: Member) -> None:
        """Take in a member."""
        self.ordered[member.status].add(member)
        if member.status != "archived":
            self.bare.add(member)

    def add_many(self, members: Sequence[Member]) -> None:
        """Take in many at once; far cheaper than one by one."""
        for status, index in self.ordered.items():
            index.update([member for member in members if member.status == status])
        self.bare.update([member for member in members if member.status != "archived"])

    def remove(self, member: Member) -> None:
        """Take out a member, which still has the status and time with which it came in."""
        self.ordered[member.status].remove(member)
        if member.status != "archived":
            self.bare.remove(member)


@dataclass(slots=True)
class LateIndex:
    """What listings see while each change shows `seconds` after its time; deletions show at once."""

    seconds: float
    index: MemberIndex = field(default_factory=MemberIndex)
    _shown: dict[int, Member] = field(default_factory=dict)
    _coming: list[tuple[float, Member]] = field(default_factory=list)

    def add_many(self, members: Iterable[Member]) -> None:
        """Show members as they are now."""
        copies = [copy.copy(member) for member in members]
        self._shown.update({member.seq: member for member in copies})
        self.index.add_many(copies)

    def note(self, member: Member) -> None:
        """Remember a change that has just been made, to be shown later."""
        self._coming.append((member.last_changed + self.seconds, copy.copy(member)))

    def remove(self, member: Member) -> None:
        """Show a member no longer."""
        self._coming = [(moment, late) for moment, late in self._coming if late.seq != member.seq]
        if (shown := self._shown.pop(member.seq, None)) is not None:
            self.index.remove(shown)

    def at(self, now: float) -> MemberIndex:
        """What is seen at a moment."""
        due = [late for moment, late in self._coming if moment <= now]
        self._coming = [(moment, late) for moment, late in self._coming if moment > now]
        for late in due:
            if (shown := self._shown.get(late.seq)) is not None:
                self.index.remove(shown)
            self._shown[late.seq] = late
            self.index.add(late)
        return self.index

    def untag(self, tag: int) -> None:
        """Take a tag that is gone from everybody, at once."""
        for member in [*self._shown.values(), *(late for _, late in self._coming)]:
            if tag in member.tags:
                member.tags = {other: added for other, added in member.tags.items() if other != tag}
                member.fragment = None

    def forget_fragments(self) -> None:
        """Drop cached JSON after something changed that members show."""
        for member in self._shown.values():
            member.fragment = None


def _by_rank() -> Any:
    return SortedKeyList(key=attrgetter("rank"))
