"""The web application: pages, gate, limits, and what is said when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from mailchimp_workbench.limits import Limit
from mailchimp_workbench.pages import draft, read, run, send, status
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.security import Gate
from mailchimp_workbench.templating import FOLDER, problem
from mailchimp_workbench.workbench import Workbench


def application(bench: Workbench, port: int, token: str) -> Gate:
    """Return the application of a workbench that listens on a port of this machine, behind its gate."""
    pages = (status, read, send, draft, run)
    app = Starlette(
        routes=[
            *(route for page in pages for route in page.ROUTES),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(Limit)],
        exception_handlers={WorkbenchError: _told, HTTPException: _refused, Exception: _failed},
        lifespan=_lifespan,
    )
    app.state.workbench = bench
    return Gate(app, port, token)


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    bench: Workbench = app.state.workbench
    warming = asyncio.create_task(bench.warm())
    asking = asyncio.create_task(_ask_ahead(bench, warming))
    yield
    asking.cancel()
    await asyncio.wait([warming, asking])
    await bench.end()


async def _ask_ahead(bench: Workbench, warming: asyncio.Task[None]) -> None:
    """Ask for the streams once the figures are there. A page that needs them asks again, and says what is wrong."""
    await asyncio.shield(warming)
    if bench.settings.connected:
        with contextlib.suppress(WorkbenchError):
            await bench.streams()


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, WorkbenchError)
    return problem(request, error.status, error.title, error.words)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = "There is no such page." if error.status_code == 404 else str(error.detail)  # noqa: PLR2004 - not found
    return problem(request, error.status_code, title)


def _failed(request: Request, error: Exception) -> Response:
    return problem(request, 500, "The workbench failed in an unexpected way.", f"{type(error).__name__}. Please report it.")
