"""What time it is at Mailchimp: the Date of its answers, and what has passed since the last one. Times as seconds since 1970."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class MailchimpClock:
    """Shows Mailchimp's time as far as its last answer tells. Belongs to one event loop."""

    def __init__(self) -> None:
        # The last date, and when it came by the event loop.
        self._noted: tuple[datetime, float] | None = None

    def note(self, date: datetime | None) -> datetime | None:
        """Note the date of an answer that came just now, and return it."""
        if date is not None:
            self._noted = date, asyncio.get_running_loop().time()
        return date

    @property
    def now(self) -> datetime | None:
        """Mailchimp's time, never later than the truth; None before the first answer."""
        if self._noted is None:
            return None
        date, came = self._noted
        return date + timedelta(seconds=asyncio.get_running_loop().time() - came)


def date_of(header: str | None) -> datetime | None:
    """Return the time that a Date header says, None when it says none."""
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None


def epoch(moment: str) -> int:
    """Return an RFC 3339 time as seconds since 1970."""
    parsed = datetime.fromisoformat(moment)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def moment_of(seconds: int) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC, as Mailchimp writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
