"""From what was sent to what the pipeline takes: one JSON object, a contact's columns, with an `id` of the sender's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from destination_mailchimp_unified.intake.arrivals import StreamKey
from destination_mailchimp_unified.intake.columns import SIGNS_OF_CONTACTS
from destination_mailchimp_unified.intake.lines import Record, Unusable
from mailchimp_unified.parsing import UnreadableError, parsed
from mailchimp_unified.text import folded

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


class Streams(NamedTuple):
    """The two streams of a sender: an event with an email address and a list_id is a unified contact, of which all names count.

    Which one an event belongs to depends on itself alone, never on those that came before it.
    """

    plain: StreamKey
    unified: StreamKey

    def of(self, columns: Mapping[str, Any]) -> StreamKey:
        """Return the stream that an event belongs to."""
        return self.unified if {folded(name) for name in columns} >= SIGNS_OF_CONTACTS else self.plain


def event_of(columns: Any, streams: Streams, size: int) -> Event:
    """Return the event of a parsed value that took so many bytes. Its `id` stays a column, which a rule may map."""
    if not isinstance(columns, dict):
        return Event(None, NO_OBJECT)
    return Event(columns.get("id"), Record(streams.of(columns), columns, size))


def event_of_line(line: bytes | None, streams: Streams) -> Event:
    """Return the event of a line; None stands for one that was too long to be kept."""
    if line is None:
        return Event(None, TOO_LONG)
    try:
        columns = json_of(line)
    except UnreadableError:
        return Event(None, NOT_JSON)
    return event_of(columns, streams, len(line))


def json_of(text: bytes) -> Any:
    """Return what a text holds, parsed strictly and then leniently. Raises UnreadableError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return parsed(text)
