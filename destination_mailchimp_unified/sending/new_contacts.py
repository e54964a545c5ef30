"""The guard of new contacts: plans are paid by contact, and each new one may begin a welcome journey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from destination_mailchimp_unified.audience.audience import Audience
from mailchimp_unified.errors import ConfigError


class TooManyNewContactsError(ConfigError):
    """A call would create more contacts than allowed. It was not sent."""


class NewContacts:
    """Lets so many contacts of one audience be created and no more. `most` is a number, or a percentage such as "10%"."""

    def __init__(self, audience: Audience, most: str | None) -> None:
        self.created = 0
        self._audience, self._most = audience, most
        self._under_way = 0
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def creating(self, count: int) -> AsyncIterator[None]:
        """Surround a call that may create so many contacts; the caller notes how many it has created.

        Waits for calls under way where only their answers tell whether there is room. Raises TooManyNewContactsError when there is none.
        """
        if self._most is None:
            yield
            return
        while self.created + self._under_way + count > self.limit and self._under_way:
            self._settled.clear()
            await self._settled.wait()
        if self.created + count > self.limit:
            raise self._full(count)
        self._under_way += count
        try:
            yield
        finally:
            self._under_way -= count
            self._settled.set()

    def note(self, count: int) -> None:
        """Note that so many contacts were created."""
        self.created += count

    @property
    def limit(self) -> int:
        """The most contacts that may be created; a percentage is of the contacts who are subscribed."""
        most = self._most or "0"
        return int(self._audience.subscribed * float(most[:-1]) / 100) if most.endswith("%") else int(most)

    def _full(self, count: int) -> TooManyNewContactsError:
        return TooManyNewContactsError(
            f"{self.created + count} contacts would be created in audience {self._audience.id}, and max_new_contacts is {self._most}"
            f" ({self.limit}): the sync was stopped before, with {self.created} created."
            " Check the records, or raise max_new_contacts."
        )
