"""A command that is started before its configuration is known, because starting takes longer than a preview.

It reads the configuration and the catalog from pipes instead of files: what it is told never lies on a disk, and it ends by itself when
the workbench is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

PIPED = os.name == "posix"
"""Elsewhere a process cannot take over a pipe by its number, and nothing is started ahead."""


@dataclass(frozen=True)
class Standby:
    """A process that waits for the content of its options, and the pipes through which it gets it."""

    process: asyncio.subprocess.Process
    pipes: Mapping[str, int]

    @classmethod
    async def start(cls, command: Sequence[str], options: Sequence[str]) -> Standby:
        """Start a command that reads its standard input. `options` are those that name a JSON file."""
        ends = {option: os.pipe() for option in options}
        named = [part for option, (read, _) in ends.items() for part in (f"--{option}", f"/dev/fd/{read}")]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                *named,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=[read for read, _ in ends.values()],
            )
        finally:
            for read, _ in ends.values():
                os.close(read)
        return cls(process, {option: write for option, (_, write) in ends.items()})

    async def tell(self, files: Mapping[str, Any]) -> None:
        """Give it the content of its options, and let it begin."""
        for option, content in files.items():
            await asyncio.to_thread(_write, self.pipes[option], orjson.dumps(content))

    async def end(self) -> None:
        """Let it go: it is not needed."""
        for pipe in self.pipes.values():
            os.close(pipe)
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        await self.process.wait()


def _write(pipe: int, content: bytes) -> None:
    # One that has ended reads nothing; why it ended is in its messages.
    with contextlib.suppress(BrokenPipeError), os.fdopen(pipe, "wb") as written:
        written.write(content)
