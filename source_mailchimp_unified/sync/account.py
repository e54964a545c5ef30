"""The account that a sync reads: its audiences, those that are chosen, and which of them are gone for good."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from mailchimp_unified import endpoints
from mailchimp_unified.errors import BugError, ConfigError, MailchimpError, NotFoundError
from mailchimp_unified.paging import Pager
from source_mailchimp_unified.sync.shared import Shared

Audience = Mapping[str, Any]

CLOCK_TOLERANCE_SECONDS = 120
"""Clocks that differ by less are taken for right."""

_AUDIENCES = endpoints.AUDIENCES.surely()


@dataclass(frozen=True)
class Audiences:
    """The audiences of the account by id, those chosen in the configuration, and the time Mailchimp gave when it named them.

    `missing` are chosen ids that the account does not have.
    """

    by_id: Mapping[str, Audience]
    chosen: Sequence[Audience]
    missing: Sequence[str]
    seen_at: datetime
    has_odd_rows: bool = False

    @property
    def chosen_ids(self) -> list[str]:
        """The ids of the chosen audiences."""
        return [str(audience["id"]) for audience in self.chosen]

    def error(self) -> MailchimpError | None:
        """Return what to say about audiences that are missing or cannot be read; the others are read all the same."""
        if not self.missing:
            return BugError("Some audiences returned by Mailchimp cannot be read.") if self.has_odd_rows else None
        return ConfigError(
            f"list_ids names audiences that the account does not have: {', '.join(self.missing)}."
            f" Remove them from list_ids, or choose from: {', '.join(map(_label, self.by_id.values())) or 'none, it has no audiences'}."
        )


def _label(audience: Audience) -> str:
    return f"{audience['id']} ({audience.get('name') or 'without a name'})"


class Account:
    """Reads the audiences once for all streams, and asks once for each audience that seems to be gone."""

    def __init__(self, pager: Pager, list_ids: Sequence[str], now: Callable[[], float] = time.time) -> None:
        self._pager = pager
        self._list_ids = list_ids
        self._now = now
        self._audiences = Shared(self._read)
        self._single: dict[str, Shared[Audience | None]] = {}

    async def audiences(self) -> Audiences:
        """Return the audiences. Raises what the client raises."""
        return await self._audiences.get()

    def was_asked_for(self, list_id: str) -> bool:
        """Return whether an audience seemed to be gone before."""
        return list_id in self._single

    async def is_gone(self, list_id: str) -> bool:
        """Return whether an audience was deleted: only its own 404 says so. Raises what the client raises."""
        return await self._audience(list_id) is None

    async def _audience(self, list_id: str) -> Audience | None:
        shared = self._single.setdefault(list_id, Shared(partial(self._ask, list_id)))
        return await shared.get()

    async def _ask(self, list_id: str) -> Audience | None:
        try:
            return (await self._pager.client.call(endpoints.audience(list_id).surely())).body
        except NotFoundError:
            return None

    async def _read(self) -> Audiences:
        page = await self._pager.page(_AUDIENCES)
        items = page.items if len(page.items) < self._pager.page_size else await self._pager.all(_AUDIENCES)
        by_id: dict[str, Audience] = {item["id"]: item for item in items if _is_audience(item)}
        # The listing may lag behind: what it lacks is asked for by its name.
        for list_id in self._list_ids:
            if list_id not in by_id and (audience := await self._audience(list_id)) is not None:
                by_id[list_id] = audience
        wanted = list(dict.fromkeys(self._list_ids or by_id))
        found, missing = [by_id[i] for i in wanted if i in by_id], [i for i in wanted if i not in by_id]
        seen_at = moment_of_reply(page.date)
        self._compare_clocks(seen_at)
        return Audiences(by_id, found, missing, seen_at, not all(map(_is_audience, items)))

    def _compare_clocks(self, seen_at: datetime) -> None:
        ahead = int(seen_at.timestamp() - self._now())
        if abs(ahead) >= CLOCK_TOLERANCE_SECONDS:
            self._pager.logger.warning(
                "Mailchimp's clock is %s s %s this machine's: one of them is wrong. The state uses the earlier of the two.",
                f"{abs(ahead):,}", "ahead of" if ahead > 0 else "behind",
            )  # fmt: skip


def _is_audience(item: Any) -> bool:
    return type(item) is dict and type(item.get("id")) is str and bool(item["id"])


def moment_of_reply(date: datetime | None) -> datetime:
    """Return the time of a reply. Raises BugError without one: the local clock may be wrong and never takes its place."""
    if date is None:
        raise BugError("Mailchimp's response has no Date header, so the end of the sync cannot be determined.")
    return date
