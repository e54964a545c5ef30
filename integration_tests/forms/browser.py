"""The form of a specification, drawn by an independent library in a headless browser (browser.mjs), and what is seen of it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PATIENCE = 120
"""Seconds for `spec`, which takes two on an idle machine."""

TITLES = {"source": "Source: Mailchimp Unified", "destination": "Destination: Mailchimp Unified"}

Step = dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """What was seen of a form: one look per `look` step, the URLs the page requested, and what its console complained of."""

    looks: list[dict[str, Any]]
    requested: list[str]
    problems: list[str]

    @property
    def submitted(self) -> dict[str, Any] | None:
        """The configuration that was submitted before the last look."""
        found: dict[str, Any] | None = self.looks[-1]["submitted"]
        return found

    def fields(self, look: int = -1) -> dict[str, dict[str, Any]]:
        """Return the fields of a look, by path."""
        return {field["path"]: field for section in self.looks[look]["sections"] for field in section["fields"]}


def missing() -> str | None:
    """Return what this machine lacks to draw a form, None when all is there."""
    if not shutil.which("node"):
        return "no node on this machine: the forms are not drawn (Debian: apt-get install nodejs npm)"
    if not browser():
        return "no chromium on this machine: the forms are not drawn (Debian: apt-get install chromium)"
    if not all((FOLDER / made).exists() for made in ("node_modules", "dist/form.js")):
        return "the page of the forms is not built: run make test-forms"
    return None


def in_ci() -> bool:
    """Return whether this is a run that may leave nothing out."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def browser() -> str | None:
    """Return the path of the machine's Chromium, None without one."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


@functools.cache
def specification(connector: str) -> dict[str, Any]:
    """Return what `spec` of a connector (`source` or `destination`) prints."""
    command = [sys.executable, "-m", f"{connector}_mailchimp_unified.run", "spec"]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    (spec,) = [message["spec"] for message in map(json.loads, out.splitlines()) if message["type"] == "SPEC"]
    return dict(spec)


class Browser:
    """A headless browser for any number of visits, each in a page of its own."""

    def __init__(self) -> None:
        command = ["node", str(FOLDER / "browser.mjs"), str(browser())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End the browser."""
        self._process.communicate()

    def visit(self, connector: str, *steps: Step) -> Visit:
        """Open the form of a connector and take the steps. Raises AssertionError when the browser ended."""
        assert self._process.stdin
        assert self._process.stdout
        order = {"spec": specification(connector), "title": TITLES[connector], "steps": steps}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        seen = self._process.stdout.readline()
        assert seen, "the browser ended: its own words are on the standard error"
        return Visit(**json.loads(seen))
