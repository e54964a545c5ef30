"""A set of contacts in eleven to sixteen bytes each."""

from __future__ import annotations

from array import array

_TABLES = 64
_FIRST_SLOTS = 4
_KEY_DIGITS = 16
_IN = 1


class ContactIds:
    """A set of contact ids (32 hex digits), by half of each id. It also remembers whom it does without: `is_out`.

    Sixty-three of the 128 bits are kept: among a million contacts two that share them are met once in twenty million audiences.
    The contacts are spread over many small tables, so that one that grows is never in memory twice to speak of.
    """

    def __init__(self) -> None:
        self._tables = [array("Q", bytes(8 * _FIRST_SLOTS)) for _ in range(_TABLES)]
        self._filled = [0] * _TABLES
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, contact_id: str) -> bool:
        return self._entry(contact_id) & _IN == _IN

    def is_out(self, contact_id: str) -> bool:
        """Return whether a contact was discarded, and not added since."""
        entry = self._entry(contact_id)
        return bool(entry) and not entry & _IN

    def add(self, contact_id: str) -> bool:
        """Add a contact. Returns whether it is new."""
        return self._put(contact_id, _IN)

    def discard(self, contact_id: str) -> None:
        """Take a contact out, and remember that."""
        self._put(contact_id, 0)

    def _entry(self, contact_id: str) -> int:
        key = _key(contact_id)
        slots = self._tables[_place(key)]
        return slots[_slot(slots, key)]

    def _put(self, contact_id: str, flag: int) -> bool:
        key = _key(contact_id)
        place = _place(key)
        slots = self._tables[place]
        slot = _slot(slots, key)
        before = slots[slot]
        slots[slot] = key | flag
        self._count += flag - (before & _IN)
        if not before:
            self._filled[place] += 1
            # Three quarters full is where searching begins to take long.
            if self._filled[place] * 4 > len(slots) * 3:
                self._tables[place] = _grown(slots)
        return bool(flag) and not before & _IN


def _key(contact_id: str) -> int:
    # The lowest bit tells whether it is in the set, and 0 is an empty slot.
    return int(contact_id[:_KEY_DIGITS], 16) & ~_IN or 2


def _place(key: int) -> int:
    return (key >> 1) % _TABLES


def _slot(slots: array[int], key: int) -> int:
    """Return where `key` is, or the empty slot where it would be."""
    size = len(slots)
    # The lowest bits chose the table.
    slot = (key >> 1) // _TABLES % size
    while slots[slot] and slots[slot] & ~_IN != key:
        slot = (slot + 1) % size
    return slot


def _grown(slots: array[int]) -> array[int]:
    bigger = array("Q", bytes(8 * (len(slots) * 3 // 2)))
    for entry in slots:
        if entry:
            bigger[_slot(bigger, entry & ~_IN)] = entry
    return bigger
