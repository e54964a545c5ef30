"""Airbyte source for Mailchimp: contacts, lists, tags and users in one unified shape.

run -> entrypoint -> source: the commands; source -> sync -> streams: from a catalog to messages.
contacts: contacts, incrementally; snapshots: lists, tags and users; raw: every other collection of Mailchimp as it is.
"""

from __future__ import annotations

import gc

# Importing the CDK makes very many objects and no garbage: looking for some takes an eighth of the start.
_enabled = gc.isenabled()
gc.disable()
from source_mailchimp_unified.source import SourceMailchimpUnified  # noqa: E402

# A program that imports this may have chosen otherwise.
if _enabled:
    gc.enable()

__all__ = ["SourceMailchimpUnified"]
