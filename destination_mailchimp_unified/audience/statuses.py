"""The statuses of an audience's contacts and what they are compared by, in fifteen to forty bytes each."""

from __future__ import annotations

from collections.abc import Sequence

from destination_mailchimp_unified.audience.id_table import MARK, IdTable
from mailchimp_unified.entities.contact import STATUSES

_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}

_WRITTEN = MARK
"""Set in the code of a contact that this sync has written."""


class Statuses:
    """From the id of a contact to its status and its words (`comparison.py`). `expected` is how many contacts there will be."""

    def __init__(self, words: int = 0, expected: int = 0) -> None:
        self._table = IdTable(words, expected)

    def __len__(self) -> int:
        return len(self._table)

    def get(self, contact_id: str) -> str | None:
        """Return the status of a contact, None when it is not in the audience."""
        code = self._table.code(contact_id)
        return STATUSES[(code & ~_WRITTEN) - 1] if code else None

    def words(self, contact_id: str) -> Sequence[int] | None:
        """Return the words of a contact, None when they are not known, or not to be relied on because this sync has written it."""
        code = self._table.code(contact_id)
        return self._table.words(contact_id) if code and not code & _WRITTEN else None

    def put(self, contact_id: str, status: str, words: Sequence[int] = ()) -> None:
        """Note the status of a contact, and its words where they are known; a status that Mailchimp does not have today is left out."""
        code = _CODES.get(status)
        if code is not None:
            self._table.put(contact_id, code, words)

    def mark_written(self, contact_id: str) -> None:
        """Note that this sync has written a contact: nothing that was or will be read of its fields is relied on any more.

        A listing that was asked for before the call may come after it.
        """
        self._table.mark(contact_id)
