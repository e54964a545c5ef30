"""The unified user: the account user behind the credentials, read only.

Mailchimp has no endpoint that lists users; the root names this one: https://mailchimp.com/developer/marketing/api/root/.
"""

from __future__ import annotations

from mailchimp_unified.entities.entity import Entity, nested, or_null, timestamp
from mailchimp_unified.request import Json

ENTITY = Entity("users", ("id",))


def from_mailchimp(account: Json, *, remote: bool = False) -> Json:
    """Return the unified user of the root resource, without `updated_at`: Mailchimp keeps no time of change."""
    names = [str(account[name]) for name in ("first_name", "last_name") if account.get(name)]
    unified = {
        "id": str(account.get("login_id") or account.get("account_id")),
        "account_id": or_null(account.get("account_id")),
        "account_name": or_null(account.get("account_name")),
        "name": " ".join(names) or or_null(account.get("account_name")),
        "first_name": or_null(account.get("first_name")),
        "last_name": or_null(account.get("last_name")),
        "username": or_null(account.get("username")),
        "email": or_null(account.get("email")),
        "role": or_null(account.get("role")),
        "timezone": or_null(account.get("account_timezone")),
        "avatar_url": or_null(account.get("avatar_url")),
        "company": or_null(nested(account, "contact").get("company")),
        "plan": or_null(account.get("pricing_plan_type")),
        "industry": or_null(account.get("account_industry")),
        "total_subscribers": account.get("total_subscribers"),
        "created_at": timestamp(account.get("member_since")),
        "last_login_at": timestamp(account.get("last_login")),
        "is_deleted": False,
    }
    return {**unified, "remote_data": account} if remote else unified
