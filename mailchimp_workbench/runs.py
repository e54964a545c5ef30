"""Runs: work in the background that needs no open page and can be stopped."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from mailchimp_workbench.problems import BusyError, NotThereError, WorkbenchError

Result = TypeVar("Result")

KEPT_LINES = 200
KEPT_RUNS = 20
LOOK_SECONDS = 0.5
"""A page is told about progress twice a second at most."""

Status = Literal["running", "done", "failed", "stopped"]


async def to_the_end(work: Callable[..., Result], *arguments: Any) -> Result:
    """Return what `work` gives in a thread. A run that is stopped meanwhile waits for its end: half a write is none."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


@dataclass(eq=False)
class Run:
    """One run: what it is, how far it is, what became of it. `progress` is what its template shows."""

    kind: Literal["read", "send", "dry run"]
    title: str
    template: str
    progress: Any
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    status: Status = "running"
    step: str = ""
    problem: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    log: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    task: asyncio.Task[None] | None = None
    version: int = 0
    _began: float = field(default_factory=time.monotonic)
    _ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it runs or ran."""
        return (self._ended or time.monotonic()) - self._began

    @property
    def running(self) -> bool:
        """Whether it is not over."""
        return self.status == "running"

    def changed(self, step: str | None = None) -> None:
        """Say that there is something new to see."""
        self.step = self.step if step is None else step
        self.version += 1

    def end(self, status: Status, problem: str = "") -> None:
        """Say what became of it."""
        self.status, self.problem, self._ended = status, problem, time.monotonic()
        self.changed("")

    async def versions(self) -> AsyncIterator[None]:
        """Yield whenever there is something new, now and at the end too."""
        seen = -1
        while True:
            ended = not self.running
            if self.version != seen or ended:
                seen = self.version
                yield
            if ended:
                return
            await asyncio.sleep(LOOK_SECONDS)


class Runs:
    """The runs of this process, the newest first; one at a time, since all share Mailchimp's ten connections."""

    def __init__(self, ended: Callable[[Run], Awaitable[None]]) -> None:
        self._runs: dict[str, Run] = {}
        self._ended = ended

    def start(self, run: Run, work: Callable[[Run], Awaitable[None]]) -> Run:
        """Let a run begin. Raises BusyError while another is under way."""
        if current := self.current():
            raise BusyError(f"{current.title} is running.", "Wait until it ends, or stop it.")
        self._runs = {run.id: run, **dict(list(self._runs.items())[: KEPT_RUNS - 1])}
        run.task = asyncio.create_task(self._follow(run, work))
        return run

    def current(self) -> Run | None:
        """Return the run that is under way."""
        return next((run for run in self._runs.values() if run.running), None)

    def get(self, run_id: str) -> Run:
        """Return a run of this process. Raises NotThereError."""
        if run_id not in self._runs:
            raise NotThereError("This run is no longer known.", "Runs are remembered until the workbench ends.")
        return self._runs[run_id]

    async def stop(self, run: Run) -> None:
        """Stop a run; what it has saved stays."""
        if run.task is not None and run.running:
            run.task.cancel()
            await asyncio.wait([run.task])

    async def stop_all(self) -> None:
        """Stop what is under way: the workbench ends."""
        for run in self._runs.values():
            await self.stop(run)

    async def _follow(self, run: Run, work: Callable[[Run], Awaitable[None]]) -> None:
        try:
            await work(run)
        except asyncio.CancelledError:
            run.end("stopped")
        except WorkbenchError as error:
            run.end("failed", f"{error.title} {error.words}".strip())
        except Exception as error:  # noqa: BLE001 - the run's boundary: any error is shown on the page
            run.end("failed", f"The workbench failed unexpectedly ({type(error).__name__}: {error}). Report it.")
        else:
            run.end("done")
        await self._ended(run)
