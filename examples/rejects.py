"""A file of rejected records, as the destination writes it: read, checked line by line, and made into messages to send again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Stream = tuple[str | None, str]
"""Namespace and name."""

OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected", "leaving")
"""A dry run keeps a line for each record, no matter what its outcome would be, and for each contact who would lose the membership tag."""


class NotSendableError(ValueError):
    """A file that cannot be sent again; the message names the line that is at fault."""


@dataclass
class Rejects:
    """The rejected records of a file, in its order. With `only_later` just those that Mailchimp rejected temporarily.

    `planned` counts the lines of a dry run that are no rejects; `without_record` are the numbers of rejects that no record is kept of.
    """

    path: Path
    only_later: bool = False
    count: int = 0
    streams: dict[Stream, int] = field(default_factory=dict)
    """Each stream of which something is sent, and the line on which it comes first."""
    planned: int = 0
    without_record: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path, *, only_later: bool = False) -> Rejects:
        """Return what a file holds. Raises NotSendableError for the first line that is neither a reject nor a planned outcome."""
        found = cls(path, only_later)
        for number, line in _numbered(path):
            found._note(number, line)
        return found

    def _note(self, number: int, line: Json) -> None:
        if line["outcome"] != "rejected":
            self.planned += 1
        elif self._is_wanted(line) and line.get("record") is None:
            self.without_record.append(number)
        elif self._is_wanted(line):
            self.count += 1
            self.streams.setdefault(_stream(line), number)

    def _is_wanted(self, line: Json) -> bool:
        return line["outcome"] == "rejected" and (not self.only_later or line.get("retry") == "later")

    def messages(self) -> Iterator[str]:
        """Yield the records as RECORD messages, and a STATE after the last."""
        now = int(time.time() * 1000)
        for _, line in _numbered(self.path):
            if self._is_wanted(line) and line.get("record") is not None:
                namespace, name = _stream(line)
                record = {"stream": name, "data": line["record"], "emitted_at": now}
                yield json.dumps({"type": "RECORD", "record": {**record, "namespace": namespace} if namespace else record})
        yield json.dumps({"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": []}, "id": 1}})

    def catalog(self, config: Mapping[str, Any]) -> Json:
        """Return a configured catalog of the streams, upserted. The records tell their columns: a reject may lack any of them.

        Streams that only a rule of `field_mapping` names are in it too: the rule is right, though nothing of its stream was rejected.
        """
        here = {name.casefold() for _, name in self.streams}
        rules = config.get("field_mapping") or []
        named = {str(rule["stream"]): (None, str(rule["stream"])) for rule in rules if isinstance(rule, dict) and rule.get("stream")}
        absent = [stream for name, stream in named.items() if name.casefold() not in here]
        return {"streams": [_configured(*stream) for stream in [*self.streams, *absent]]}

    def check_against(self, catalog: Mapping[str, Any]) -> None:
        """Raise NotSendableError for a catalog that is none, and for a stream that it does not have."""
        try:
            known = {(one["stream"].get("namespace") or None, one["stream"]["name"]) for one in catalog["streams"]}
        except (KeyError, TypeError, AttributeError):
            raise NotSendableError("The catalog contains no readable streams.") from None
        for (namespace, name), number in self.streams.items():
            if (namespace, name) not in known:
                raise NotSendableError(f"{self.path}, line {number}: its stream {name} is not in the catalog.")

    def left_out(self) -> str:
        """Return what is not sent, and why, as a sentence; "" where that is nothing."""
        parts = [f"{self.planned} planned outcomes of a dry run"] if self.planned else []
        if self.without_record:
            parts.append(f"the rejects without a record on {_lines(self.without_record)}")
        return f"Not sent: {' and '.join(parts)}." if parts else ""


def _numbered(path: Path) -> Iterator[tuple[int, Json]]:
    """Yield each line that is not blank, with its number from 1. Raises NotSendableError."""
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.strip(b" \t\r\n\xef\xbb\xbf"):
                try:
                    yield number, _checked(text)
                except ValueError as error:
                    raise NotSendableError(f"{path}, line {number}: {error} Correct or remove the line; nothing was sent.") from None


def _checked(text: bytes) -> Json:
    try:
        line = json.loads(text.decode("utf-8-sig"))
    except ValueError:
        raise ValueError("it is not JSON.") from None
    if mistake := _mistake(line):
        raise ValueError(mistake)
    checked: Json = line
    return checked


def _mistake(line: Any) -> str:
    """Return what is wrong with a line, "" for a planned outcome, a reject with its record, and one of a line that was no record."""
    if not isinstance(line, dict) or line.get("outcome") not in OUTCOMES:
        return "it is not a line of a file of rejected records: it has no outcome."
    if line["outcome"] != "rejected" or (line.get("record") is None and isinstance(line.get("line"), str)):
        return ""
    if not isinstance(line.get("record"), dict):
        return "its record is not a JSON object."
    has_stream = isinstance(line.get("stream"), str) and isinstance(line.get("namespace"), str | None)
    return "" if has_stream else "it has a record, but no stream."


def _stream(line: Json) -> Stream:
    return (line.get("namespace") or None, line["stream"])


def _configured(namespace: str | None, name: str) -> Json:
    stream = {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    where = {"namespace": namespace} if namespace else {}
    return {"stream": {**stream, **where}, "sync_mode": "full_refresh", "destination_sync_mode": "append_dedup"}


def _lines(numbers: Sequence[int], most: int = 10) -> str:
    shown = ", ".join(map(str, numbers[:most])) + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
    return f"line {shown}" if len(numbers) == 1 else f"lines {shown}"
