"""Connections of the HTTP server that do nothing are closed: those that finish no request, and those that do not read their answer."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

WATCH_SECONDS = 30.0
"""A connection without progress between two looks is closed: it has been so for thirty to sixty seconds."""


class WatchedConnection(H11Protocol):
    """HTTP by h11, which bounds the headers of a request to 64 KiB; the server itself sets no time for them."""

    _seen: RequestResponseCycle | None = None
    _unread = 0
    _watching: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch."""
        super().connection_made(transport)
        self._watching = self.loop.call_later(WATCH_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no more."""
        if self._watching:
            self._watching.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        unread = self.transport.get_write_buffer_size()
        cycle: RequestResponseCycle | None = self.cycle
        between = cycle is None or cycle.response_complete
        if (unread and self._unread and unread >= self._unread) or (between and not unread and cycle is self._seen):
            # Not close, which would wait for the answer to be read.
            self.transport.abort()
            return
        self._unread, self._seen = unread, cycle if between else None
        self._watching = self.loop.call_later(WATCH_SECONDS, self._look)
