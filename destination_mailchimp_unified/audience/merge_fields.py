"""Creates the merge fields that the mapping names and an audience lacks, where the configuration asks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.lookups import define
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import RejectedRecordError

MOST_CREATED = 20
"""Most merge fields that one sync creates: more are a mistake in the mapping rather than a wish."""

USUAL_LIMIT = 30
"""Merge fields of an audience on most plans (80 on the highest): https://mailchimp.com/help/manage-audience-signup-form-fields/."""


@dataclass(frozen=True)
class PlannedField:
    """A merge field that may have to be created: its tag, its label and its type."""

    tag: str
    label: str
    type: str

    def __str__(self) -> str:
        return f"{self.tag} ({self.type})"


@dataclass
class Creation:
    """Creates merge fields, so many in one sync and no more."""

    client: MailchimpClient
    logger: logging.Logger
    dry_run: bool
    left: int = MOST_CREATED

    async def create(self, audience: Audience, fields: Iterable[PlannedField]) -> None:
        """Create the merge fields. What Mailchimp refuses, and what is too much, is logged and stays missing."""
        for field in fields:
            if audience.merge_field(field.tag) is not None:
                continue
            if not self.left:
                self.logger.warning("A sync creates at most %d merge fields: %s is not created.", MOST_CREATED, field.tag)
            else:
                self.left -= 1
                await self._create(audience, field)

    async def _create(self, audience: Audience, field: PlannedField) -> None:
        if len(audience.merge_fields) >= USUAL_LIMIT:
            self.logger.warning("Audience %s has %d merge fields; most plans allow no more.", audience.id, len(audience.merge_fields))
        definition = {"tag": field.tag, "name": field.label, "type": field.type, "public": False}
        if self.dry_run:
            define(audience, [definition])
            return
        try:
            created = await self.client.call(endpoints.create_merge_field(audience.id, definition))
        except RejectedRecordError as error:
            self.logger.warning("Mailchimp does not create the merge field %s: %s", field.tag, error.detail or error.message)
            return
        define(audience, [created.body])
        self.logger.info("Created the merge field %s (%s, %s) in audience %s.", field.tag, field.label, field.type, audience.id)
