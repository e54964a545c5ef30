"""A workbench as its command serves it, in a process of its own, and a visitor without a browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from mailchimp_emulator import DEFAULT_API_KEY

PATIENCE = 120.0
LOOK_SECONDS = 0.1


@dataclass
class Served:
    """A running workbench: the address it printed, its files, and all it has written to its output."""

    address: str
    database: Path
    log: Path

    @property
    def origin(self) -> str:
        """The address without path and token."""
        return self.address.partition("/open")[0]

    def visitor(self) -> Visitor:
        """Return somebody who has opened the address."""
        return Visitor(self.address)


class Visitor:
    """Somebody at the page, as a browser would send it."""

    def __init__(self, address: str) -> None:
        self.origin = address.partition("/open")[0]
        self.session = requests.Session()
        self.opened = self.session.get(address, allow_redirects=False)

    def get(self, path: str, **more: Any) -> requests.Response:
        """Open a page."""
        return self.session.get(f"{self.origin}{path}", **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """Send a form."""
        headers = {"Origin": self.origin, **more.pop("headers", {})}
        return self.session.post(f"{self.origin}{path}", headers=headers, **more)

    def upload(self, name: str, content: bytes | str) -> requests.Response:
        """Upload a file."""
        return self.post("/send/upload", files={"file": (name, content)})

    def ended(self, run: requests.Response) -> str:
        """Wait until a run is over; returns its page."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            page = self.get(run.url.removeprefix(self.origin)).text
            if "sse-connect" not in page:
                return page
            self.followed(run)
        raise AssertionError("the run did not end")

    def followed(self, run: requests.Response) -> str:
        """Follow the events of a run to their end."""
        return self.get(run.url.removeprefix(self.origin) + "/events").text


@contextmanager
def served(folder: Path, url: str, database: Path, **config: Any) -> Iterator[Served]:
    """Serve a workbench for an account."""
    source = folder / "source.json"
    source.write_text(json.dumps({"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": url, **config}))
    log = folder / "workbench.log"
    command = [sys.executable, "-m", "mailchimp_workbench", "--database", str(database), "--source", str(source), "--port", "0"]
    with log.open("wb") as written, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=written, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, log.read_text()
        try:
            yield Served(address, database, log)
        finally:
            process.terminate()
            log.write_text(log.read_text() + process.communicate(timeout=30)[0])


def words(page: str) -> str:
    """Return what stands on a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
