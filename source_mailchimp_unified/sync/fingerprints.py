"""Fingerprints of versions in a few bytes, and how a state holds many of them. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

FINGERPRINT_BYTES = 6
"""Two of a thousand rows are mistaken for each other once in some hundred million syncs."""


def digest(value: Any) -> bytes:
    """Return a fingerprint of a JSON value."""
    try:
        content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # It writes no whole number beyond 64 bits.
        content = msgspec.json.encode(value, order="sorted")
    return hashlib.blake2b(content, digest_size=FINGERPRINT_BYTES).digest()


def packed(fingerprints: Iterable[bytes]) -> str:
    """Return fingerprints as one text."""
    return base64.b64encode(b"".join(sorted(fingerprints))).decode()


def unpacked(text: str) -> frozenset[bytes]:
    """Return the fingerprints in a text; none where it is not one of ours."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        return frozenset()
    return frozenset(content[place : place + FINGERPRINT_BYTES] for place in range(0, len(content), FINGERPRINT_BYTES))
