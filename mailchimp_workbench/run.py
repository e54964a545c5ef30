"""The command `mailchimp-unified-workbench`."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from mailchimp_workbench.app import application
from mailchimp_workbench.connectors import Connector, installed, private_folder
from mailchimp_workbench.database import Database
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.settings import Settings
from mailchimp_workbench.workbench import Workbench

HOST = "127.0.0.1"
DEFAULT_PORT = 8811


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the workbench until it is stopped. Returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        settings = Settings.read(given.source, given.destination)
        serve(given.database, settings, given.port)
    except WorkbenchError as error:
        print(f"{error.title} {error.words}".strip(), file=sys.stderr)
        return 1
    return 0


def serve(database: Path, settings: Settings, port: int = DEFAULT_PORT) -> None:
    """Serve a workbench; its address, with the token, is the first line that is printed."""
    listening = _listening(port)
    port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        bench = open_workbench(database, settings, Path(folder))
        print(f"http://{HOST}:{port}/open?token={token}", flush=True)
        # So that the folder is emptied however the workbench ends.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # No access log: an address can hold a token or somebody's email address.
        config = uvicorn.Config(
            application(bench, port, token), log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="on",
            timeout_graceful_shutdown=3,
        )  # fmt: skip
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def open_workbench(database: Path, settings: Settings, folder: Path) -> Workbench:
    """Return a workbench over a DuckDB file. Raises WorkbenchError when it cannot be opened."""
    folder = folder.resolve()
    # What DuckDB may read is apart from what connectors are told: a query must not come upon credentials.
    files, private = (private_folder(folder / name) for name in ("files", "private"))
    outcomes = private_folder(database.resolve().with_name(f"{database.stem}.outcomes"))
    source, destination = (Connector(name, installed(name), private) for name in ("source", "destination"))
    return Workbench(Database(database, files), settings, source, destination, private, outcomes)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise WorkbenchError(
            f"Port {port} cannot be used: {error.strerror}.", "Choose another with --port, or 0 for a free one."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailchimp-unified-workbench", description="A local web page for both connectors and a DuckDB file."
    )
    parser.add_argument("--database", type=Path, required=True, help="the DuckDB file; created if it does not exist")
    parser.add_argument("--source", type=Path, help="configuration of the source, a JSON file")
    parser.add_argument("--destination", type=Path, help="configuration of the destination, a JSON file; one of the two is enough for both")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port on {HOST} (default {DEFAULT_PORT}; 0 takes a free one)")
    return parser
