"""Creates the merge fields that records have values for and an audience lacks, where the configuration asks for it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.lookups import define
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import RejectedRecordError

TAG_CHARACTERS = 10
"""Longest tag of a merge field: https://mailchimp.com/developer/marketing/docs/merge-fields/."""

USUAL_LIMIT = 30
"""Merge fields of an audience on most plans (80 on the highest): https://mailchimp.com/help/manage-audience-signup-form-fields/."""

_TAG = re.compile(rf"[A-Z0-9_]{{1,{TAG_CHARACTERS}}}")


async def create_missing(
    audience: Audience, values: Iterable[tuple[str, Any]], client: MailchimpClient, logger: logging.Logger, *, dry_run: bool
) -> None:
    """Create a merge field for each tag, of the type of its value. What Mailchimp refuses is logged and stays missing."""
    for tag, value in values:
        if not _TAG.fullmatch(tag.upper()) or audience.merge_field(tag) is not None:
            continue
        if len(audience.merge_fields) >= USUAL_LIMIT:
            logger.warning("Audience %s has %d merge fields; most plans allow no more.", audience.id, len(audience.merge_fields))
        definition = {"tag": tag.upper(), "name": tag, "type": _type_of(value), "public": False}
        if dry_run:
            define(audience, [definition])
            continue
        try:
            created = await client.call(endpoints.create_merge_field(audience.id, definition))
        except RejectedRecordError as error:
            logger.warning("Mailchimp does not create the merge field %s: %s", tag.upper(), error.detail or error.message)
            continue
        define(audience, [created.body])
        logger.info("Created the merge field %s of type %s in audience %s.", tag.upper(), definition["type"], audience.id)


def _type_of(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return "address" if isinstance(value, dict) else "text"
