"""Which partitions can have something new, by what their parents tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailchimp_unified.entities.entity import second_of
from source_mailchimp_unified.raw.pages import pages_of
from source_mailchimp_unified.raw_collections import Parent
from source_mailchimp_unified.sync.fingerprints import digest

Told = Mapping[str, Any]


def mark(parent: Parent | None, told: Told) -> str | None:
    """Return what a parent tells about news below it, as a fingerprint and its newest second.

    None when it tells nothing that can be relied on.
    """
    latest = newest_told(parent, told)
    if parent is None or latest is None or any(told.get(name) not in values for name, values in parent.settled.items()):
        return None
    return f"{digest([told.get(name) for name in (*parent.tells, *parent.dates)]).hex()}-{latest}"


def settled(before: str | None, now: str, read_at: int, lookback: int) -> bool:
    """Return whether all that a parent's mark stands for had `lookback` seconds to show when its partition was read.

    What has changed since the mark of the sync before, without a newer time, may have changed just now.
    """
    latest = _second(now)
    return latest + lookback <= read_at and (before is None or _second(before) < latest)


def _second(text: str) -> int:
    second = text.rpartition("-")[2]
    return int(second) if second.isdigit() else 0


def newest_told(parent: Parent | None, told: Told) -> int | None:
    """Return the newest second of what happened below a parent, None when it tells none."""
    seconds = (second_of(told.get(name)) for name in parent.dates) if parent else ()
    return max((second for second in seconds if second is not None), default=None)


def ended_before(parent: Parent | None, told: Told, start: int | None) -> bool:
    """Return whether nothing below a parent is as new as the second `start`."""
    latest = newest_told(parent, told)
    return start is not None and latest is not None and latest < start


def size_of(parent: Parent | None, told: Told) -> int:
    """Return about how many items a partition has, by what its parent tells; 0 when it does not."""
    sizes = [told.get(name) for name in parent.size] if parent else []
    return sum(max(0, size) for size in sizes if isinstance(size, int))


def requests_for(parent: Parent | None, told: Told) -> int:
    """Return about how many requests a partition takes, by what its parent tells."""
    return pages_of(size_of(parent, told))
