"""What the command was given: the configurations, from which credentials never leave this process but to a connector."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.problems import WorkbenchError

SHARED = ("credentials", "api_url", "num_workers")
"""Keys that mean the same to both connectors: one configuration is enough for both."""

PRIVATE = "credentials"


@dataclass(frozen=True)
class Settings:
    """Configurations of both connectors, None for what was not given."""

    source: Json | None = field(default=None, repr=False)
    destination: Json | None = field(default=None, repr=False)

    @classmethod
    def read(cls, source: Path | None, destination: Path | None) -> Settings:
        """Read the files. Raises WorkbenchError naming one that cannot be used."""
        return cls(read_config(source) if source else None, read_config(destination) if destination else None)

    @property
    def connected(self) -> bool:
        """Whether there are credentials at all."""
        return bool(self.source or self.destination)

    def for_source(self) -> Json:
        """Return the source's configuration; the destination's account serves as well."""
        return self._either(self.source, self.destination)

    def for_destination(self) -> Json:
        """Return the destination's configuration; the source's account serves as well."""
        return self._either(self.destination, self.source)

    @staticmethod
    def _either(own: Json | None, other: Json | None) -> Json:
        if own is not None:
            return dict(own)
        if other is None:
            raise WorkbenchError("No Mailchimp account is configured.", "Start the workbench with --source or --destination.")
        return {name: other[name] for name in SHARED if name in other}


def read_config(path: Path) -> Json:
    """Return a configuration. Raises WorkbenchError naming the file."""
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise WorkbenchError(f"The configuration {path} cannot be read: {reason}.") from None
    if not isinstance(config, dict) or not config.get(PRIVATE):
        raise WorkbenchError(f"The configuration {path} has no {PRIVATE}.")
    return config
