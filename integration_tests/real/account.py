"""A Mailchimp account to test with: the local one, or a real one with a list that nobody misses."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from mailchimp_emulator import DEFAULT_API_KEY, Emulator

KEY_VARIABLE, LIST_VARIABLE = "MAILCHIMP_API_KEY", "MAILCHIMP_LIST_ID"
ADDRESS_VARIABLE = "MAILCHIMP_ADDRESS"
"""Your email address, whose plus-addresses become contacts; that of the account if it is not set."""

Json = dict[str, Any]


@dataclass
class Account:
    """Calls one list. Every contact that it makes carries the tag of this run and is archived at the end."""

    key: str = field(repr=False)
    list_id: str
    # The local Mailchimp, None when it is the real one.
    emulator: Emulator | None = None
    run: str = field(default_factory=lambda: f"mailchimp-unified-{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The root of the API."""
        return f"{self.emulator.url}/3.0" if self.emulator else f"https://{self.key.rpartition('-')[2]}.api.mailchimp.com/3.0"

    @property
    def config(self) -> Json:
        """What both connectors need to know of it."""
        place = {"api_url": self.emulator.url} if self.emulator else {}
        return {"credentials": {"auth_type": "apikey", "apikey": self.key}, **place}

    def send(self, method: str, path: str = "", body: Any = None, **query: Any) -> requests.Response:
        """Call a path below the list, or below /3.0 when it begins with a slash."""
        whole = path if path.startswith("/") else f"/lists/{self.list_id}/{path}".rstrip("/")
        return requests.request(method, self.root + whole, params=query, json=body, auth=("anystring", self.key), timeout=130)

    def get(self, path: str = "", **query: Any) -> Any:
        """Return the body of a read that must succeed."""
        answer = self.send("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def address(self, name: str) -> str:
        """Return an email address for a contact of this run; the contact is archived at the end, no matter what created it."""
        local, _, domain = (os.environ.get(ADDRESS_VARIABLE) or self.get("/")["email"]).rpartition("@")
        made = f"{local}+{self.run}-{name}@{domain}".lower()
        self.made.append(made)
        return made

    def add(self, name: str, status: str = "subscribed", **more: Any) -> Json:
        """Make a contact."""
        answer = self.send("POST", "members", {"email_address": self.address(name), "status": status, "tags": [self.run], **more})
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def bulk(self, *rows: Json, **flags: Any) -> Json:
        """Write several contacts at once."""
        answer = self.send("POST", "", {"members": list(rows), "update_existing": True, **flags})
        assert answer.status_code == 200, answer.text
        written: Json = answer.json()
        return written

    def member(self, email: str) -> Json:
        """Return a contact."""
        found: Json = self.get(f"members/{email}")
        return found

    def later(self) -> None:
        """Let two seconds pass by Mailchimp's clock: it keeps no finer time."""
        if self.emulator:
            self.emulator.clock(advance=2)
            return
        began = now = parsedate_to_datetime(self.send("GET", "/ping").headers["Date"])
        while (now - began).total_seconds() < 2:
            now = parsedate_to_datetime(self.send("GET", "/ping").headers["Date"])

    def archive_all(self) -> None:
        """Archive every contact of this run and take its tag away."""
        for email in self.made:
            if self.send("GET", f"members/{email}", fields="status").json().get("status") not in (404, "archived"):
                self.send("DELETE", f"members/{email}")
        for tag in self.get("tag-search", name=self.run)["tags"]:
            self.send("DELETE", f"segments/{tag['id']}")


def local_account(emulator: Emulator) -> Account:
    """Return the local account with a list that has contacts already."""
    [list_id] = emulator.seed(name="Disposable", contacts=1001, date_created="2026-01-02T03:04:05+00:00")
    return Account(DEFAULT_API_KEY, list_id, emulator)


def live_account() -> Account | None:
    """Return the real account that the environment names, None when it names none."""
    key, list_id = os.environ.get(KEY_VARIABLE), os.environ.get(LIST_VARIABLE)
    return Account(key, list_id) if key and list_id else None
