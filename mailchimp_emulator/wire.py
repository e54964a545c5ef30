"""Faults of the connection: what is played out on the socket instead of an orderly answer."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from typing import Any

from aiohttp import web

# How often a request that waits looks whether its client is still there.
_LOOK_SECONDS = 0.02
_STUB = b'{"id":"'
_JSON = "application/json; charset=utf-8"


async def play(request: web.Request, kind: str, body: bytes | None, date: str, seconds: float) -> web.StreamResponse:
    """Break an answer in the way of `kind`; `body` is what would have been sent, None when nothing was done."""
    headers = {"Content-Type": _JSON, "Date": date}
    if kind == "truncate":
        return await _truncate(request, body or _STUB, headers)
    if kind == "drip":
        return await _drip(request, body or b"{}", headers, seconds)
    if kind == "hang":
        await _pause(request, math.inf)
    return _reset(request)


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _truncate(request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Promise the whole body, send half, and close."""
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body) + 2)})
    await response.prepare(request)
    await response.write(body[: len(body) // 2 + 1])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.Request, body: bytes, headers: dict[str, str], seconds: float) -> web.StreamResponse:
    """Send a byte every so often, to the end of the body or until the client goes."""
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body))})
    await response.prepare(request)
    for place in range(len(body)):
        if not _connected(request):
            break
        await response.write(body[place : place + 1])
        await _pause(request, seconds)
    return response


async def _pause(request: web.Request, seconds: float) -> None:
    """Wait so long, or until the client goes."""
    end = asyncio.get_running_loop().time() + seconds
    while _connected(request) and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 -- no event tells
        await asyncio.sleep(min(left, _LOOK_SECONDS))


def _reset(request: web.Request) -> web.Response:
    """Break the connection without an answer; a linger of zero makes the kernel send RST."""
    transport = request.transport
    if transport is not None:
        link: Any = transport.get_extra_info("socket")
        if link is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
