"""What tells a version of a raw record from others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from source_mailchimp_unified.sync.fingerprints import digest


class Versions:
    """The versions of the records of one reading. Equal records are told apart by their order, so that none passes for another."""

    def __init__(self, varies: Iterable[str]) -> None:
        self._varies = frozenset(varies)
        self._copies: dict[bytes, int] = {}

    def of(self, record: Mapping[str, Any]) -> bytes:
        """Return the fingerprint of a record, without the fields that differ from answer to answer."""
        version = digest({name: value for name, value in record.items() if name not in self._varies})
        copy = self._copies[version] = self._copies.get(version, -1) + 1
        return digest([version.hex(), copy]) if copy else version
