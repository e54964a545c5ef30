"""The statuses of an audience's contacts and what they are compared by, in fifteen to forty bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain, islice

from mailchimp_unified.entities.contact import STATUSES

_TABLES = 64
_KEY_DIGITS = 16
_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}

_FIRST_SLOTS = 32

_BLOCK_BITS = 8
_BLOCK = 1 << _BLOCK_BITS
"""Keys and codes are in blocks of this many, which stay where they are: one block that grows leaves holes behind."""

_IN_BLOCK = _BLOCK - 1

_ROOM = 1.01
"""Contacts spread over the tables by chance: so much more than its share a table gets, so that few have to grow."""

_WRITTEN = 8
"""Bit of the code of a contact that this sync has written."""


class Statuses:
    """From the id of a contact (32 hex digits) to its status and its words (`comparison.py`), by half of the id.

    Sixty-four of the 128 bits are kept. Among a million contacts two that share them are met once in forty million audiences.
    The contacts are spread over many small tables, so that one that grows is never in memory twice to speak of. A contact takes
    nine bytes, eight for each word, and five to seven for the place where it is found. `expected` is how many there will be.
    """

    def __init__(self, words: int = 0, expected: int = 0) -> None:
        share = int(expected / _TABLES * _ROOM)
        self._tables = [_Table(words, share) for _ in range(_TABLES)]

    def __len__(self) -> int:
        return sum(len(table) for table in self._tables)

    def get(self, contact_id: str) -> str | None:
        """Return the status of a contact, None when it is not in the audience."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        code = self._tables[key % _TABLES].code(key)
        return STATUSES[(code & ~_WRITTEN) - 1] if code else None

    def words(self, contact_id: str) -> Sequence[int] | None:
        """Return the words of a contact, None when they are not known, or not to be relied on because this sync has written it."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        table = self._tables[key % _TABLES]
        code = table.code(key)
        return table.words(key) if code and not code & _WRITTEN else None

    def put(self, contact_id: str, status: str, words: Sequence[int] = ()) -> None:
        """Note the status of a contact, and its words where they are known; a status that Mailchimp does not have today is left out."""
        code = _CODES.get(status)
        if code is not None:
            key = int(contact_id[:_KEY_DIGITS], 16)
            self._tables[key % _TABLES].put(key, code, words)

    def mark_written(self, contact_id: str) -> None:
        """Note that this sync has written a contact: nothing that was or will be read of its fields is relied on any more.

        A listing that was asked for before the call may come after it.
        """
        key = int(contact_id[:_KEY_DIGITS], 16)
        self._tables[key % _TABLES].mark_written(key)


class _Table:
    """Keys of 64 random bits, each with a small number and perhaps words, in the order in which they came.

    `_places` finds them, by open addressing: the number of a key, counted from 1, is where its hash says, or soon behind.
    """

    __slots__ = ("_codes", "_count", "_each", "_keys", "_places", "_words")

    def __init__(self, words: int, expected: int) -> None:
        self._each, self._count = words, 0
        self._keys: list[array[int]] = []
        self._codes: list[bytearray] = []
        # What is known from the beginning is taken at once: growing bit by bit leaves holes in the memory.
        while len(self._keys) * _BLOCK < expected:
            self._add_block()
        self._words = array("Q", [0]) * (expected * words)
        self._places = array("I", [0]) * max(_FIRST_SLOTS, expected * 5 // 4 + 1)

    def __len__(self) -> int:
        return self._count

    def code(self, key: int) -> int:
        """Return the code of a key, 0 when it is not there."""
        place = self._places[self._slot(key)]
        return self._codes[place - 1 >> _BLOCK_BITS][place - 1 & _IN_BLOCK] if place else 0

    def words(self, key: int) -> Sequence[int] | None:
        """Return the words of a key that is there, None when it has none."""
        start = (self._places[self._slot(key)] - 1) * self._each
        found = self._words[start : start + self._each]
        return found if self._each and len(found) == self._each and any(found) else None

    def put(self, key: int, code: int, words: Sequence[int]) -> None:
        """Keep the code of a key, and its words. A key that is marked as written stays so."""
        slot = self._slot(key)
        place = self._places[slot]
        if not place:
            if self._count == len(self._keys) * _BLOCK:
                self._add_block()
            self._keys[self._count >> _BLOCK_BITS][self._count & _IN_BLOCK] = key
            self._places[slot] = place = self._count = self._count + 1
            # Four fifths full is where searching begins to take long.
            if place * 5 > len(self._places) * 4:
                self._grow()
        codes, at = self._codes[place - 1 >> _BLOCK_BITS], place - 1 & _IN_BLOCK
        codes[at] = code | codes[at] & _WRITTEN
        if words:
            self._keep_words(place, words)

    def mark_written(self, key: int) -> None:
        """Mark a key as written, if it is there."""
        if place := self._places[self._slot(key)]:
            self._codes[place - 1 >> _BLOCK_BITS][place - 1 & _IN_BLOCK] |= _WRITTEN

    def _keep_words(self, place: int, words: Sequence[int]) -> None:
        """Keep the words of a key; those that came without any before it get zeros."""
        missing = place * self._each - len(self._words)
        if missing > 0:
            self._words.frombytes(bytes(8 * missing))
        start = (place - 1) * self._each
        for offset, word in enumerate(words):
            self._words[start + offset] = word

    def _slot(self, key: int) -> int:
        """Return where the place of `key` is, or the empty slot where it would be."""
        places, keys, slots = self._places, self._keys, len(self._places)
        # The lowest bits chose the table.
        slot = key // _TABLES % slots
        while (place := places[slot]) and keys[place - 1 >> _BLOCK_BITS][place - 1 & _IN_BLOCK] != key:
            slot = (slot + 1) % slots
        return slot

    def _grow(self) -> None:
        self._places = array("I", [0]) * (len(self._places) * 4 // 3)
        for place, key in enumerate(islice(chain.from_iterable(self._keys), self._count), start=1):
            self._places[self._slot(key)] = place

    def _add_block(self) -> None:
        self._keys.append(array("Q", [0]) * _BLOCK)
        self._codes.append(bytearray(_BLOCK))
