"""What a test says to a running emulator, over HTTP, whether it runs in a thread, a process or elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import requests

# Seeding a million contacts takes a while.
_TIMEOUT_SECONDS = 120


class ControlError(RuntimeError):
    """The emulator did not understand a command; its own words."""


class ControlClient:
    """Every control command as a method. `url` is the origin, such as http://127.0.0.1:43211."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def command(self, name: str, /, **wanted: Any) -> Any:
        """Send any command by name."""
        # Written by the standard library, so that rules may hold lone surrogates and NaN.
        body = json.dumps(wanted)
        response = self._session.post(f"{self.url}/_control/{name}", data=body, timeout=_TIMEOUT_SECONDS)
        answer = response.json()
        if response.status_code != 200:
            raise ControlError(answer["error"])
        return answer

    def reset(self) -> None:
        """Back to how the emulator started: lists, clock, flags, faults, churn, journal and figures."""
        self.command("reset")

    def seed(self, *descriptions: dict[str, Any], seed: int = 1, **one_list: Any) -> list[str]:
        """Make lists; returns their ids.

        Either one description with a "lists" key, or list descriptions, or the keys of one list:
        `seed(name="A", contacts=1000)`. The keys are listed in the README.
        """
        if len(descriptions) == 1 and "lists" in descriptions[0]:
            wanted = {"seed": seed, **descriptions[0]}
        else:
            wanted = {"seed": seed, "lists": [*descriptions, *([one_list] if one_list else [])]}
        made: list[str] = self.command("seed", **wanted)
        return made

    def seed_demo(self) -> list[str]:
        """Add the three audiences of the demo; returns their ids."""
        made: list[str] = self.command("seed_demo")
        return made

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """Requests seen, oldest first: {n, at, method, path, query, body, status, open, fault, user_agent, headers, answer}."""
        entries: list[dict[str, Any]] = self.command("journal", since=since)
        return entries

    def clear_journal(self) -> None:
        """Forget the requests seen."""
        self.command("clear_journal")

    def stats(self) -> dict[str, int]:
        """{requests, open, peak_open, refused_429, faults, churn_edits, bytes_out} since the last reset."""
        figures: dict[str, int] = self.command("stats")
        return figures

    def reset_stats(self) -> None:
        """Start the figures again at zero."""
        self.command("reset_stats")

    def latency(self, seconds: float, jitter: float = 0) -> None:
        """Let each request take `seconds`, give or take `jitter`."""
        self.command("latency", seconds=seconds, jitter=jitter)

    def faults(self, rules: Iterable[dict[str, Any]], seed: int = 0) -> None:
        """Replace the faults; the keys of a rule are in the README."""
        self.command("faults", rules=list(rules), seed=seed)

    def clear_faults(self) -> None:
        """Let everything work again."""
        self.command("faults", rules=[])

    def fault_counts(self) -> list[dict[str, Any]]:
        """What became of each rule: {kind, path, matched, hits, failure}, in their order; `failure` is of its last command."""
        counts: list[dict[str, Any]] = self.command("fault_counts")
        return counts

    def behavior(self, **flags: Any) -> dict[str, Any]:
        """Set behavior flags; returns all of them."""
        now: dict[str, Any] = self.command("behavior", **flags)
        return now

    def churn(
        self,
        *,
        edits_per_request: int = 0,
        edits_per_second: float = 0,
        mix: dict[str, float] | None = None,
        seed: int = 0,
        list_id: str | None = None,
    ) -> None:
        """Start random edits; `mix` weighs edit, archive, unarchive, add, tag, unsubscribe and forget."""
        self.command(
            "churn",
            edits_per_request=edits_per_request,
            edits_per_second=edits_per_second,
            mix=mix,
            seed=seed,
            list_id=list_id,
        )

    def stop_churn(self) -> None:
        """Stop the edits."""
        self.command("stop_churn")

    def clock(self, **wanted: Any) -> dict[str, Any]:
        """Keys: set, advance, freeze, tick_per_request, tick_per_edit; returns {now, iso, frozen}."""
        now: dict[str, Any] = self.command("clock", **wanted)
        return now

    def lists(self) -> list[dict[str, Any]]:
        """{id, name, contacts} of every list; contacts counts archived ones too."""
        found: list[dict[str, Any]] = self.command("lists")
        return found

    def members(self, list_id: str) -> list[dict[str, Any]]:
        """The truth about every contact of a list, archived ones included; last_changed is in seconds."""
        found: list[dict[str, Any]] = self.command("members", list_id=list_id)
        return found

    def member(self, list_id: str, email: str) -> dict[str, Any] | None:
        """The truth about one contact, by address, hash or contact_id; None when there is none."""
        found: dict[str, Any] | None = self.command("member", list_id=list_id, email=email)
        return found

    def place(self, list_id: str, email: str, status: str = "subscribed", **more: Any) -> dict[str, Any]:
        """Put a contact in a state, made when it is not there; more: merge_fields, tags, last_changed, timestamp_opt."""
        placed: dict[str, Any] = self.command("place", list_id=list_id, email=email, status=status, **more)
        return placed

    def act(self, list_id: str, email: str, action: str, **more: Any) -> dict[str, Any] | None:
        """Let a person or an administrator do something to a contact; the README lists the actions."""
        after: dict[str, Any] | None = self.command("act", list_id=list_id, email=email, action=action, more=more)
        return after

    def rename_list(self, list_id: str, name: str) -> None:
        """Rename a list, as its owner would."""
        self.command("rename_list", list_id=list_id, name=name)

    def delete_list(self, list_id: str) -> None:
        """Delete a list with its contacts."""
        self.command("delete_list", list_id=list_id)

    def rename_tag(self, list_id: str, tag: str, name: str) -> None:
        """Rename a tag, found in any case."""
        self.command("rename_tag", list_id=list_id, tag=tag, name=name)

    def delete_tag(self, list_id: str, tag: str) -> None:
        """Delete a tag, which takes it from its contacts."""
        self.command("delete_tag", list_id=list_id, tag=tag)

    def describe(self, collections: Iterable[dict[str, Any]]) -> int:
        """Serve these collections from made-up items; keys as of `mailchimp_emulator.described.Collection`. Returns how many."""
        number: int = self.command("describe", collections=list(collections))
        return number

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a described collection, such as /campaigns."""
        found: list[dict[str, Any]] = self.command("items", path=path)
        return found

    def add_items(self, path: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
        """Add items to a described collection, made up but for the keys given; returns all."""
        found: list[dict[str, Any]] = self.command("add_items", path=path, items=list(items))
        return found

    def change_items(self, path: str, where: dict[str, Any], **values: Any) -> int:
        """Set values of the items of a described collection that have these values; returns how many there are."""
        changed: int = self.command("change_items", path=path, where=where, values=values)
        return changed

    def remove_items(self, path: str, **where: Any) -> int:
        """Take away the items of a described collection that have these values; returns how many there were."""
        removed: int = self.command("remove_items", path=path, where=where)
        return removed

    def rename_account(self, name: str) -> None:
        """Rename the account."""
        self.command("account", name=name)

    def revoke(self, key: str) -> None:
        """Make an API key or OAuth token invalid."""
        self.command("account", revoke=key)

    def allow(self, key: str) -> None:
        """Make an API key valid."""
        self.command("account", allow=key)

    def register_app(self, client_id: str, client_secret: str) -> None:
        """Register an OAuth application: from now on the token call checks the secrets of registered applications."""
        self.command("account", app={client_id: client_secret})

    def forbid(self, patterns: Iterable[str]) -> None:
        """Answer 403 to paths that match one of these regular expressions; none lifts the ban."""
        self.command("account", forbid=list(patterns))

    def role(self, role: str) -> None:
        """Change the role behind the credentials: owner, admin, manager, author or viewer, who only reads."""
        self.command("account", role=role)
