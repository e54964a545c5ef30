"""Rejects as a spreadsheet: safe to open, and exactly the same rows when it is uploaded again.

A cell that begins with one of FORMULA_STARTS is a formula to a spreadsheet program, which may run it
(https://owasp.org/www-community/attacks/CSV_Injection). Such cells get an apostrophe in front, which is removed on the way back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.send.outcomes import Outcome, text

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")  # noqa: RUF001 - wide forms count in some languages
SHIELD = "'"

MARKS = ("_rejected_row", "_rejected_field", "_rejected_reason")
"""Columns of ours in front of those of the rows."""


def csv_lines(rejects: Sequence[Outcome]) -> Iterator[str]:
    """Yield a CSV file with the rejected rows, what was wrong in front."""
    names = list(dict.fromkeys(name for one in rejects for name in one.record))
    yield _line([*MARKS, *map(cell, names)])
    for one in rejects:
        yield _line([one.number, one.field, f"{one.reason} {one.words}".strip(), *(cell(one.record.get(name)) for name in names)])


def cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    written = text(value)
    return SHIELD + written if written.startswith(FORMULA_STARTS) else written


def restored(row: Json) -> Json:
    """Return a row of such a file as it was before."""
    return {_bare(name): _bare(value) for name, value in row.items() if name not in MARKS}


def _bare(value: Any) -> Any:
    shielded = isinstance(value, str) and value.startswith(SHIELD) and value[1:].startswith(FORMULA_STARTS)
    return value[1:] if shielded else value


def _line(cells: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_safe(one) for one in cells])
    return written.getvalue()


def _safe(value: Any) -> Any:
    # Names of columns and words of Mailchimp come from elsewhere too; cells are safe already.
    return value if not isinstance(value, str) or not value.startswith(FORMULA_STARTS[:-1]) else SHIELD + value
