"""One API call as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.listing import Page
from mailchimp_emulator.problems import not_found, schema_problem, unreadable_json
from mailchimp_emulator.projection import Projection
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.state import State
from mailchimp_emulator.validation import wrong_type
from mailchimp_emulator.writes import Writer


@dataclass(slots=True)
class Call:
    """What was sent, and the state it is answered from."""

    state: State
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes = b""
    caller_ip: str = ""
    # The variable parts of the path: list_id, subscriber_hash, segment_id ...
    params: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The account behind the call."""
        return self.state.account

    @property
    def behavior(self) -> Behavior:
        """The flags in force."""
        return self.state.behavior

    @property
    def now(self) -> int:
        """The second in which the call is answered."""
        return self.state.clock.second()

    @property
    def origin(self) -> str:
        """Scheme, host and port under which the emulator is reached."""
        return self.state.origin

    def audience(self) -> Audience:
        """The audience of the path."""
        return self.account.audience(self.params["list_id"])

    def number(self, name: str) -> int:
        """A numeric part of the path; anything else is a resource that does not exist."""
        text = self.params[name]
        if not (text.isascii() and text.isdigit()):
            raise not_found()
        return int(text)

    def page(self) -> Page:
        """The page that count and offset ask for."""
        return Page.of(self.query, self.behavior)

    def body(self) -> dict[str, Any]:
        """The JSON object of the request; no body at all counts as an empty one."""
        try:
            parsed = orjson.loads(self.raw) if self.raw.strip() else {}
        except orjson.JSONDecodeError:
            raise unreadable_json() from None
        if not isinstance(parsed, dict):
            raise schema_problem([wrong_type("", "object", parsed)])
        return parsed

    def writer(self) -> Writer:
        """A writer for the audience of the path, at this moment."""
        skip = self.query.get("skip_merge_validation", "").lower() in ("true", "1")
        return Writer(self.account, self.audience(), self.behavior, self.now, self.caller_ip, skip)

    def show(self, document: dict[str, Any]) -> Reply:
        """A resource, or what `fields` and `exclude_fields` leave of it; only reads know these two."""
        return Reply.of(Projection(self.query).apply(document) if self.method == "GET" else document)
