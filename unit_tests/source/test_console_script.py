"""How the console script begins and ends."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

import pytest

from mailchimp_unified import runtime
from source_mailchimp_unified import entrypoint, run


class EndedError(Exception):
    """The process has ended with a code."""


@pytest.mark.parametrize("arguments", [[], ["spec"], ["read", "--debug"]])
def test_the_console_script_ends_with_the_code_of_its_command(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, without waiting for requests under way; the command gets all arguments, and what it printed is out."""
    done: list[Any] = []

    def launched(source: Any, given: list[str]) -> int:
        done.append((source.name, given))
        return 7

    def ended(code: int) -> None:
        done.append(code)
        raise EndedError

    class Output:
        """A standard output of which nobody is there to read any more."""

        def flush(self) -> None:
            done.append("flushed")
            raise BrokenPipeError

    before = sys.getswitchinterval()
    monkeypatch.setattr(entrypoint, "launch", launched)
    monkeypatch.setattr(runtime, "tune", lambda: done.append("tuned"))
    monkeypatch.setattr(os, "_exit", ended)
    monkeypatch.setattr(sys, "argv", ["source-mailchimp-unified", *arguments])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", Output())
            with pytest.raises(EndedError):
                runpy.run_path(run.__file__, run_name="__main__")
    finally:
        sys.setswitchinterval(before)

    assert done == ["tuned", ("source-mailchimp-unified", arguments), "flushed", 7]


def test_the_package_can_be_run_like_the_console_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """With python -m; importing the module runs nothing."""
    runs: list[None] = []
    monkeypatch.setattr(run, "main", lambda: runs.append(None))

    runpy.run_module("source_mailchimp_unified.__main__", run_name="imported")
    assert runs == []
    runpy.run_module("source_mailchimp_unified.__main__", run_name="__main__")
    assert len(runs) == 1


def test_importing_the_console_script_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It only makes `main` known."""
    runs: list[None] = []
    monkeypatch.setattr(entrypoint, "launch", lambda *_: runs.append(None))

    assert callable(runpy.run_path(run.__file__, run_name="imported")["main"])
    assert runs == []
