"""The Status page, part by part, and the page of one contact."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailchimp_workbench import figures
from mailchimp_workbench.problems import NotThereError
from mailchimp_workbench.templating import html
from mailchimp_workbench.workbench import Workbench, workbench


def status(request: Request) -> Response:
    """The page: its parts load by themselves."""
    bench = workbench(request)
    if not bench.database.has_contacts():
        return html("status_empty.html", section="status", connected=bench.settings.connected)
    chosen = _chosen(bench, request.query_params.get("audience"))
    return html("status.html", section="status", chosen=chosen, newest=figures.last_change(bench.database), words="")


def audiences_part(request: Request) -> Response:
    """How many can be reached in each audience."""
    bench = workbench(request)
    chosen = request.query_params.get("audience", "")
    return html("status_audiences.html", audiences=figures.audiences(bench.database), chosen=chosen)


def growth_part(request: Request) -> Response:
    """Who joined and who left, and why."""
    bench, list_id = workbench(request), request.path_params["list_id"]
    months = figures.growth(bench.database, list_id)
    reasons = figures.reasons(bench.database, list_id, months[0]["month"]) if months else []
    return html("status_growth.html", months=months, reasons=reasons)


def tags_part(request: Request) -> Response:
    """How large the tags are."""
    found = figures.tags(workbench(request).database, request.path_params["list_id"])
    return html("status_tags.html", tags=found, shown=figures.SHOWN_TAGS)


def fields_part(request: Request) -> Response:
    """How full the merge fields are."""
    return html("status_fields.html", fields=figures.fields(workbench(request).database, request.path_params["list_id"]))


def search(request: Request) -> Response:
    """Contacts that match."""
    bench, words = workbench(request), request.query_params.get("q", "").strip()
    if not bench.database.has_contacts():
        return html("status_empty.html", section="status", connected=bench.settings.connected)
    found = figures.search(bench.database, words) if words else []
    return html(
        "contacts.html", section="status", words=words, found=found[: figures.SHOWN_MATCHES], more=len(found) > figures.SHOWN_MATCHES
    )


def contact(request: Request) -> Response:
    """One contact in every audience."""
    bench = workbench(request)
    found = figures.contact(bench.database, request.path_params["contact_id"]) if bench.database.has_contacts() else []
    if not found:
        raise NotThereError("Nobody in the warehouse has this id.", "The contact's email address may have changed. Search for the new one.")
    return html("contact.html", section="status", words="", contact=found[0], audiences=found)


def _chosen(bench: Workbench, wanted: str | None) -> figures.AudienceFigures | None:
    known = figures.audiences(bench.database)
    return next((one for one in known if one.list_id == wanted), known[0] if known else None)


ROUTES = [
    Route("/", status),
    Route("/status/audiences", audiences_part),
    Route("/status/growth/{list_id}", growth_part),
    Route("/status/tags/{list_id}", tags_part),
    Route("/status/fields/{list_id}", fields_part),
    Route("/contacts", search),
    Route("/contacts/{contact_id}", contact),
]
