"""The guard of new contacts in a process that lives for days: so many of an audience within any 24 hours."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from destination_mailchimp_unified.settling.outcomes import Outcome

DAY_SECONDS = 86_400.0
MINUTE_SECONDS = 60.0
"""Contacts are counted by the minute in which they were created."""

FULL = Outcome("rejected", "max_new_contacts: the limit for 24 hours is reached", later=True, field="max_new_contacts")


class DailyNewContacts(NewContacts):
    """Counts what this process created within the last 24 hours. Belongs to one event loop."""

    def __init__(self, audience: Audience, most: str | None) -> None:
        super().__init__(audience, most)
        self._clock = asyncio.get_running_loop().time
        self._made: deque[tuple[float, int, set[str]]] = deque()

    @asynccontextmanager
    async def creating(self, contact_ids: Collection[str]) -> AsyncIterator[None]:
        """Surround a call that may create these contacts. Raises TooManyNewContactsError when there is no room for them."""
        while self._made and self._made[0][0] <= self._clock() - DAY_SECONDS:
            _, count, unseen = self._made.popleft()
            self.created -= count
            self._unseen -= unseen
        async with super().creating(contact_ids):
            yield

    def _add(self, count: int, unseen: set[str]) -> None:
        super()._add(count, unseen)
        now = self._clock()
        if self._made and now - self._made[-1][0] < MINUTE_SECONDS:
            began, before, earlier = self._made.pop()
            self._made.append((began, before + count, earlier | unseen))
        else:
            self._made.append((now, count, unseen))
