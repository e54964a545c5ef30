"""Running the emulator for a test: in a thread of its own, or in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from mailchimp_emulator.client import ControlClient
from mailchimp_emulator.server import Server
from mailchimp_emulator.state import Options, State

HOST = "127.0.0.1"
_STOP_SECONDS = 10


async def start(options: Options, port: int) -> tuple[web.AppRunner, Server]:
    """Listen; the origin, with the port that was free, is then in the server's state."""
    server = Server(State(options))
    # A client that gives up does not free its slot at once, as with Mailchimp.
    runner = web.AppRunner(server.app(), access_log=None, handler_cancellation=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    server.state.origin = f"http://{HOST}:{runner.addresses[0][1]}"
    server.control.start()
    return runner, server


class Emulator(ControlClient):
    """An emulator in a thread: `with Emulator() as mailchimp: ... mailchimp.url`.

    Options are the fields of `Options`: latency, journal, capture_answers, behavior, seed, demo.
    """

    def __init__(self, port: int = 0, **options: Any) -> None:
        super().__init__("")
        self._port, self._options = port, Options(**options)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="mailchimp-emulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._session.close()
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            runner, server = await start(self._options, self._port)
        except OSError as failure:
            self._failure = failure
            return
        finally:
            if self._failure is not None:
                self._ready.set()
        self.url = server.state.origin
        self._ready.set()
        await self._stop.wait()
        server.churn.stop()
        await runner.cleanup()


class EmulatorProcess(ControlClient):
    """The same in a process of its own, so that its work is not counted as the client's."""

    def __init__(self, port: int = 0, **options: Any) -> None:
        super().__init__("")
        self._command = [sys.executable, "-m", "mailchimp_emulator", "--port", str(port)]
        self._command += ["--options", json.dumps(options)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, cwd=root)  # noqa: S603
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the emulator did not start (exit code {self._process.wait()})")
        return self

    @property
    def pid(self) -> int:
        """The process id, for measuring what the emulator itself costs."""
        assert self._process is not None
        return self._process.pid

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._session.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            if self._process.stdout is not None:
                self._process.stdout.close()
