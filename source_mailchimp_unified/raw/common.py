"""What the raw streams of a sync read once for all: the parents, and the time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from mailchimp_unified import endpoints
from source_mailchimp_unified.raw.parents import Parents
from source_mailchimp_unified.sync.account import moment_of_reply
from source_mailchimp_unified.sync.shared import Shared
from source_mailchimp_unified.sync.streams import Session


class Common:
    """What the raw streams of a sync read once for all: the parents, and the time."""

    def __init__(self, logger: logging.Logger, now: Callable[[], float] = time.time) -> None:
        self.parents = Parents(logger)
        self.now = now
        self._time: Shared[int] | None = None

    async def time(self, session: Session) -> int:
        """Return Mailchimp's time, in seconds since 1970."""

        async def ask() -> int:
            return int(moment_of_reply((await session.client.call(endpoints.PING)).date).timestamp())

        self._time = self._time or Shared(ask)
        return await self._time.get()
