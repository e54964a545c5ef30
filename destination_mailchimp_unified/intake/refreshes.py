"""Whether every record of a stream comes in this sync, as far as the catalog can tell. Pure.

Airbyte gives a stream a new generation, and forgets its state, when a refresh begins: that is the first attempt of a job. A later
attempt reads a stream that can be resumed from its last state on, under the same generation and the same sync_id; one that cannot
be resumed gets another generation and is read from its beginning again. Only the environment names the attempt.

Read in Airbyte's platform: `AttemptHandler`, `CatalogGenerationSetter`, `RuntimeEnvVarFactory`
(https://github.com/airbytehq/airbyte-platform), and described in
https://docs.airbyte.com/platform/operator-guides/refreshes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ATTEMPT_VARIABLE = "WORKER_JOB_ATTEMPT"
"""Where Airbyte's platform names the attempt, from 0 (`WorkerEnvConstants`)."""

FIRST_ATTEMPT = "0"

FULL_REFRESH = "full_refresh"

_PYAIRBYTE = (1, 1, 1)
"""Generation, oldest generation and sync_id that PyAirbyte gives to every stream in every sync (`shared/catalog_providers.py`)."""

INCREMENTAL = "it is read incrementally"
NOT_SAID = (
    "Airbyte does not say that this is a full refresh (a custom image may need supports_refreshes; for other runners see"
    " every_sync_is_complete)"
)
UNKNOWN_ATTEMPT = f"it can be resumed, and {ATTEMPT_VARIABLE} does not say whether this attempt is the first"
RESUMED = "this is not the first attempt, and earlier attempts may have sent records"


@dataclass(frozen=True)
class Refresh:
    """How a stream is read in this sync, by the catalog. `resumable` tells that its source can continue from a state."""

    sync_mode: str = ""
    generation: int | None = None
    oldest_generation: int | None = None
    sync_id: int | None = None
    resumable: bool = False

    def doubt(self, *, every_sync_is_complete: bool, attempt: str | None) -> str:
        """Return why it is not sure that every record comes in this sync; "" when it is sure."""
        by_airbyte = bool(self.generation) and (self.generation, self.oldest_generation, self.sync_id) != _PYAIRBYTE
        is_full = self.sync_mode == FULL_REFRESH
        if not is_full and not (by_airbyte and self.generation == self.oldest_generation):
            return INCREMENTAL
        if not by_airbyte and not every_sync_is_complete:
            return NOT_SAID
        if is_full and not self.resumable:
            return ""
        if attempt is None:
            return "" if every_sync_is_complete else UNKNOWN_ATTEMPT
        return "" if attempt == FIRST_ATTEMPT else RESUMED


def refresh_of(configured: Mapping[str, Any]) -> Refresh:
    """Return what a configured stream says about its reading."""
    return Refresh(
        str(configured.get("sync_mode")),
        _number(configured.get("generation_id")),
        _number(configured.get("minimum_generation_id")),
        _number(configured.get("sync_id")),
        configured["stream"].get("is_resumable") is True,
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
