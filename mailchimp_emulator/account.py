"""The account behind the credentials: who it is, what it may do, and its audiences."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.problems import not_found
from mailchimp_emulator.vendor import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN

CONTACT = {
    "company": "Northwind Outdoor",
    "address1": "12 Harbour Street",
    "address2": "",
    "city": "Portland",
    "state": "OR",
    "zip": "97201",
    "country": "US",
    "phone": "",
}


@dataclass(slots=True)
class Account:
    """Who calls and what belongs to them; see https://mailchimp.com/developer/marketing/api/root/ for each key."""

    account_id: str = "8d3a3db4d97663a9074efcc16"
    login_id: str = "c5f1a0e2b7"
    user_id: int = 131656251
    name: str = "Northwind Outdoor"
    email: str = "owner@northwind.example"
    username: str = "northwind"
    first_name: str = "Dana"
    last_name: str = "Reyes"
    role: str = "owner"
    datacenter: str = "us1"
    member_since: int = 1577880000
    api_keys: set[str] = field(default_factory=lambda: {DEFAULT_API_KEY})
    oauth_tokens: set[str] = field(default_factory=lambda: {DEFAULT_OAUTH_TOKEN})
    # Registered OAuth applications and their secrets; an application that is not registered may have any secret.
    apps: dict[str, str] = field(default_factory=dict)
    forbidden_paths: list[re.Pattern[str]] = field(default_factory=list)
    # How many seconds after its time a change shows in listings.
    visible_after: float = 0
    audiences: dict[str, Audience] = field(default_factory=dict)
    # Ids that are unique in the account, as segment ids are.
    segment_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(4788452, 4))
    serials: itertools.count[int] = field(default_factory=itertools.count)

    def audience(self, list_id: str) -> Audience:
        """The audience of that id, or 404."""
        found = self.audiences.get(list_id)
        if found is None:
            raise not_found()
        return found

    def new_audience(self, name: str, created: int, settings: dict[str, Any] | None = None, list_id: str | None = None) -> Audience:
        """Add an audience, with an id that depends on how many there were before."""
        serial = next(self.serials)
        chosen = list_id or stable_hex(f"list:{serial}", 10)
        made = Audience(chosen, 382062 + serial, name, created, {**default_settings(), **(settings or {})})
        made.show_late(self.visible_after)
        self.audiences[chosen] = made
        return made

    def show_late(self, seconds: float) -> None:
        """Let listings of all audiences, and of those to come, see changes so late."""
        self.visible_after = seconds
        for audience in self.audiences.values():
            audience.show_late(seconds)

    def forbids(self, method: str, path: str) -> bool:
        """Viewers only read; the rest is up to the test's patterns.

        Public source: https://mailchimp.com/help/manage-user-levels-in-your-account/
        """
        if self.role == "viewer" and method != "GET":
            return True
        return any(pattern.search(path) for pattern in self.forbidden_paths)


def default_settings() -> dict[str, Any]:
    """Settings of an audience, in the order and with the empties in which Mailchimp returns them.

    Public source: https://mailchimp.com/developer/marketing/api/lists/get-list-info/
    """
    return {
        "contact": dict(CONTACT),
        "permission_reminder": "You signed up on our website.",
        "use_archive_bar": True,
        "campaign_defaults": {
            "from_name": "Northwind Outdoor",
            "from_email": "news@northwind.example",
            "subject": "",
            "language": "en",
        },
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "email_type_option": False,
        "double_optin": False,
        "marketing_permissions": False,
        "visibility": "prv",
    }
