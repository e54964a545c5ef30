"""A set of contacts in fifteen bytes each."""

from __future__ import annotations

from destination_mailchimp_unified.audience.id_table import IdTable

_IN, _OUT = 1, 2


class ContactIds:
    """A set of contact ids (32 hex digits). It also remembers whom it does without: `is_out`."""

    def __init__(self) -> None:
        self._table = IdTable()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, contact_id: str) -> bool:
        return self._table.code(contact_id) == _IN

    def is_out(self, contact_id: str) -> bool:
        """Return whether a contact was discarded, and not added since."""
        return self._table.code(contact_id) == _OUT

    def add(self, contact_id: str) -> bool:
        """Add a contact. Returns whether it is new."""
        is_new = contact_id not in self
        if is_new:
            self._table.put(contact_id, _IN)
            self._count += 1
        return is_new

    def discard(self, contact_id: str) -> None:
        """Take a contact out, and remember that."""
        self._count -= contact_id in self
        self._table.put(contact_id, _OUT)
