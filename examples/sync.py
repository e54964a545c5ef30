"""One sync from Mailchimp into a DuckDB file: check, discover, read. Run it again for what changed since.

python examples/sync.py --config my_config.json --database mailchimp.duckdb
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mailchimp_workbench.warehouse import Warehouse

SOURCE = Path(sys.executable).with_name("source-mailchimp-unified")


def messages(command: str, config: Path, **files: Path) -> Iterator[dict[str, Any]]:
    """Run a command of the source and yield its messages. Log lines of the source go to the screen."""
    arguments = [str(SOURCE), command, "--config", str(config)]
    for name, path in files.items():
        arguments += [f"--{name}", str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if message["type"] == "LOG":
                show_log(message["log"])
            yield message
    if process.returncode:
        raise SystemExit(f"The source ended with exit code {process.returncode}.")


def show_log(log: Mapping[str, Any]) -> None:
    """Print what the source says about the sync; the CDK's own words about memory are left out."""
    if "MemoryMonitor" not in log["message"]:
        print(f"  [{log['level']}] {log['message']}")


def check(config: Path) -> None:
    """Stop with the source's words when the configuration does not work."""
    (status,) = [m["connectionStatus"] for m in messages("check", config) if m["type"] == "CONNECTION_STATUS"]
    if status["status"] != "SUCCEEDED":
        raise SystemExit(f"The check failed: {status['message']}")


def discover(config: Path) -> dict[str, Any]:
    """Return a configured catalog of all streams, read incrementally."""
    (catalog,) = [m["catalog"] for m in messages("discover", config) if m["type"] == "CATALOG"]
    modes = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return {"streams": [{"stream": stream, **modes} for stream in catalog["streams"]]}


def read(config: Path, catalog: Mapping[str, Any], warehouse: Warehouse) -> dict[str, int]:
    """Read everything that is new into the warehouse. Returns the number of records by stream."""
    states = warehouse.prepare(catalog)
    with tempfile.TemporaryDirectory() as folder:
        catalog_path, state_path = Path(folder, "catalog.json"), Path(folder, "state.json")
        catalog_path.write_text(json.dumps(catalog))
        state_path.write_text(json.dumps(states))
        return warehouse.take(messages("read", config, catalog=catalog_path, state=state_path))


def sync(config: Path, warehouse: Warehouse) -> dict[str, int]:
    """Check, discover, read. Returns the number of records by stream."""
    began = time.monotonic()
    print("check")
    check(config)
    print("discover")
    catalog = discover(config)
    print("read")
    counts = read(config, catalog, warehouse)
    print(f"  {sum(counts.values())} records in the warehouse after {time.monotonic() - began:.1f} s")
    return counts


def main() -> None:
    """Run one sync."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="configuration of the source, a JSON file")
    parser.add_argument("--database", type=Path, default=Path("demo_output/mailchimp.duckdb"), help="the DuckDB file")
    arguments = parser.parse_args()
    sync(arguments.config, Warehouse(arguments.database))


if __name__ == "__main__":
    main()
