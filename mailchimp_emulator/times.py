"""Timestamps as Mailchimp writes and reads them: UTC, whole seconds, `""` for none.

Public source: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

# At most six decimals: a seventh makes a date malformed, and a malformed date filters nothing
# (https://github.com/brandonseydel/MailChimp.Net/issues/525).
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?\s?(Z|[+-]\d\d:?\d\d)?)?$")


@lru_cache(maxsize=1 << 16)
def format_second(second: int) -> str:
    """`2022-02-23T16:25:57+00:00`, or `""` for zero."""
    return datetime.fromtimestamp(second, UTC).isoformat() if second else ""


def parse_instant(text: str) -> float | None:
    """Seconds since the epoch, or None when Mailchimp would not understand the text."""
    match = _INSTANT.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + float(fraction or 0) - _zone_seconds(zone)


def _zone_seconds(zone: str | None) -> int:
    if zone in (None, "Z"):
        return 0
    assert zone is not None
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def parse_second(text: str) -> int | None:
    """The whole second of a timestamp sent in a body; `""` is 0, nonsense is None."""
    if not text:
        return 0
    moment = parse_instant(text)
    return None if moment is None else math.floor(moment)


def first_second_after(moment: float) -> int:
    """The earliest whole second that an exclusive lower bound lets through."""
    return math.floor(moment) + 1


def last_second_until(moment: float) -> int:
    """The latest whole second that an inclusive upper bound lets through."""
    return math.floor(moment)
