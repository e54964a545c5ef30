"""Runs a connector's command and notes which files a page or a record passes: `python -m integration_tests.walks.trace OUT WALK ...`."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.entrypoint import launch as launch_destination
from source_mailchimp_unified.entrypoint import launch as launch_source
from source_mailchimp_unified.source import SourceMailchimpUnified

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")
MARK = b"traced@example.com"
"""Email address of the contact that is followed."""

_RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_LOOP = str(Path(asyncio.events.__file__))

When = Callable[[FrameType, Any], bool]
"""Takes a function of ours that is called (then None) or returns something, and tells whether it is the moment."""


class Timeless(asyncio.SelectorEventLoop):
    """An event loop on which no time passes: no timer fires only because this machine is busy."""

    def time(self) -> float:
        """Return always the same time."""
        return 0.0


@dataclass
class Walk:
    """Files in the order in which they were first at work, and of each: how often another file called it, what it calls, if it waits."""

    files: list[str] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


class Tracer:
    """Watches every thread. A file is at work when a function of it is called, calls another, or returns something.

    A coroutine that is only resumed because one that it awaits is resumed is not at work.
    """

    def __init__(self, begins: When, ends: When) -> None:
        self.walk = Walk()
        self._begins, self._ends = begins, ends
        self._recording = self._done = False
        # Kept alive, so that no later frame is taken for one of them.
        self._begun: set[FrameType] = set()
        # A frame that was resumed, by thread: whether it is at work is told by what comes next.
        self._resumed: dict[int, FrameType | None] = {}
        self._at_work: set[tuple[str, str]] = set()
        self._edges: set[tuple[tuple[str, str], tuple[str, str]]] = set()

    def watch(self) -> None:
        """Begin to watch this thread and those that are started from now on."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def finish(self) -> Walk:
        """Stop watching, and return what was seen."""
        sys.setprofile(None)
        for caller, callee in self._edges:
            if caller in self._at_work and callee[0] != caller[0] and callee[0] not in self.walk.calls.setdefault(caller[0], []):
                self.walk.calls[caller[0]].append(callee[0])
        return self.walk

    def _note(self, frame: FrameType, event: str, value: Any) -> None:
        file = _file(frame)
        if self._done or file is None or event not in ("call", "return"):
            return
        code, thread = frame.f_code, threading.get_ident()
        resumed = frame in self._begun
        if code.co_flags & _RESUMABLE and event == "call":
            self._begun.add(frame)
        if not self._recording:
            self._recording = self._begins(frame, value)
        if not self._recording:
            return
        waited_for, self._resumed[thread] = self._resumed.get(thread), None
        if event == "call" and resumed:
            self._resumed[thread] = frame
            if waited_for is not None and not _is_below(frame, waited_for):
                self._work(waited_for)
            return
        if event == "call":
            self._call(frame, file)
        elif value is not None and not isinstance(value, asyncio.Future):
            self._work(frame)
        self._done = event == "return" and self._ends(frame, value)

    def _call(self, frame: FrameType, file: str) -> None:
        caller = _caller(frame)
        if caller is not None:
            self._work(caller)
            if _file(caller) != file:
                self.walk.entries[file] = self.walk.entries.get(file, 0) + 1
            self._edges.add((_function(caller), _function(frame)))
        self._work(frame)

    def _work(self, frame: FrameType) -> None:
        function = _function(frame)
        if function in self._at_work:
            return
        self._at_work.add(function)
        if function[0] not in self.walk.files:
            self.walk.files.append(function[0])
        if frame.f_code.co_flags & _ASYNC and function[0] not in self.walk.waiting:
            self.walk.waiting.append(function[0])


def _file(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    inside = path.is_relative_to(ROOT) and frame.f_code.co_name != "<module>"
    file = path.relative_to(ROOT).as_posix() if inside else ""
    return file if file.split("/")[0] in PACKAGES else None


def _function(frame: FrameType) -> tuple[str, str]:
    return _file(frame) or "", frame.f_code.co_qualname


def _caller(frame: FrameType) -> FrameType | None:
    """Return the function of ours that called this one, None where the event loop did."""
    above = frame.f_back
    while above is not None and _file(above) is None:
        if above.f_code.co_filename == _LOOP:
            return None
        above = above.f_back
    return above


def _is_below(frame: FrameType, above: FrameType) -> bool:
    """Return whether `frame` is awaited by `above`, with none of ours between them."""
    return _caller(frame) is above


def _line_comes(frame: FrameType, _: Any) -> bool:
    return frame.f_code.co_name == "_whole_lines" and MARK in frame.f_locals["chunk"]


def _state_is_printed(frame: FrameType, _: Any) -> bool:
    return _function(frame) == ("destination_mailchimp_unified/output.py", "write")


def _page_comes(frame: FrameType, value: Any) -> bool:
    return frame.f_code.co_name == "_read" and isinstance(value, bytes) and MARK in value


def _page_is_printed(frame: FrameType, value: Any) -> bool:
    return frame.f_code.co_name == "_read_lines" and MARK in (value if isinstance(value, bytes) else str(value).encode())


def main(out: str, walk: str, arguments: Sequence[str]) -> int:
    """Run the command of the connector that `walk` needs, and write what was seen to the file `out`."""
    tracer = Tracer(_page_comes, _page_is_printed) if walk == "page" else Tracer(_line_comes, _state_is_printed)
    tracer.watch()
    if walk == "page":
        code = launch_source(SourceMailchimpUnified(new_loop=Timeless), arguments)
    else:
        code = launch_destination(DestinationMailchimpUnified(new_loop=Timeless), arguments)
    Path(out).write_text(json.dumps(asdict(tracer.finish())))
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
