"""What a connector finds around it: the files it is given, and a log that somebody keeps."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from integration_tests.simulation.world import World


@dataclass(frozen=True)
class Files:
    """A folder for the files that a command is given."""

    folder: tempfile.TemporaryDirectory[str]

    @staticmethod
    @cache
    def here() -> Files:
        """Return the one folder of this process."""
        return Files(tempfile.TemporaryDirectory(prefix="simulation-"))

    def write(self, name: str, content: Any) -> str:
        """Write a JSON file and return its path."""
        path = Path(self.folder.name) / f"{name}.json"
        path.write_bytes(orjson.dumps(content))
        return str(path)


class _Kept(logging.Handler):
    """Writes log lines into the story of a world."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._world.log.append(f"{self._world.now:.3f} LOG {record.levelname} {record.getMessage()}")


@contextlib.contextmanager
def logged(world: World) -> Iterator[None]:
    """Keep what is logged meanwhile, and print nothing."""
    root, kept = logging.getLogger(), _Kept(world)
    before = root.handlers[:]
    root.handlers[:] = [kept]
    try:
        yield
    finally:
        root.handlers[:] = before
