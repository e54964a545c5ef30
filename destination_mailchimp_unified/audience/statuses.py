"""The statuses of an audience's contacts, in twelve to eighteen bytes each."""

from __future__ import annotations

from array import array

from mailchimp_unified.entities.contact import STATUSES

_TABLES = 64
_FIRST_SLOTS = 32
_KEY_DIGITS = 16
_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}


class Statuses:
    """From the id of a contact (32 hex digits) to its status, by half of the id.

    Sixty-four of the 128 bits are kept. Among a million contacts two that share them are met once in forty million audiences.
    The contacts are spread over many small tables, so that one that grows is never in memory twice to speak of.
    """

    def __init__(self) -> None:
        self._tables = [_Table() for _ in range(_TABLES)]

    def __len__(self) -> int:
        return sum(table.count for table in self._tables)

    def get(self, contact_id: str) -> str | None:
        """Return the status of a contact, None when it is not in the audience."""
        key = int(contact_id[:_KEY_DIGITS], 16)
        code = self._tables[key % _TABLES].get(key)
        return STATUSES[code - 1] if code else None

    def put(self, contact_id: str, status: str) -> None:
        """Note the status of a contact; a status that Mailchimp does not have today is left out."""
        code = _CODES.get(status)
        if code is not None:
            key = int(contact_id[:_KEY_DIGITS], 16)
            self._tables[key % _TABLES].put(key, code)


class _Table:
    """Keys of 64 random bits and a small number each, in open addressing: a key is where its hash says, or soon behind."""

    __slots__ = ("_codes", "_keys", "count")

    def __init__(self) -> None:
        self.count = 0
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._codes = bytearray(_FIRST_SLOTS)

    def get(self, key: int) -> int:
        """Return the code of a key, 0 when it is not there."""
        return self._codes[self._slot(key)]

    def put(self, key: int, code: int) -> None:
        """Keep the code of a key."""
        slot = self._slot(key)
        if not self._codes[slot]:
            self.count += 1
            self._keys[slot] = key
        self._codes[slot] = code
        # Three quarters full is where searching begins to take long.
        if self.count * 4 > len(self._keys) * 3:
            self._grow()

    def _slot(self, key: int) -> int:
        """Return where `key` is, or the empty slot where it would be."""
        keys, codes, slots = self._keys, self._codes, len(self._keys)
        # The lowest bits chose the table.
        slot = key // _TABLES % slots
        while codes[slot] and keys[slot] != key:
            slot = (slot + 1) % slots
        return slot

    def _grow(self) -> None:
        keys, codes, slots = self._keys, self._codes, len(self._keys) * 3 // 2
        self._keys, self._codes = array("Q", bytes(8 * slots)), bytearray(slots)
        for key, code in zip(keys, codes, strict=True):
            if code:
                slot = self._slot(key)
                self._keys[slot], self._codes[slot] = key, code
