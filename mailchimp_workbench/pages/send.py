"""The Send pages: choose rows, map, see what would happen, run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailchimp_workbench.audiences import known_audiences
from mailchimp_workbench.connectors import Json
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.send import rows as rows_of
from mailchimp_workbench.send.draft import Draft
from mailchimp_workbench.send.fields import targets
from mailchimp_workbench.send.rows import Rows
from mailchimp_workbench.send.suggestions import suggest
from mailchimp_workbench.send.uploads import as_utf8, rows_of_upload
from mailchimp_workbench.templating import html
from mailchimp_workbench.workbench import Workbench, workbench


def send(request: Request) -> Response:
    """Where the rows come from."""
    bench = workbench(request)
    return html(
        "send.html",
        section="send",
        connected=bench.settings.connected,
        audiences=known_audiences(bench.database),
        tables=bench.database.tables(),
        drafts=list(bench.drafts.all()),
    )


async def choose(request: Request) -> Response:
    """Begin with a table or a query."""
    bench, form = workbench(request), await request.form()
    if table := str(form.get("table") or ""):
        return await _begun(bench, lambda: rows_of.from_table(bench.database, table))
    return await _begun(bench, lambda: rows_of.from_query(bench.database, str(form.get("sql") or "")))


async def upload(request: Request) -> Response:
    """Begin with a file."""
    bench = workbench(request)
    async with request.form(max_files=1) as form:
        given = form.get("file")
        if not isinstance(given, UploadFile) or not given.filename:
            raise WorkbenchError("No file was chosen.", "Choose a CSV file.")
        path, name = await _kept(given, bench.database.folder), given.filename
    try:
        return await _begun(bench, lambda: rows_of_upload(bench.database, path, name))
    finally:
        # What was loaded is in memory.
        path.unlink()
        as_utf8(path).unlink(missing_ok=True)


async def change_audience(request: Request) -> Response:
    """Choose another audience: suggestions are made for it."""
    bench, draft = workbench(request), _draft(request)
    form = await request.form()
    draft.list_id = str(form.get("list_id") or "")
    await run_in_threadpool(suggest_rules, bench, draft)
    return RedirectResponse(f"/send/{draft.id}", 303)


async def load(request: Request) -> Response:
    """Take over a configuration that was saved."""
    bench, draft = workbench(request), _draft(request)
    async with request.form(max_files=1) as form:
        config = await _configuration(form)
    draft.load(config)
    if draft.list_id not in {one["list_id"] for one in known_audiences(bench.database)}:
        draft.notes.append(f"The account has no audience {draft.list_id} that was read. Choose one.")
        draft.list_id = ""
    return RedirectResponse(f"/send/{draft.id}", 303)


def save(request: Request) -> Response:
    """Give the configuration as a file, with a place for the credentials."""
    draft = _draft(request)
    placeholder = {"auth_type": "apikey", "apikey": "YOUR_KEY-us6"}
    content = orjson.dumps({"credentials": placeholder, **draft.config()}, option=orjson.OPT_INDENT_2)
    headers = {"content-disposition": 'attachment; filename="destination.json"'}
    return Response(content, media_type="application/json", headers=headers)


def suggest_rules(bench: Workbench, draft: Draft) -> None:
    """Fill a draft with what its columns probably mean."""
    draft.rules, draft.reasons = {}, {}
    if draft.list_id:
        for one in suggest(draft.rows.columns, targets(bench.database, draft.list_id)):
            draft.fill(one.rule)
            draft.reasons[one.rule.column or ""] = one.reason


async def _begun(bench: Workbench, read: Callable[[], Rows]) -> Response:
    rows = await run_in_threadpool(read)
    bench.ask_for_options()
    bench.stand_by()
    known = await run_in_threadpool(known_audiences, bench.database)
    draft = bench.drafts.add(Draft(rows, known[0]["list_id"] if len(known) == 1 else ""))
    await run_in_threadpool(suggest_rules, bench, draft)
    return RedirectResponse(f"/send/{draft.id}", 303)


async def _kept(given: UploadFile, folder: Path) -> Path:
    path = folder / f"{secrets.token_hex(8)}.upload"
    path.touch(mode=0o600)
    with path.open("wb") as written:
        while chunk := await given.read(1 << 20):
            written.write(chunk)
    return path


async def _configuration(form: FormData) -> Json:
    given = form.get("file")
    content = await given.read() if isinstance(given, UploadFile) else b""
    try:
        config = orjson.loads(content)
    except orjson.JSONDecodeError:
        config = None
    if not isinstance(config, dict):
        raise WorkbenchError("This is not a configuration.", "Choose the JSON file that Save made, or that of a destination.")
    return config


def _draft(request: Request) -> Draft:
    return workbench(request).drafts.get(request.path_params["draft_id"])


ROUTES = [
    Route("/send", send),
    Route("/send/choose", choose, methods=["POST"]),
    Route("/send/upload", upload, methods=["POST"]),
    Route("/send/{draft_id}/audience", change_audience, methods=["POST"]),
    Route("/send/{draft_id}/load", load, methods=["POST"]),
    Route("/send/{draft_id}/destination.json", save),
]
