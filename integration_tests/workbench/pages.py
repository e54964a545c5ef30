"""A page of the workbench in a headless browser (browser.mjs), driven as a person drives it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from integration_tests.forms.browser import FOLDER as FORMS
from integration_tests.forms.browser import browser, missing

HERE = Path(__file__).resolve().parent
AXE = FORMS / "node_modules" / "axe-core"

CUT_OFF = ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError")
SERIOUS = ("serious", "critical")


def lacking() -> str | None:
    """Return what this machine lacks to show a page, None when all is there."""
    return missing() or (None if AXE.exists() else "axe-core is not installed: run make test-forms")


class Page:
    """One tab of a browser."""

    def __init__(self) -> None:
        command = ["node", str(HERE / "browser.mjs"), str(browser())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
        self.origin = ""

    def act(self, act: str, **order: Any) -> Any:
        """Do something. Raises AssertionError with the browser's words when it cannot be done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, **order}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "problem" not in answer, answer["problem"]
        return answer["value"]

    def open(self, width: int = 1280, height: int = 800, *, dark: bool = False, still: bool = True) -> None:
        """Start over: no cookies, no history."""
        self.act("open", width=width, height=height, dark=dark, still=still)

    def enter(self, address: str) -> None:
        """Open the address that the command printed."""
        self.origin = address.partition("/open")[0]
        self.act("goto", url=address)

    def goto(self, path: str) -> int:
        """Open a page; returns the status."""
        status: int = self.act("goto", url=f"{self.origin}{path}")
        self.act("settle")
        return status

    def click(self, selector: str) -> None:
        """Click the first that matches."""
        self.act("click", selector=selector)

    def wait(self, selector: str, state: str = "visible") -> None:
        """Wait until something is there."""
        self.act("wait", selector=selector, state=state)

    def text(self, selector: str = "main") -> str:
        """Return the text of all that match."""
        return "\n".join(self.act("text", selector=selector))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all that match."""
        found: list[str] = self.act("text", selector=selector)
        return found

    def shot(self, file: Path, *, full: bool = True) -> None:
        """Take a picture."""
        self.act("screenshot", file=str(file), full=full)

    def serious(self) -> list[dict[str, Any]]:
        """Return what axe-core finds serious."""
        return [one for one in self.act("axe") if one["impact"] in SERIOUS]

    def problems(self) -> list[str]:
        """Return what the console complained of; a preview that was under way when somebody left the page is cut off, and said so."""
        found: list[str] = self.act("seen")["problems"]
        return [one for one in found if not one.startswith(CUT_OFF)]

    def foreign(self) -> list[str]:
        """Return the addresses asked for that are not the workbench's."""
        return [address for address in self.act("seen")["requested"] if not address.startswith(self.origin)]

    def close(self) -> None:
        """Close the browser."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()
