"""The configured streams: where their records go, by which operation, and through which columns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from destination_mailchimp_unified.audience.merge_fields import PlannedField
from destination_mailchimp_unified.config import DestinationConfig, Rule
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry, Operation, StreamKey, stream_key
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.described import described, shown
from destination_mailchimp_unified.intake.mapping import check_columns, check_filled_once, check_rules_have_columns
from destination_mailchimp_unified.intake.objects import list_id_of
from destination_mailchimp_unified.intake.operations import MODES, operation_of
from destination_mailchimp_unified.intake.planned import planned_fields
from destination_mailchimp_unified.intake.refreshes import Refresh, refresh_of
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.text import did_you_mean, folded

MATCHING_KEY = "email"
"""The field by which contacts are found."""


@dataclass(frozen=True)
class Target:
    """A configured stream: its audience when the stream names one, its operation, its columns.

    `planned` are the merge fields that it names, by tag: what they would be created as. `membership_tag` is the tag that every
    contact of it gets, `refresh` how it is read in this sync.
    """

    key: StreamKey
    operation: Operation
    columns: Columns
    list_id: str | None = None
    planned: Mapping[str, PlannedField] = field(default_factory=dict)
    membership_tag: str = ""
    refresh: Refresh = field(default_factory=Refresh)

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.key[1]

    def arrival(self, entry: Entry, columns: Mapping[str, Any]) -> Arrival:
        """Return a record as what it asks for. Raises InvalidValueError for the first value that cannot be read."""
        return Arrival(entry, self.columns.contact(columns), self.operation, self.planned, self.membership_tag)


def targets_of(catalog: Mapping[str, Any], config: DestinationConfig, logger: logging.Logger) -> dict[StreamKey, Target]:
    """Return the streams of a configured catalog, and log what their columns fill.

    Raises ConfigError naming a stream that cannot be written, or a rule that fits none.
    """
    streams = catalog.get("streams")
    if not isinstance(streams, list) or not all(isinstance(s, dict) and isinstance(s.get("stream"), dict) for s in streams):
        raise ConfigError("The catalog holds no streams that can be read. Please configure the connection again.")
    _check_stream_names(config, [str(configured["stream"].get("name")) for configured in streams])
    targets = [_target(configured, config, logger) for configured in streams]
    check_rules_have_columns(config, [(target.name, target.columns) for target in targets])
    return {target.key: target for target in targets}


def _check_stream_names(config: DestinationConfig, names: list[str]) -> None:
    known = {folded(name) for name in names}
    by_rules = {rule.stream for rule in config.field_mapping if rule.stream}
    for field_name, named in (("field_mapping", by_rules), ("membership_streams", set(config.membership_streams))):
        if unknown := sorted(name for name in named if folded(name) not in known):
            words = shown(f"{name}{did_you_mean(name, names)}" for name in unknown)
            raise ConfigError(f"{field_name} names streams that the connection does not have: {words}. Its streams are: {shown(names)}.")


def _target(configured: Mapping[str, Any], config: DestinationConfig, logger: logging.Logger) -> Target:
    stream = configured["stream"]
    name = str(stream.get("name"))
    list_id = _object_name(configured.get("destination_object_name"), name)
    operation = _operation(configured, name, config, has_object=list_id is not None)
    if list_id:
        _check_matching_key(configured.get("primary_key"), name)
    properties = _properties(stream.get("json_schema"))
    columns = Columns(
        _rules_of(name, config),
        list(properties),
        by_hand=list_id is not None,
        merge_extras=config.unmapped_columns == "merge_fields" or list_id is not None,
        ignored=frozenset({"list_id"} if config.list_ids_from == "configuration" else ()),
        leave_out=config.invalid_values == "leave_out",
        announce=_announcer(name, logger),
    )
    check_columns(name, columns, has_audience=bool(list_id or config.list_id))
    if properties:
        columns.told()
    _warn(configured, name, logger)
    key, planned = stream_key(name, stream.get("namespace")), planned_fields(columns, properties)
    return Target(key, operation, columns, list_id, planned, membership_tag_of(name, config), refresh_of(configured))


def membership_tag_of(stream: str, config: DestinationConfig) -> str:
    """Return the tag that every contact of a stream gets, "" for none."""
    feeds = not config.membership_streams or folded(stream) in map(folded, config.membership_streams)
    return config.membership_tag or "" if feeds else ""


def _rules_of(stream: str, config: DestinationConfig) -> list[Rule]:
    return [rule for rule in config.field_mapping if not rule.stream or folded(rule.stream) == folded(stream)]


def _announcer(name: str, logger: logging.Logger) -> Callable[[Columns], None]:
    def announce(columns: Columns) -> None:
        check_filled_once(name, columns)
        logger.info("%s", described(name, columns))

    return announce


def _operation(configured: Mapping[str, Any], stream: str, config: DestinationConfig, *, has_object: bool) -> Operation:
    mode = str(configured.get("destination_sync_mode") or "")
    if mode not in MODES:
        raise ConfigError(
            f"Stream {stream} has {f'the unknown sync mode {mode}' if mode else 'no sync mode'}. Please choose one of: {', '.join(MODES)}."
        )
    operation = operation_of(mode, config.write_policy, has_object=has_object)
    if operation is None:
        raise ConfigError(
            f"Stream {stream} could write nothing: its sync mode is {mode}, and write_policy is {config.write_policy}."
            f" Please choose another mode in the connection, or set write_policy to upsert."
        )
    return operation


def _object_name(value: Any, stream: str) -> str | None:
    if value is None or value == "":
        return None
    list_id = list_id_of(str(value))
    if list_id is None:
        raise ConfigError(
            f"The destination object of stream {stream} names no audience: it ends with the audience's id in brackets, such as"
            f" Event Guests (2e6b74a9f8). Please choose the object again in the connection."
        )
    return list_id


def _check_matching_key(keys: Any, stream: str) -> None:
    names = [part for key in keys or [] for part in (key if isinstance(key, list) else [key])]
    if names and [folded(str(name)) for name in names] != [MATCHING_KEY]:
        raise ConfigError(
            f"Stream {stream} matches contacts by {', '.join(map(str, names))}. Please choose {MATCHING_KEY} as the matching key."
        )


def _properties(schema: Any) -> dict[str, Any]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return {str(column): one for column, one in properties.items()} if isinstance(properties, dict) else {}


def _warn(configured: Mapping[str, Any], name: str, logger: logging.Logger) -> None:
    if str(configured.get("destination_sync_mode")).startswith("overwrite"):
        logger.warning("Stream %s: overwrite is written as an upsert. An audience is never emptied.", name)
    if configured.get("minimum_generation_id"):
        logger.warning("Stream %s: a refresh is written as an upsert. Contacts that are no longer sent stay in the audience.", name)
