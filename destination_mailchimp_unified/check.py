"""The check of a connection: does it work, may it write, and does the mapping fit the audience?"""

from __future__ import annotations

import logging

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.lookups import load_audience, load_groups
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.described import described_rules, shown
from destination_mailchimp_unified.intake.mapping import check_audience, check_fields, missing_tags, names_groups, unmapped_required
from destination_mailchimp_unified.intake.planned import planned_by_rules
from destination_mailchimp_unified.settling.rejected_records import store_of
from mailchimp_unified import endpoints
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import ConfigError, NotFoundError, PermissionDeniedError
from mailchimp_unified.paging import Pager

READING_ROLES = ("viewer", "author")
"""Roles that may not edit contacts: https://mailchimp.com/help/manage-user-levels-in-your-account/."""


async def check_account(client: MailchimpClient, config: DestinationConfig, logger: logging.Logger) -> str:
    """Return a sentence about the account. Raises the typed error for anything that would fail a sync."""
    check_fields(config)
    if (rejects := store_of(config)) is not None:
        await rejects.check()
    pager = Pager(client, logger)
    account = (await client.call(endpoints.ACCOUNT)).body
    role = str(account.get("role") or "unknown")
    if role.lower() in READING_ROLES:
        raise PermissionDeniedError(
            f"This Mailchimp user has the role {role}, which cannot edit contacts. Use a user with the Manager role or higher."
        )
    mapping = f" By field_mapping: {described_rules(config)}." if config.field_mapping else ""
    connected = f"Connected to Mailchimp account {account.get('account_name') or account.get('account_id')} (role: {role})"
    if not config.list_id:
        audiences = await pager.all(endpoints.AUDIENCES)
        return f"{connected}. Each record's list_id selects one of {len(audiences)} audiences.{mapping}"
    return f"{connected}. {await _check_default_list(pager, config, config.list_id)}{mapping}"


async def _check_default_list(pager: Pager, config: DestinationConfig, list_id: str) -> str:
    audience = Audience(list_id)
    try:
        await load_audience(audience, pager)
        if names_groups(config):
            await load_groups(audience, pager)
    except NotFoundError as error:
        known = ", ".join(f"{one['id']} ({one.get('name')})" for one in await pager.all(endpoints.AUDIENCES))
        raise ConfigError(
            f"list_id is {list_id}, which this account does not have. Choose from: {known or 'none, it has no audiences'}.",
            detail=error.detail,
        ) from error
    check_audience(config, audience)
    required = unmapped_required(config, audience) if config.required_fields == "enforce" else []
    demand = f" It requires {', '.join(required)}: contacts missing one are not created." if required else ""
    planned, missing = planned_by_rules(config), missing_tags(config, audience)
    creation = f" A sync would create the merge fields {shown(str(planned[tag]) for tag in missing)}." if missing else ""
    return f"Records go to the audience {audience.name}.{demand}{creation}"
