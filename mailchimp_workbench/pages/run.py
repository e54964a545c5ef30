"""The page of a run: progress while it lasts, its outcome, rejects to correct and to download."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from mailchimp_workbench.problems import NotThereError, WorkbenchError
from mailchimp_workbench.runs import Run
from mailchimp_workbench.send.draft import Draft
from mailchimp_workbench.send.outcomes import Outcome, bare, read_outcomes, text
from mailchimp_workbench.send.reject_files import csv_lines
from mailchimp_workbench.send.rows import from_records
from mailchimp_workbench.send.writing import WriteProgress
from mailchimp_workbench.templating import html, render
from mailchimp_workbench.workbench import Workbench, workbench


def run_page(request: Request) -> Response:
    """The run."""
    bench, run = _of(request)
    return html("run.html", section="read" if run.kind == "read" else "send", run=run, progress=run.progress, columns=_columns(bench, run))


def events(request: Request) -> Response:
    """Progress as server-sent events, until the end of the run."""
    bench, run = _of(request)
    return StreamingResponse(_events(bench, run), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _events(bench: Workbench, run: Run) -> AsyncIterator[str]:
    async for _ in run.versions():
        yield _event("progress", render(run.template, run=run, progress=run.progress, columns=_columns(bench, run)))
    yield _event("end", "over")


def _event(name: str, content: str) -> str:
    lines = "".join(f"data: {line}\n" for line in content.splitlines())
    return f"event: {name}\n{lines}\n"


async def stop(request: Request) -> Response:
    """Stop a run."""
    bench, run = _of(request)
    await bench.runs.stop(run)
    return RedirectResponse(f"/runs/{run.id}", 303)


def rejects_json(request: Request) -> Response:
    """The destination's own file: the input of a replay anywhere."""
    _, progress = _written(request)
    if not progress.file.exists():
        raise NotThereError("This run has no file of outcomes.")
    return FileResponse(progress.file, media_type="application/jsonl", filename="rejected.jsonl")


async def rejects_csv(request: Request) -> Response:
    """The rejected rows as a spreadsheet."""
    _, progress = _written(request)
    found = await run_in_threadpool(_rejected, progress)
    headers = {"content-disposition": 'attachment; filename="rejected.csv"'}
    return StreamingResponse(iter(csv_lines(found)), media_type="text/csv; charset=utf-8", headers=headers)


async def mend(request: Request) -> Response:
    """Begin a new draft with the corrected rejected rows."""
    bench, progress = _written(request)
    form = await request.form(max_fields=10_000)
    before = bench.drafts.get(progress.draft_id)
    found = await run_in_threadpool(_rejected, progress)
    if not found:
        raise WorkbenchError("There is nothing to send again.")
    records = [_mended(one, {name: str(value) for name, value in form.items()}) for one in found]
    rows = from_records(f"rejected rows of {before.rows.name}", records)
    draft = Draft(rows, before.list_id, dict(before.rules), list(before.constants), dict(before.options))
    return RedirectResponse(f"/send/{bench.drafts.add(draft).id}", 303)


def _mended(one: Outcome, typed: dict[str, str]) -> dict[str, object]:
    """A cell that nobody touched keeps its value and its type."""
    cells = {name: typed.get(f"{one.number}:{name}") for name in one.record}
    return {name: value if cells[name] is None or cells[name] == text(value) else cells[name] for name, value in one.record.items()}


def _rejected(progress: WriteProgress) -> list[Outcome]:
    return [one for one in read_outcomes(progress.file) if one.kind == "rejected"]


def _columns(bench: Workbench, run: Run) -> dict[str, str]:
    """Return which column fills each field of a run that writes."""
    if not isinstance(run.progress, WriteProgress):
        return {}
    draft = bench.drafts.get(run.progress.draft_id)
    fields = {rule.field: name for name, rule in draft.rules.items() if rule.field}
    # A field may be named by its tag alone.
    return {**{bare(field): name for field, name in fields.items()}, **fields}


def _written(request: Request) -> tuple[Workbench, WriteProgress]:
    bench, run = _of(request)
    if not isinstance(run.progress, WriteProgress):
        raise NotThereError("This run wrote nothing.")
    return bench, run.progress


def _of(request: Request) -> tuple[Workbench, Run]:
    bench = workbench(request)
    return bench, bench.runs.get(request.path_params["run_id"])


ROUTES = [
    Route("/runs/{run_id}", run_page),
    Route("/runs/{run_id}/events", events),
    Route("/runs/{run_id}/stop", stop, methods=["POST"]),
    Route("/runs/{run_id}/rejected.jsonl", rejects_json),
    Route("/runs/{run_id}/rejected.csv", rejects_csv),
    Route("/runs/{run_id}/mend", mend, methods=["POST"]),
]
