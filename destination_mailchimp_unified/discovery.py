"""The audiences as destination objects: what Airbyte's data activation shows in its pickers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.audience.lookups import define, load_groups
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.objects import object_name
from destination_mailchimp_unified.intake.operations import CREATING, OFFERED_MODES, operation_of
from destination_mailchimp_unified.intake.rules import filler_of
from destination_mailchimp_unified.intake.streams import MATCHING_KEY
from destination_mailchimp_unified.offered_fields import column_of, offered_fields
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import NotFoundError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Json

MOST_WITH_GROUPS = 20
"""Groups are looked up by name where there are at most so many audiences: it takes several requests for each of them."""


async def destination_catalog(client: MailchimpClient, config: DestinationConfig, logger: logging.Logger) -> Json:
    """Return the DESTINATION_CATALOG message: every audience with the operations that `write_policy` allows.

    Protocol: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol.
    """
    pager = Pager(client, logger)
    audiences = await pager.all(endpoints.AUDIENCES)
    with_groups = len(audiences) <= MOST_WITH_GROUPS
    if not with_groups:
        logger.info("The account has %d audiences: groups and marketing permissions are not offered by name.", len(audiences))
    read = await together(*(_described(pager, audience, with_groups=with_groups) for audience in audiences))
    operations = [operation for one in read if one for operation in operations_of(one, config)]
    return {"type": "DESTINATION_CATALOG", "destination_catalog": {"operations": operations}}


async def _described(pager: Pager, row: Mapping[str, Any], *, with_groups: bool) -> Audience | None:
    """Return an audience with its merge fields and groups; None where it was deleted since it was listed."""
    audience = Audience(str(row["id"]), name=str(row.get("name") or ""))
    try:
        define(audience, await pager.all(endpoints.merge_fields(audience.id)))
    except NotFoundError:
        return None
    try:
        if with_groups:
            await load_groups(audience, pager)
    except NotFoundError:
        audience.groups = Groups()
    return audience


def operations_of(audience: Audience, config: DestinationConfig) -> list[Json]:
    """Return what may be done with an audience: each insertion type by which a stream could write something. Pure."""
    schema = _schema(audience)
    required = [column_of(tag) for tag in _required_tags(audience, config)]
    operations = []
    for mode in OFFERED_MODES:
        operation = operation_of(mode, config.write_policy, has_object=True)
        if operation is not None:
            needed = [MATCHING_KEY, *(required if operation in CREATING else [])]
            operations.append({"sync_mode": mode, "json_schema": {**schema, "required": needed}})
    return [{"object_name": object_name(audience.name, audience.id), "matching_keys": [[MATCHING_KEY]], **one} for one in operations]


def _schema(audience: Audience) -> Json:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": audience.name or audience.id,
        "description": f"Contacts of the Mailchimp audience {audience.name or audience.id}.",
        "type": "object",
        "additionalProperties": True,
        "properties": offered_fields(audience),
    }


def _required_tags(audience: Audience, config: DestinationConfig) -> list[str]:
    """Return the tags of the merge fields that a stream has to fill: without them Mailchimp creates nobody."""
    if config.required_fields == "skip":
        return []
    constants = [filler_of(rule).field for rule in config.field_mapping if rule.value is not None and not rule.stream]
    filled = {slot for field in constants for slot in field.slots}
    return [tag for tag in audience.required_tags if tag not in filled]
