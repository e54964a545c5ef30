"""What a contact is compared by, in at most three words of 64 bits each, so that a record that changes nothing costs no call. Pure.

Records of one table fill different fields, since a blank leaves its field alone. So the fields are divided into groups: those that
records were seen to fill together share a word, a hash of their values, in which a blank counts as no value. The email address, as it is
spelled, belongs to the first group. A record is compared by the words of the groups that it fills a field of. The fields of such a group
that it leaves alone have to be blank in Mailchimp, too: else the words differ, and the record is written although nothing may differ.
Tags have a word of bits, one for each tag that records were seen to name; what does not fit there is a field of a group.

A word has 64 bits of BLAKE2b, so a change goes unnoticed once in 2^64 changes: with a million changes an hour, once in two billion
years. Two words are compared where a record fills two groups, and a change of either is noticed as surely. Nothing shorter will do:
most changes are of one field, and a hash of 16 bits for each field would lose one of 65,536 of them. A field that no word covers is
never compared: the record is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

from destination_mailchimp_unified.audience.tag_names import fold
from mailchimp_unified.entities.comparable import NOT_SHOWN, Comparable, Field, comparable_of, value_in
from mailchimp_unified.entities.merge_field import MergeField
from mailchimp_unified.request import Json

MOST_WORDS = 3
"""With so many words a contact takes at most forty bytes, its status and half of its id included."""

WORD_BITS = 64

TAGS: Field = ("tags", "")
"""Stands for the tags that have no bit, as if they were one field."""

UNKNOWN = 0
"""The word of a contact that did not show all that belongs to it."""

_TAGS_UNKNOWN = 1 << (WORD_BITS - 1)
_TAG_BITS = WORD_BITS - 1


@dataclass(frozen=True)
class Wanted:
    """What is compared of a change: the fields that it fills, and folded names of tags with whether each should be there.

    With `whole`, no other managed tag should be.
    """

    body: Mapping[str, Any]
    fields: frozenset[Field]
    tags: Mapping[str, bool] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True)
class Comparison:
    """Which fields share a word, and which tag has which bit. `managed` tells of a folded name whether `whole` is about it."""

    groups: tuple[tuple[Field, ...], ...]
    bits: Mapping[str, int]
    named: frozenset[str]
    managed: Callable[[str], bool]
    merge_fields: Mapping[str, MergeField]
    has_whole: bool

    @property
    def words(self) -> int:
        """How many words a contact has."""
        return len(self.groups) + bool(self.bits)

    @property
    def shown(self) -> list[str]:
        """The fields of a member that must be read."""
        names = {name for group in self.groups for name, _ in group} | {"email_address"}
        return sorted({*names, "tags", "tags_count"} if self._reads_tags else names)

    @property
    def _reads_tags(self) -> bool:
        return bool(self.named) or self.has_whole

    @cached_property
    def _readers(self) -> list[list[tuple[Field, Comparable]]]:
        return [[(one, comparable_of(one, self.merge_fields)) for one in group] for group in self.groups]

    @cached_property
    def _group_of(self) -> dict[Field, int]:
        return {one: place for place, group in enumerate(self.groups) for one in group}

    def of_member(self, member: Json) -> tuple[int, ...]:
        """Return the words of a contact as Mailchimp shows it."""
        tags = _names_of(member) if self._reads_tags else None
        held = member if tags is None else {**member, "tags": self._listed(tags)}
        words = [self._word_of_member(held, place) for place in range(len(self.groups))]
        return (*words, self._bits_of(tags)) if self.bits else tuple(words)

    def _word_of_member(self, member: Json, place: int) -> int:
        values = []
        for one, comparable in self._readers[place]:
            value = value_in(member, one) if one != TAGS or isinstance(member.get("tags"), tuple) else NOT_SHOWN
            if value is NOT_SHOWN:
                return UNKNOWN
            values.append(comparable(value))
        email = member.get("email_address")
        return _hash(values, email if place == 0 else "") if isinstance(email, str) else UNKNOWN

    def _bits_of(self, tags: set[str] | None) -> int:
        return _TAGS_UNKNOWN if tags is None else sum(bit for name, bit in self.bits.items() if name in tags)

    def _listed(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return those of a contact's tags that are compared as if they were one field."""
        return tuple(sorted(name for name in tags if self._is_listed(name)))

    def _is_listed(self, name: str) -> bool:
        return (name in self.named and name not in self.bits) or (self.has_whole and self.managed(name))

    def is_met(self, wanted: Wanted, words: Sequence[int], spellings: Iterable[str]) -> bool:
        """Return whether a contact with these words has all that is wanted, its email address in one of the spellings."""
        fields = wanted.fields | ({TAGS} if wanted.whole or any(map(self._is_listed, wanted.tags)) else frozenset())
        if not fields <= self._group_of.keys() or not self._tags_met(wanted, words):
            return False
        body = {**wanted.body, "tags": self._listed(name for name, present in wanted.tags.items() if present)}
        filled = {0, *(self._group_of[one] for one in fields)}
        return all(self._group_met(body, place, words[place], spellings) for place in filled)

    def _tags_met(self, wanted: Wanted, words: Sequence[int]) -> bool:
        if not (wanted.tags or wanted.whole):
            return True
        if not wanted.tags.keys() <= self.named or (wanted.whole and not self.has_whole) or (self.bits and words[-1] & _TAGS_UNKNOWN):
            return False
        return all(bool(words[-1] & self.bits[name]) == present for name, present in wanted.tags.items() if name in self.bits)

    def _group_met(self, body: Json, place: int, word: int, spellings: Iterable[str]) -> bool:
        if word == UNKNOWN:
            return False
        found = [value_in(body, one) for one in self.groups[place]]
        readers = self._readers[place]
        values = [None if value is NOT_SHOWN else comparable(value) for value, (_, comparable) in zip(found, readers, strict=True)]
        return any(word == _hash(values, email) for email in (spellings if place == 0 else ("",)))


