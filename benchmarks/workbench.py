"""Cases of the workbench: each page over 200,000 contacts, and a preview of 20 rows into an audience of that size."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import requests
from harness import BIN, MERGE_FIELDS, Bench, Row, credentials, emulator
from measure import Figures

from mailchimp_emulator import EmulatorProcess

CONTACTS = 200_000
LATENCY = 0.2
TIMES = 5
"""How often each page is opened; the median counts."""

PAGE_SECONDS, PREVIEW_SECONDS = 1.0, 3.0
STREAMS = ("contacts", "lists", "tags", "users")
STATUSES = {"subscribed": 70, "unsubscribed": 12, "archived": 8, "cleaned": 5, "pending": 3, "transactional": 2}
FIELDS = [*MERGE_FIELDS, {"tag": "ADDRESS", "name": "Postal address", "type": "address"}, {"tag": "SINCE", "name": "Since", "type": "date"}]
SHARES = (0.8, 0.15, 0.05)
"""How the contacts are spread over three audiences."""

HISTORY = """
INSERT INTO contacts BY NAME
SELECT * REPLACE (updated_at - INTERVAL 90 DAY AS updated_at, CASE status WHEN 'subscribed' THEN 'pending' ELSE 'subscribed' END AS status)
FROM contacts WHERE hash(id) % 4 = 0
"""
"""An earlier version of every fourth contact with another status, as a table in append mode has them."""


class Visit:
    """The command, serving a file, and somebody at its pages."""

    def __init__(self, bench: Bench, database: Path, config: Path) -> None:
        command = [str(BIN / "mailchimp-unified-workbench"), "--database", str(database), "--source", str(config), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        address = self.process.stdout.readline().strip()
        self.origin = address.partition("/open")[0]
        self.session = requests.Session()
        self.session.headers["Origin"] = self.origin
        self.session.get(address)

    def get(self, path: str) -> requests.Response:
        """Open a page. Raises HTTPError for one that fails."""
        answer = self.session.get(self.origin + path)
        answer.raise_for_status()
        return answer

    def post(self, path: str, **form: Any) -> str:
        """Send a form; returns the path of the page that it leads to."""
        answer = self.session.post(self.origin + path, data=form)
        answer.raise_for_status()
        return answer.url.removeprefix(self.origin)

    def read_all(self) -> None:
        """Read the whole account, and wait for the end."""
        run = self.post("/read/start", stream=STREAMS)
        self.get(f"{run}/events")

    def used(self) -> Figures:
        """Return the seconds of CPU so far, and the peak of memory, of the serving process."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
        return Figures(0.0, (int(stat[11]) + int(stat[12])) / 100, peak)

    def end(self) -> None:
        """Stop the command."""
        self.process.terminate()
        self.process.communicate()


def workbench(bench: Bench) -> None:
    """Every page over a file with all contacts, from a warm database, and the preview of the first rows."""
    contacts = bench.contacts(CONTACTS)
    with emulator() as mailchimp:
        list_id = _account(mailchimp, contacts)
        config, database = bench.write("workbench.json", credentials(mailchimp)), bench.folder / "workbench.duckdb"
        with _visit(bench, database, config) as visit:
            visit.read_all()
        with duckdb.connect(str(database)) as connection:
            connection.execute(HISTORY)
        mailchimp.latency(LATENCY)
        with _visit(bench, database, config) as visit:
            _first_look(bench, visit, list_id, contacts)
            _status(bench, visit, list_id, contacts)
            _send(bench, visit, list_id, contacts)


def _account(mailchimp: EmulatorProcess, contacts: int) -> str:
    """Make three audiences; returns the largest."""
    tags = [f"Tag {number}" for number in range(40)]
    made = [
        mailchimp.seed(
            name=f"Audience {place}", contacts=int(contacts * share), statuses=STATUSES, merge_fields=FIELDS, tags=tags, tags_per_contact=3,
            domain=f"people{place}.example", seed=place,
        )
        for place, share in enumerate(SHARES)
    ]  # fmt: skip
    return made[0][0]


@contextmanager
def _visit(bench: Bench, database: Path, config: Path) -> Iterator[Visit]:
    visit = Visit(bench, database, config)
    try:
        yield visit
    finally:
        visit.end()


def _parts(list_id: str) -> dict[str, str]:
    return {
        "status": f"/?audience={list_id}",
        "status, audiences": "/status/audiences",
        "status, growth": f"/status/growth/{list_id}",
        "status, tags": f"/status/tags/{list_id}",
        "status, fields": f"/status/fields/{list_id}",
    }


def _first_look(bench: Bench, visit: Visit, list_id: str, contacts: int) -> None:
    """From the printed URL to the last part of the Status page, with nothing remembered."""
    began = time.perf_counter()
    for path in _parts(list_id).values():
        visit.get(path)
    used = visit.used()
    bench.add(
        Row(f"workbench, {contacts} contacts, the first look after the start", Figures(time.perf_counter() - began, used.cpu, used.peak_mb))
    )


def _status(bench: Bench, visit: Visit, list_id: str, contacts: int) -> None:
    found = visit.get("/contacts?q=ada.abel.0@people0").text
    contact = "/contacts/" + found.partition('href="/contacts/')[2].partition('"')[0]
    pages = {
        **_parts(list_id),
        "search for a part of a name": "/contacts?q=abel",
        "search for an email address": "/contacts?q=ada.abel.0@people0.example",
        "search that finds nobody": "/contacts?q=nobody.at.all",
        "one contact": contact,
        "read": "/read",
        "read, streams": "/read/streams",
        "send": "/send",
    }
    for name, path in pages.items():
        _timed(bench, visit, f"workbench, {contacts} contacts, {name}", PAGE_SECONDS, lambda path=path: visit.get(path))  # type: ignore[misc]


def _send(bench: Bench, visit: Visit, list_id: str, contacts: int) -> None:
    """A table of all contacts as the rows to send, mapped by suggestion, and previewed."""
    case = f"workbench, {contacts} contacts, send"
    _timed(bench, visit, f"{case}, choose the table", PAGE_SECONDS, lambda: visit.post("/send/choose", table="contacts"))
    query = "SELECT email, first_name, tags FROM contacts WHERE status = 'subscribed'"
    _timed(bench, visit, f"{case}, choose a query", PAGE_SECONDS, lambda: visit.post("/send/choose", sql=query))
    draft = visit.post("/send/choose", table="contacts")
    _timed(bench, visit, f"{case}, choose the audience", PAGE_SECONDS, lambda: visit.post(f"{draft}/audience", list_id=list_id))
    for name in ("", "/mapping", "/options"):
        _timed(bench, visit, f"{case}, mapping{name}", PAGE_SECONDS, lambda name=name: visit.get(f"{draft}{name}"))  # type: ignore[misc]
    previewed = f"{case}, preview of 20 rows, {LATENCY:g} s a request"
    _timed(bench, visit, previewed, PREVIEW_SECONDS, lambda: visit.get(f"{draft}/preview"))


def _timed(bench: Bench, visit: Visit, case: str, target: float, opened: Callable[[], Any]) -> None:
    """Open a page several times; the median counts. CPU is that of the serving process for one time."""
    before, walls = visit.used().cpu, []
    for _ in range(TIMES):
        began = time.perf_counter()
        opened()
        walls.append(time.perf_counter() - began)
    after, wall = visit.used(), statistics.median(walls)
    bench.add(
        Row(case, Figures(wall, (after.cpu - before) / TIMES, after.peak_mb), ratio=f"median of {TIMES}, s", value=wall, target=target)
    )
