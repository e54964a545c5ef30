"""Switches for what Mailchimp does not document, or what a test wants to be worse than it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass(slots=True)
class Behavior:
    """Every flag with its default; the README says where each default comes from."""

    # Reading.
    count_over_max: Literal["clamp", "refuse"] = "clamp"
    transactional_in_bare_list: bool = True
    archived_in_bare_list: bool = False
    tie_order: Literal["insertion", "id", "shuffled"] = "insertion"
    visible_after: float = 0
    segment_order: Literal["insertion", "name"] = "insertion"
    # What moves last_changed.
    tag_edit_moves_last_changed: bool = True
    tag_readd_moves_last_changed: bool = True
    # Writing single members.
    refuse_fake_domains: bool = False
    compliance_survives_archive: bool = True
    patch_archived_status: Literal[404, 405] = 405
    status_if_new_unarchives: bool = False
    subscribe_pending: Literal["taken", "kept", "error"] = "taken"
    subscribe_held_pending: Literal["taken", "kept", "error"] = "error"
    email_case_changes: bool = True
    incomplete_address: Literal["field", "schema"] = "field"
    stored_address_checked: bool = True
    throttled_signups: dict[str, int] = field(default_factory=dict)
    # Bulk writing.
    bulk_without_status: Literal["keep", "subscribed"] = "keep"
    bulk_new_without_status: Literal["error", "subscribed"] = "error"
    bulk_refused_compliance: Literal["error", "ignore"] = "error"
    bulk_drop_rows: int = 0
    bulk_dropped_rows_take_effect: bool = False
    # Serving.
    connection_limit: int = 10
    latency_share_after: float = 0.0
    list_limit: int = 100
    merge_field_limit: int = 0
    # Signing in.
    oauth_consent: Literal["agree", "deny"] = "agree"
    oauth_metadata: Literal["whole", "no_dc", "bare", "gone"] = "whole"

    def update(self, flags: dict[str, Any]) -> None:
        """Set flags by name; an unknown name or value is an error, so that a typo fails the test."""
        known = _kinds()
        unknown = sorted(set(flags) - set(known))
        if unknown:
            raise ValueError(f"unknown behavior flags: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        for name, setting in flags.items():
            choices = get_args(known[name])
            if get_origin(known[name]) is Literal and setting not in choices:
                raise ValueError(f"the flag {name} is one of {', '.join(map(str, choices))}, not {setting!r}")
            setattr(self, name, setting)

    def as_dict(self) -> dict[str, Any]:
        """Every flag by name."""
        return asdict(self)


@cache
def _kinds() -> dict[str, Any]:
    """The type of each flag by its name."""
    hints = get_type_hints(Behavior)
    return {flag.name: hints[flag.name] for flag in fields(Behavior)}
