"""From what was sent to what the pipeline takes: one JSON object, a contact's columns, with an `id` of the sender's own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from destination_mailchimp_unified.intake.arrivals import StreamKey
from destination_mailchimp_unified.intake.lines import Record, Unusable
from mailchimp_unified.parsing import UnreadableError, parsed

LONGEST_LINE = 1 << 20
"""Bytes of an event: more than a hundred times what a contact with every field filled takes."""

NOT_JSON = Unusable("the line is not JSON")
TOO_LONG = Unusable(f"the line is longer than {LONGEST_LINE} bytes")
NO_OBJECT = Unusable("an event is a JSON object: the columns of one contact")


@dataclass(frozen=True, slots=True)
class Event:
    """What was sent, and by which id its sender knows it; None when it has none."""

    id: Any
    message: Record | Unusable


def event_of(columns: Any, stream: StreamKey, size: int) -> Event:
    """Return the event of a parsed value that took so many bytes. Its `id` stays a column, which a rule may map."""
    if not isinstance(columns, dict):
        return Event(None, NO_OBJECT)
    return Event(columns.get("id"), Record(stream, columns, size))


def event_of_line(line: bytes | None, stream: StreamKey) -> Event:
    """Return the event of a line; None stands for one that was too long to be kept."""
    if line is None:
        return Event(None, TOO_LONG)
    try:
        columns = json_of(line)
    except UnreadableError:
        return Event(None, NOT_JSON)
    return event_of(columns, stream, len(line))


def json_of(text: bytes) -> Any:
    """Return what a text holds, parsed strictly and then leniently. Raises UnreadableError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return parsed(text)
