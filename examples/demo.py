"""The demo: the round trip from Mailchimp into a warehouse and back.

A local Mailchimp is read into a DuckDB file; people edit it, and what changed is read again; a table of the warehouse is
written back as contacts, merge fields and tags, and what that changed is read once more.
With --config FILE it reads a real account instead, twice, and writes nothing to it.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import activate
import sync
from moves import Move, moves, remember
from report import Report, Written
from screen import console, line, number, step, table, tally, watched

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess
from mailchimp_workbench.warehouse import Warehouse

Json = dict[str, Any]
OUTPUT = Path("demo_output")
CUSTOMERS, GUESTS = "7a3c91e0d2", "2e6b74a9f8"
STATUSES = ("subscribed", "pending", "unsubscribed", "cleaned", "transactional", "archived")
NOT_AN_ADDRESS = "maria.gonzalez(at)example.org"

DEALS = (
    # Forty customers of whom the CRM says that they bought the Pro plan.
    f"""CREATE OR REPLACE TABLE deals AS SELECT email AS contact_email, status AS was, 'Pro' AS deal_plan, ['Deal won'] AS tags
       FROM contacts WHERE list_id = '{CUSTOMERS}' AND status = 'subscribed' ORDER BY email LIMIT 40""",
    # People who left stay away, even if a CRM calls them customers.
    f"""INSERT INTO deals SELECT email, status, 'Pro', ['Deal won']
       FROM contacts WHERE list_id = '{CUSTOMERS}' AND status = 'unsubscribed' ORDER BY email LIMIT 5""",
    "INSERT INTO deals SELECT format('new.customer.{}@example.org', n), 'not there', 'Plus', ['Deal won'] FROM range(1, 11) AS r(n)",
    f"INSERT INTO deals VALUES ('{NOT_AN_ADDRESS}', 'not there', 'Plus', ['Deal won'])",
)

AUDIENCES = f"""
SELECT l.name, {", ".join(f"count(*) FILTER (c.status = '{status}')" for status in STATUSES)}, count(*)
FROM contacts AS c JOIN lists AS l ON l.id = c.list_id GROUP BY l.name ORDER BY count(*) DESC
"""

CAME_BACK = f"""
SELECT d.was, coalesce(c.status, 'rejected') AS now, coalesce(c.custom_fields.PLAN, '-'), count(*),
       count(*) FILTER (list_contains(list_transform(c.tags, lambda t: t.name), 'Deal won'))
FROM deals AS d LEFT JOIN contacts AS c ON c.email = d.contact_email AND c.list_id = '{CUSTOMERS}' GROUP BY ALL ORDER BY ALL
"""


def edit(mailchimp: EmulatorProcess) -> list[str]:
    """Let people do what people do. Returns it in words."""
    everybody = [member for member in mailchimp.members(CUSTOMERS) if member["status"] == "subscribed"]
    leaving, archived, tagged, renamed = everybody[100:104]
    audience, guests = (next(one["name"] for one in mailchimp.lists() if one["id"] == list_id) for list_id in (CUSTOMERS, GUESTS))
    mailchimp.act(CUSTOMERS, leaving["email_address"], "unsubscribe_self")
    mailchimp.act(CUSTOMERS, archived["email_address"], "archive")
    mailchimp.act(CUSTOMERS, tagged["email_address"], "add_tag", tag="Spring sale")
    mailchimp.act(CUSTOMERS, renamed["email_address"], "change_merge_field", tag="COMPANY", value="Analytical Engines Ltd")
    mailchimp.rename_list(GUESTS, f"{guests} 2026")
    # The second in which an edit happens is read by the next sync; the demo does not want to wait for it.
    mailchimp.clock(advance=5)
    return [
        f"{name(leaving)} unsubscribes from {audience}",
        f"{name(archived)} is archived",
        f"{name(tagged)} gets the new tag Spring sale",
        f"{name(renamed)} changes company",
        f"the audience {guests} is renamed to {guests} 2026",
    ]


def name(member: Json) -> str:
    """Return a contact's name."""
    fields = member["merge_fields"]
    return f"{fields['FNAME']} {fields['LNAME']}"


def read(config: Path, catalog: Json, warehouse: Warehouse) -> dict[str, int]:
    """Read what is new into the warehouse, and tell how much that was. Returns the number of records by stream."""
    began = time.monotonic()
    counts = warehouse.take(watched(sync.read(config, catalog, warehouse.prepare(catalog)), "Reading"))
    console.print(f"  [bold green]{tally(counts)}[/] in {time.monotonic() - began:.1f} s")
    return counts


def show_contacts(warehouse: Warehouse) -> None:
    """Print who is in the warehouse."""
    console.print()
    table(["contacts by audience", *STATUSES, "all"], warehouse.query(AUDIENCES))


def show_moves(moved: Sequence[Move]) -> None:
    """Print which records came, and why."""
    table(["stream", "records", "why"], [(move.stream, move.count, move.reason) for move in moved], title="What moved, and why:")
    if any(move.stream == "tags" and "member_count" in move.reason for move in moved):
        line("A tag carries its number of contacts, so a contact who joins or leaves moves their tags too.", "dim")


