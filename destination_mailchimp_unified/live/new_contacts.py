"""The guard of new contacts in a process that lives for days: so many of an audience within any 24 hours."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from destination_mailchimp_unified.settling.outcomes import Outcome

DAY_SECONDS = 86_400.0
MINUTE_SECONDS = 60.0
"""Contacts are counted by the minute in which they were created."""

FULL = Outcome("rejected", "max_new_contacts: so many contacts were created within 24 hours", later=True, field="max_new_contacts")


class DailyNewContacts(NewContacts):
    """Counts what this process created within the last 24 hours. Belongs to one event loop."""

    def __init__(self, audience: Audience, most: str | None) -> None:
        super().__init__(audience, most)
        self._clock = asyncio.get_running_loop().time
        self._made: deque[tuple[float, int]] = deque()

    @asynccontextmanager
    async def creating(self, count: int) -> AsyncIterator[None]:
        """Surround a call that may create so many contacts. Raises TooManyNewContactsError when there is no room for them."""
        while self._made and self._made[0][0] <= self._clock() - DAY_SECONDS:
            self.created -= self._made.popleft()[1]
        async with super().creating(count):
            yield

    def note(self, count: int) -> None:
        """Note that so many contacts were created."""
        super().note(count)
        now = self._clock()
        if self._made and now - self._made[-1][0] < MINUTE_SECONDS:
            began, before = self._made.pop()
            self._made.append((began, before + count))
        else:
            self._made.append((now, count))
