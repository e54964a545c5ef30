"""What is asked for before records are planned: it ends when nothing more needs to be known."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE, bulk_is_cheaper, may_pay, reading
from destination_mailchimp_unified.audience.listing import count_contacts, is_fresh, is_listed, read_statuses, refresh_statuses
from destination_mailchimp_unified.audience.lookups import load_audience, load_groups, load_tags
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.mapping import names_groups
from destination_mailchimp_unified.pipeline.backlog import Backlog
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager


@dataclass
class Preparation:
    """Learns what the records of one audience's backlog need, through one pager."""

    audience: Audience
    backlog: Backlog
    config: DestinationConfig
    pager: Pager
    creation: Creation
    # The fields that were shown when the contacts were counted, and the mode that the log was told of.
    _shown: list[str] = field(default_factory=list)
    _told: str = ""

    async def open(self) -> None:
        """Learn what the audience is like, and with the same round of requests what the records need that are already there.

        Raises NotFoundError when there is none.
        """
        groups = [load_groups(self.audience, self.pager)] if names_groups(self.config) else []
        await together(load_audience(self.audience, self.pager), *groups, *self._tags_and_counts())

    async def look_up(self) -> None:
        """Learn what the records need to become changes: their merge fields, and the tags of the audience."""
        # Records keep arriving while these are requested: what they lack is requested as well.
        while True:
            if self.config.create_missing_merge_fields and (missing := self.backlog.missing_fields()):
                await self.creation.create(self.audience, missing)
            elif self.audience.groups is None and self.backlog.wants_groups():
                await load_groups(self.audience, self.pager)
            elif self.audience.tags is None and self.backlog.wants_tags():
                await together(*self._tags_and_counts())
            else:
                return

    async def know_statuses(self) -> None:
        """Read the audience where bulk calls pay, and what changed meanwhile where it was read too long ago."""
        if self.audience.statuses is None:
            if await self._bulk_pays():
                await self._read()
        elif not is_fresh(self.audience):
            await refresh_statuses(self.audience, self.pager)

    async def _read(self) -> None:
        audience = self.audience
        if audience.totals is None:
            await self._count()
        self._tell("bulk")
        comparison = self.backlog.comparison(self._shown if is_listed(audience, self.pager) else None) if audience.compares else None
        if comparison and not {*comparison.shown} <= {*self._shown}:
            # Records that came since fill other fields.
            audience.first_pages = []
        await read_statuses(audience, self.pager, self.config.num_workers, comparison)

    async def _count(self) -> None:
        self._shown = self.backlog.shown() if self.audience.compares else []
        await count_contacts(self.audience, self.pager, self._shown)

    def _tags_and_counts(self) -> list[Coroutine[Any, Any, None]]:
        """Return what to ask about the audience at the same time as something else: whether bulk pays will be asked next."""
        tags = [load_tags(self.audience, self.pager)] if self.audience.tags is None and self.backlog.wants_tags() else []
        if self.audience.totals is not None or not self._may_count():
            return tags
        return [*tags, self._count()]

    async def _bulk_pays(self) -> bool:
        if self.config.write_mode == "bulk":
            return True
        pays = self._may_count() and await self._is_cheaper()
        if not pays and self.backlog.contacts():
            self._tell("single")
            self.audience.first_pages = []
        return pays

    async def _is_cheaper(self) -> bool:
        audience, contacts = self.audience, self.backlog.contacts()
        if audience.totals is None:
            await self._count()
        assert audience.totals is not None
        return is_listed(audience, self.pager) or bulk_is_cheaper(
            contacts, self.backlog.apart(), audience.totals, audience.subscribed, compares=audience.compares
        )

    def _may_count(self) -> bool:
        """Return whether it is worth knowing how big the audience is."""
        return self.config.write_mode != "single" and may_pay(self.backlog.contacts())

    def _tell(self, mode: str) -> None:
        """Explain once how contacts are written."""
        if mode == self._told:
            return
        self._told = mode
        audience, totals = self.audience, self.audience.totals
        size = "" if totals is None else f"; to read the {sum(totals)} contacts of the audience takes {reading(totals)} pages"
        how = (
            f"the audience is read first, and what differs from it is written in bulk, up to {BULK_SIZE} contacts a request"
            if mode == "bulk"
            else "each contact is written by a request of its own"
        )
        self.creation.logger.info(
            "Audience %s, write_mode %s: %s (%d contacts came so far%s).",
            audience.id, self.config.write_mode, how, self.backlog.contacts(), size,
        )  # fmt: skip
