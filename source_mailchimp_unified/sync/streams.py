"""What all streams share: where they read from and where they emit to, and the part each plays in a sync."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.entities import Entity
from mailchimp_unified.paging import Pager
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.sync.account import Account
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.state import FULL_REFRESH_COMPLETE


@dataclass(frozen=True)
class Session:
    """What the streams of one sync read from."""

    client: MailchimpClient
    pager: Pager
    account: Account
    logger: logging.Logger


@dataclass
class Stream(ABC):
    """A stream of a sync: it reads, emits, keeps its state, and collects what failed."""

    entity: Entity
    config: SourceConfig
    full_refresh: bool
    errors: list[Exception] = field(default_factory=list, init=False)

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.entity.name

    @abstractmethod
    async def read(self, session: Session, output: Output) -> None:
        """Read everything that is to be read now. Raises, or collects in `errors`, what failed."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return the state after everything emitted so far."""

    def final_state(self) -> dict[str, Any]:
        """Return the state after the whole stream was emitted: a full refresh leaves nothing to continue."""
        return {FULL_REFRESH_COMPLETE: True} if self.full_refresh else self.state()

    def distinct_errors(self) -> Iterable[Exception]:
        """Return the errors without repetitions: the same failure of a hundred lists is said once."""
        return {str(error): error for error in self.errors}.values()
