"""Who a contact is: the email address and what Mailchimp derives from it. Every rule about identity is defined here once."""

from __future__ import annotations

import hashlib
import re


def subscriber_hash(email: str) -> str:
    """Return the id of a contact within a list: the MD5 (32 hex digits) of the trimmed, lower-cased email address.

    Source: https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters.
    """
    # An identifier that Mailchimp prescribes, not a protection.
    return hashlib.md5(canonical_email(email).encode(), usedforsecurity=False).hexdigest()


def canonical_email(email: str) -> str:
    """Return the form of an email address under which Mailchimp knows a contact: trimmed and lower-cased."""
    return email.strip().lower()


# What stands before an @, and what stands after it up to the first character that no domain has.
_EMAIL = re.compile(r"[^\s@]*(?:@[\w.\-]*)+")


def masked(text: str) -> str:
    """Return `text` with every email address in it masked, fit for a log, with any characters between two of them."""
    return _EMAIL.sub(_mask, text) if "@" in text else text


def _mask(match: re.Match[str]) -> str:
    # A lone @ is a word of ours.
    return match[0] if match[0] == "@" else f"{match[0][:1].strip('@')}***@{match[0].rpartition('@')[2]}"
