"""What a stream may do: what its sync mode asks for, as far as `write_policy` allows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from destination_mailchimp_unified.intake.arrivals import Operation

MODES: Mapping[str, Operation] = {
    "append": "upsert",
    "append_dedup": "upsert",
    "overwrite": "upsert",
    "overwrite_dedup": "upsert",
    "update": "update",
    "soft_delete": "archive",
}
"""What each destination sync mode asks for."""

ACTIVATION_MODES: Mapping[str, Operation] = {**MODES, "append": "create"}
"""As MODES, for a stream with a destination object: there append inserts, and append_dedup is the upsert."""

OFFERED_MODES = ("append", "append_dedup", "update", "soft_delete")
"""The insertion types of data activation, as its form knows them."""

CREATING: tuple[Operation, ...] = ("upsert", "create")
"""What may create contacts."""

_ALLOWED: Mapping[str, Mapping[Operation, Operation]] = {
    "upsert": {"upsert": "upsert", "update": "update", "create": "create", "archive": "archive"},
    "update_only": {"upsert": "update", "update": "update", "archive": "archive"},
    "create_only": {"upsert": "create", "create": "create"},
}


def operation_of(mode: str, policy: str, *, has_object: bool) -> Operation | None:
    """Return what a stream of this destination sync mode may do under a `write_policy`, None where that is nothing.

    The stricter of both counts: a policy never allows what the mode does not ask for, nor the other way round.
    """
    asked = (ACTIVATION_MODES if has_object else MODES)[mode]
    return _ALLOWED[policy].get(asked)
