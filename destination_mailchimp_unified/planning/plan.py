"""From changes to batches: which contact goes by which call. Pure.

What is known of an audience chooses the call. That somebody is not there, or that a deletion or a status is not needed, is only ever
said by Mailchimp; that fields and tags are as a record wants them is believed of the last reading, and takes no call. Bulk calls are safe only for contacts whose status is known:

- an unknown contact is created in bulk with its status and without update_existing: a contact who signed up in the meantime is reported,
  not overwritten;
- a subscribed contact is updated in bulk without a status: however Mailchimp treats that, nobody is resubscribed;
- everybody else goes by a call of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.planning.changes import Change, fits_bulk
from destination_mailchimp_unified.planning.compared import changes_nothing
from destination_mailchimp_unified.planning.consent import new_status, wants_status
from mailchimp_unified.entities.contact import ARCHIVED

Batched = Literal["create", "update", "untag"]
Route = Literal["create", "update", "untag", "single"]


@dataclass(frozen=True)
class Batch:
    """Changes of one audience that go in one call (`untag`: in one call per tag). No contact is in it twice."""

    kind: Batched
    changes: tuple[Change, ...]


@dataclass
class Plan:
    """What is sent now, and what is not sent because it changes nothing; the other changes wait for a full batch."""

    batches: list[Batch] = field(default_factory=list)
    singles: list[Change] = field(default_factory=list)
    unchanged: list[Change] = field(default_factory=list)


def plan(changes: Iterable[Change], audience: Audience, config: DestinationConfig, due_before: int, most: float = math.inf) -> Plan:
    """Return what to do with `changes`, each of another contact.

    A change is due when its number is smaller than `due_before`. A batch goes when it is full or holds one that is due. A deletion
    waits until it is due, because a later record may bring the contact back. With `most`, changes behind those that fill so many
    calls are not looked at.
    """
    made = Plan()
    buckets: dict[Batched, list[Change]] = {"create": [], "update": [], "untag": []}
    full = 0
    for change in changes:
        if full >= most:
            break
        if not change.differs and changes_nothing(change, audience, config):
            made.unchanged.append(change)
            continue
        change.differs = audience.comparison is not None
        way = route(change, audience, config)
        if way != "single":
            buckets[way].append(change)
            full += not len(buckets[way]) % BULK_SIZE
        elif change.kind == "upsert" or change.number < due_before:
            made.singles.append(change)
            full += change.number < due_before
    for kind, bucket in buckets.items():
        made.batches += [Batch(kind, chunk) for chunk in _chunks(bucket) if len(chunk) == BULK_SIZE or _first(chunk) < due_before]
    return made


def _first(chunk: tuple[Change, ...]) -> int:
    return min(change.number for change in chunk)


def _chunks(bucket: list[Change]) -> list[tuple[Change, ...]]:
    return [tuple(bucket[start : start + BULK_SIZE]) for start in range(0, len(bucket), BULK_SIZE)]


def route(change: Change, audience: Audience, config: DestinationConfig) -> Route:
    """Return the call a change goes by."""
    if audience.statuses is None or change.kind != "upsert":
        return "single"
    status = audience.status_of(change.id)
    if status is None:
        # If the listing was incomplete, a contact missing from it may still exist.
        creates = audience.listed_whole and new_status(change, audience, config) is not None
        return "create" if creates and fits_bulk(change) else "single"
    if change.new_only:
        return "single"
    moved = wants_status(change, status, config) or (config.restore_archived and status == ARCHIVED)
    if change.removes_tags_only and not (moved or config.suppress_automations):
        return "untag"
    return "update" if status == "subscribed" and not moved and fits_bulk(change) else "single"
