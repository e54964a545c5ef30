"""Bodies of requests: read to a size, within a time, and all together within a memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from destination_mailchimp_unified.live.requests import LARGEST_BODY, RefusedError, full, too_large

BODY_SECONDS = 60.0
"""So long a body may take to come in: a sender who drips keeps a place from others."""

MOST_BODY_BYTES = 64 << 20
"""Bytes of all bodies in memory: of those that are being read, and of those whose contacts wait."""


class Bodies:
    """Reads bodies, and counts the bytes of those that are in memory."""

    def __init__(self) -> None:
        self.held = 0

    @contextmanager
    def room(self) -> Iterator[bytearray]:
        """Give a body to be read into, which is counted until the end of the block."""
        body = bytearray()
        try:
            yield body
        finally:
            self.held -= len(body)

    async def read(self, request: Request, body: bytearray) -> None:
        """Read a request into a body. Raises RefusedError for one that is too large, too slow or cut off, and where no memory is left."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await self._read(request.stream(), body)
        except ClientDisconnect:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "The request was cut off.") from None
        except TimeoutError:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, f"Send the whole request within {BODY_SECONDS:g} seconds.") from None

    async def _read(self, chunks: AsyncIterator[bytes], body: bytearray) -> None:
        async for chunk in chunks:
            if len(body) + len(chunk) > LARGEST_BODY:
                raise too_large()
            if self.held + len(chunk) > MOST_BODY_BYTES:
                raise full()
            body += chunk
            self.held += len(chunk)
