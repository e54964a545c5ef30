"""The audiences as destination objects: what Airbyte's data activation shows in its pickers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from destination_mailchimp_unified.intake.streams import MATCHING_KEY
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.entities.contact_fields import WRITABLE
from mailchimp_unified.entities.merge_field import value_schema
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager
from mailchimp_unified.schemas import load_schema

Json = dict[str, Any]

OPERATIONS = ("append", "append_dedup", "update", "soft_delete")

# The object is the audience, the operation says whether to delete, and merge fields have columns of their own.
_NOT_OFFERED = ("list_id", "is_deleted", "custom_fields")


async def destination_catalog(client: MailchimpClient, logger: logging.Logger) -> Json:
    """Return the DESTINATION_CATALOG message: every audience with every operation.

    Protocol: https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol.
    """
    pager = Pager(client, logger)
    audiences = await pager.all(endpoints.AUDIENCES)
    objects = await together(*(_operations(pager, audience) for audience in audiences))
    operations = [operation for one in objects for operation in one]
    return {"type": "DESTINATION_CATALOG", "destination_catalog": {"operations": operations}}


async def _operations(pager: Pager, audience: Mapping[str, Any]) -> list[Json]:
    list_id = str(audience["id"])
    definitions = await pager.all(endpoints.merge_fields(list_id))
    schema = object_schema(audience, definitions)
    return [{"object_name": list_id, "sync_mode": mode, "json_schema": schema, "matching_keys": [[MATCHING_KEY]]} for mode in OPERATIONS]


def object_schema(audience: Mapping[str, Any], definitions: Sequence[Mapping[str, Any]]) -> Json:
    """Return the fields of an audience: those of the unified contact, and its merge fields by tag. Pure."""
    unified = load_schema("contacts")["properties"]
    properties = {name: _offered(field) for name, field in unified.items() if name in WRITABLE and name not in _NOT_OFFERED}
    taken = {name.casefold() for name in properties}
    for definition in definitions:
        tag = str(definition["tag"])
        if tag.casefold() not in taken:
            words = f"Merge field {tag} ({definition.get('type')}): {definition.get('name')}."
            properties[tag] = {**value_schema(str(definition.get("type"))), "description": words}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": str(audience.get("name") or audience["id"]),
        "description": f"Contacts of the Mailchimp audience {audience.get('name')}.",
        "type": "object",
        "additionalProperties": True,
        "required": [MATCHING_KEY],
        "properties": properties,
    }


def _offered(field: Json) -> Json:
    return {name: value for name, value in field.items() if name != "writeOnly"}
