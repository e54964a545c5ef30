"""What the demo prints: headlines, tables of at most 100 columns, and a progress bar where there is a terminal to draw it on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
WIDTH = 100

console = Console(highlight=False)
console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH


def number(count: float) -> str:
    """Return a count with separators."""
    return f"{count:,.0f}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: 1 contact, 2 contacts."""
    return f"{number(count)} {noun if count == 1 else noun + 's'}"


def step(place: int, text: str) -> None:
    """Print the headline of a step."""
    console.print(f"\n[bold cyan]{place}[/] [bold]{escape(text)}[/]")


def line(text: str, style: str = "") -> None:
    """Print a line, indented where it is broken too."""
    console.print(Padding(Text(text, style=style), (0, 0, 0, 2)))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print rows in columns; numbers stand to the right."""
    rows = [tuple(row) for row in rows]
    drawn = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, name in enumerate(head):
        numeric = any(isinstance(row[place], (int, float)) for row in rows)
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(number(cell) if isinstance(cell, (int, float)) else escape(str(cell)) for cell in row))
    console.print(drawn)


def watched(messages: Iterable[Json], doing: str) -> Iterator[Json]:
    """Yield messages and show how many records have come. Warnings and errors are printed, the rest of the log is not."""
    counts: Counter[str] = Counter()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"  {doing}", total=None)
        for message in messages:
            if message["type"] == "RECORD":
                counts[message["record"]["stream"]] += 1
                if counts.total() % 100 == 0:
                    progress.update(task, description=f"  {doing}: {tally(counts)}")
            elif message["type"] == "LOG":
                warn(message["log"], progress.console)
            yield message


def tally(counts: Mapping[str, int]) -> str:
    """Return the number of records by stream in words."""
    return ", ".join(counted(count, stream.removesuffix("s")) for stream, count in counts.items() if count) or "nothing"


def warn(log: Mapping[str, str], to: Console = console) -> None:
    """Print a log line that somebody has to look at."""
    if log["level"] in ("WARN", "ERROR", "FATAL"):
        to.print(f"  [yellow]{log['level']}[/] {escape(log['message'])}")
