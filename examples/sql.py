"""Shows the rows of a query on a DuckDB file.

python examples/sql.py "SELECT status, count(*) FROM contacts GROUP BY ALL" [--database FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb


def main() -> None:
    """Run the query of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("query", help="a query in SQL")
    parser.add_argument("--database", type=Path, default=Path("demo_output/demo.duckdb"), help="the file (default: that of the demo)")
    arguments = parser.parse_args()
    if not arguments.database.exists():
        parser.error(f"{arguments.database} does not exist. make demo writes demo_output/demo.duckdb.")
    try:
        with duckdb.connect(str(arguments.database), read_only=True) as connection:
            connection.sql(arguments.query).show(max_width=100)
    except duckdb.Error as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
