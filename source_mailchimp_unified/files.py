"""The files that a command is given: configuration, catalog, state; each problem with one gets a clear message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)

from mailchimp_unified.errors import ConfigError
from mailchimp_unified.request import Json

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

SYNC_MODES = ("full_refresh", "incremental")


def read_config(path: str) -> Json:
    """Return the configuration in a file. Raises ConfigError."""
    content = _parsed(path, "configuration")
    if not isinstance(content, dict):
        raise ConfigError(f'The configuration file {path} must contain a JSON object, such as {{"credentials": {{...}}}}.')
    return content


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """Return the configured catalog in a file. Raises ConfigError.

    What `discover` prints will do, too: then every stream is read, incrementally where it can be.
    """
    content = _of_type(_parsed(path, "catalog"), "catalog")
    streams = content.get("streams") if isinstance(content, dict) else None
    if not isinstance(streams, list):
        raise ConfigError(f"The catalog file {path} must contain a JSON object with a list of streams. The output of discover also works.")
    configured = [_configured(stream, place) for place, stream in enumerate(streams)]
    names = [one["stream"]["name"] for one in configured]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"The catalog file lists these streams more than once: {', '.join(sorted(twice))}.")
    return ConfiguredAirbyteCatalogSerializer.load({"streams": configured})


def read_state(path: str | None) -> list[AirbyteStateMessage]:
    """Return the states in a file: state messages as they were printed, alone, in a list or one a line. Raises ConfigError."""
    if not path:
        return []
    content = _parsed(path, "state", empty=[])
    if not content:
        return []
    return [_state(one, path) for one in (content if isinstance(content, list) else [content]) if one]


def _parsed(path: str, what: str, empty: Any = None) -> Any:
    """Return what a file holds: one JSON value, or a list of those that stand one a line."""
    try:
        content = Path(path).read_bytes().removeprefix(BYTE_ORDER_MARK).strip()
    except FileNotFoundError:
        raise ConfigError(f"The {what} file {path} does not exist.") from None
    except OSError as error:
        raise ConfigError(f"The {what} file {path} cannot be read ({error.strerror}).") from None
    if not content:
        if empty is not None:
            return empty
        raise ConfigError(f"The {what} file {path} is empty.")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        lines = _parsed_lines(content)
        if lines is None:
            # Not the parser's own words: they may quote a secret.
            raise ConfigError(f"The {what} file {path} is not JSON (line {error.lineno}, column {error.colno}).") from None
        return lines


def _parsed_lines(content: bytes) -> list[Any] | None:
    try:
        lines = [orjson.loads(line) for line in content.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        return None
    return lines if all(isinstance(line, dict) for line in lines) else None


def _of_type(content: Any, name: str) -> Any:
    """Return what a message of a type, such as CATALOG, carries; anything else as it is."""
    if isinstance(content, list):
        content = next((one for one in content if isinstance(one, dict) and one.get("type") == name.upper()), content)
    return content[name] if isinstance(content, dict) and isinstance(content.get(name), dict) else content


def _configured(entry: Any, place: int) -> Json:
    """Return an entry of a catalog with all that the protocol wants of it."""
    if not isinstance(entry, dict):
        raise ConfigError(f"streams.{place} of the catalog must be a JSON object.")
    stream = entry.get("stream", entry)
    if not isinstance(stream, dict) or not isinstance(stream.get("name"), str) or not stream["name"]:
        raise ConfigError(f"streams.{place} of the catalog must have a stream with a name.")
    name, offered = stream["name"], stream.get("supported_sync_modes")
    modes = [mode for mode in offered if mode in SYNC_MODES] if isinstance(offered, list) else list(SYNC_MODES)
    chosen = entry.get("sync_mode") or ("incremental" if "incremental" in modes else "full_refresh")
    if chosen not in SYNC_MODES:
        raise ConfigError(f"The sync_mode of the stream {name} in the catalog must be full_refresh or incremental.")
    schema = stream.get("json_schema")
    described = {"name": name, "json_schema": schema if isinstance(schema, dict) else {}, "supported_sync_modes": modes}
    return {"stream": described, "sync_mode": chosen, "destination_sync_mode": "append"}


def _state(entry: Any, path: str) -> AirbyteStateMessage:
    entry = entry.get("state", entry) if isinstance(entry, dict) else entry
    try:
        message = AirbyteStateMessageSerializer.load(entry)
    except Exception:  # noqa: BLE001 - the serializer can raise anything
        message = None
    if message is None or not (message.stream or message.global_ or message.data):
        raise ConfigError(
            f"The state file {path} must contain state messages as this source prints them. To start over, leave the state out."
        )
    return message


def states_by_stream(messages: Sequence[AirbyteStateMessage] | None) -> dict[str, Json]:
    """Return the state of each stream by name. Raises ConfigError for a state of a form that names no streams."""
    found: dict[str, Json] = {}
    for message in messages or ():
        streams = [message.stream] if message.stream else list(message.global_.stream_states) if message.global_ else []
        for one in streams:
            if one.stream_state is not None:
                found[one.stream_descriptor.name] = dict(vars(one.stream_state))
        if not streams and message.data:
            found.update(_of_a_legacy_state(message.data))
    return found


def _of_a_legacy_state(content: Mapping[str, Any]) -> dict[str, Json]:
    """Return the state per stream of an older form of Airbyte's states, one object with a state for each name."""
    if not all(isinstance(state, dict) for state in content.values()):
        raise ConfigError("The saved state is not in a format that this source writes. Clear it to start over.")
    return dict(content)
