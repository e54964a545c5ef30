"""The demo: a local Mailchimp is read into a DuckDB file, people edit it, and what changed is read again.

With --config FILE it reads a real account instead, twice, and edits nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sync import sync
from warehouse import Warehouse

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

OUTPUT = Path("demo_output")
DATABASE = OUTPUT / "mailchimp.duckdb"


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
    list_id = "7a3c91e0d2"
    everybody = [member for member in mailchimp.members(list_id) if member["status"] == "subscribed"]
    leaving, archived, tagged, renamed = (member["email_address"] for member in everybody[100:104])
    mailchimp.act(list_id, leaving, "unsubscribe_self")
    mailchimp.act(list_id, archived, "archive")
    mailchimp.act(list_id, tagged, "add_tag", tag="Spring sale")
    mailchimp.act(list_id, renamed, "change_merge_field", tag="COMPANY", value="Analytical Engines Ltd")
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


def show_moved(full: dict[str, int], incremental: dict[str, int]) -> None:
    """Print what each sync moved."""
    title("What moved")
    table(["stream", "first sync", "second sync"], [[name, full[name], incremental[name]] for name in full])


def run_local() -> None:
    """Run the demo against a local Mailchimp."""
    config = OUTPUT / "source_config.json"
    with EmulatorProcess(demo=True) as mailchimp:
        config.write_text(
            json.dumps({"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}, indent=2)
        )
        warehouse = Warehouse(DATABASE)
        title(f"A local Mailchimp runs at {mailchimp.url}; first sync, everything")
        full = sync(config, warehouse)
        show_contents(warehouse)
        title("People edit")
        for words in edit(mailchimp):
            print(f"  {words}")
        title("Second sync, what changed")
        incremental = sync(config, warehouse)
        show_moved(full, incremental)


def run_account(config: Path) -> None:
    """Read a real account twice."""
    warehouse = Warehouse(DATABASE)
    title("First sync, everything that is not in the warehouse yet")
    full = sync(config, warehouse)
    show_contents(warehouse)
    title("Second sync, what changed meanwhile")
    show_moved(full, sync(config, warehouse))


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
