"""The page of a draft: what each column does, and what would become of the first rows."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailchimp_workbench import words
from mailchimp_workbench.audiences import known_audiences
from mailchimp_workbench.connectors import Json
from mailchimp_workbench.problems import NotThereError
from mailchimp_workbench.runs import Run
from mailchimp_workbench.send.consent import consequences
from mailchimp_workbench.send.draft import DETAILS, Draft, Rule
from mailchimp_workbench.send.fields import FREE_FIELDS, free_part, grouped, labels, targets
from mailchimp_workbench.send.options import options, read_option
from mailchimp_workbench.send.rows import Column
from mailchimp_workbench.send.writing import Preview, Write, WriteProgress, preview
from mailchimp_workbench.templating import html
from mailchimp_workbench.workbench import Workbench, workbench

PREVIEWED_ROWS = 20
SHOWN_COLUMNS = 50
CHANGED = {"hx-trigger": "mapping-changed"}


def draft_page(request: Request) -> Response:
    """The draft."""
    bench, draft = _of(request)
    known = known_audiences(bench.database)
    return html(
        "draft.html",
        section="send",
        draft=draft,
        audiences=known,
        audience=next((one for one in known if one["list_id"] == draft.list_id), None),
        current=bench.runs.current(),
        **_mapping(bench, draft, "", SHOWN_COLUMNS),
    )


def mapping_part(request: Request) -> Response:
    """The columns: those that were looked for, or more of them."""
    bench, draft = _of(request)
    query = request.query_params
    return html("mapping.html", draft=draft, **_mapping(bench, draft, query.get("find", ""), _limit(query.get("limit"))))


async def change_rule(request: Request) -> Response:
    """Say what a column does."""
    bench, draft = _of(request)
    form = await request.form(max_fields=100)
    column = _column(draft, request.path_params["number"])
    details = {name: _typed(form, name) for name in DETAILS}
    draft.fill(Rule(_field(form), column=column.name, **details))
    return await _mapping_again(bench, draft, form)


async def add_constant(request: Request) -> Response:
    """Give all rows a value."""
    bench, draft = _of(request)
    form = await request.form(max_fields=100)
    value, field = _typed(form, "value"), _field(form)
    if value and field:
        draft.add_constant(Rule(field, value=value))
    return await _mapping_again(bench, draft, form)


async def remove_constant(request: Request) -> Response:
    """Take such a value away."""
    bench, draft = _of(request)
    number = request.path_params["number"]
    draft.constants = [rule for place, rule in enumerate(draft.constants) if place != number]
    return await _mapping_again(bench, draft, await request.form(max_fields=100))


async def options_part(request: Request) -> Response:
    """The further options."""
    bench, draft = _of(request)
    return html("options.html", draft=draft, options=options(await bench.options(), draft.options))


async def change_options(request: Request) -> Response:
    """Choose options."""
    bench, draft = _of(request)
    form = await request.form(max_fields=200)
    read = {one.name: read_option(one, str(form.get(one.name) or "")) for one in options(await bench.options(), draft.options)}
    draft.options = {**draft.options, **read}
    draft.options = {name: value for name, value in draft.options.items() if value is not None}
    return Response(status_code=204, headers=CHANGED)


async def preview_part(request: Request) -> Response:
    """What would become of the first rows. A newer preview ends an older one."""
    bench, draft = _of(request)
    if missing := _missing(draft):
        return html("preview_empty.html", words=missing)
    if draft.preview is not None:
        draft.preview.cancel()
    with _scratch(bench) as file:
        draft.preview = task = asyncio.create_task(_preview(bench, draft, file))
        try:
            seen = await task
        except asyncio.CancelledError:
            return Response(status_code=204)
    bench.stand_by()
    double_optin = any(one["double_optin"] for one in known_audiences(bench.database) if one["list_id"] == draft.list_id)
    return html(
        "preview.html",
        draft=draft,
        outcomes=seen.outcomes,
        counts=seen.counts,
        problem=seen.problem,
        labels=labels(bench.database, draft.list_id),
        origin=_origin(draft),
        consent=consequences(draft.options, double_optin=double_optin, has_status=_has_status(draft)),
    )


async def _preview(bench: Workbench, draft: Draft, file: Path) -> Preview:
    account, standby = bench.settings.for_destination(), await bench.started()
    write = Write(bench.destination, bench.database, draft, account, dry_run=True, file=file, most=PREVIEWED_ROWS, standby=standby)
    return await preview(write)


async def start(request: Request) -> Response:
    """Send, or try, all rows."""
    bench, draft = _of(request)
    form = await request.form()
    if missing := _missing(draft):
        raise NotThereError(missing)
    run = begin(bench, draft, dry_run=form.get("dry_run") == "true")
    return RedirectResponse(f"/runs/{run.id}", 303)


def begin(bench: Workbench, draft: Draft, *, dry_run: bool) -> Run:
    """Begin a run of a draft as it is now."""
    names = {one["list_id"]: one["name"] for one in known_audiences(bench.database)}
    audience = names.get(draft.list_id, draft.list_id)
    file = bench.outcomes / f"{secrets.token_hex(6)}.jsonl"
    progress = WriteProgress(draft.rows.count, draft.id, audience, dry_run, file)
    frozen = Draft(draft.rows, draft.list_id, dict(draft.rules), list(draft.constants), dict(draft.options))
    write = Write(bench.destination, bench.database, frozen, bench.settings.for_destination(), dry_run, file)
    title = f"{'Dry run of' if dry_run else 'Send'} {words.count_of(draft.rows.count, 'row')} of {draft.rows.name} into {audience}"
    return bench.runs.start(Run("dry run" if dry_run else "send", title, "run_write.html", progress), write.run)


async def _mapping_again(bench: Workbench, draft: Draft, form: FormData) -> Response:
    shown = await run_in_threadpool(_mapping, bench, draft, _typed(form, "find"), _limit(_typed(form, "limit")))
    return html("mapping.html", headers=CHANGED, draft=draft, **shown)


def _mapping(bench: Workbench, draft: Draft, find: str, limit: int) -> Json:
    known = targets(bench.database, draft.list_id) if draft.list_id else []
    matching = [(place, one) for place, one in enumerate(draft.rows.columns) if find.casefold() in one.name.casefold()]
    # What is filled comes first only where not all columns can be seen: the order of the file is what people know.
    ordered = sorted(matching, key=lambda item: not draft.target(item[1].name)) if len(matching) > limit else matching
    return {
        "columns": ordered[:limit],
        "more": max(0, len(ordered) - limit),
        "find": find,
        "limit": limit,
        "step": SHOWN_COLUMNS,
        "groups": grouped(known),
        "targets": {target.field: target for target in known},
        "free_fields": FREE_FIELDS,
        "free": {rule.column: free_part(rule.field, known) for rule in draft.rules.values()},
    }


def _origin(draft: Draft) -> str:
    return next((name for name, rule in draft.rules.items() if rule.field == "email"), "")


def _has_status(draft: Draft) -> bool:
    return any(rule.field == "status" for rule in (*draft.rules.values(), *draft.constants))


def _missing(draft: Draft) -> str:
    if not draft.list_id:
        return "Choose the audience that the rows go into."
    return "" if _origin(draft) else "Choose the column that contains the email address."


def _field(form: FormData) -> str:
    field, free = _typed(form, "field"), _typed(form, "free")
    return f"{field}{free}" if field in FREE_FIELDS else field


def _typed(form: FormData, name: str) -> str:
    return str(form.get(name) or "").strip()


def _limit(given: str | None) -> int:
    return int(given) if given and given.isdecimal() else SHOWN_COLUMNS


def _column(draft: Draft, number: int) -> Column:
    if number >= len(draft.rows.columns):
        raise NotThereError("There is no such column.")
    return draft.rows.columns[number]


@contextlib.contextmanager
def _scratch(bench: Workbench) -> Iterator[Path]:
    file = bench.folder / f"{secrets.token_hex(6)}.jsonl"
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _of(request: Request) -> tuple[Workbench, Draft]:
    bench = workbench(request)
    return bench, bench.drafts.get(request.path_params["draft_id"])


ROUTES = [
    Route("/send/{draft_id}", draft_page),
    Route("/send/{draft_id}/mapping", mapping_part),
    Route("/send/{draft_id}/columns/{number:int}", change_rule, methods=["POST"]),
    Route("/send/{draft_id}/constants", add_constant, methods=["POST"]),
    Route("/send/{draft_id}/constants/{number:int}/remove", remove_constant, methods=["POST"]),
    Route("/send/{draft_id}/options", options_part),
    Route("/send/{draft_id}/options", change_options, methods=["POST"]),
    Route("/send/{draft_id}/preview", preview_part),
    Route("/send/{draft_id}/start", start, methods=["POST"]),
]