def _names_of(member: Json) -> set[str] | None:
    """Return the folded names of a contact's tags, None where it has more than it shows: the first fifty."""
    rows = member.get("tags")
    if not isinstance(rows, list) or member.get("tags_count") != len(rows):
        return None
    return {fold(str(row.get("name"))) for row in rows}


def _hash(values: list[Any], email: str) -> int:
    found = blake2b(repr((values, email)).encode(), digest_size=WORD_BITS // 8)
    return int.from_bytes(found.digest(), "big") or 1


def comparison_of(
    wanted: Iterable[Wanted], merge_fields: Mapping[str, MergeField], managed: Callable[[str], bool], shown: Iterable[str] | None = None
) -> Comparison:
    """Return the comparison that suits what is wanted, of fields among those `shown` (None: of all)."""
    changes = list(wanted)
    tags = Counter(name for one in changes for name in one.tags)
    bits = {name: 1 << place for place, (name, _) in enumerate(tags.most_common(_TAG_BITS))}
    listed = tags.keys() - bits.keys()
    shapes = Counter(one.fields | ({TAGS} if one.whole or listed & one.tags.keys() else frozenset()) for one in changes)
    groups = _groups(shapes, MOST_WORDS - bool(bits), None if shown is None else {*shown, "tags"})
    return Comparison(groups, bits, frozenset(tags), managed, merge_fields, any(one.whole for one in changes))


def _groups(shapes: Counter[frozenset[Field]], most: int, readable: set[str] | None) -> tuple[tuple[Field, ...], ...]:
    """Return the fields in groups that were filled together: first those that every record fills, then the most common.

    Where there are more groups than words, the last has all the rest.
    """
    seen: dict[Field, set[frozenset[Field]]] = {}
    for shape in shapes:
        for one in shape:
            if readable is None or one[0] in readable:
                seen.setdefault(one, set()).add(shape)
    together: dict[frozenset[frozenset[Field]], list[Field]] = {}
    for one, where in seen.items():
        together.setdefault(frozenset(where), []).append(one)
    always = together.pop(frozenset(shapes), [])
    common = sorted(together.items(), key=lambda item: -sum(shapes[shape] for shape in item[0]))
    groups = [sorted(always), *(sorted(fields) for _, fields in common)]
    rest = [one for group in groups[most - 1 :] for one in group]
    return tuple(tuple(group) for group in [*groups[: most - 1], sorted(rest)] if group or group is groups[0])
