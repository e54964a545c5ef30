"""Runs the HTTP server and the pipeline on one event loop, from the first request to the last answer."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from destination_mailchimp_unified.live.connections import WatchedConnection
from destination_mailchimp_unified.live.log import MaskingFormatter, hide
from destination_mailchimp_unified.live.options import TOKEN_VARIABLE
from destination_mailchimp_unified.live.pipeline import Pipeline
from destination_mailchimp_unified.live.server import application
from destination_mailchimp_unified.live.service import Service
from mailchimp_unified.config import is_loopback
from mailchimp_unified.errors import ConfigError

SHORTEST_TOKEN = 16
"""Characters: a shorter token could be guessed."""

MOST_CONNECTIONS = 1000
"""Connections at once; more are answered 503 by the server."""

KEEP_ALIVE_SECONDS = 30
HIGHEST_PORT = 65_535


class _Server(uvicorn.Server):
    """Leaves signals to those who run it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    pipeline: Pipeline, options: argparse.Namespace, formatter: MaskingFormatter, watch: Callable[[Callable[[], None]], None]
) -> None:
    """Serve until a signal comes, then answer what was taken. Raises what ends the pipeline, and ConfigError for wrong options."""
    host, port = address_of(options.listen)
    token = _token(options, host)
    bound = _bound(host, port)
    if token:
        hide(formatter, [token])
    service = Service(pipeline)
    config = uvicorn.Config(
        application(service, token), log_config=None, access_log=False, lifespan="off", server_header=False,
        http=WatchedConnection,
        limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip
    server = _Server(config)

    def stop() -> None:
        server.should_exit = True

    watch(stop)
    working = asyncio.create_task(service.run())
    working.add_done_callback(lambda _: stop())
    where = bound.getsockname()
    host = f"[{where[0]}]" if ":" in where[0] else where[0]
    pipeline.logger.info("Listening on http://%s:%d", host, where[1])  # ignore-https-check: beyond this machine a proxy adds TLS
    await server.serve(sockets=[bound])
    service.end()
    await working


def address_of(listen: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT. Raises ConfigError."""
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and int(port) <= HIGHEST_PORT):
        raise ConfigError("--listen takes HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080.")
    return host, int(port)


def _token(options: argparse.Namespace, host: str) -> str | None:
    """Return the token that senders must show. One that nobody chose is made, and shown once."""
    if options.without_token:
        if not is_loopback(host):
            raise ConfigError("--without-token is for 127.0.0.1, ::1 and localhost only: anyone else who can reach the port could write.")
        return None
    chosen = _token_in(options.token_file) if options.token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
    if not chosen:
        chosen = secrets.token_urlsafe(32)
        # Not through the log, which would hide it.
        print(f"Token for this run: {chosen}", file=sys.stderr)
    if len(chosen) < SHORTEST_TOKEN:
        raise ConfigError(f"The token has fewer than {SHORTEST_TOKEN} characters. Use a longer one.")
    return chosen


def _token_in(path: str) -> str:
    try:
        token = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("The --token-file cannot be read.", detail=type(error).__name__) from None
    if not token:
        raise ConfigError("The --token-file is empty.")
    return token


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"Cannot listen on {host}:{port}: {error.strerror or 'unknown host'}.") from None
