"""Mistakes in a mapping, found before anything is sent: unknown fields, missing addresses, unreachable merge fields. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.columns import MERGE_FIELD_PREFIX, known_field
from destination_mailchimp_unified.intake.values import WRITABLE
from mailchimp_unified.entities.contact import ADDRESS_TAG, FIRST_NAME_TAG, LAST_NAME_TAG, PHONE_TAG
from mailchimp_unified.errors import ConfigError

_NAMED_TAGS = {"first_name": FIRST_NAME_TAG, "last_name": LAST_NAME_TAG, "phones": PHONE_TAG, "addresses": ADDRESS_TAG}


def check_fields(config: DestinationConfig) -> None:
    """Raise ConfigError for a mapping that is wrong whatever the audience."""
    unknown = sorted({mapping.field for mapping in config.field_mapping if not known_field(mapping.field)})
    if unknown:
        raise ConfigError(
            f"field_mapping names fields that do not exist: {', '.join(unknown)}. Please use {MERGE_FIELD_PREFIX}TAG for a"
            f" merge field, or one of: {', '.join(sorted(WRITABLE))}."
        )
    counts = Counter(mapping.field for mapping in config.field_mapping)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise ConfigError(f"field_mapping fills {', '.join(twice)} from more than one column. Please keep one of them.")
    if config.tag_mode == "replace" and not config.managed_tags:
        raise ConfigError("tag_mode replace needs managed_tags: the patterns of the tags that may be taken away, such as warehouse:*.")


def check_audience(config: DestinationConfig, audience: Audience) -> None:
    """Raise ConfigError for a mapping to merge fields that the audience does not have, or without those it requires."""
    mapped = _mapped_tags(config)
    unknown = sorted(tag for tag in mapped if audience.merge_field(tag) is None)
    if unknown and not config.create_missing_merge_fields:
        raise ConfigError(
            f"field_mapping names merge fields that the audience {audience.id} does not have: {', '.join(unknown)}."
            f" Please choose among {', '.join(sorted(audience.merge_fields)) or 'none'}, or turn create_missing_merge_fields on."
        )
    if config.field_mapping and (missing := unmapped_required(config, audience)):
        raise ConfigError(
            f"The audience {audience.id} requires merge fields that field_mapping does not fill: {', '.join(missing)}."
            f" Please map a column to {MERGE_FIELD_PREFIX}{missing[0]}, or make the field optional in Mailchimp."
        )


def unmapped_required(config: DestinationConfig, audience: Audience) -> list[str]:
    """Return the tags of required merge fields that no mapping fills and no column name can be counted on to fill."""
    if config.unmapped_columns == "merge_fields" or any(mapping.field == "custom_fields" for mapping in config.field_mapping):
        return []
    reached = {tag.upper() for tag in _mapped_tags(config)} | set(_NAMED_TAGS.values())
    return [tag for tag in audience.required_tags if tag not in reached]


def _mapped_tags(config: DestinationConfig) -> list[str]:
    fields: Iterable[str] = (mapping.field for mapping in config.field_mapping)
    return [name.removeprefix(MERGE_FIELD_PREFIX) for name in fields if name.startswith(MERGE_FIELD_PREFIX)]
