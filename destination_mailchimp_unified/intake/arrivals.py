"""A record on its way in: which one it is, what it asks for, and by which operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from destination_mailchimp_unified.audience.merge_fields import PlannedField
from destination_mailchimp_unified.intake.contact import MappedContact

StreamKey = tuple[str | None, str]
"""Namespace and name of a stream."""

NOWHERE: StreamKey = (None, "")
"""Stands for the stream of a record that belongs to none of the catalog."""


def stream_key(name: str, namespace: Any) -> StreamKey:
    """Return what a stream is known by; an empty namespace is none."""
    return (namespace if isinstance(namespace, str) and namespace else None, name)


Operation = Literal["upsert", "update", "create", "archive"]
"""What a stream may do: create and update contacts, only update them, only create them, or archive them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that waits for its outcome: its stream, its epoch, its number among all records of the sync.

    `row` is its number in its stream, from 1; `size` the bytes of its line. `line` is the line itself, where it may be wanted again.
    """

    stream: StreamKey
    epoch: int
    number: int
    row: int = 0
    size: int = 0
    line: bytes = b""


@dataclass(frozen=True)
class Arrival:
    """A record that came in: what it asks for, in unified terms, and by which operation of its stream.

    `planned` are the merge fields that its stream names, by tag; `membership_tag` is the tag that its stream gives to everybody.
    """

    entry: Entry
    contact: MappedContact
    operation: Operation = "upsert"
    planned: Mapping[str, PlannedField] = field(default_factory=dict)
    membership_tag: str = ""
