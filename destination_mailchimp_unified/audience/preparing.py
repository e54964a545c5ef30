"""What is asked for before records are planned: it ends when nothing more needs to be known."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import bulk_is_cheaper, may_pay
from destination_mailchimp_unified.audience.listing import count_contacts, is_fresh, read_statuses, refresh_statuses
from destination_mailchimp_unified.audience.lookups import load_audience, load_groups, load_tags
from destination_mailchimp_unified.audience.merge_fields import Creation
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.mapping import names_groups
from destination_mailchimp_unified.intake.planned import PlannedField
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager


class Demand(Protocol):
    """What the records that have come so far ask of their audience."""

    def wants_tags(self) -> bool:
        """Return whether any record says something about tags."""

    def wants_groups(self) -> bool:
        """Return whether any record names a group or a marketing permission by its name."""

    def missing_fields(self) -> list[PlannedField]:
        """Return the merge fields that the mapping names, records fill and the audience lacks; each once."""

    def contacts(self) -> int:
        """Return how many contacts are to be written, as far as is known."""

    def apart(self) -> int:
        """Return how many of them can only be written by calls of their own."""


@dataclass
class Preparation:
    """Learns what one audience's records need, through one pager."""

    audience: Audience
    demand: Demand
    config: DestinationConfig
    pager: Pager
    creation: Creation

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
            if self.config.create_missing_merge_fields and (missing := self.demand.missing_fields()):
                await self.creation.create(self.audience, missing)
            elif self.audience.groups is None and self.demand.wants_groups():
                await load_groups(self.audience, self.pager)
            elif self.audience.tags is None and self.demand.wants_tags():
                await together(*self._tags_and_counts())
            else:
                return

    async def know_statuses(self) -> None:
        """Read the statuses of the audience where bulk calls pay, and who left meanwhile where they were read too long ago."""
        if self.audience.statuses is None:
            if await self._bulk_pays():
                await read_statuses(self.audience, self.pager, self.config.num_workers)
        elif not is_fresh(self.audience):
            await refresh_statuses(self.audience, self.pager)

    def _tags_and_counts(self) -> list[Coroutine[Any, Any, None]]:
        """Return what to ask about the audience at the same time as something else: whether bulk pays will be asked next."""
        tags = [load_tags(self.audience, self.pager)] if self.audience.tags is None and self.demand.wants_tags() else []
        if self.audience.totals is not None or not self._may_count():
            return tags
        return [*tags, count_contacts(self.audience, self.pager)]

    async def _bulk_pays(self) -> bool:
        if self.config.write_mode != "auto":
            return self.config.write_mode == "bulk"
        if not self._may_count():
            return False
        if self.audience.totals is None:
            await count_contacts(self.audience, self.pager)
        if self.audience.statuses is not None:
            return True
        totals = self.audience.totals or (0, 0)
        return bulk_is_cheaper(self.demand.contacts(), self.demand.apart(), totals, self.audience.subscribed)

    def _may_count(self) -> bool:
        """Return whether it is worth knowing how big the audience is."""
        return self.config.write_mode != "single" and may_pay(self.demand.contacts())
