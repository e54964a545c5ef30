"""Airbyte destination for Mailchimp: contacts and tags of any stream go into audiences.

run -> destination -> intake: commands, and the messages of a sync.
columns -> changes -> plan: from a record to what is wanted of one contact, to batches; pure.
writer -> bulk, single -> outcomes -> ledger: from batches to requests, to one outcome per record, to acknowledged states.
"""

import gc

# Importing the CDK makes very many objects and no garbage: looking for some takes an eighth of the start.
_enabled = gc.isenabled()
gc.disable()
from destination_mailchimp_unified.destination import DestinationMailchimpUnified  # noqa: E402

# A program that imports this may have chosen otherwise.
if _enabled:
    gc.enable()

__all__ = ["DestinationMailchimpUnified"]
