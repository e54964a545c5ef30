"""An account that is a function of the request, as large as a test likes, and both connectors run against it in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import orjson

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.intake.lines import Chunks
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.patience import Patience
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import SourceMailchimpUnified
from unit_tests.kernel.conftest import Answers, Scripted, answer

Json = dict[str, Any]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""The time in the Date header of every answer."""

LOGGER = logging.getLogger("test")
CONFIG = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}}


@dataclass
class Account:
    """Audiences, the definitions of their merge fields, and the members that all listings have, in the order of `last_changed`.

    Every write succeeds; `written` holds the ids of the contacts.
    """

    audiences: Sequence[Json] = ()
    definitions: Sequence[Json] = ()
    members: Sequence[Json] = ()
    written: list[str] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> Received:
        """Answer a request."""
        path = urlsplit(outgoing.url).path.removeprefix("/3.0")
        if outgoing.method != "GET":
            return self._written(outgoing)
        collections = {
            "lists": self.audiences,
            "merge-fields": self.definitions,
            "members": [] if outgoing.params.get("status") == "archived" else within(outgoing.params, self.members),
            "segments": [],
        }
        name = path.rpartition("/")[2]
        if name in collections:
            return page(outgoing, name.replace("-", "_"), collections[name])
        described = {"/": {"account_id": "a", "role": "owner"}, **{f"/lists/{audience['id']}": audience for audience in self.audiences}}
        return answer(described.get(path, {}), 200 if path in described else 404)

    def _written(self, outgoing: Outgoing) -> Received:
        body = orjson.loads(outgoing.body or b"")
        if outgoing.method != "POST":
            return answer(self._member(outgoing.url.rpartition("/")[2], body))
        rows = [self._member(subscriber_hash(row["email_address"]), row) for row in body["members"]]
        return answer({"new_members": rows, "updated_members": [], "errors": []})

    def _member(self, contact_id: str, body: Json) -> Json:
        self.written.append(contact_id)
        return {"status": "subscribed", **body, "id": contact_id}


def page(outgoing: Outgoing, name: str, items: Sequence[Json]) -> Received:
    """Return the page of a collection that is asked for."""
    offset, count = int(outgoing.params.get("offset", 0)), int(outgoing.params.get("count", 10))
    return answer({name: list(items[offset : offset + count]), "total_items": len(items)})


def within(params: Mapping[str, str | int], members: Sequence[Json]) -> list[Json]:
    """Return the members of a window of time; who has no time is in every window."""
    after, until = str(params.get("since_last_changed", "")), str(params.get("before_last_changed", "9999"))
    return [one for one in members if not one["last_changed"] or after < one["last_changed"] <= until]


def audiences(number: int) -> list[Json]:
    """Return so many audiences."""
    stats = {"member_count": 0, "unsubscribe_count": 0, "cleaned_count": 0}
    return [
        {"id": f"{n:010x}", "name": f"Audience {n}", "double_optin": False, "date_created": "2024-01-01T00:00:00+00:00", "stats": stats}
        for n in range(number)
    ]


def source(answers: Answers, patience: Patience | None = None) -> tuple[SourceMailchimpUnified, Scripted]:
    """Return the source of an account that answers so, and what it is asked."""
    scripted = Scripted(answers, seconds=0.001)
    return SourceMailchimpUnified(patience, transport=lambda: scripted, new_loop=VirtualClockLoop, now=NOW.timestamp), scripted


def destination(answers: Answers, page_size: int = 1_000) -> tuple[DestinationMailchimpUnified, Scripted]:
    """Return the destination of an account that answers so, and what it is asked. Its input is there at once."""
    scripted = Scripted(answers, seconds=0.001)
    return DestinationMailchimpUnified(
        transport=lambda: scripted, new_loop=VirtualClockLoop, feed=chunks_of(1 << 16), page_size=page_size
    ), scripted  # fmt: skip


def chunks_of(size: int) -> Callable[[Chunks, Callable[[int], bytes]], None]:
    """Return a feed that reads everything at once, in chunks of at most so many bytes."""

    def feed(chunks: Chunks, read: Callable[[int], bytes]) -> None:
        while chunk := read(size):
            chunks.add(chunk)
        chunks.add(b"")

    return feed


def written(connector: DestinationMailchimpUnified, text: bytes, **options: Any) -> Iterator[bytes]:
    """Yield the states that the destination acknowledges for an input."""
    config = {**CONFIG, "list_id": audiences(1)[0]["id"], **options}
    stream = {"name": "people", "json_schema": {"type": "object", "properties": {"email": {"type": "string"}}}}
    configured = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    return connector.write_lines(LOGGER, config, {"streams": [configured]}, BytesIO(text).read)
