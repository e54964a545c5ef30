"""The statuses of an audience's contacts, in nine to eighteen bytes each."""

from __future__ import annotations

from array import array

from mailchimp_unified.entities.contact import STATUSES

_FIRST_SLOTS = 1024
_KEY_DIGITS = 16
_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}


class Statuses:
    """From the id of a contact (32 hex digits) to its status: an open-addressing table of half of the id.

    Sixty-four of the 128 bits are kept. Among a million contacts two that share them are met once in forty million audiences.
    """

    def __init__(self) -> None:
        self._count = 0
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._codes = bytearray(_FIRST_SLOTS)

    def __len__(self) -> int:
        return self._count

    def get(self, contact_id: str) -> str | None:
        """Return the status of a contact, None when it is not in the audience."""
        code = self._codes[self._slot(int(contact_id[:_KEY_DIGITS], 16))]
        return STATUSES[code - 1] if code else None

    def put(self, contact_id: str, status: str) -> None:
        """Note the status of a contact; a status that Mailchimp does not have today is left out."""
        code = _CODES.get(status)
        if code is None:
            return
        key = int(contact_id[:_KEY_DIGITS], 16)
        slot = self._slot(key)
        if not self._codes[slot]:
            self._count += 1
            self._keys[slot] = key
        self._codes[slot] = code
        # Two thirds full is where searching begins to take long.
        if self._count * 3 > len(self._keys) * 2:
            self._grow()

    def _slot(self, key: int) -> int:
        """Return where `key` is, or the empty slot where it would be."""
        keys, codes, last = self._keys, self._codes, len(self._keys) - 1
        slot = key & last
        while codes[slot] and keys[slot] != key:
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        keys, codes = self._keys, self._codes
        self._keys, self._codes = array("Q", bytes(16 * len(keys))), bytearray(2 * len(keys))
        for key, code in zip(keys, codes, strict=True):
            if code:
                slot = self._slot(key)
                self._keys[slot], self._codes[slot] = key, code
