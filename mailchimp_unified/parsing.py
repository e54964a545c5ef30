"""From bytes to Python and back: strictly first, then as leniently as keeps every row."""

from __future__ import annotations

import contextlib
import json
import math
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


DEEPEST = 100
"""Levels of objects and lists in what people send: no contact has more, and what is written in recursive steps reads so many safely."""


class UnreadableError(ValueError):
    """What came is not JSON by any parser."""


def parsed(content: bytes, keeps: Any = None) -> Any:
    """Return what `content` holds; with `keeps`, a TypedDict, only the parts that it names. Raises UnreadableError.

    Strict parsers refuse a whole page for half of a surrogate pair, a NaN, a control character or a stray byte in one of its thousand
    rows. Then Python's own parser reads it: invalid characters become U+FFFD, invalid numbers become null, control characters stay.
    """
    if keeps is not None:
        # What it refuses is read whole.
        with contextlib.suppress(ValueError, RecursionError):
            return _decoder(keeps).decode(content)
    try:
        return orjson.loads(content)
    except ValueError:
        return _leniently(content)


def exactly_parsed(content: bytes) -> Any:
    """Return what `content` holds, whole numbers of any size as they are, else as `parsed` does. Raises UnreadableError.

    orjson rounds whole numbers of more than 64 bits, which is no way to treat an identifier.
    """
    try:
        return _decoder(Any).decode(content)
    except (ValueError, RecursionError):
        return _leniently(content)


def printed(content: Any) -> bytes:
    """Return content as JSON, whole numbers of any size included. Raises RecursionError for what is nested too deeply."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, separators=(",", ":")).encode()


def is_too_deep(content: Any, text: bytes) -> bool:
    """Return whether content has more levels than DEEPEST; `text` is its JSON, which can rule that out in no time."""
    if text.count(b"[") + text.count(b"{") <= DEEPEST:
        return False
    level = [content]
    for _ in range(DEEPEST):
        below = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [value for values in below for value in values]
    return any(isinstance(one, (dict, list)) for one in level)


def _leniently(content: bytes) -> Any:
    try:
        text = content.decode("utf-8", "replace")
        return _clean(json.loads(text, strict=False, parse_constant=lambda _: None, parse_int=_whole, parse_float=_finite))
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _whole(digits: str) -> int | None:
    # Python refuses longer ones, and nobody counts with them.
    return int(digits) if len(digits.lstrip("-")) <= LONGEST_NUMBER else None


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
