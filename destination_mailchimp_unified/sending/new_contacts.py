"""The guard of new contacts: plans are paid by contact, and each new one may begin a welcome journey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from destination_mailchimp_unified.audience.audience import Audience
from mailchimp_unified.errors import ConfigError, MailchimpError


class TooManyNewContactsError(ConfigError):
    """A call would create more contacts than allowed. It was not sent."""


class NewContacts:
    """Lets so many contacts of one audience be created and no more. `most` is a number, or a percentage such as "10%".

    A contact counts when Mailchimp says that it was created, and when it may have been: an answer that was lost, or that lacks its row.
    """

    def __init__(self, audience: Audience, most: str | None) -> None:
        self.created = 0
        self._audience, self._most = audience, most
        self._under_way = 0
        # Contacts that count although nobody saw them created: a later call for them creates nobody beyond that.
        self._unseen: set[str] = set()
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def creating(self, contact_ids: Collection[str]) -> AsyncIterator[None]:
        """Surround a call that may create these contacts; the caller notes what became of them.

        Waits for calls under way where only their answers tell whether there is room. Raises TooManyNewContactsError when there is none.
        """
        if self._most is None:
            yield
            return
        while self._count(contact_ids) + self.created + self._under_way > self.limit and self._under_way:
            self._settled.clear()
            await self._settled.wait()
        count = self._count(contact_ids)
        if self.created + count > self.limit:
            raise self._full()
        self._under_way += count
        try:
            yield
        except MailchimpError as error:
            if error.after_lost_answer:
                self.note(unseen=contact_ids)
            raise
        finally:
            self._under_way -= count
            self._settled.set()

    def note(self, created: Iterable[str] = (), unseen: Iterable[str] = ()) -> None:
        """Count contacts that a call created, and those that it may have created."""
        if self._most is None:
            return
        seen, fresh = self._count(created), set(unseen) - self._unseen
        self._unseen |= fresh
        self._add(seen + len(fresh), fresh)

    def _add(self, count: int, unseen: set[str]) -> None:
        """Count so many contacts; those among them that nobody saw created are named."""
        self.created += count

    @property
    def limit(self) -> int:
        """The most contacts that may be created; a percentage is of the contacts who are subscribed."""
        most = self._most or "0"
        return int(self._audience.subscribed * float(most[:-1]) / 100) if most.endswith("%") else int(most)

    def _count(self, contact_ids: Iterable[str]) -> int:
        return sum(1 for contact_id in contact_ids if contact_id not in self._unseen)

    def _full(self) -> TooManyNewContactsError:
        most = f"{self._most} ({self.limit})" if str(self._most).endswith("%") else self._most
        return TooManyNewContactsError(
            f"Stopped before creating contact {self.limit + 1} in audience {self._audience.id}: max_new_contacts is {most};"
            f" {self.created} were created. Check the records, or raise max_new_contacts."
        )
