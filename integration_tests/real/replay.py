"""Recorded calls, sent again in their order to an emulator in the state that the recording implies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import requests

from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator

Call = dict[str, Any]

PAUSE_BETWEEN_SITTINGS = timedelta(seconds=30)
STANDARD_FIELDS = {"FNAME", "LNAME", "ADDRESS", "PHONE", "BIRTHDAY"}


@dataclass(frozen=True)
class Played:
    """A recorded call and what the emulator answers to it."""

    recorded: Call
    status: int
    body: Any
    content_type: str

    @property
    def name(self) -> str:
        """The call in a line."""
        return f"#{self.recorded['i']} {self.recorded['method']} {self.recorded['path']}"


def sittings(path: Path) -> list[list[Call]]:
    """Return the recorded calls, cut where the clock or the audience was another one."""
    found: list[list[Call]] = []
    last: datetime | None = None
    for call in json.loads(path.read_text())["recordings"]:
        now = parsedate_to_datetime(call["headers"]["Date"])
        if last is None or not -timedelta(seconds=2) <= now - last <= PAUSE_BETWEEN_SITTINGS:
            found.append([])
        found[-1].append(call)
        last = now
    return found


def play(mailchimp: Emulator, calls: list[Call]) -> list[Played]:
    """Bring the emulator to the state before the first call, then send every call at the moment of its recording."""
    arrange(mailchimp, calls)
    return [send(mailchimp, call) for call in calls]


def arrange(mailchimp: Emulator, calls: list[Call]) -> None:
    """Make the audiences, merge fields and contacts that were there before the first call."""
    mailchimp.reset()
    mailchimp.behavior(refuse_fake_domains=True, list_limit=5)
    mailchimp.clock(freeze=True, set=moment(calls[0]))
    list_id = next((call["path"].split("/")[3] for call in calls if call["path"].count("/") > 2 and "lists/" in call["path"]), "")
    permissions = any("marketing_permissions" in member for call in calls for member in members(call))
    mailchimp.seed({"id": list_id or "0" * 10, "merge_fields": fields(calls), "marketing_permissions": permissions})
    mailchimp.seed(*({"id": str(number) * 10} for number in range(1, 5)))
    birthday = next(f for f in _session(mailchimp, "merge-fields", list_id or "0" * 10)["merge_fields"] if f["tag"] == "BIRTHDAY")
    requests.delete(birthday["_links"][0]["href"], auth=("any", DEFAULT_API_KEY), timeout=10)
    for member in implied(calls):
        mailchimp.place(
            list_id,
            member["email_address"],
            member["status"],
            merge_fields={tag: value for tag, value in member["merge_fields"].items() if value != ""},
            tags=[tag["name"] for tag in member["tags"]],
            last_changed=member["last_changed"],
            timestamp_opt=member["timestamp_opt"],
        )


def _session(mailchimp: Emulator, path: str, list_id: str) -> Any:
    url = f"{mailchimp.url}/3.0/lists/{list_id}/{path}"
    return requests.get(url, params={"count": 100}, auth=("any", DEFAULT_API_KEY), timeout=10).json()


def fields(calls: list[Call]) -> list[dict[str, Any]]:
    """Return the merge fields that the audience had in addition to the standard ones, in their order."""
    for call in calls:
        if isinstance(call["response"], dict) and "merge_fields" in call["response"] and "merge_fields" in call["path"].replace("-", "_"):
            found = sorted(call["response"]["merge_fields"], key=lambda field: field["display_order"])
            return [field for field in found if field["tag"] not in STANDARD_FIELDS]
    tags = next((member["merge_fields"] for call in calls for member in members(call)), {})
    types = {"JOINED_AT": "date"}
    return [{"tag": tag, "type": types.get(tag, "number")} for tag in tags if tag not in STANDARD_FIELDS]


def members(call: Call) -> Iterator[dict[str, Any]]:
    """Yield the members in an answer."""
    body = call["response"]
    if isinstance(body, dict):
        yield from body.get("members", [body] if "email_address" in body else [])


def implied(calls: list[Call]) -> list[dict[str, Any]]:
    """Return the contacts that were there before: those that a read shows before any write gives them back."""
    first: dict[str, tuple[str, dict[str, Any]]] = {}
    for call in calls:
        for member in members(call):
            first.setdefault(member["id"], (call["method"], member))
    # Ties are read back in the order in which contacts joined; the first listing is in the reverse of that order.
    return [member for method, member in reversed(first.values()) if method == "GET"]


def moment(call: Call) -> str:
    """Return when Mailchimp answered a call."""
    return parsedate_to_datetime(call["headers"]["Date"]).isoformat()


def send(mailchimp: Emulator, call: Call) -> Played:
    """Send one recorded call at the moment of its recording."""
    mailchimp.clock(set=moment(call))
    oauth = call["path"].startswith("/oauth2/")
    response = requests.request(
        call["method"],
        mailchimp.url + call["path"],
        params={name: unquote(value) for name, value in (call["query"] or {}).items()},
        json=call["request"],
        headers={"Authorization": f"OAuth {DEFAULT_OAUTH_TOKEN}" if oauth else f"Bearer {DEFAULT_API_KEY}"},
        timeout=10,
    )
    body = response.json() if response.content else ""
    return Played(call, response.status_code, body, response.headers.get("Content-Type", ""))
