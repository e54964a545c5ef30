"""A table from contact ids to small numbers, in fifteen to forty bytes a contact where there are many."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain, islice

MARK = 8
"""Bit of a code that stays once it is set; codes are smaller."""

_TABLES = 64
_KEY_DIGITS = 16

_FIRST_SLOTS = 32

_BLOCK_BITS = 8
_BLOCK = 1 << _BLOCK_BITS
"""Keys and codes are in blocks of this many, which stay where they are: one block that grows leaves holes behind."""

_IN_BLOCK = _BLOCK - 1

_ROOM = 1.01
"""Contacts spread over the tables by chance: so much more than its share a table gets, so that few have to grow."""


class IdTable:
    """From the id of a contact (32 hex digits) to a code (1 to 7) and as many words of 64 bits as wanted, by half of the id.

    Sixty-four of the 128 bits are kept. Among a million contacts two that share them are met once in forty million audiences.
    The contacts are spread over many small tables, so that one that grows is never in memory twice to speak of. A contact takes
    nine bytes, eight for each word, and five to seven for the place where it is found. `expected` is how many there will be.
    """

    def __init__(self, words: int = 0, expected: int = 0) -> None:
        share = int(expected / _TABLES * _ROOM)
        self._tables = [_Table(words, share) for _ in range(_TABLES)]

    def __len__(self) -> int:
        return sum(len(table) for table in self._tables)

    def code(self, contact_id: str) -> int:
        """Return the code of a contact, 0 when it is not there."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        return self._tables[key % _TABLES].code(key)

    def words(self, contact_id: str) -> Sequence[int] | None:
        """Return the words of a contact that is there, None when it has none."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        return self._tables[key % _TABLES].words(key)

    def put(self, contact_id: str, code: int, words: Sequence[int] = ()) -> None:
        """Keep the code of a contact, and its words. One that is marked stays so."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        self._tables[key % _TABLES].put(key, code, words)

    def mark(self, contact_id: str) -> None:
        """Set MARK in the code of a contact, if it is there."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        self._tables[key % _TABLES].mark(key)


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
        while expected >= _BLOCK and len(self._keys) * _BLOCK < expected:
            self._add_block(_BLOCK)
        self._words = array("Q", [0]) * (expected * words)
        self._places = array("I", [0]) * max(_FIRST_SLOTS, -(-expected * 5 // 4))

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
        return found if any(found) else None

    def put(self, key: int, code: int, words: Sequence[int]) -> None:
        """Keep the code of a key, and its words. A key that is marked stays so."""
        slot = self._slot(key)
        place = self._places[slot]
        if not place:
            self._add_key(key)
            self._places[slot] = place = self._count = self._count + 1
            # Four fifths full is where searching begins to take long.
            if place * 5 > len(self._places) * 4:
                self._grow()
        codes, at = self._codes[place - 1 >> _BLOCK_BITS], place - 1 & _IN_BLOCK
        codes[at] = code | codes[at] & MARK
        if words:
            self._keep_words(place, words)

    def mark(self, key: int) -> None:
        """Set MARK in the code of a key, if it is there."""
        if place := self._places[self._slot(key)]:
            self._codes[place - 1 >> _BLOCK_BITS][place - 1 & _IN_BLOCK] |= MARK

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

    def _add_key(self, key: int) -> None:
        if not self._keys:
            self._add_block(0)
        elif self._count == len(self._keys) * _BLOCK:
            self._add_block(_BLOCK)
        keys, at = self._keys[self._count >> _BLOCK_BITS], self._count & _IN_BLOCK
        if at < len(keys):
            keys[at] = key
        else:
            # Only the first block grows: most audiences have few contacts, and an account may have a thousand audiences.
            keys.append(key)
            self._codes[0].append(0)

    def _add_block(self, size: int) -> None:
        self._keys.append(array("Q", [0]) * size)
        self._codes.append(bytearray(size))
