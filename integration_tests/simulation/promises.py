"""What a promise of docs/delivery.md is called when it does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """A promise that did not hold, and how that showed."""

    promise: str
    words: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.words}"
