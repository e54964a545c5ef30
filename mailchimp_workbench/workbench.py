"""What all pages share: the warehouse, the connectors, the runs and the drafts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from mailchimp_workbench.connectors import Connector, Json
from mailchimp_workbench.database import Database
from mailchimp_workbench.read.history import remember
from mailchimp_workbench.runs import Run, Runs
from mailchimp_workbench.send.draft import Drafts
from mailchimp_workbench.settings import Settings
from mailchimp_workbench.status import figures


@dataclass
class Workbench:
    """One workbench.

    `folder` holds uploads and configurations while it runs, and is emptied at its end; `outcomes` keeps what the destination wrote about
    rejected records, next to the warehouse.
    """

    database: Database
    settings: Settings
    source: Connector
    destination: Connector
    folder: Path
    outcomes: Path
    drafts: Drafts = field(default_factory=Drafts)
    _options: asyncio.Task[Json] | None = None

    def __post_init__(self) -> None:
        """Begin without runs."""
        self.runs = Runs(self._ended)

    async def options(self) -> Json:
        """Return the specification of the destination, asked for once."""
        return await asyncio.shield(self.ask_for_options())

    def ask_for_options(self) -> asyncio.Task[Json]:
        """Ask for the specification before somebody needs it."""
        if self._options is None or (self._options.done() and (self._options.cancelled() or self._options.exception())):
            self._options = asyncio.create_task(self.destination.spec())
        return self._options

    async def _ended(self, run: Run) -> None:
        await asyncio.to_thread(remember, self.database, run, run.progress.counts)
        await self.warm()

    async def warm(self) -> None:
        """Ask for the figures before somebody does."""
        await asyncio.to_thread(figures.warm, self.database)


def workbench(request: Request) -> Workbench:
    """Return the workbench of a request."""
    found: Workbench = request.app.state.workbench
    return found
