"""From changes to batches: which contact goes by which call, and what is cheapest. Pure.

Bulk calls are safe only for contacts whose status is known:

- an unknown address is created in bulk with its status and without update_existing: whoever appeared meanwhile is reported,
  not overwritten;
- a subscribed contact is updated in bulk without a status: whatever Mailchimp makes of that, nobody is subscribed anew;
- everybody else goes by a call of their own, which names a status for new contacts only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.planning.changes import Change, new_status
from destination_mailchimp_unified.settling.outcomes import UNCHANGED, Outcome, skipped
from mailchimp_unified.client import PAGE_SIZE
from mailchimp_unified.entities.contact import ARCHIVED

BULK_SIZE = 500
"""Most contacts of one bulk call: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/."""

LOOK_UPS_OF_TOTALS = 2
"""Requests that tell how many pages the two listings of an audience have."""

UNSUBSCRIBABLE = ("subscribed", "pending")

NOT_THERE = skipped("the contact is not in the audience")
NOT_CREATED = skipped("a contact that is cleaned or archived is not created")

Batched = Literal["create", "update", "untag"]
Route = Literal["create", "update", "untag", "single"]


@dataclass(frozen=True)
class Batch:
    """Changes of one audience that go in one call (`untag`: in one call per tag). No address is in it twice."""

    kind: Batched
    changes: tuple[Change, ...]


@dataclass
class Plan:
    """What is sent now, what needs no sending; the changes in neither wait for a full batch."""

    batches: list[Batch] = field(default_factory=list)
    singles: list[Change] = field(default_factory=list)
    settled: list[tuple[Change, Outcome]] = field(default_factory=list)


def plan(changes: Iterable[Change], audience: Audience, config: DestinationConfig, is_due: Callable[[Change], bool]) -> Plan:
    """Return what to do with `changes`, no two of which have the same address.

    A batch goes when it is full or holds a change that is due. A deletion waits until it is due, because a later record may
    bring the contact back.
    """
    made = Plan()
    buckets: dict[Batched, list[Change]] = {"create": [], "update": [], "untag": []}
    for change in changes:
        way = route(change, audience, config)
        if isinstance(way, Outcome):
            made.settled.append((change, way))
        elif way != "single":
            buckets[way].append(change)
        elif change.kind == "upsert" or is_due(change):
            made.singles.append(change)
    for kind, bucket in buckets.items():
        made.batches += [Batch(kind, chunk) for chunk in _chunks(bucket) if len(chunk) == BULK_SIZE or any(map(is_due, chunk))]
    return made


def _chunks(bucket: list[Change]) -> list[tuple[Change, ...]]:
    return [tuple(bucket[start : start + BULK_SIZE]) for start in range(0, len(bucket), BULK_SIZE)]


def route(change: Change, audience: Audience, config: DestinationConfig) -> Route | Outcome:
    """Return the call a change goes by, or its outcome when nothing is to be sent."""
    if audience.statuses is None:
        return "single"
    status = audience.status_of(change.id)
    if change.kind != "upsert":
        return _route_of_deletion(change, status)
    if status is None:
        return _route_of_unknown(change, audience, config)
    return _route_of_known(change, status, config)


def _route_of_deletion(change: Change, status: str | None) -> Route | Outcome:
    if status is None:
        return NOT_THERE
    done = status == ARCHIVED if change.kind == "archive" else status not in UNSUBSCRIBABLE
    return UNCHANGED if done else "single"


def _route_of_unknown(change: Change, audience: Audience, config: DestinationConfig) -> Route | Outcome:
    if change.existing_only:
        return NOT_THERE
    if new_status(change, audience, config) is None:
        return NOT_CREATED
    return "create" if _fits_bulk(change) else "single"


def _route_of_known(change: Change, status: str, config: DestinationConfig) -> Route:
    new = config.apply_status and change.status not in (None, status)
    restored = config.restore_archived and status == ARCHIVED
    if change.removes_tags_only and not (new or restored or config.suppress_automations):
        return "untag"
    return "update" if status == "subscribed" and not new and _fits_bulk(change) else "single"


def _fits_bulk(change: Change) -> bool:
    # A row of a bulk call knows no marketing permissions.
    return "marketing_permissions" not in change.body


def pages(rows: int) -> int:
    """Return how many pages a listing of so many rows has."""
    return -(-rows // PAGE_SIZE)


def may_pay(contacts: int) -> bool:
    """Return whether bulk calls could be cheaper at all, so that it is worth asking how big the audience is.

    At the least they cost the two look-ups of totals and one bulk call.
    """
    return contacts > LOOK_UPS_OF_TOTALS + 1


def bulk_is_cheaper(contacts: int, apart: int, totals: tuple[int, int], subscribed: int) -> bool:
    """Return whether reading all statuses and writing in bulk takes fewer requests than one PUT per contact:

        pages(plain) + pages(archived) + ceil(in bulk / 500) + PUTs  <  contacts

    `contacts` are those to be written, `apart` those of them that go by PUT anyway, `totals` the rows of the plain and of the
    archived listing, `subscribed` those who are subscribed. Of the others as many are expected to need a PUT as the audience
    has contacts that are not subscribed:

        PUTs = apart + (contacts - apart) x (all - subscribed) / all

    While the statuses are not known, a caller counts those already written singly among `contacts`: what a sync has brought
    is the best guess at what it will bring, and by this rule it never costs more than twice the best choice in hindsight.
    """  # noqa: D415 - the formula is the point
    everybody = sum(totals)
    others = max(0, everybody - subscribed) / everybody if everybody else 0.0
    puts = apart + round((contacts - apart) * others)
    in_bulk = contacts - puts
    return sum(map(pages, totals)) + -(-in_bulk // BULK_SIZE) + puts < contacts
