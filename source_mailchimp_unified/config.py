"""The configuration of the source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mailchimp_unified.config import ConnectionConfig, usable_list_id
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.entities.entity import rfc3339
from mailchimp_unified.windows import LATE_SECONDS
from source_mailchimp_unified.raw_collections import ALL, usable_name

LONGEST_LOOKBACK_SECONDS = 86_400
"""The longest time, in seconds, by which a sync may begin before the end of the last one."""

Status = Literal["subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"]


def _start_date(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("is not a date. Please write it as 2024-01-31T00:00:00Z.") from None
    if moment.replace(tzinfo=moment.tzinfo or UTC) > datetime.now(UTC):
        raise ValueError("lies in the future. Please give a day in the past, or leave it empty.")
    return rfc3339(moment)


def _listed(value: Any) -> Any:
    return [ALL] if value == ALL else value


class SourceConfig(ConnectionConfig):
    """What to read: since when, of which lists, with which statuses, and which raw streams. Times are RFC 3339 in UTC."""

    start_date: Annotated[str, AfterValidator(_start_date)] | None = None
    list_ids: list[Annotated[str, AfterValidator(usable_list_id)]] = Field(default_factory=list)
    statuses: list[Status] = Field(default_factory=list)
    lookback_seconds: Annotated[int, Field(ge=0, le=LONGEST_LOOKBACK_SECONDS, strict=True)] = LATE_SECONDS
    include_remote_data: Annotated[bool, Field(strict=True)] = False
    exclude_bot_activity: Annotated[bool, Field(strict=True)] = False
    raw_streams: Annotated[list[Annotated[str, AfterValidator(usable_name)]], BeforeValidator(_listed)] = Field(default_factory=list)

    @property
    def wanted_statuses(self) -> frozenset[str]:
        """The statuses to read; an empty choice means all."""
        return frozenset(self.statuses or STATUSES)
