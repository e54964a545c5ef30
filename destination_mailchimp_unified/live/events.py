"""From what was sent to what the pipeline takes: one JSON object, a contact's columns, with an `id` of the sender's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from destination_mailchimp_unified.intake.arrivals import StreamKey
from destination_mailchimp_unified.intake.columns import SIGNS_OF_CONTACTS
from destination_mailchimp_unified.intake.lines import Record, Unusable
from mailchimp_unified.parsing import UnreadableError, exactly_parsed, is_too_deep, printed
from mailchimp_unified.text import folded

LONGEST_LINE = 1 << 20
"""Bytes of an event: more than a hundred times what a contact with every field filled takes."""

NOT_JSON = "the line is not JSON"
TOO_LONG = f"the line is longer than {LONGEST_LINE} bytes"
EVENT_TOO_DEEP = "the event is nested too deeply"
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
        return self.unified if {_spelled(name) for name in columns} >= SIGNS_OF_CONTACTS else self.plain


def _spelled(name: str) -> str:
    # Most names are their own folded form, which is quickly seen.
    return name if name.isascii() and name.islower() and name.isidentifier() else folded(name)


def event_of(columns: Any, streams: Streams, text: bytes | None = None) -> Event:
    """Return the event of a parsed value; `text` is its JSON, where it came alone. Its `id` stays a column, which a rule may map."""
    try:
        text = printed(columns) if text is None else text
    except RecursionError:
        return Event(_plain_id(columns), Unusable(EVENT_TOO_DEEP, b""))
    if not isinstance(columns, dict):
        return Event(None, Unusable(NO_OBJECT, text))
    if is_too_deep(columns, text):
        return Event(_plain_id(columns), Unusable(EVENT_TOO_DEEP, text))
    return Event(columns.get("id"), Record(streams.of(columns), columns, text))


def event_of_line(line: bytes | None, streams: Streams) -> Event:
    """Return the event of a line; None stands for one that was too long to be kept."""
    if line is None:
        return Event(None, Unusable(TOO_LONG, b""))
    try:
        columns = exactly_parsed(line)
    except UnreadableError:
        return Event(None, Unusable(NOT_JSON, line))
    return event_of(columns, streams, line)


def _plain_id(columns: Any) -> Any:
    """Return the id of an event that may be too deep to be printed."""
    own = columns.get("id") if isinstance(columns, dict) else None
    return None if isinstance(own, (dict, list)) else own
