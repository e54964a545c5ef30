"""From what was sent to what the pipeline takes: one JSON object, a contact's columns, with an `id` of the sender's own. Pure."""

from __future__ import annotations

import json
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

NOT_JSON = "the line is not JSON"
TOO_LONG = f"the line is longer than {LONGEST_LINE} bytes"
TOO_DEEP = "the event is nested too deeply"
NO_OBJECT = "an event is a JSON object: the columns of one contact"


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


def event_of(columns: Any, streams: Streams) -> Event:
    """Return the event of a parsed value. Its `id` stays a column, which a rule may map."""
    if not isinstance(columns, dict):
        return Event(None, Unusable(NO_OBJECT, b""))
    stream = streams.of(columns)
    # As a sync would have been given it, so that a reject that is kept can be sent again by either.
    message = {"type": "RECORD", "record": {"stream": stream[1], "data": columns, "emitted_at": 0}}
    try:
        return Event(columns.get("id"), Record(stream, columns, printed(message)))
    except RecursionError:
        return Event(None, Unusable(TOO_DEEP, b""))


def event_of_line(line: bytes | None, streams: Streams) -> Event:
    """Return the event of a line; None stands for one that was too long to be kept."""
    if line is None:
        return Event(None, Unusable(TOO_LONG, b""))
    try:
        columns = json_of(line)
    except UnreadableError:
        return Event(None, Unusable(NOT_JSON, line))
    return event_of(columns, streams)


def json_of(text: bytes) -> Any:
    """Return what a text holds, parsed strictly and then leniently. Raises UnreadableError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return parsed(text)


def printed(content: Any) -> bytes:
    """Return JSON as a line without its end, numbers of any size included. Raises RecursionError for what is nested too deeply."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, separators=(",", ":")).encode()
