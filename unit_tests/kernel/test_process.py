"""What a connector's process asks of the C library, and how it ends when it is told to."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from mailchimp_unified import runtime


@pytest.fixture
def _as_before() -> Iterator[None]:
    """Handlers of signals are taken back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGALRM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("library", "arenas"), [("glibc", [(-8, 1)]), ("", []), ("musl", [])])
def test_all_threads_share_one_arena_where_there_are_arenas(
    library: str, arenas: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An arena for each thread would cost a fifth of the memory; other C libraries have no such setting."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, "2.31"))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=lambda *setting: asked.append(setting)))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda _: None)

    runtime.tune()

    assert asked == arenas


def test_the_garbage_collector_looks_after_a_hundred_thousand_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """What start-up made is set aside first: looking at it, and looking more often, costs a tenth of a sync and finds nothing."""
    asked: list[object] = []
    monkeypatch.setattr(gc, "freeze", lambda: asked.append("freeze"))
    monkeypatch.setattr(gc, "set_threshold", asked.append)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))

    runtime.tune()

    assert asked == ["freeze", 100_000]


@pytest.mark.usefixtures("_as_before")
def test_a_process_that_is_told_to_end_has_less_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops and flushes; platforms kill it after some seconds. The code of its exit is that of every shell."""
    timers: list[tuple[int, float]] = []
    monkeypatch.setattr(signal, "setitimer", lambda which, seconds: timers.append((which, seconds)))
    runtime.end_on_signal(signal.SIGUSR1)

    with pytest.raises(SystemExit) as raised:
        os.kill(os.getpid(), signal.SIGUSR1)

    assert raised.value.code == 143
    [(which, seconds)] = timers
    assert which == signal.ITIMER_REAL
    assert 0.5 <= seconds < 1
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN


@pytest.mark.usefixtures("process_as_before", "_as_before")
@pytest.mark.parametrize("ignored", [False, True])
def test_ctrl_c_ends_a_process_as_sigterm_does(monkeypatch: pytest.MonkeyPatch, ignored: bool) -> None:
    """It has its own exit code and the same last seconds; a shell that lets its children ignore it is obeyed."""
    timers: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda _, seconds: timers.append(seconds))
    signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    runtime.end_on_signals()

    if ignored:
        os.kill(os.getpid(), signal.SIGINT)
    else:
        with pytest.raises(SystemExit) as raised:
            os.kill(os.getpid(), signal.SIGINT)
        assert raised.value.code == 130
    assert timers == ([] if ignored else [runtime.LAST_SECONDS])
