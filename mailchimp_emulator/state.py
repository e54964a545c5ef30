"""Everything the emulator knows, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mailchimp_emulator.account import Account
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.clock import Clock
from mailchimp_emulator.described import Described
from mailchimp_emulator.faults import Faults
from mailchimp_emulator.journal import Journal, Stats


@dataclass(slots=True)
class Latency:
    """How long a request takes, give or take the jitter."""

    seconds: float = 0.0
    jitter: float = 0.0


@dataclass(slots=True)
class Options:
    """How the emulator starts, and to what `reset` returns it."""

    latency: float = 0.0
    journal: bool = True
    capture_answers: bool = False
    behavior: dict[str, Any] = field(default_factory=dict)
    seed: dict[str, Any] | None = None
    demo: bool = False


@dataclass(slots=True)
class Code:
    """An OAuth code waiting to be exchanged."""

    client_id: str
    redirect_uri: str
    issued_at: float


class State:
    """The account, the clock and the switches. One event loop owns it, so nothing is locked."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.origin = "http://127.0.0.1"
        self.stats = Stats()
        self.journal = Journal(options.capture_answers, options.journal)
        self.clock = Clock()
        self.start_over()

    def start_over(self) -> None:
        """Back to how it started: no lists, no faults, no churn, real time."""
        options = self.options
        self.clock = Clock()
        self.account = Account()
        self.behavior = Behavior()
        self.behave(options.behavior)
        self.described = Described()
        self.faults = Faults()
        self.latency = Latency(options.latency)
        self.codes: dict[str, Code] = {}
        self.journal.clear()
        self.stats.reset()

    def behave(self, flags: dict[str, Any]) -> None:
        """Set flags by name."""
        self.behavior.update(flags)
        self.account.show_late(self.behavior.visible_after)
