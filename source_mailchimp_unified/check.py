"""The check of a connection: does it work, and whose account is it?"""

from __future__ import annotations

from mailchimp_unified.client import MailchimpClient, Request
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.snapshots import ROOT
from source_mailchimp_unified.sync.reader import follow
from source_mailchimp_unified.sync.streams import read_account


def check_account(client: MailchimpClient, config: SourceConfig) -> str:
    """Return a sentence about the account. Raises the typed error for whatever a sync would fail on."""
    root = client.call(ROOT).body
    account = follow(client, config.num_workers, read_account(config))
    for list_id in account.chosen_ids[:1]:
        client.call(_one_contact(list_id))
    return (
        f"Connected to the Mailchimp account {root.get('account_name') or root.get('account_id')}"
        f" with the role {root.get('role') or 'unknown'}: {len(account.chosen)} of {len(account.audiences)} audiences are read."
    )


def _one_contact(list_id: str) -> Request:
    return Request(
        path=f"/lists/{list_id}/members",
        what=f"the contacts of the audience {list_id}",
        params={"count": 1, "fields": "members.id,total_items"},
    )
