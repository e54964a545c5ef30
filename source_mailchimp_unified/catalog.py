"""The catalog: the unified schemas, with `custom_fields` typed from the account's own merge fields; then the raw streams asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airbyte_cdk.models import AirbyteCatalog, AirbyteStream, SyncMode

from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.entities import CONTACT, ENTITIES, Entity
from mailchimp_unified.entities.merge_field import value_schema
from mailchimp_unified.errors import NotFoundError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Pager
from mailchimp_unified.schemas import readable_schema
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.raw.catalog import raw_catalog
from source_mailchimp_unified.sync.account import Account

SECONDS = 55.0
"""Discovery ends within this time, no matter what Mailchimp does."""


async def discover(client: MailchimpClient, pager: Pager, account: Account, config: SourceConfig) -> AirbyteCatalog:
    """Return the catalog of the account. Raises the typed error when its audiences cannot be read."""
    async with client.within(SECONDS):
        list_ids = (await account.audiences()).chosen_ids
        found = await together(*(_definitions(pager, account, list_id) for list_id in list_ids))
    unified = catalog([definition for definitions in found for definition in definitions], remote=config.include_remote_data)
    return AirbyteCatalog(streams=[*unified.streams, *raw_catalog(config.raw_streams)])


async def _definitions(pager: Pager, account: Account, list_id: str) -> list[dict[str, Any]]:
    try:
        return await pager.all(endpoints.merge_fields(list_id))
    except NotFoundError:
        if await account.is_gone(list_id):
            return []
        raise


def catalog(definitions: Iterable[dict[str, Any]], *, remote: bool) -> AirbyteCatalog:
    """Return the catalog for an account with these merge fields."""
    streams = []
    for entity in ENTITIES.values():
        schema = readable_schema(entity.name)
        if not remote:
            del schema["properties"]["remote_data"]
        if entity is CONTACT:
            schema["properties"]["custom_fields"]["properties"] = custom_fields_schema(definitions)
        streams.append(_stream(entity, schema))
    return AirbyteCatalog(streams=streams)


def custom_fields_schema(definitions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON schema of each merge field by tag; a tag of several types in several lists takes the values of all."""
    properties: dict[str, Any] = {}
    for definition in sorted(definitions, key=lambda d: str(d["tag"])):
        described = {"description": str(definition.get("name") or definition["tag"]), **value_schema(str(definition.get("type")))}
        tag = str(definition["tag"])
        properties[tag] = _both(properties[tag], described) if tag in properties else described
    return properties


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**other, **one, "type": list(dict.fromkeys([*one["type"], *other["type"]]))}
    if one.get("format") != other.get("format"):
        merged.pop("format", None)
    return merged


def _stream(entity: Entity, schema: dict[str, Any]) -> AirbyteStream:
    return AirbyteStream(
        name=entity.name,
        json_schema=schema,
        supported_sync_modes=[SyncMode.full_refresh, SyncMode.incremental],
        source_defined_cursor=True,
        default_cursor_field=[entity.cursor_field],
        source_defined_primary_key=[[name] for name in entity.primary_key],
        is_resumable=True,
    )
