"""Switches for what Mailchimp does not document, or what a test wants to be worse than it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal


@dataclass(slots=True)
class Behavior:
    """Every flag with its default; the README says where each default comes from."""

    # Reading.
    count_over_max: Literal["clamp", "refuse"] = "clamp"
    transactional_in_bare_list: bool = True
    archived_in_bare_list: bool = False
    unpaged_limit: int = 0
    # What moves last_changed.
    tag_edit_moves_last_changed: bool = True
    tag_readd_moves_last_changed: bool = True
    # Writing single members.
    refuse_fake_domains: bool = False
    compliance_survives_archive: bool = True
    patch_archived_status: Literal[404, 405] = 405
    status_if_new_unarchives: bool = False
    put_tags_on_update: bool = False
    incomplete_address: Literal["field", "schema"] = "field"
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
    # Signing in.
    oauth_consent: Literal["agree", "deny"] = "agree"

    def update(self, flags: dict[str, Any]) -> None:
        """Set flags by name; an unknown name is an error, so that a typing slip can not pass for a test."""
        known = {field.name for field in fields(self)}
        unknown = sorted(set(flags) - known)
        if unknown:
            raise ValueError(f"unknown behavior flags: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        for name, setting in flags.items():
            setattr(self, name, setting)

    def as_dict(self) -> dict[str, Any]:
        """Every flag by name."""
        return asdict(self)
