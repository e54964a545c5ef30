"""Airbyte destination for Mailchimp: contacts and tags of any stream go into audiences.

run -> destination -> intake: commands, and the messages of a sync.
columns -> changes -> plan: from a record to what is wanted of one contact, to batches; pure.
writer -> bulk, single -> outcomes -> ledger: from batches to requests, to one outcome per record, to acknowledged states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from destination_mailchimp_unified.destination import DestinationMailchimpUnified

__all__ = ["DestinationMailchimpUnified"]


def __getattr__(name: str) -> Any:
    """Return the connector's class, imported when it is asked for: a stream of events does without Airbyte's CDK, and starts at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from destination_mailchimp_unified import destination

    return getattr(destination, name)
