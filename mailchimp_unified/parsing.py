"""From the bytes of an answer to Python: strictly first, then as leniently as keeps every row."""

from __future__ import annotations

import contextlib
import json
import re
from functools import cache
from typing import Any

import msgspec
import orjson

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Replaces invalid characters: half of a surrogate pair, or bytes that are not UTF-8."""


LONGEST_NUMBER = 4300
"""Digits of a whole number that Python reads: https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation."""


class UnreadableError(ValueError):
    """What came is not JSON by any parser."""


def parsed(content: bytes, keeps: Any = None) -> Any:
    """Return what `content` holds; with `keeps`, a TypedDict, only the parts that it names. Raises UnreadableError.

    Strict parsers refuse a whole page for half of a surrogate pair, a NaN or a stray byte in one of its thousand rows. Then Python's
    own parser reads it: invalid characters become U+FFFD, invalid numbers become null.
    """
    if keeps is not None:
        # Whatever it refuses is read whole.
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _decoder(keeps).decode(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _leniently(content)


def _leniently(content: bytes) -> Any:
    try:
        return _clean(json.loads(content.decode("utf-8", "replace"), parse_constant=lambda _: None, parse_int=_whole))
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None


def _whole(digits: str) -> int | None:
    # Python refuses longer ones, and nobody counts with them.
    return int(digits) if len(digits) < LONGEST_NUMBER else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


@cache
def _decoder(keeps: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(keeps)
