"""What was asked of the emulator: a bounded journal of requests, and traffic figures."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

LIMIT = 100_000


@dataclass(slots=True)
class Entry:
    """One request as it was seen; `open` counts the requests in service when it began, itself included."""

    n: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    open: int
    raw: bytes = b""
    status: int = 0
    fault: str = ""
    answer: bytes | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control plane shows it."""
        return {
            "n": self.n,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": _parsed(self.raw),
            "status": self.status,
            "open": self.open,
            "fault": self.fault,
            "user_agent": self.headers.get("user-agent", ""),
            "headers": self.headers,
            "answer": _parsed(self.answer or b""),
        }


def _parsed(raw: bytes) -> Any:
    """The JSON body, the text when it is not JSON, None when there is none."""
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace")


@dataclass(slots=True)
class Stats:
    """Traffic since the last reset."""

    requests: int = 0
    open: int = 0
    peak_open: int = 0
    refused_429: int = 0
    faults: int = 0
    churn_edits: int = 0
    bytes_out: int = 0

    def as_dict(self) -> dict[str, int]:
        """The figures by name."""
        return asdict(self)

    def reset(self) -> None:
        """Start counting again at zero; requests in service stay open."""
        self.requests = self.refused_429 = self.faults = self.churn_edits = self.bytes_out = 0
        self.peak_open = self.open


@dataclass(slots=True)
class Journal:
    """The latest requests, `LIMIT` of them at most."""

    capture_answers: bool = False
    enabled: bool = True
    entries: deque[Entry] = field(default_factory=deque)
    count: int = 0

    def add(self, entry: Entry) -> None:
        """Note a request; it gets its number."""
        self.count += 1
        entry.n = self.count
        if self.enabled:
            self.entries.append(entry)
            while len(self.entries) > LIMIT:
                self.entries.popleft()

    def since(self, n: int) -> list[dict[str, Any]]:
        """Entries with a greater number than `n`, oldest first."""
        return [entry.as_dict() for entry in self.entries if entry.n > n]

    def clear(self) -> None:
        """Forget the entries; their numbers are not used again."""
        self.entries.clear()
