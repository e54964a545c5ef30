"""The states of the streams: what a sync leaves for the next one, and how an incoming state is understood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from mailchimp_unified.clock import epoch
from mailchimp_unified.errors import ConfigError

FULL_REFRESH_COMPLETE = "__ab_full_refresh_sync_complete"
"""Mark of a full refresh that ended: the next one starts over. Airbyte's own name for it."""

HORIZON_MARGIN_SECONDS = 1
"""The second in which Mailchimp answered may not be over yet: the horizon lies before it."""


def _is_moment(value: str) -> str:
    epoch(value)
    return value


Moment = Annotated[str, AfterValidator(_is_moment)]
"""A time in RFC 3339."""

Seconds = tuple[int, int]
"""A window of time: the second after which it begins and the second with which it ends, both since 1970."""


class SeenState(BaseModel):
    """The rows of the last seconds that were emitted, up to the second `until`: a fingerprint each, or of too many one for all."""

    model_config = ConfigDict(extra="ignore")

    until: int
    rows: str | None = None
    all_rows: str | None = None


class ListState(BaseModel):
    """How far the contacts of a list were emitted.

    With `updated_at` alone, everything up to and including it. While a sync is under way there is no `updated_at`: `newest` is the
    newest time emitted, and `left` holds the windows not read yet, by listing. `others_after` is the second after which contacts
    of statuses that are not chosen are emitted, too. `seen` keeps the next sync from emitting the last rows again.
    """

    model_config = ConfigDict(extra="ignore")

    updated_at: Moment | None = None
    newest: Moment | None = None
    left: dict[str, list[Seconds]] | None = None
    horizon: Moment | None = None
    others_after: Moment | None = None
    seen: SeenState | None = None


class ContactsState(BaseModel):
    """The state per list, the statuses and the start date it holds for (None for all), and whether a full refresh is under way."""

    model_config = ConfigDict(extra="ignore")

    lists: dict[str, ListState] = {}
    statuses: list[str] | None = None
    start_date: Moment | None = None
    full_refresh: bool | None = None


class SnapshotState(BaseModel):
    """A fingerprint per record, by key."""

    model_config = ConfigDict(extra="ignore")

    records: dict[str, str] = {}


_NOT_OURS = "The saved state of the stream %s is not one that this source wrote. Please clear the stream's state and sync again."

AnyState = TypeVar("AnyState", bound=BaseModel)


def parse_contacts_state(state: Mapping[str, Any]) -> ContactsState:
    """Return the state of the contacts stream. Raises ConfigError when it is not one of ours."""
    return parse_state(ContactsState, "contacts", state)


def parse_snapshot_state(stream: str, state: Mapping[str, Any]) -> SnapshotState:
    """Return the state of a snapshot stream. Raises ConfigError when it is not one of ours."""
    parsed = parse_state(SnapshotState, stream, state)
    for key in parsed.records:
        key_values(key)
    return parsed


def parse_state(model: type[AnyState], stream: str, state: Mapping[str, Any]) -> AnyState:
    """Return the state of a stream as `model`. Raises ConfigError when it is not one of ours."""
    try:
        if state and not state.keys() & {*model.model_fields, FULL_REFRESH_COMPLETE}:
            raise ConfigError(_NOT_OURS % stream)
        return model.model_validate(dict(state))
    except ValidationError:
        raise ConfigError(_NOT_OURS % stream) from None


def record_key(record: Mapping[str, Any], primary_key: Iterable[str]) -> str:
    """Return the key under which a record is kept in a state: the JSON array of its key values."""
    return orjson.dumps([record[name] for name in primary_key]).decode()


def key_values(key: str) -> list[Any]:
    """Return the key values behind `record_key`. Raises ConfigError when it is not one of ours."""
    try:
        values = orjson.loads(key)
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, list):
        raise ConfigError("The saved state of a stream is not one that this source wrote. Please clear it and sync again.")
    return values


def fingerprint(record: Mapping[str, Any]) -> str:
    """Return 16 hex digits that differ when two versions of a record differ."""
    return hashlib.blake2b(orjson.dumps(dict(record), option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
