"""Rows of a warehouse table go into an audience: the rows become messages, the destination writes them.

Used by the demo; with a real account: python examples/activate.py --config destination_config.json --sql "SELECT ... AS email ..."
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sync import show_log

from mailchimp_workbench.warehouse import Warehouse

DESTINATION = Path(sys.executable).with_name("destination-mailchimp-unified")
STREAM = "warehouse_rows"


def lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the rows as RECORD messages, and a STATE after the last."""
    now = int(time.time() * 1000)
    for row in rows:
        yield json.dumps({"type": "RECORD", "record": {"stream": STREAM, "data": row, "emitted_at": now}}, default=str)
    stream_state = {"stream_descriptor": {"name": STREAM}, "stream_state": {"rows": len(rows)}}
    yield json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream_state, "id": 1}})


def catalog() -> dict[str, Any]:
    """Return the configured catalog: one stream, upserted. Its columns show with the first record."""
    stream = {"name": STREAM, "json_schema": {"type": "object", "properties": {}}, "supported_sync_modes": ["full_refresh"]}
    return {
        "streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append_dedup", "primary_key": [["email"]]}]
    }


def write(config: Path, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Write rows through the destination. Returns the counts of the acknowledged state."""
    with tempfile.TemporaryDirectory() as folder:
        catalog_path = Path(folder, "catalog.json")
        catalog_path.write_text(json.dumps(catalog()))
        done = subprocess.run(
            [str(DESTINATION), "write", "--config", str(config), "--catalog", str(catalog_path)],
            input="\n".join(lines(rows)) + "\n", stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    for message in messages:
        if message["type"] == "LOG":
            show_log(message["log"])
    if done.returncode:
        reasons = [m["trace"]["error"]["message"] for m in messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]
        raise SystemExit(f"The destination failed: {' '.join(reasons)}")
    (state,) = [message["state"] for message in messages if message["type"] == "STATE"]
    counts: dict[str, float] = state["destinationStats"]
    return counts


def main() -> None:
    """Write the result of a query."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="configuration of the destination, a JSON file")
    parser.add_argument("--database", type=Path, default=Path("demo_output/mailchimp.duckdb"), help="the DuckDB file")
    parser.add_argument("--sql", required=True, help="a query whose columns are fields of a contact, or mapped to such")
    arguments = parser.parse_args()
    print(write(arguments.config, Warehouse(arguments.database).rows(arguments.sql)))


if __name__ == "__main__":
    main()