def write_back(warehouse: Warehouse, credentials: Json) -> Written:
    """Write the deals of the warehouse into the audience of customers."""
    mapping = [{"column": "contact_email", "field": "email"}, {"column": "deal_plan", "field": "custom_fields.PLAN"}]
    config = {**credentials, "list_id": CUSTOMERS, "field_mapping": mapping}
    for statement in DEALS:
        warehouse.connection.execute(statement)
    log: list[Json] = []
    deals = activate.Table.of(warehouse.connection, "SELECT contact_email, deal_plan, tags FROM deals", "deals")
    counts = activate.write(config, deals, lambda line: log.append(dict(line)))
    reasons = [line["message"] for line in log if line["level"] == "WARN"]
    return Written(int(counts["recordCount"]), int(counts.get("rejectedRecordCount", 0)), reasons, NOT_AN_ADDRESS)


def show_written(written: Written, came_back: Sequence[tuple[Any, ...]]) -> None:
    """Print what became of the deals: in Mailchimp, read back from there, and the one that could not be written."""
    table(["before", "in Mailchimp now", "plan", "rows", "with the tag"], came_back, title="The deals, written to Mailchimp and read back:")
    line("People who had unsubscribed stay unsubscribed: only their plan and tag are written.", "dim")
    console.print(f"\n  [bold yellow]{written.rejected} rejected:[/] {written.example} has no @. The destination says:")
    for reason in written.reasons:
        line(reason, "dim")
    line("The other rows were written all the same. Correct this one and send it again.")


def run_local() -> Report:
    """Run the demo against a local Mailchimp."""
    config, database = OUTPUT / "source_config.json", OUTPUT / "demo.duckdb"
    database.unlink(missing_ok=True)
    with EmulatorProcess(demo=True) as mailchimp:
        credentials = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}
        config.write_text(json.dumps(credentials, indent=2))
        console.print(f"[bold]mailchimp-unified[/], against a local Mailchimp at {mailchimp.url}")
        step(1, "Read a whole account into DuckDB")
        sync.check(config)
        catalog, warehouse = sync.discover(config), Warehouse(database)
        warehouse.claim(sync.account(config, catalog))
        report = Report(full=read(config, catalog, warehouse))
        show_contacts(warehouse)
        step(2, "People edit, and only what changed is read")
        report.edits = edit(mailchimp)
        for words in report.edits:
            line(words)
        remember(warehouse)
        report.changed = read(config, catalog, warehouse)
        report.moved = moves(warehouse)
        show_moves(report.moved)
        step(3, "Write a table of the warehouse back, as contacts, merge fields and tags")
        report.written = write_back(warehouse, credentials)
        line(f"{number(report.written.written)} of {number(report.written.written + report.written.rejected)} rows written")
        mailchimp.clock(advance=5)
        report.after = read(config, catalog, warehouse)
        report.came_back = warehouse.query(CAME_BACK)
        show_written(report.written, report.came_back)
        report.save(warehouse, OUTPUT / "report.html")
        warehouse.close()
    return report


def run_account(config: Path) -> Report:
    """Read a real account into a file of its own, twice."""
    sync.check(config)
    catalog = sync.discover(config)
    account = sync.account(config, catalog)
    database = OUTPUT / f"account-{re.sub(r'[^A-Za-z0-9]', '', str(account['account_id']))}.duckdb"
    console.print(f"[bold]mailchimp-unified[/], the account {account['account_name']}: it is read, and nothing is written to it")
    warehouse = Warehouse(database)
    warehouse.claim(account)
    step(1, "Read what is not in the warehouse yet")
    report = Report(full=read(config, catalog, warehouse))
    show_contacts(warehouse)
    step(2, "Read again, what changed meanwhile")
    remember(warehouse)
    report.changed = read(config, catalog, warehouse)
    report.moved = moves(warehouse)
    if report.moved:
        show_moves(report.moved)
    report.save(warehouse, database.with_suffix(".html"))
    warehouse.close()
    return report


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=sync.configuration, help="configuration of the source for a real account")
    arguments = parser.parse_args()
    OUTPUT.mkdir(exist_ok=True)
    report = run_account(arguments.config) if arguments.config else run_local()
    console.print(f"\n[bold]The report:[/]   {report.page}")
    console.print(f"[bold]The tables:[/]   {report.database}")
    if not arguments.config:
        console.print("[bold]Your account:[/] make demo CONFIG=my_config.json reads it and writes nothing to it (README.md)")
    console.print("[bold]Who was archived, and when?[/] Ask the tables:\n")
    query = "SELECT name, status, updated_at FROM contacts WHERE is_deleted"
    other = f" --database {report.database}" if arguments.config else ""
    console.print(f'.venv/bin/python examples/sql.py{other} "{query}"', soft_wrap=True)


if __name__ == "__main__":
    main()
