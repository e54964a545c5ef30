"""A Mailchimp whose audiences hold members, tags and merge fields and may vanish, and syncs of the source against it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils import AirbyteTracedException

from integration_tests.commands import catalog
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import SourceMailchimpUnified
from unit_tests.account import CONFIG, NOW, audiences, page, within
from unit_tests.kernel.conftest import Answers, Scripted, answer

Json = dict[str, Any]

HORIZON = int(NOW.timestamp()) - 1
"""The last second that a sync reads."""


def ago(seconds: int) -> str:
    """Return the time so many seconds before the horizon."""
    return (NOW - timedelta(seconds=seconds + 1)).isoformat()


def member(number: int, age: int = 1_000, **more: Any) -> Json:
    """Return a member that changed so many seconds before the horizon."""
    email = f"p{number}@contacts.example"
    return {"id": f"{number:032x}", "email_address": email, "status": "subscribed", "last_changed": ago(age), **more}


def tag(number: int, **more: Any) -> Json:
    """Return a tag as Mailchimp gives it."""
    times = {"created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-02T00:00:00+00:00"}
    return {"id": number, "name": f"Tag {number}", "type": "static", "member_count": 1, **times, **more}


class Mailchimp:
    """An account of some audiences, by id. `listed` is what the listing of audiences holds; a path in `answers` is answered as it says.

    A member may be "given as" something else in a listing, and have more tags there than a listing shows: "all tags".
    """

    def __init__(self, number: int = 1) -> None:
        self.ids: list[str] = [one["id"] for one in audiences(number)]
        self.audiences: dict[str, Json] = {one["id"]: one for one in audiences(number)}
        self.listed: list[Any] = list(self.audiences.values())
        self.members: dict[str, list[Json]] = {}
        self.tags: dict[str, list[Any]] = {}
        self.fields: dict[str, list[Any]] = {}
        self.account: Json = {"account_id": "a1", "login_id": "7", "account_name": "Shop", "role": "owner"}
        self.answers: dict[str, Received | Answers] = {}

    def delete(self, list_id: str) -> None:
        """Delete an audience: it is not listed any more, and every path of it is 404."""
        self.audiences.pop(list_id)
        self.listed = [one for one in self.listed if one["id"] != list_id]

    def __call__(self, outgoing: Outgoing) -> Received | Exception:
        """Answer a request."""
        path = urlsplit(outgoing.url).path.removeprefix("/3.0")
        if path in self.answers:
            given = self.answers[path]
            return given if isinstance(given, Received) else given(outgoing)
        if path in ("/", "/lists"):
            return answer(self.account) if path == "/" else page(outgoing, "lists", self.listed)
        list_id, _, rest = path.removeprefix("/lists/").partition("/")
        if list_id not in self.audiences:
            return answer({}, 404)
        return self._of_audience(outgoing, list_id, rest)

    def _of_audience(self, outgoing: Outgoing, list_id: str, rest: str) -> Received:
        collection, _, inner = rest.partition("/")
        if not rest:
            return answer(self.audiences[list_id])
        if collection == "members":
            return self._members(outgoing, list_id, inner)
        if inner:
            known = [one for one in self.tags.get(list_id, []) if str(one["id"]) == inner]
            return answer(known[0]) if known else answer({}, 404)
        items = (self.tags if collection == "segments" else self.fields).get(list_id, [])
        return page(outgoing, collection.replace("-", "_"), items)

    def _members(self, outgoing: Outgoing, list_id: str, inner: str) -> Received:
        members = self.members.get(list_id, [])
        if inner:
            [one] = [one for one in members if one["id"] == inner.partition("/")[0]]
            return page(outgoing, "tags", one["all tags"]) if "all tags" in one else answer({}, 404)
        status = outgoing.params.get("status")
        chosen = [one for one in members if (one["status"] == status if status else one["status"] != "archived")]
        found = within(outgoing.params, sorted(chosen, key=lambda one: str(one["last_changed"])))
        return page(outgoing, "members", [one.get("given as", one) for one in found])


@dataclass
class Synced:
    """What a sync printed, logged and asked for. `streams` are those that it read."""

    scripted: Scripted
    messages: list[Any] = field(default_factory=list)
    logs: list[logging.LogRecord] = field(default_factory=list)
    seconds: float = 0.0

    def records(self, stream: str = "contacts") -> list[Json]:
        """Return the records of a stream."""
        return [one.record.data for one in self.messages if one.record and one.record.stream == stream]

    @property
    def names(self) -> list[int]:
        """The numbers of the members that came as contacts."""
        return [int(one["id"], 16) for one in self.records()]

    def states(self, stream: str = "contacts") -> list[Json]:
        """Return the states of a stream."""
        found = [one.state.stream for one in self.messages if one.state]
        return [vars(one.stream_state) for one in found if one.stream_descriptor.name == stream]

    def statuses(self, stream: str = "contacts") -> list[str]:
        """Return the statuses of a stream."""
        found = [one.trace.stream_status for one in self.messages if one.trace and one.trace.stream_status]
        return [one.status.value for one in found if one.stream_descriptor.name == stream]

    @property
    def errors(self) -> list[str]:
        """The sentences of the errors, with who must act."""
        found = [one.trace.error for one in self.messages if one.trace and one.trace.error]
        return [f"{one.failure_type.value}: {one.message}" for one in found]

    @property
    def estimates(self) -> list[int]:
        """The numbers of records that were announced."""
        return [one.trace.estimate.row_estimate for one in self.messages if one.trace and one.trace.estimate]

    def asked(self, end: str) -> list[Mapping[str, Any]]:
        """Return the parameters of the requests for paths with such an end, in order."""
        return [one.params for one in self.scripted.seen if urlsplit(one.url).path.endswith(end)]


def sync(
    mailchimp: Mailchimp,
    streams: str | Sequence[str] = "contacts",
    state: Json | None = None,
    *,
    sync_mode: str = "incremental",
    page_size: int = 1_000,
    clock: float = NOW.timestamp(),
    seconds: float = 0.001,
    **config: Any,
) -> Synced:
    """Read streams, the first of them with a state. Each answer takes so many seconds, and this machine's clock shows `clock`."""
    streams = [streams] if isinstance(streams, str) else streams
    synced = Synced(Scripted(mailchimp, seconds=seconds))
    loop = VirtualClockLoop()
    connector = SourceMailchimpUnified(
        transport=lambda: synced.scripted, new_loop=lambda: loop, now=lambda: clock, page_size=page_size
    )  # fmt: skip
    logger = _Log(synced.logs)
    stream = {"stream_descriptor": {"name": streams[0]}, "stream_state": state}
    states = [] if state is None else [AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": stream})]
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog(streams, sync_mode))
    with contextlib.suppress(AirbyteTracedException):
        synced.messages.extend(connector.read(logger, {**CONFIG, **config}, configured, states))
    synced.seconds = loop.time()
    return synced


class _Log(logging.Logger):
    """Keeps what is logged."""

    def __init__(self, kept: list[logging.LogRecord]) -> None:
        super().__init__("sync")
        self._kept = kept

    def handle(self, record: logging.LogRecord) -> None:
        self._kept.append(record)
