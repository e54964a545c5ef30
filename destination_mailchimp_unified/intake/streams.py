"""The configured streams: where their records go, by which operation, and through which columns."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry, Operation, StreamKey, stream_key
from destination_mailchimp_unified.intake.columns import Columns
from mailchimp_unified.config import usable_list_id
from mailchimp_unified.errors import ConfigError

MATCHING_KEY = "email"
"""The field by which contacts are found."""

_OPERATIONS: dict[str, Operation] = {"update": "update", "soft_delete": "archive"}
"""What a destination sync mode asks for; every other mode is an upsert."""


@dataclass(frozen=True)
class Target:
    """A configured stream: its audience when the stream names one, its operation, its columns."""

    key: StreamKey
    operation: Operation
    columns: Columns
    list_id: str | None = None

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.key[1]

    def arrival(self, entry: Entry, columns: Mapping[str, Any]) -> Arrival:
        """Return a record as what it asks for. Raises InvalidValueError for the first value of a wrong type."""
        return Arrival(entry, self.columns.contact(columns), self.operation)


def targets_of(catalog: Mapping[str, Any], config: DestinationConfig, logger: logging.Logger) -> dict[StreamKey, Target]:
    """Return the streams of a configured catalog. Raises ConfigError naming a stream that cannot be written."""
    streams = catalog.get("streams")
    if not isinstance(streams, list) or not all(isinstance(s, dict) and isinstance(s.get("stream"), dict) for s in streams):
        raise ConfigError("The catalog holds no streams that can be read. Please configure the connection again.")
    targets = [_target(configured, config, logger) for configured in streams]
    return {target.key: target for target in targets}


def _target(configured: Mapping[str, Any], config: DestinationConfig, logger: logging.Logger) -> Target:
    stream = configured["stream"]
    name, mode = str(stream.get("name")), str(configured.get("destination_sync_mode") or "append")
    list_id = _object_name(configured.get("destination_object_name"), name)
    if list_id:
        _check_matching_key(configured.get("primary_key"), name)
    properties = _properties(stream.get("json_schema"))
    known = frozenset(column.casefold() for column in properties)
    columns = Columns(config.field_mapping, config.unmapped_columns == "merge_fields" or list_id is not None, known)
    target = Target(stream_key(name, stream.get("namespace")), _OPERATIONS.get(mode, "upsert"), columns, list_id)
    _check_columns(target, properties, config)
    _warn(configured, name, mode, logger)
    return target


def _object_name(value: Any, stream: str) -> str | None:
    if value is None or value == "":
        return None
    try:
        return usable_list_id(str(value))
    except ValueError as error:
        raise ConfigError(f"The destination object of stream {stream} {error}") from None


def _check_matching_key(keys: Any, stream: str) -> None:
    names = [part for key in keys or [] for part in (key if isinstance(key, list) else [key])]
    if names and [str(name).casefold() for name in names] != [MATCHING_KEY]:
        raise ConfigError(
            f"Stream {stream} matches contacts by {', '.join(map(str, names))}. Please choose {MATCHING_KEY} as the matching key."
        )


def _properties(schema: Any) -> list[str]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return [str(column) for column in properties] if isinstance(properties, dict) else []


def _check_columns(target: Target, properties: Collection[str], config: DestinationConfig) -> None:
    if not properties:
        # Nothing is known of the columns: the records will tell.
        return
    reached = {field for column in properties for field in target.columns.targets(column)}
    if "email" not in reached:
        raise ConfigError(
            f"Stream {target.name} has no column for the address. Please map one to the field email in field_mapping."
            f" Its columns are: {', '.join(sorted(properties))}."
        )
    if "list_id" not in reached and not target.list_id and not config.list_id:
        raise ConfigError(
            f"Stream {target.name} does not say which audience it goes to. Please set list_id, or map a column to the field list_id."
        )


def _warn(configured: Mapping[str, Any], name: str, mode: str, logger: logging.Logger) -> None:
    if mode == "overwrite":
        logger.warning("Stream %s: overwrite is written as an upsert. An audience is never emptied.", name)
    if configured.get("minimum_generation_id"):
        logger.warning("Stream %s: a refresh is written as an upsert. Contacts that are no longer sent stay in the audience.", name)
