"""What every unified entity has: a name, a key, a schema; and the rules all mappings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailchimp_unified.clock import epoch


@dataclass(frozen=True)
class Entity:
    """A unified entity: the name of its stream and schema, its key and its cursor."""

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str = "updated_at"


NO_DAY = "0000-00-00"
"""What stands for no day in some old rows, as in databases that know no null."""


def or_null(value: Any) -> Any:
    """Return None for Mailchimp's empty text, else the value: "" is how the API says that nothing is there."""
    return None if value == "" else value


def timestamp(value: Any) -> str | None:
    """Return a Mailchimp time as RFC 3339 in UTC with whole seconds, None for anything but a time."""
    if not isinstance(value, str):
        return None
    try:
        return strict_timestamp(value)
    except ValueError:
        return None


def second_of(value: Any) -> int | None:
    """Return a Mailchimp time in seconds since 1970, None for anything but a time."""
    moment = timestamp(value)
    return None if moment is None else epoch(moment)


def strict_timestamp(value: Any) -> str | None:
    """Return a time as `timestamp` does, None where Mailchimp has none. Raises ValueError for other texts, TypeError for other types.

    Mailchimp gives "2022-02-23T16:25:57+00:00", in places "2018-07-16 19:49:42", both in UTC:
    https://mailchimp.com/developer/marketing/api/list-member-tags/.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        if value[:10] == NO_DAY:
            return None
        raise
    # Nearly all have the form that is wanted.
    return value if value[10:11] == "T" and value[19:] == "+00:00" else rfc3339(moment)


def rfc3339(moment: datetime) -> str:
    """Return `moment` as RFC 3339 in UTC with whole seconds; a moment without a zone is taken as UTC.

    Raises ValueError for one that is in no year from 1 to 9999 in UTC, such as the last second of 9999 in New York.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).replace(microsecond=0).isoformat()
    except OverflowError:
        raise ValueError("is not within the years 1 to 9999 in UTC") from None


def nested(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object called `name` in `body`, {} when it is absent or something else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}
