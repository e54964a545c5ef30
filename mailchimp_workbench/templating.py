"""Templates: whole pages, parts of pages, and pages that say what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailchimp_workbench import charts, words

FOLDER = Path(__file__).parent

ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
"""Everything is escaped; a name that a template misspells is an error."""

for _filter in (
    words.number,
    words.percent,
    words.signed,
    words.day,
    words.month,
    words.moment,
    words.ago,
    words.duration,
    words.count_of,
    words.records,
    words.field_value,
    words.shown,
):
    ENVIRONMENT.filters[_filter.__name__] = _filter
ENVIRONMENT.globals["charts"] = charts

STATUS_WORDS = {
    "subscribed": "Subscribed",
    "unsubscribed": "Unsubscribed",
    "cleaned": "Cleaned",
    "pending": "Pending",
    "transactional": "Transactional",
    "archived": "Archived",
}
"""Mailchimp's statuses in the order in which they are shown."""

STATUS_MEANINGS = {
    "subscribed": "gets campaigns",
    "unsubscribed": "asked to get none",
    "cleaned": "its email address bounced",
    "pending": "has not confirmed yet",
    "transactional": "never signed up for campaigns",
    "archived": "taken out of the audience",
}
ENVIRONMENT.globals.update(status_words=STATUS_WORDS, status_meanings=STATUS_MEANINGS)


def html(template: str, /, status: int = 200, headers: dict[str, str] | None = None, **names: Any) -> HTMLResponse:
    """Return a rendered template."""
    return HTMLResponse(render(template, **names), status, headers)


def render(template: str, /, **names: Any) -> str:
    """Return the text of a template."""
    return ENVIRONMENT.get_template(template).render(**names)


def is_part(headers: Headers) -> bool:
    """Tell whether the page asks for a part of itself."""
    return headers.get("hx-request") == "true"


def problem_page(headers: Headers, status: int, title: str, explanation: str = "") -> HTMLResponse:
    """Return what went wrong, as a page of its own or as the part that was asked for."""
    template = "problem_part.html" if is_part(headers) else "problem.html"
    return html(template, status, title=title, words=explanation, section="")


def problem(request: Request, status: int, title: str, explanation: str = "") -> HTMLResponse:
    """Return what went wrong with a request."""
    return problem_page(request.headers, status, title, explanation)
