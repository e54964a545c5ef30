"""Which tags a contact is given and which are taken away, and by how few calls. Pure.

Names are compared case-folded: Mailchimp may give another case back than it was sent, and two cases would make twins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from destination_mailchimp_unified.audience.tag_names import fold

SEGMENT_MEMBERS = 500
"""Most email addresses in one call that edits a tag: https://mailchimp.com/developer/marketing/api/list-segments/batch-add-or-remove-members/."""


@dataclass
class Tagging:
    """What is wanted of a contact's tags: folded name to the spelling and whether it should be there.

    With `whole`, the tags to be there are all the managed ones that should be there.
    """

    wanted: dict[str, tuple[str, bool]] = field(default_factory=dict)
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.wanted) or self.whole

    @property
    def additions(self) -> list[str]:
        """Names of tags that should be there."""
        return [name for name, present in self.wanted.values() if present]

    @property
    def removals(self) -> list[str]:
        """Names of tags that should not be there."""
        return [name for name, present in self.wanted.values() if not present]


def tagging(tags: Sequence[str] | None, tags_to_remove: Sequence[str] | None, *, replace: bool) -> Tagging:
    """Return the tagging of one record; a name in both lists is removed. No `tags` at all replaces nothing."""
    wanted = {fold(name): (name, True) for name in tags or ()}
    wanted.update({fold(name): (name, False) for name in tags_to_remove or ()})
    return Tagging(wanted, whole=replace and tags is not None)


def with_tag(wanted: Tagging, tag: str) -> Tagging:
    """Return a tagging by which the contact has a tag as well, even one that it would lose."""
    return Tagging({**wanted.wanted, fold(tag): (tag, True)}, whole=wanted.whole)


def is_managed(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return the test whether a tag's folded name is within the scope that `replace` may touch."""
    folded = [fold(pattern) for pattern in patterns]
    return lambda name: any(fnmatchcase(name, pattern) for pattern in folded)


def merged_tagging(earlier: Tagging, later: Tagging, managed: Callable[[str], bool]) -> Tagging:
    """Return both taggings as one: the later word about a tag wins, and a later whole set leaves none of the earlier."""
    kept = earlier.wanted
    if later.whole:
        kept = {key: (name, present) for key, (name, present) in kept.items() if not (present and managed(key))}
    return Tagging({**kept, **later.wanted}, whole=earlier.whole or later.whole)


@dataclass(frozen=True)
class Delta:
    """The tags to add to a contact and those to take from it, by name."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


def delta(tagging: Tagging, present: Iterable[str], managed: Callable[[str], bool]) -> Delta:
    """Return what is missing between the tags a contact has (`present`) and those wanted."""
    there = {fold(name): name for name in present}
    add = tuple(name for key, (name, on) in tagging.wanted.items() if on and key not in there)
    remove = [there[key] for key, (_, on) in tagging.wanted.items() if not on and key in there]
    if tagging.whole:
        remove += [name for key, name in there.items() if managed(key) and key not in tagging.wanted]
    return Delta(add, tuple(remove))


@dataclass(frozen=True)
class Removal:
    """Contacts, by id, from which one tag is taken by one call."""

    tag: str
    contacts: tuple[str, ...]


def by_segment(deltas: Mapping[str, Delta]) -> list[Removal]:
    """Return the calls that take the tags from contacts, given by id, grouped by tag."""
    grouped: dict[str, tuple[str, list[str]]] = {}
    for contact_id, one in deltas.items():
        for name in one.remove:
            grouped.setdefault(fold(name), (name, []))[1].append(contact_id)
    return [
        Removal(name, tuple(contacts[start : start + SEGMENT_MEMBERS]))
        for name, contacts in grouped.values()
        for start in range(0, len(contacts), SEGMENT_MEMBERS)
    ]


def segments_are_fewer(deltas: Mapping[str, Delta]) -> bool:
    """Return whether grouping removals by tag takes fewer calls than one call per contact.

    Per contact, one call adds and removes at once; grouped, the contacts with something to add still want theirs.
    """
    grouped = len(by_segment(deltas)) + sum(1 for one in deltas.values() if one.add)
    return grouped < len(deltas)


def tag_rows(change: Delta) -> list[dict[str, Any]]:
    """Return the rows of a contact's own tag call."""
    return [{"name": name, "status": "active"} for name in change.add] + [{"name": name, "status": "inactive"} for name in change.remove]
