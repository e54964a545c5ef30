"""The demo's report: one HTML page without a script and without anything from the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from moves import Move
from screen import counted, number

from mailchimp_workbench.warehouse import Warehouse

TEMPLATE = Path(__file__).with_name("report.html.j2")
STATUSES = ("subscribed", "pending", "transactional", "unsubscribed", "cleaned", "archived")

AUDIENCES = f"""
SELECT l.name, count(*) AS contacts, {", ".join(f"count(*) FILTER (c.status = '{status}') AS {status}" for status in STATUSES)}
FROM contacts AS c JOIN lists AS l ON l.id = c.list_id GROUP BY l.name ORDER BY contacts DESC
"""

GROWTH = """
WITH joined AS (
    SELECT date_trunc('month', coalesce(timestamp_opt, timestamp_signup, created_at)) AS month, count(*) AS joined FROM contacts GROUP BY month
), gone AS (
    SELECT date_trunc('month', updated_at) AS month, count(*) AS gone FROM contacts
    WHERE status IN ('unsubscribed', 'cleaned', 'archived') GROUP BY month
)
SELECT strftime(month, '%Y-%m') AS month, coalesce(joined, 0) AS joined, coalesce(gone, 0) AS gone
FROM joined FULL JOIN gone USING (month) WHERE month IS NOT NULL ORDER BY month DESC LIMIT 24
"""

TAGS = """
SELECT l.name AS audience, t.name AS tag, count(*) AS contacts
FROM contacts AS c, unnest(c.tags) AS u(t) JOIN lists AS l ON l.id = c.list_id
WHERE c.status = 'subscribed' GROUP BY ALL ORDER BY contacts DESC, tag LIMIT 10
"""


@dataclass(frozen=True)
class Written:
    """What became of the rows that were written back: how many were acknowledged, and why which were rejected."""

    written: int
    rejected: int
    reasons: list[str]
    example: str


@dataclass
class Report:
    """What happened in a demo."""

    full: dict[str, int]
    changed: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    written: Written | None = None
    came_back: list[tuple[Any, ...]] = field(default_factory=list)
    page: Path = Path()
    database: Path = Path()

    def save(self, warehouse: Warehouse, page: Path) -> None:
        """Write the page."""
        self.page, self.database = page, warehouse.path
        (account,) = warehouse.rows("SELECT id, name FROM sync.account")
        audiences = warehouse.rows(AUDIENCES)
        growth = list(reversed(warehouse.rows(GROWTH)))
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment.filters.update(number=number, counted=counted)
        text = environment.from_string(TEMPLATE.read_text()).render(
            report=self, account=account["name"], audiences=audiences, statuses=STATUSES, growth=growth, tags=warehouse.rows(TAGS),
            highest=max((max(month["joined"], month["gone"]) for month in growth), default=1) or 1,
            contacts=sum(audience["contacts"] for audience in audiences), subscribed=sum(audience["subscribed"] for audience in audiences),
        )  # fmt: skip
        page.write_text(text)
