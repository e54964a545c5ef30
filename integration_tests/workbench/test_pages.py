"""What a person does at the pages, in a headless browser: with the mouse, with the keyboard, on a phone and in the dark."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.forms.browser import in_ci
from integration_tests.workbench.conftest import CUSTOMERS, GUESTS
from integration_tests.workbench.pages import Page, lacking
from integration_tests.workbench.served import Served
from mailchimp_emulator import EmulatorProcess

LACKING = lacking()
if LACKING and not in_ci():
    pytest.skip(LACKING, allow_module_level=True)

ATTENDEES = Path(__file__).with_name("attendees.csv")
PHONE = 360


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A headless browser."""
    assert LACKING is None, LACKING
    opened = Page()
    yield opened
    opened.close()


@pytest.fixture(params=[{}, {"width": PHONE}, {"dark": True}], ids=["desk", "phone", "dark"])
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How the page is looked at."""
    return dict(request.param)


@pytest.fixture
def page(browser: Page, workbench: Served) -> Iterator[Page]:
    """A tab that has opened the printed address. It asks no other server for anything, and its console shows no error."""
    browser.open()
    browser.enter(workbench.address)
    yield browser
    assert browser.foreign() == []
    assert browser.problems() == []


def use_attendees(page: Page, audience: str) -> None:
    """Upload the attendees, choose their audience, and wait for the preview."""
    page.goto("/send")
    page.act("choose", selector="#file", file=str(ATTENDEES))
    page.click("text=Use this file")
    page.wait(".js #audience")
    page.act("select", selector="#audience", value=audience)
    page.wait("#preview table")


def outcomes(page: Page) -> dict[str, str]:
    """Return the previewed outcome of each email address."""
    emails, kinds = page.texts("#preview tbody th"), page.texts("#preview tbody .badge")
    return dict(zip(emails, kinds, strict=True))


def test_the_first_look(page: Page) -> None:
    """The dashboard says who can be reached in each audience, how it grew, why people left, and how large tags are."""
    page.goto("/")
    page.wait("text=Why they left")
    page.wait("text=Repeat buyer")
    page.wait("text=Lifetime value")

    seen = page.text()
    assert "Northwind Customers\n\n3,700\n\nof 5,000 contacts can be reached" in seen
    assert "Unsubscribed\n500" in seen
    assert "Bounced" in seen


def test_a_contact_is_found(page: Page) -> None:
    """A search leads to the one contact: statuses in every audience, tags, fields, last change."""
    page.goto("/")
    page.act("fill", selector="#q", value="ada.abel.0@contacts")
    page.act("press", key="Enter")
    page.click("text=ada.abel.0@contacts.example")
    page.wait("text=Signed up")

    seen = page.text()
    assert "Northwind Customers" in seen
    assert "Subscribed" in seen
    assert len(page.texts("dd .badge")) == 30
    assert "34 more" in seen
    assert "Lifetime value" in seen
    assert "Last change" in seen


def test_attendees_from_the_file_to_the_rejects_and_back(page: Page, account: EmulatorProcess, tmp_path: Path) -> None:
    """Suggested mapping, preview, one correction, run, rejects downloaded, corrected and sent again."""
    use_attendees(page, GUESTS)
    assert page.act("value", selector="[aria-label='What Email fills']") == "email"
    assert page.act("value", selector="[aria-label='What Ticket Type fills']") == "tags"
    assert page.act("value", selector="[aria-label='What Attendee Status fills']") == ""
    before = outcomes(page)

    page.act("select", selector="[aria-label='What Ticket Type fills']", value="")
    page.wait("#preview:not(.htmx-request) table:not(:has-text('Workshop'))")
    page.click("text=/^Send 8 rows/")
    page.wait("text=Rejected rows")
    page.act("download", selector="a:text-is('CSV')", file=str(tmp_path / "rejected.csv"))
    page.act("download", selector="a:text-is('JSON lines')", file=str(tmp_path / "rejected.jsonl"))
    page.act("fill", selector="input[value='paul.meier@']", value="paul.meier@guests.example")
    page.click("text=Preview the corrected rows")
    page.wait("#preview table")
    after = outcomes(page)
    page.click("text=/^Send 1 row/")
    page.wait(".totals")

    assert before["paul.meier@"] == "rejected"
    assert before["mira.okafor@guests.example"] == "created"
    assert after == {"paul.meier@guests.example": "created"}
    (row,) = csv.DictReader((tmp_path / "rejected.csv").read_text().splitlines())
    assert (row["_rejected_row"], row["Email"], row["Notes"]) == ("5", "paul.meier@", "typo in the email address")
    (line,) = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert line["record"]["Order #"] == "1005"
    member = account.member(GUESTS, "paul.meier@guests.example")
    assert member is not None
    assert (member["status"], member["tags"]) == ("subscribed", [])
    assert page.act("evaluate", script="window.pwned === undefined")


def test_a_dry_run_says_what_would_become_of_all(page: Page, account: EmulatorProcess) -> None:
    """Every row has its outcome, and nobody is there afterwards."""
    use_attendees(page, CUSTOMERS)
    page.click("text=/^Dry run of all 8 rows/")
    page.wait(".totals")

    seen = page.text()
    assert "What would have become of the rows" in seen
    assert "created\n6" in seen
    assert "SIZE is not one of" in seen
    assert account.member(CUSTOMERS, "mira.okafor@guests.example") is None


def test_a_configuration_is_saved_and_loaded(page: Page, tmp_path: Path) -> None:
    """What was mapped comes back, with a value for every row and an option; the file holds no credentials."""
    use_attendees(page, CUSTOMERS)
    page.act("fill", selector="#constant-value", value="Spring fair 2026")
    page.act("select", selector="#constant-field", value="custom_fields.COMPANY")
    page.click("button:text-is('Add')")
    page.wait("text=the same for every row")
    page.click("text=More options")
    page.wait("#option-empty_values")
    page.act("select", selector="#option-empty_values", value="clear")
    page.act("settle")
    page.act("download", selector="a:text-is('Save')", file=str(tmp_path / "destination.json"))
    saved = json.loads((tmp_path / "destination.json").read_text())

    use_attendees(page, GUESTS)
    page.act("choose", selector="#config", file=str(tmp_path / "destination.json"))
    page.click("button:text-is('Load')")
    page.wait("text=the same for every row")

    assert saved["credentials"]["apikey"] == "YOUR_KEY-us6"
    assert saved["list_id"] == CUSTOMERS
    assert saved["empty_values"] == "clear"
    assert {"value": "Spring fair 2026", "field": "custom_fields.COMPANY"} in saved["field_mapping"]
    assert {"column": "Email", "field": "email"} in saved["field_mapping"]
    assert page.act("value", selector="#audience") == CUSTOMERS
    assert page.act("value", selector="[aria-label='What Company fills']") == ""


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    """The page says how large it may be, and nothing is uploaded."""
    large = tmp_path / "large.csv"
    with large.open("wb") as written:
        written.truncate(200 << 20)
    page.goto("/send")
    page.act("evaluate", script="document.getElementById('file').removeAttribute('required')")
    page.act("choose", selector="#file", file=str(large))
    page.click("text=Use this file")
    page.wait("#file-problem:not(:empty)")

    assert "200 MB, more than 100 MB" in page.text("#file-problem")
    assert page.act("url").endswith("/send")


def test_everything_can_be_reached_with_the_keyboard(page: Page) -> None:
    """From the address bar to a contact and to a changed mapping without a mouse; the focus stays where it was after a change."""
    page.goto("/")
    page.act("press", key="Tab")
    assert page.act("evaluate", script="document.activeElement.className") == "skip"
    reach(page, "document.activeElement.id === 'q'")
    page.act("type", text="ada.abel.0@contacts")
    page.act("press", key="Enter")
    page.wait("text=ada.abel.0@contacts.example")
    reach(page, "document.activeElement.textContent.startsWith('ada.abel.0@contacts')")
    page.act("press", key="Enter")
    page.wait("text=Signed up")

    use_attendees(page, CUSTOMERS)
    reach(page, "document.activeElement.getAttribute('aria-label') === 'What Company fills'")
    page.act("press", key="Home")
    page.wait("tr.idle:has-text('Company')")
    assert page.act("evaluate", script="document.activeElement.getAttribute('aria-label')") == "What Company fills"


def reach(page: Page, condition: str) -> None:
    """Press Tab until the focus is where it should be, and is seen there."""
    for _ in range(60):
        page.act("press", key="Tab")
        if page.act("evaluate", script=condition):
            assert page.act("evaluate", script="document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"the focus never came to {condition}")


def test_every_page_is_accessible_and_fits(browser: Page, workbench: Served, look: dict[str, Any]) -> None:
    """axe-core finds nothing serious on any page, and nothing is wider than the screen, at a desk, on a phone and in the dark."""
    browser.open(**look)
    browser.enter(workbench.address)
    visits = dict.fromkeys(("/", "/contacts?q=ada", "/read", "/send", "/nowhere"))
    for path in visits:
        browser.goto(path)
        looks_well(browser, path)
    browser.goto("/contacts?q=ada.abel.0@contacts")
    browser.click("text=ada.abel.0@contacts.example")
    browser.wait("text=Signed up")
    looks_well(browser, "contact")
    use_attendees(browser, CUSTOMERS)
    browser.click("text=More options")
    browser.wait(".option-list")
    looks_well(browser, "draft")
    browser.click("text=/^Dry run of all 8 rows/")
    browser.wait("text=Rejected rows")
    looks_well(browser, "run")


def looks_well(page: Page, name: str) -> None:
    """Assert that a page can be read by everybody."""
    assert page.serious() == [], name
    assert page.act("evaluate", script="document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name


def test_nothing_jumps_while_it_loads(page: Page) -> None:
    """What loads later has its place: the layout of the dashboard shifts by less than what people notice."""
    page.act("evaluate", script="1")
    page.goto("/")
    page.wait("text=Lifetime value")
    shift = page.act(
        "evaluate",
        script="""new Promise((resolve) => { let sum = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) { if (!entry.hadRecentInput) { sum += entry.value; } } })
            .observe({ type: 'layout-shift', buffered: true }); setTimeout(() => resolve(sum), 200); })""",
    )

    assert shift < 0.1
