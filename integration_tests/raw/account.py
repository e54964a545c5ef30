"""A Mailchimp account in memory that serves every row of the table as Mailchimp gives it: ten items unless asked for more.

It takes the place of the network; time passes at once. So every row can be tried against every odd answer in seconds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

from airbyte_cdk.models import AirbyteMessageSerializer
from airbyte_cdk.test.entrypoint_wrapper import _run_command

from integration_tests.commands import Output, config
from integration_tests.raw.mirror import raw_catalog
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import Collection, lineage, table

Json = dict[str, Any]

NOW = 1_733_000_000
"""Mailchimp's time: 2024-11-30, half past eight in the evening."""

DEFAULT_COUNT = 10
LONGEST_PAGE = 1000
DAY = 86_400
CURSOR_PREFIX = "after-"

Answer = Callable[[str, Mapping[str, Any]], Received | Json | None]


def moment(second: int) -> str:
    """Return a second as Mailchimp writes it."""
    return datetime.fromtimestamp(second, UTC).isoformat()


def reply(body: Any, status: int = 200) -> Received:
    """Return an answer of Mailchimp."""
    kind = "application/json" if status < 400 else "application/problem+json"
    return Received(status, {"Date": formatdate(NOW, usegmt=True), "Content-Type": kind}, json.dumps(body).encode())


def problem(status: int, title: str = "", detail: str = "") -> Received:
    """Return a refusal."""
    return reply(
        {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title, "status": status, "detail": detail}, status
    )


@dataclass
class Account:
    """The items of each collection by path; what nobody put there begins with `size` items, dated a day apart and long ago.

    `instead` may answer a request in place of the account.
    """

    size: int = 2
    items: dict[str, list[Any]] = field(default_factory=dict)
    instead: Answer = lambda path, params: None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Received:
        """Answer a request."""
        path, params = outgoing.url.split("/3.0", 1)[1], dict(outgoing.params)
        self.asked.append((path, params))
        answer = self.instead(path, params)
        if isinstance(answer, Received):
            return answer
        return reply(answer) if answer is not None else self._answer(path, params)

    def close(self) -> None:
        """Nothing is open."""

    def requests(self) -> Counter[str]:
        """Return how often each path was asked for."""
        return Counter(path for path, _ in self.asked)

    def paths(self, row: Collection) -> list[str]:
        """Return the paths of a collection, one for each of its partitions."""
        parents: list[dict[str, Any]] = [{}]
        for parent in lineage(row):
            above = table()[parent.row]
            parents = [
                {**keys, parent.param: item[parent.field]}
                for keys in parents
                for item in self.of(above, above.path.format(**keys))
                if isinstance(item, dict) and item.get(parent.field) is not None
            ]
        return [row.path.format(**keys) for keys in parents]

    def of(self, row: Collection, path: str) -> list[Any]:
        """Return the items of a collection at a path, to be changed at will."""
        if path not in self.items:
            self.items[path] = [item(row, number) for number in range(self.size if row.records_key else 1)]
        return self.items[path]

    def _answer(self, path: str, params: Mapping[str, Any]) -> Received:
        if path == "/ping":
            return reply({"health_status": "Everything's Chimpy!"})
        if path.startswith("/lists/") and path.count("/") == 2:
            found = [one for one in self.of(table()["lists"], "/lists") if one.get("id") == path.split("/")[2]]
            return reply(found[0]) if found else problem(404)
        row = row_at(path)
        if row is None or path not in self.paths(row):
            return problem(404)
        found = self._filtered(row, self.of(row, path), params)
        return reply(found[0]) if row.records_key is None else reply(_page(row, found, params))

    def _filtered(self, row: Collection, items: list[Any], params: Mapping[str, Any]) -> list[Any]:
        if params.get("status") == "archived":
            return []
        if (cursor := row.cursor) is None or cursor.since not in params:
            return items
        after, until = params[cursor.since], params.get(cursor.before or "", "9")

        def within(one: Json) -> bool:
            return after < one[cursor.field] <= until

        if row.flatten is None:
            return [one for one in items if within(one)]
        name = row.flatten.field
        return [{**one, name: [entry for entry in one[name] if within(entry)]} for one in items]


