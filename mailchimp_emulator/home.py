"""What a browser sees at the origin: the audiences, the latest requests, and where to read more."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.journal import Entry
from mailchimp_emulator.state import State
from mailchimp_emulator.vendor import API_ROOT, DEFAULT_API_KEY, STATUSES

LATEST = 25
"""So many requests are shown, the latest first."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } code { font-size: 90% } .odd { color: #a00 }
"""


def home(state: State) -> str:
    """The page as HTML, without anything from elsewhere."""
    described = state.described.paths()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mailchimp emulator</title><style>{_STYLE}</style></head><body>
<h1>Mailchimp emulator</h1>
<p>{escape(state.account.name)}, at <code>{escape(state.origin + API_ROOT)}</code> with the API key <code>{DEFAULT_API_KEY}</code>.
The clock says {escape(state.clock.http_date())}.</p>
<h2>Audiences</h2>
{_table(("Name", "Id", *STATUSES, "Tags"), map(_audience, state.account.audiences.values()), numbers=range(2, 9))}
<h2>Latest requests</h2>
{_table(("", "Method", "Path", "Status", "Fault"), map(_request, list(state.journal.entries)[: -LATEST - 1 : -1]), numbers=(0,))}
<p>{len(described)} more collections are served{": " if described else "."}{", ".join(f"<code>{escape(path)}</code>" for path in described)}</p>
</body></html>
"""


def _audience(audience: Audience) -> tuple[Any, ...]:
    tags = sum(segment.type == "static" for segment in audience.segments.values())
    return (audience.name, audience.id, *(f"{len(audience.ordered[status]):,}" for status in STATUSES), tags)


def _request(entry: Entry) -> tuple[Any, ...]:
    query = "&".join(f"{name}={text}" for name, text in entry.query.items())
    return (entry.n, entry.method, entry.path + (f"?{query}" if query else ""), entry.status, entry.fault)


def _table(names: Iterable[str], rows: Iterable[tuple[Any, ...]], numbers: Iterable[int]) -> str:
    right = set(numbers)
    lines = [_row("th", tuple(names), right), *(_row("td", row, right) for row in rows)]
    return f"<table>{''.join(lines)}</table>" if len(lines) > 1 else "<p>None yet.</p>"


def _row(tag: str, cells: tuple[Any, ...], right: set[int]) -> str:
    written = (f"<{tag}{' class=number' if place in right else ''}>{escape(str(cell))}</{tag}>" for place, cell in enumerate(cells))
    return f"<tr>{''.join(written)}</tr>"
