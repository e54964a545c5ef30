"""The Read page: choose, run, watch, stop, and look back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailchimp_workbench.audiences import known_audiences
from mailchimp_workbench.history import last_runs
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.read.sync import AudienceProgress, Sync, SyncProgress
from mailchimp_workbench.runs import Run
from mailchimp_workbench.templating import html
from mailchimp_workbench.workbench import Workbench, workbench

UNIFIED = ("contacts", "lists", "tags", "users")


def read(request: Request) -> Response:
    """The page: what can be read, what is being read, what was read."""
    bench = workbench(request)
    return html(
        "read.html",
        section="read",
        connected=bench.settings.connected,
        audiences=known_audiences(bench.database),
        current=bench.runs.current(),
        runs=last_runs(bench.database),
    )


async def streams_part(request: Request) -> Response:
    """The streams that the account offers."""
    return html("read_streams.html", streams=await workbench(request).streams(), unified=UNIFIED)


async def start(request: Request) -> Response:
    """Begin a sync and show it."""
    bench = workbench(request)
    form = await request.form()
    streams, list_ids = ([str(value) for value in form.getlist(name)] for name in ("stream", "audience"))
    if not streams:
        raise WorkbenchError("No stream was chosen.", "Please go back and choose at least one.")
    run = begin(bench, streams, list_ids)
    return RedirectResponse(f"/runs/{run.id}", 303)


def begin(bench: Workbench, streams: list[str], list_ids: list[str]) -> Run:
    """Begin a sync of streams, for audiences by id (none is all)."""
    known = known_audiences(bench.database)
    chosen = [one for one in known if not list_ids or one["list_id"] in list_ids]
    progress = SyncProgress({one["list_id"]: AudienceProgress(one["name"]) for one in chosen} if "contacts" in streams else {})
    everything = len(chosen) == len(known)
    sync = Sync(bench.source, bench.database, bench.settings.for_source(), streams, () if everything else list_ids)
    title = "Read " + ("all audiences" if everything else ", ".join(one["name"] for one in chosen))
    return bench.runs.start(Run("read", title, "run_read.html", progress), sync.run)


ROUTES = [
    Route("/read", read),
    Route("/read/streams", streams_part),
    Route("/read/start", start, methods=["POST"]),
]
