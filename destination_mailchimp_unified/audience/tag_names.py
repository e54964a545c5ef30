"""How names of tags are compared."""

from __future__ import annotations


def fold(name: str) -> str:
    """Return the form in which tag names are compared: Mailchimp may give another case back than it was sent."""
    return name.strip().casefold()
