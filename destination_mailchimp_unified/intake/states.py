"""A STATE message as the bytes it came as, and the place in them where its counts go. Pure.

A state belongs to its sender: parsing and printing it again would change decimals, escapes and key order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from destination_mailchimp_unified.intake.arrivals import StreamKey, stream_key

STATISTICS = "destinationStats"
"""Where a destination counts its records: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol."""

_SPACE = re.compile(r"[ \t\r\n]*")
# Numbers stay text: Python limits the digits of an int, and nobody looks at them here.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


@dataclass(frozen=True, slots=True)
class State:
    """A STATE message: its stream (None when it is of all), and its bytes before and after the place of its counts.

    `separator` goes in front of the counts; None when the message has no place for any.
    """

    stream: StreamKey | None
    before: bytes
    after: bytes = b""
    separator: bytes | None = None

    def with_counts(self, accepted: int, rejected: int) -> bytes:
        """Return the line as it came, with the counts of its records in it."""
        if self.separator is None:
            return self.before + self.after
        # The protocol has them as floating-point numbers.
        counts = {"recordCount": float(accepted)} | ({"rejectedRecordCount": float(rejected)} if rejected else {})
        return self.before + self.separator + orjson.dumps(counts) + self.after


def state_of(line: bytes, message: dict[str, Any]) -> State:
    """Return a STATE message from its line, of which `message` is the parsed form. Raises ValueError when it has no state."""
    state = message.get("state")
    if not isinstance(state, dict):
        raise ValueError("the STATE message has no state")  # noqa: TRY004 - the line is wrong, not the program
    # One character for each byte, so that places in the text are places in the line.
    text, key = line.decode("latin-1"), _key(state)
    try:
        return _placed(line, text, key, has_members=bool(state))
    except RecursionError:
        return State(key, line)


def _placed(line: bytes, text: str, key: StreamKey | None, *, has_members: bool) -> State:
    start, end = next((start, end) for name, start, end in reversed(list(_members(text, text.index("{")))) if name == "state")
    old = [(first, last) for name, first, last in _members(text, start) if name == STATISTICS]
    if old:
        first, last = old[-1]
        return State(key, line[:first], line[last:], b"")
    comma = b"," if has_members else b""
    return State(key, line[: end - 1], line[end - 1 :], comma + f'"{STATISTICS}":'.encode())


def _key(state: dict[str, Any]) -> StreamKey | None:
    stream = state.get("stream")
    descriptor = stream.get("stream_descriptor") if isinstance(stream, dict) else None
    if not isinstance(descriptor, dict) or not isinstance(descriptor.get("name"), str):
        return None
    return stream_key(descriptor["name"], descriptor.get("namespace"))


def _members(text: str, place: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of the value of each member of the object at `place`."""
    place = _skip(text, place + 1)
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place)
        start = _skip(text, _skip(text, place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
