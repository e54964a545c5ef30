"""How long the client waits for Mailchimp."""

from __future__ import annotations

from dataclasses import dataclass

SERVER_TIMEOUT_SECONDS = 120
"""After this time Mailchimp gives up a call: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits."""


@dataclass(frozen=True)
class Patience:
    """How long the client waits, in seconds. The defaults suit a sync; `INTERACTIVE` suits a person who waits for an answer."""

    connect: float = 10.0
    # Longer than Mailchimp's own limit: when we give up, the connection is no longer counted there.
    read: float = SERVER_TIMEOUT_SECONDS + 10.0
    rest_after_timeout: float = 10.0
    first_back_off: float = 1.0
    longest_back_off: float = 60.0
    # A request is tried for this long in all.
    total: float = 900.0
    # A host that never answered is tried for this long.
    first_answer: float = 120.0


INTERACTIVE = Patience(
    connect=4.0, read=8.0, rest_after_timeout=0.5, first_back_off=0.5, longest_back_off=4.0, total=12.0, first_answer=8.0
)
"""For `check` and `discover`: somebody waits in front of a form."""
