"""GET / and GET /ping.

Public source: https://mailchimp.com/developer/marketing/api/root/
"""

from __future__ import annotations

from mailchimp_emulator.account import CONTACT
from mailchimp_emulator.calls import Call
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.times import format_second


def read_account(call: Call) -> Reply:
    """The account, and the user whose credentials these are."""
    account = call.account
    subscribers = sum(len(audience.ordered["subscribed"]) for audience in account.audiences.values())
    since = format_second(account.member_since)
    contact = {name.replace("address", "addr"): text for name, text in CONTACT.items() if name != "phone"}
    document = {
        "account_id": account.account_id,
        "login_id": account.login_id,
        "account_name": account.name,
        "email": account.email,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "username": account.username,
        "avatar_url": "",
        "role": account.role,
        "member_since": since,
        "pricing_plan_type": "monthly",
        "first_payment": since,
        "account_timezone": "America/New_York",
        "account_industry": "",
        "contact": contact,
        "pro_enabled": False,
        "last_login": format_second(call.now),
        "total_subscribers": subscribers,
        "industry_stats": {"open_rate": 0.2, "bounce_rate": 0.01, "click_rate": 0.02},
        "_links": _links(call.origin),
    }
    return call.show(document)


def _links(origin: str) -> list[dict[str, str]]:
    href, schema = f"{origin}/3.0/", f"{origin}/schema/3.0/Definitions/Root.json"
    lists = {"rel": "lists", "href": f"{origin}/3.0/lists", "method": "GET"}
    return [{"rel": "self", "href": href, "method": "GET", "targetSchema": schema}, lists]


def ping(_: Call) -> Reply:
    """A sign of life."""
    return Reply.of({"health_status": "Everything's Chimpy!"})
