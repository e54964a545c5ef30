"""The demo: the round trip from Mailchimp into a warehouse and back.

A local Mailchimp is read into a DuckDB file; people edit it, and what changed is read again; a table of the warehouse is
written back as contacts, merge fields and tags, and what that changed is read once more.
With --config FILE it reads a real account instead, twice, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import activate
from sync import sync
from warehouse import Warehouse

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

OUTPUT = Path("demo_output")
DATABASE = OUTPUT / "mailchimp.duckdb"
CUSTOMERS = "7a3c91e0d2"
TAG = "Deal won"

DEALS = """
CREATE OR REPLACE TABLE deals AS
    SELECT email AS contact_email, status AS was, 'Pro' AS deal_plan, ['Deal won'] AS tags
    FROM contacts WHERE list_id = '7a3c91e0d2' AND status = 'subscribed' ORDER BY email LIMIT 40
"""
"""Forty customers of whom the CRM says that they bought the Pro plan."""

MORE_DEALS = (
    # People who left stay away, whatever a CRM says of them.
    """INSERT INTO deals SELECT email, status, 'Pro', ['Deal won']
       FROM contacts WHERE list_id = '7a3c91e0d2' AND status = 'unsubscribed' ORDER BY email LIMIT 5""",
    "INSERT INTO deals SELECT format('new.customer.{}@example.org', n), 'new', 'Plus', ['Deal won'] FROM range(1, 11) AS r(n)",
    "INSERT INTO deals VALUES ('not an address', 'new', 'Plus', ['Deal won'])",
)


def title(text: str) -> None:
    """Print a headline."""
    print(f"\n== {text}")


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows in columns."""
    texts = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    for row in texts:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def edit(mailchimp: EmulatorProcess) -> list[str]:
    """Let people do what people do. Returns it in words."""
    everybody = [member for member in mailchimp.members(CUSTOMERS) if member["status"] == "subscribed"]
    leaving, archived, tagged, renamed = (member["email_address"] for member in everybody[100:104])
    mailchimp.act(CUSTOMERS, leaving, "unsubscribe_self")
    mailchimp.act(CUSTOMERS, archived, "archive")
    mailchimp.act(CUSTOMERS, tagged, "add_tag", tag="Spring sale")
    mailchimp.act(CUSTOMERS, renamed, "change_merge_field", tag="COMPANY", value="Analytical Engines Ltd")
    mailchimp.rename_list("2e6b74a9f8", "Event Guests 2026")
    # The second in which an edit happens is read by the next sync; the demo does not want to wait for it.
    mailchimp.clock(advance=5)
    return [
        "one contact unsubscribes",
        "one contact is archived",
        "one contact gets a new tag",
        "one contact's company changes",
        "one audience is renamed",
    ]


def show_contents(warehouse: Warehouse) -> None:
    """Print what is in the warehouse."""
    print("\nContacts by audience and status:")
    table(
        ["audience", "status", "contacts"],
        warehouse.query(
            "SELECT l.name, c.status, count(*) FROM contacts c JOIN lists l ON l.id = c.list_id GROUP BY ALL ORDER BY 1, 3 DESC"
        ),
    )
    print("\nSome columns and their types:")
    table(
        ["table", "column", "type"],
        warehouse.query(
            "SELECT table_name, column_name, left(data_type, 60) FROM information_schema.columns"
            " WHERE (table_name, column_name) IN (('contacts', 'email'), ('contacts', 'updated_at'), ('contacts', 'tags'),"
            " ('contacts', 'custom_fields'), ('lists', 'member_count')) ORDER BY ALL"
        ),
    )


def show_moved(**syncs: dict[str, int]) -> None:
    """Print how many records each sync moved."""
    title("What moved")
    names = next(iter(syncs.values()))
    table(["stream", *(sync.replace("_", " ") for sync in syncs)], [[name, *(counts[name] for counts in syncs.values())] for name in names])


def write_back(warehouse: Warehouse, credentials: dict[str, Any]) -> None:
    """Write the deals of the warehouse into the audience of customers."""
    mapping = [{"column": "contact_email", "field": "email"}, {"column": "deal_plan", "field": "custom_fields.PLAN"}]
    config = {**credentials, "list_id": CUSTOMERS, "field_mapping": mapping}
    for statement in (DEALS, *MORE_DEALS):
        warehouse.connection.execute(statement)
    counts = activate.write(config, activate.Table.of(warehouse.connection, "SELECT contact_email, deal_plan, tags FROM deals", "deals"))
    print(f"  acknowledged: {counts['recordCount']:.0f} records written, {counts.get('rejectedRecordCount', 0):.0f} rejected")


def show_written(warehouse: Warehouse) -> None:
    """Print what the warehouse knows of the deals after they went to Mailchimp and came back."""
    print("\nThe deals, written to Mailchimp and read back:")
    table(
        ["before", "now in Mailchimp", "plan", "contacts", "with the tag"],
        warehouse.query(
            "SELECT d.was, coalesce(c.status, 'not there'), coalesce(c.custom_fields.PLAN, '-'), count(*),"
            f" count(*) FILTER (list_contains(list_transform(c.tags, lambda t: t.name), '{TAG}'))"
            f" FROM deals d LEFT JOIN contacts c ON c.email = d.contact_email AND c.list_id = '{CUSTOMERS}' GROUP BY ALL ORDER BY ALL"
        ),
    )


def run_local() -> None:
    """Run the demo against a local Mailchimp."""
    config = OUTPUT / "source_config.json"
    with EmulatorProcess(demo=True) as mailchimp:
        credentials = {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}
        config.write_text(json.dumps(credentials, indent=2))
        warehouse = Warehouse(DATABASE)
        title(f"A local Mailchimp runs at {mailchimp.url}; first sync, everything")
        full = sync(config, warehouse)
        show_contents(warehouse)
        title("People edit")
        for words in edit(mailchimp):
            print(f"  {words}")
        title("Second sync, what changed")
        changed = sync(config, warehouse)
        title("The warehouse writes back: deals become contacts, merge fields and tags")
        write_back(warehouse, credentials)
        mailchimp.clock(advance=5)
        title("Third sync, what came of it")
        written = sync(config, warehouse)
        show_written(warehouse)
        show_moved(first_sync=full, after_the_edits=changed, after_writing_back=written)


def run_account(config: Path) -> None:
    """Read a real account twice."""
    warehouse = Warehouse(DATABASE)
    title("First sync, everything that is not in the warehouse yet")
    full = sync(config, warehouse)
    show_contents(warehouse)
    title("Second sync, what changed meanwhile")
    show_moved(first_sync=full, second_sync=sync(config, warehouse))


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, help="configuration of the source for a real account")
    arguments = parser.parse_args()
    OUTPUT.mkdir(exist_ok=True)
    if arguments.config:
        run_account(arguments.config)
    else:
        DATABASE.unlink(missing_ok=True)
        run_local()
    print(f"\nThe warehouse is {DATABASE}. To look at it:")
    print(f"""  .venv/bin/python -c "import duckdb; duckdb.connect('{DATABASE}').sql('FROM contacts').show()" """)


if __name__ == "__main__":
    main()
