"""What all streams share: the account they read, and the part each plays in a sync."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.entities import Entity
from mailchimp_unified.errors import BugError, ConfigError
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.sync.reading import Reading, Step, page_of, page_request, read_collection
from source_mailchimp_unified.sync.state import FULL_REFRESH_COMPLETE

LISTS = Request(
    path="/lists",
    what="the audiences of the account",
    # Never a date here: an old audience may hold new contacts.
    params={"sort_field": "date_created", "sort_dir": "ASC", "exclude_fields": "lists._links,_links"},
)
"""https://mailchimp.com/developer/marketing/api/lists/get-lists-info/."""


@dataclass(frozen=True)
class Account:
    """The audiences of the account, those chosen in the configuration, and the time Mailchimp gave when it named them."""

    audiences: Sequence[Mapping[str, Any]]
    chosen: Sequence[Mapping[str, Any]]
    seen_at: datetime

    @property
    def list_ids(self) -> frozenset[str]:
        """The ids of all audiences, chosen or not."""
        return frozenset(str(audience["id"]) for audience in self.audiences)

    @property
    def chosen_ids(self) -> list[str]:
        """The ids of the chosen audiences."""
        return [str(audience["id"]) for audience in self.chosen]


def read_account(config: SourceConfig) -> Generator[Step, list[Any], Account]:
    """Return the account. Raises ConfigError for a configured audience it does not have."""
    (reply,) = yield Step([page_request(LISTS, 0)])
    seen_at = moment_of_reply(reply.date)
    audiences = page_of(reply, "lists").items
    if len(audiences) >= PAGE_SIZE:
        audiences = yield from read_collection(LISTS, "lists")
    return Account(audiences, choose(config.list_ids, audiences), seen_at)


def choose(list_ids: Sequence[str], audiences: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the audiences named in `list_ids`, all of them when it is empty. Raises ConfigError for an unknown one."""
    by_id = {str(audience["id"]): audience for audience in audiences}
    unknown = [list_id for list_id in list_ids if list_id not in by_id]
    if unknown:
        raise ConfigError(
            f"list_ids names audiences that the account does not have: {', '.join(unknown)}."
            f" Please choose among: {', '.join(by_id) or 'none, the account is empty'}."
        )
    return [by_id[list_id] for list_id in dict.fromkeys(list_ids or by_id)]


def moment_of_reply(date: datetime | None) -> datetime:
    """Return the time of a reply. Raises BugError without one: the local clock may be wrong and is never asked."""
    if date is None:
        raise BugError("Mailchimp's answer carries no date, so the end of the sync cannot be fixed.")
    return date


@dataclass
class Stream(ABC):
    """A stream of a sync: it starts readings, keeps its state, and collects what failed."""

    entity: Entity
    config: SourceConfig
    full_refresh: bool
    errors: list[Exception] = field(default_factory=list, init=False)

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.entity.name

    needs_account = True
    """Whether the stream waits for the audiences to be known."""

    @abstractmethod
    def readings(self, account: Account | None) -> list[Reading]:
        """Return what the stream reads, to be followed side by side."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return the state after everything emitted so far."""

    def final_state(self) -> dict[str, Any]:
        """Return the state after the whole stream was emitted: a full refresh leaves nothing to go on from."""
        return {FULL_REFRESH_COMPLETE: True} if self.full_refresh else self.state()
