"""Geometry of the drawings, in the units of their `viewBox`. Templates draw them as SVG: no script, no inline style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

SHARE_WIDTH = 1000
"""A bar of shares is so many units wide."""

LEAST_WIDTH = 6
"""What is not nothing is seen."""

MONTH_WIDTH, HALF_HEIGHT = 40, 80


@dataclass(frozen=True)
class Piece:
    """A stretch of a bar."""

    name: str
    x: float
    width: float
    value: int


def pieces(counts: Mapping[str, int], order: Sequence[str]) -> list[Piece]:
    """Return a bar cut by shares, every share that is not nothing wide enough to be seen."""
    shown = [(name, counts[name]) for name in order if counts.get(name)]
    whole = sum(value for _, value in shown) or 1
    widths = [max(LEAST_WIDTH, SHARE_WIDTH * value / whole) for _, value in shown]
    scale = SHARE_WIDTH / (sum(widths) or 1)
    cut: list[Piece] = []
    x = 0.0
    for (name, value), width in zip(shown, widths, strict=True):
        cut.append(Piece(name, round(x, 1), round(width * scale, 1), value))
        x += width * scale
    return cut


@dataclass(frozen=True)
class Column:
    """A month: how high its bar of joined is above the line, how deep its bar of departed below."""

    month: date
    joined: int
    departed: int
    x: float
    up: float
    down: float

    @property
    def net(self) -> int:
        """Joined less departed."""
        return self.joined - self.departed


@dataclass(frozen=True)
class Growth:
    """A chart of months."""

    columns: list[Column]
    width: int
    up: float
    down: float
    top: int


def growth(months: Sequence[Mapping[str, Any]]) -> Growth:
    """Return months as columns on one scale for both directions."""
    most = max((max(one["joined"], one["departed"]) for one in months), default=0) or 1
    columns = [
        Column(
            one["month"],
            int(one["joined"]),
            int(one["departed"]),
            place * MONTH_WIDTH,
            _height(one["joined"], most),
            _height(one["departed"], most),
        )
        for place, one in enumerate(months)
    ]
    deepest = max((column.down for column in columns), default=0)
    highest = max((column.up for column in columns), default=0)
    return Growth(columns, max(1, len(columns)) * MONTH_WIDTH, highest, deepest, int(most))


def _height(value: float, most: float) -> float:
    return round(max(2.0, HALF_HEIGHT * float(value) / float(most)), 1) if value else 0.0


def share(part: float, whole: float) -> float:
    """Return the width of a part of a bar of shares."""
    if not part or not whole:
        return 0
    return round(max(LEAST_WIDTH, SHARE_WIDTH * min(part, whole) / whole), 1)