def _page(row: Collection, items: list[Any], params: Mapping[str, Any]) -> Json:
    assert row.records_key is not None
    count = min(int(params.get("count", DEFAULT_COUNT)), LONGEST_PAGE)
    offset = int(str(params.get("cursor") or params.get("offset", 0)).removeprefix(CURSOR_PREFIX))
    page = {row.records_key: items[offset : offset + count]}
    if row.paging != "cursor":
        return {**page, "total_items": len(items)}
    return {**page, **({"next_cursor": f"{CURSOR_PREFIX}{offset + count}"} if offset + count < len(items) else {})}


def row_at(path: str) -> Collection | None:
    """Return the row that a path belongs to."""
    parts = path.split("/")
    for row in table().values():
        wanted = row.path.split("/")
        if len(wanted) == len(parts) and all(one.startswith("{") or one == part for one, part in zip(wanted, parts, strict=True)):
            return row
    return None


def own_keys(row: Collection) -> tuple[str, ...]:
    """Return the part of a row's key that Mailchimp gives with an item."""
    others = _columns(row) | ({row.flatten.id} if row.flatten else set())
    return tuple(name for name in row.primary_key if name not in others)


def item(row: Collection, number: int, second: int = 0) -> Json:
    """Return an item of a collection: its keys, its times, what its children read, and something that may change."""
    at = second or NOW - 400 * DAY + number * DAY
    fields = {"id": f"{row.name[:4]}{number}", "note": "as it was", **{name: f"{name}-{number}" for name in own_keys(row)}}
    dated = {name: moment(at) for name in row.moments}
    if row.records_key is None:
        # An answer that is one item holds something that Mailchimp describes.
        fields |= {name: f"{name}-{number}" for name in stream_schema(row)["properties"] if name not in _columns(row)}
    if row.flatten is None:
        return {**fields, **dated, **_told(row, at)}
    return {**fields, row.flatten.field: [{**dated, "action": "open"}]}


def _columns(row: Collection) -> set[str]:
    return {parent.column for parent in lineage(row)}


def _told(row: Collection, at: int) -> Json:
    """Return what an item tells its children, apart from their number: nobody counts on it here."""
    told: Json = {}
    for parent in (one.parent for one in table().values() if one.parent and one.parent.row == row.name):
        for name in (*parent.tells, *parent.dates, *parent.settled):
            value = moment(at) if name in parent.dates else parent.settled[name][0] if name in parent.settled else 7
            _set(told, name, value)
    return told


def _set(whole: Json, name: str, value: Any) -> None:
    *above, last = name.split(".")
    for part in above:
        whole = whole.setdefault(part, {})
    whole[last] = value


def touch(account: Account, row: Collection) -> None:
    """Let the parents of a collection tell that something happened below them, as Mailchimp does."""
    if row.parent is None:
        return
    above = table()[row.parent.row]
    for path in account.paths(above):
        for one in account.of(above, path):
            for name in row.parent.dates:
                _set(one, name, moment(NOW - 2 * DAY))


@dataclass
class Run:
    """The source over an account, run through Airbyte's own test kit."""

    folder: Path
    account: Account
    more: Json = field(default_factory=dict)
    page_size: int = 1000

    def read(self, *names: str, state: Any = None, sync_mode: str = "incremental") -> Output:
        """Read some rows, by name."""
        arguments = ["read"]
        settings = config("http://localhost:1", raw_streams=[*names], **self.more)
        for name, content in (("config", settings), ("catalog", raw_catalog(*names, sync_mode=sync_mode)), ("state", state)):
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content))
                arguments += [f"--{name}", str(path)]
        source = SourceMailchimpUnified(
            transport=lambda: self.account, new_loop=VirtualClockLoop, now=lambda: NOW, page_size=self.page_size
        )
        output = _run_command(source, arguments)
        return Output([AirbyteMessageSerializer.dump(message) for message in output.get_message_iterator()])
