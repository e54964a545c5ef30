"""The control plane, /_control/...: what a test tells the emulator, and asks it. Neither gated nor in the journal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from mailchimp_emulator.acts import act, place, snapshot
from mailchimp_emulator.churn import Churn
from mailchimp_emulator.demo import seed_demo
from mailchimp_emulator.problems import Problem
from mailchimp_emulator.seed import seed
from mailchimp_emulator.state import State
from mailchimp_emulator.times import format_second, parse_instant

Wanted = dict[str, Any]


class Control:
    """One method for each name below /_control/; every one takes and returns JSON."""

    def __init__(self, state: State, churn: Churn) -> None:
        self.state, self.churn = state, churn
        self._commands: dict[str, Callable[[Wanted], Any]] = {
            "reset": self._reset,
            "seed": self._seed,
            "seed_demo": self._seed_demo,
            "journal": self._journal,
            "clear_journal": self._clear_journal,
            "stats": lambda _: self.state.stats.as_dict(),
            "reset_stats": self._reset_stats,
            "latency": self._latency,
            "faults": self._faults,
            "fault_counts": lambda _: self.state.faults.counts(),
            "behavior": self._behavior,
            "churn": self._churn,
            "stop_churn": lambda _: self.churn.stop(),
            "clock": self._clock,
            "lists": self._lists,
            "members": self._members,
            "member": self._member,
            "act": self._act,
            "place": self._place,
            "rename_list": self._rename_list,
            "delete_list": self._delete_list,
            "rename_tag": self._rename_tag,
            "delete_tag": self._delete_tag,
            "account": self._account,
            "describe": lambda wanted: self.state.described.replace(wanted["collections"]),
            "items": lambda wanted: self.state.described.items(wanted["path"]),
            "add_items": lambda wanted: self.state.described.add(wanted["path"], wanted["items"]),
            "change_items": lambda wanted: self.state.described.change(wanted["path"], wanted["where"], wanted["values"]),
            "remove_items": lambda wanted: self.state.described.remove(wanted["path"], wanted["where"]),
        }

    async def answer(self, request: web.Request) -> web.Response:
        """Run the command of the path; what it does not understand is a 400 with a sentence."""
        command = self._commands.get(request.match_info["name"])
        if command is None:
            return _json({"error": f"unknown command; known: {', '.join(self._commands)}"}, 404)
        raw = await request.read()
        try:
            # The standard library reads lone surrogates and NaN, which rules put into answers.
            return _json(command({**request.query, **(json.loads(raw) if raw else {})}))
        except Problem as problem:
            return _json({"error": problem.detail}, 400)
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    def run(self, wanted: Wanted) -> Any:
        """Run a command given as its keys and its name: {"command": "act", "list_id": ...}."""
        name = wanted.pop("command", None)
        if name not in self._commands:
            raise ValueError(f"unknown command {name!r}; known: {', '.join(self._commands)}")
        return self._commands[name](wanted)

    def start(self) -> None:
        """What the options ask for, after start and after every reset."""
        if self.state.options.demo:
            self._seed_demo({})
        if self.state.options.seed:
            self._seed(self.state.options.seed)

    def _reset(self, _: Wanted) -> None:
        self.churn.stop()
        self.state.start_over()
        self.start()

    def _seed(self, wanted: Wanted) -> list[str]:
        return seed(self.state.account, wanted, self.state.clock.second())

    def _seed_demo(self, _: Wanted) -> list[str]:
        return seed_demo(self.state)

    def _journal(self, wanted: Wanted) -> list[dict[str, Any]]:
        return self.state.journal.since(int(wanted.get("since", 0)))

    def _clear_journal(self, _: Wanted) -> None:
        self.state.journal.clear()

    def _reset_stats(self, _: Wanted) -> None:
        self.state.stats.reset()

    def _latency(self, wanted: Wanted) -> None:
        self.state.latency.seconds = float(wanted["seconds"])
        self.state.latency.jitter = float(wanted.get("jitter", 0))

    def _faults(self, wanted: Wanted) -> None:
        rules = wanted.get("rules", [])
        for name in (command.get("command") for rule in rules for command in rule.get("commands", [])):
            if name not in self._commands:
                raise ValueError(f"unknown command {name!r}; known: {', '.join(self._commands)}")
        self.state.faults.set(rules, int(wanted.get("seed", 0)))

    def _behavior(self, wanted: Wanted) -> Any:
        self.state.behave(wanted)
        return self.state.behavior.as_dict()

    def _churn(self, wanted: Wanted) -> None:
        self.churn.start(wanted)

    def _clock(self, wanted: Wanted) -> dict[str, Any]:
        """Keys, all optional: set (timestamp or seconds), advance, freeze, tick_per_request, tick_per_edit."""
        clock = self.state.clock
        if "freeze" in wanted:
            clock.freeze() if wanted["freeze"] else clock.run()
        if "set" in wanted:
            clock.set(_moment(wanted["set"]))
        if "advance" in wanted:
            clock.advance(float(wanted["advance"]))
        for name in ("tick_per_request", "tick_per_edit"):
            setattr(clock, name, float(wanted.get(name, getattr(clock, name))))
        return {"now": clock.now(), "iso": format_second(clock.second()), "frozen": clock.frozen_at is not None}

    def _lists(self, _: Wanted) -> list[dict[str, Any]]:
        audiences = self.state.account.audiences.values()
        return [{"id": audience.id, "name": audience.name, "contacts": len(audience.members)} for audience in audiences]

    def _members(self, wanted: Wanted) -> list[dict[str, Any]]:
        audience = self.state.account.audiences[wanted["list_id"]]
        return [snapshot(audience, member) for member in audience.members.values()]

    def _member(self, wanted: Wanted) -> dict[str, Any] | None:
        audience = self.state.account.audiences[wanted["list_id"]]
        found = audience.find(wanted["email"])
        return None if found is None else snapshot(audience, found)

    def _act(self, wanted: Wanted) -> dict[str, Any] | None:
        return act(self.state, wanted["list_id"], wanted["email"], wanted["action"], wanted.get("more", {}))

    def _place(self, wanted: Wanted) -> dict[str, Any]:
        """Keys other than list_id, email and status, all optional: merge_fields, tags (names), last_changed, timestamp_opt."""
        return place(self.state, wanted)

    def _rename_list(self, wanted: Wanted) -> None:
        self.state.account.audiences[wanted["list_id"]].name = wanted["name"]

    def _delete_list(self, wanted: Wanted) -> None:
        del self.state.account.audiences[wanted["list_id"]]

    def _rename_tag(self, wanted: Wanted) -> None:
        audience = self.state.account.audiences[wanted["list_id"]]
        tag = audience.tag(wanted["tag"])
        if tag is None:
            raise ValueError(f"no tag {wanted['tag']}")
        audience.rename_segment(tag, wanted["name"], self.state.clock.second())

    def _delete_tag(self, wanted: Wanted) -> None:
        audience = self.state.account.audiences[wanted["list_id"]]
        tag = audience.tag(wanted["tag"])
        if tag is None:
            raise ValueError(f"no tag {wanted['tag']}")
        audience.remove_segment(tag)

    def _account(self, wanted: Wanted) -> dict[str, Any]:
        """Keys, all optional: name, email, role, forbid (path patterns), revoke and allow (key or token), app ({client_id: secret})."""
        account = self.state.account
        account.name, account.email = wanted.get("name", account.name), wanted.get("email", account.email)
        account.role = wanted.get("role", account.role)
        if "forbid" in wanted:
            account.forbidden_paths = [re.compile(pattern) for pattern in wanted["forbid"]]
        account.apps |= wanted.get("app", {})
        if "revoke" in wanted:
            account.api_keys.discard(wanted["revoke"])
            account.oauth_tokens.discard(wanted["revoke"])
        if "allow" in wanted:
            account.api_keys.add(wanted["allow"])
        return {"name": account.name, "email": account.email, "role": account.role}


def _moment(raw: Any) -> float:
    moment = float(raw) if isinstance(raw, (int, float)) else parse_instant(raw)
    if moment is None:
        raise ValueError(f"not a timestamp: {raw!r}")
    return moment


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
