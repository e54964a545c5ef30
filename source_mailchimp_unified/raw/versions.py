"""What tells a version of a record from others: a fingerprint of some bytes, and how a state holds many of them. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

FINGERPRINT_BYTES = 6
"""Of twenty thousand versions one is mistaken for another once in some ten billion changes."""


class Versions:
    """The versions of the records of one reading. Equal records are told apart by their order, so that none passes for another."""

    def __init__(self, varies: Iterable[str]) -> None:
        self._varies = frozenset(varies)
        self._copies: dict[bytes, int] = {}

    def of(self, record: Mapping[str, Any]) -> bytes:
        """Return the fingerprint of a record, without the fields that differ from answer to answer."""
        steady = {name: value for name, value in record.items() if name not in self._varies} if self._varies else dict(record)
        version = digest(steady)
        copy = self._copies[version] = self._copies.get(version, -1) + 1
        return digest([version.hex(), copy]) if copy else version


def digest(value: Any) -> bytes:
    """Return a fingerprint of a JSON value."""
    content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(content, digest_size=FINGERPRINT_BYTES).digest()


def packed(versions: Iterable[bytes]) -> str:
    """Return fingerprints as one text."""
    return base64.b64encode(b"".join(sorted(versions))).decode()


def unpacked(text: str) -> frozenset[bytes]:
    """Return the fingerprints in a text; none where it is not one of ours."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        return frozenset()
    return frozenset(content[place : place + FINGERPRINT_BYTES] for place in range(0, len(content), FINGERPRINT_BYTES))
