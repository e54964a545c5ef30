"""A sync of raw streams in this process, over an account in memory, and what came of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils import AirbyteTracedException

from integration_tests.commands import catalog
from integration_tests.raw.account import NOW, Account
from integration_tests.simulation.clock import VirtualClockLoop
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.raw_collections import PREFIX
from unit_tests.account import CONFIG

Json = dict[str, Any]


class Told(logging.Logger):
    """A logger that keeps what it is told: the level, and the message."""

    def __init__(self) -> None:
        super().__init__("told")
        self.lines: list[tuple[int, str]] = []

    def handle(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append((record.levelno, record.getMessage()))

    @property
    def warnings(self) -> list[str]:
        """The warnings."""
        return [line for level, line in self.lines if level == logging.WARNING]


@dataclass
class Synced:
    """What a sync gave, and what it asked for."""

    messages: list[Any] = field(default_factory=list)
    failure: AirbyteTracedException | None = None
    told: Told = field(default_factory=Told)
    asked: list[tuple[str, Json]] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What it warned of."""
        return self.told.warnings

    def records(self, name: str) -> list[Json]:
        """Return the records of a row."""
        return [one.record.data for one in self.messages if one.record and one.record.stream == PREFIX + name]

    def status(self, name: str) -> str:
        """Return the last status of a row."""
        traces = [one.trace.stream_status for one in self.messages if one.trace and one.trace.stream_status]
        return [str(one.status.value) for one in traces if one.stream_descriptor.name == PREFIX + name][-1]

    def errors(self, name: str) -> list[Any]:
        """Return the errors of a row."""
        errors = [one.trace.error for one in self.messages if one.trace and one.trace.error]
        return [one for one in errors if one.stream_descriptor and one.stream_descriptor.name == PREFIX + name]

    @property
    def estimates(self) -> list[int]:
        """The numbers of records that were said to come."""
        return [one.trace.estimate.row_estimate for one in self.messages if one.trace and one.trace.estimate]

    @property
    def states(self) -> list[Any]:
        """The last state of each stream, as the next sync takes it."""
        return list({one.state.stream.stream_descriptor.name: one.state for one in self.messages if one.state}.values())

    def state(self, name: str) -> Json:
        """Return the last state of a row."""
        states = {one.stream.stream_descriptor.name: one.stream.stream_state for one in self.states}
        return dict(vars(states[PREFIX + name]))

    def params(self, ending: str) -> list[Json]:
        """Return the parameters of each request for a path with this end."""
        return [params for path, params in self.asked if path.endswith(ending)]

    def parts(self, ending: str) -> list[str]:
        """Return below which parents was asked for a path with this end."""
        return [path.split("/")[2] for path, _ in self.asked if path.endswith(ending)]


def sync(
    account: Account, *names: str, state: list[Any] | None = None, sync_mode: str = "incremental", now: float = NOW, **config: Any
) -> Synced:
    """Read some rows of an account, by name."""
    account.asked.clear()
    found = Synced()
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog([PREFIX + name for name in names], sync_mode))
    source = SourceMailchimpUnified(transport=lambda: account, new_loop=VirtualClockLoop, now=lambda: now)
    try:
        found.messages.extend(source.read(found.told, {**CONFIG, "raw_streams": [*names], **config}, configured, state or []))
    except AirbyteTracedException as failure:
        found.failure = failure
    found.asked = [*account.asked]
    return found
