"""What all pages share: the warehouse, the connectors, the runs and the drafts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from mailchimp_workbench import figures
from mailchimp_workbench.connectors import Connector, Json
from mailchimp_workbench.database import Database
from mailchimp_workbench.history import remember
from mailchimp_workbench.runs import Run, Runs
from mailchimp_workbench.send.draft import Drafts
from mailchimp_workbench.settings import Settings
from mailchimp_workbench.standby import PIPED, Standby


@dataclass
class Workbench:
    """One workbench.

    `folder` holds configurations and previews while it runs, and is emptied at its end; `outcomes` keeps what the destination wrote about
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
    _streams: tuple[str, ...] = ()
    _standby: asyncio.Task[Standby] | None = None

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

    async def streams(self) -> tuple[str, ...]:
        """Return the names of the streams that the source offers, asked for once: they follow from its configuration."""
        if not self._streams:
            self._streams = tuple(stream["name"] for stream in await self.source.discover(self.settings.for_source()))
        return self._streams

    def stand_by(self) -> None:
        """Start the destination for the next preview: starting takes longer than the preview itself."""
        if PIPED and not _usable(self._standby):
            self._standby = asyncio.create_task(self.destination.ahead("write", ("config", "catalog")))

    async def started(self) -> Standby | None:
        """Return a destination that is started or starting, for one preview; None where there can be none."""
        self.stand_by()
        while waiting := self._standby:
            # A preview that is canceled here leaves it to the next.
            standby = await asyncio.shield(waiting)
            if self._standby is waiting:
                self._standby = None
                return standby
            self.stand_by()
        return None

    async def end(self) -> None:
        """Stop what is under way: the workbench ends."""
        await self.runs.stop_all()
        if self._standby is not None and _usable(self._standby):
            await (await self._standby).end()
        self.database.close()

    async def _ended(self, run: Run) -> None:
        await asyncio.to_thread(remember, self.database, run, run.progress.counts)
        await self.warm()

    async def warm(self) -> None:
        """Ask for the figures before somebody does."""
        await asyncio.to_thread(figures.warm, self.database)


def _usable(standby: asyncio.Task[Standby] | None) -> bool:
    """Tell whether something starts, or has started and waits."""
    if standby is None or not standby.done():
        return standby is not None
    return not standby.cancelled() and standby.exception() is None and standby.result().process.returncode is None


def workbench(request: Request) -> Workbench:
    """Return the workbench of a request."""
    found: Workbench = request.app.state.workbench
    return found
