"""Writes docs/images/workbench-*.png: the pages of the workbench over the demo account."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration_tests.workbench.conftest import CUSTOMERS
from integration_tests.workbench.pages import Page, lacking
from integration_tests.workbench.served import Visitor, served
from mailchimp_emulator import EmulatorProcess

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
ATTENDEES = Path(__file__).with_name("attendees.csv")
DESK, PHONE = (1120, 940), (360, 740)


def main() -> None:
    """Write all. Exits with a sentence when the machine has no browser."""
    if lack := lacking():
        raise SystemExit(lack)
    with demo() as address, browser() as page:
        page.open(*DESK)
        page.enter(address)
        page.goto("/")
        page.wait("text=Lifetime value")
        page.shot(IMAGES / "workbench-status.png", full=False)
        page.goto("/read")
        page.wait("[name=stream]")
        page.shot(IMAGES / "workbench-read.png", full=False)
        draft(page)
        page.act("evaluate", script="document.querySelector('#mapping-title').scrollIntoView()")
        page.shot(IMAGES / "workbench-mapping.png", full=False)
        page.act("evaluate", script="document.querySelector('#preview-title').scrollIntoView()")
        page.shot(IMAGES / "workbench-preview.png", full=False)
        page.open(*PHONE, dark=True)
        page.enter(address)
        page.goto("/")
        page.wait("text=Lifetime value")
        page.shot(IMAGES / "workbench-phone.png", full=False)


@contextmanager
def demo() -> Iterator[str]:
    """Serve the workbench over the demo account, which it has read."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmulatorProcess(demo=True) as account,
        served(Path(folder), account.url, Path(folder, "demo.duckdb")) as workbench,
    ):
        visitor: Visitor = workbench.visitor()
        visitor.ended(visitor.post("/read/start", data={"stream": ["contacts", "lists", "tags", "users"]}))
        yield workbench.address


@contextmanager
def browser() -> Iterator[Page]:
    """Open a browser."""
    page = Page()
    yield page
    page.close()


def draft(page: Page) -> None:
    """Map the attendees of an event."""
    page.goto("/send")
    page.act("choose", selector="#file", file=str(ATTENDEES))
    page.click("text=Use this file")
    page.wait(".js #audience")
    page.act("select", selector="#audience", value=CUSTOMERS)
    page.wait("#preview table")


if __name__ == "__main__":
    main()
