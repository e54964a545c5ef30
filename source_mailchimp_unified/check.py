"""The check of a connection: does it work, and whose account is it?"""

from __future__ import annotations

from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from source_mailchimp_unified.sync.account import Account

SECONDS = 25.0
"""A check ends within this time, no matter what Mailchimp does: somebody is waiting at a form."""


async def check_account(client: MailchimpClient, account: Account) -> str:
    """Return a sentence about the account. Raises the typed error for everything a sync would fail on."""
    async with client.within(SECONDS):
        root = (await client.call(endpoints.ACCOUNT)).body
        audiences = await account.audiences()
        if error := audiences.error():
            raise error
        for list_id in audiences.chosen_ids[:1]:
            await client.call(endpoints.totals(endpoints.members(list_id, fields="members.id")))
    names = ", ".join(f"{one.get('name')} ({one['id']})" for one in audiences.chosen) or "none"
    return (
        f"Connected to Mailchimp account {root.get('account_name') or root.get('account_id')} (role: {root.get('role') or 'unknown'})."
        f" Reading {len(audiences.chosen)} of {len(audiences.by_id)} audiences: {names}."
    )
