"""Airbyte source for Mailchimp: contacts, lists, tags and users in one unified shape.

run -> source: the commands; source -> reader -> streams: from a catalog to messages.
windows: which part of a list is read when; state: how far a sync got.
raw: every other collection of Mailchimp as it is.
"""

from __future__ import annotations

from source_mailchimp_unified.source import SourceMailchimpUnified

__all__ = ["SourceMailchimpUnified"]
