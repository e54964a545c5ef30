"""One sync from Mailchimp into a DuckDB file: check, discover, read. Run it again for what changed since.

python examples/sync.py --config my_config.json --database mailchimp.duckdb

With --json, the last line is a JSON object with the number of records by stream: for the program that schedules the sync.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from mailchimp_workbench.warehouse import OtherAccountError, Warehouse

Json = dict[str, Any]
MODES = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}


def command(name: str) -> str:
    """Return the path of a connector's command: next to this Python, else the one on the PATH."""
    neighbor = Path(sys.executable).with_name(name)
    found = str(neighbor) if neighbor.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"The command {name} is not installed. Install it with: pip install mailchimp-unified")
    return found


def configuration(path: str) -> Path:
    """Return the path of a configuration that the command line names. Raises ArgumentTypeError when no JSON object is there."""
    try:
        content = json.loads(Path(path).read_text())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError(f"{path} has to be a JSON object, with the keys of the connector's configuration.")
    return Path(path)


def messages(verb: str, config: Path, **files: Path) -> Iterator[Json]:
    """Run a command of the source and yield its messages. Ends with the source's own words when it fails."""
    arguments = [command("source-mailchimp-unified"), verb, "--config", str(config)]
    for name, path in files.items():
        arguments += [f"--{name}", str(path)]
    errors: list[str] = []
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                errors.append(message["trace"]["error"]["message"])
            yield message
    if process.returncode:
        raise SystemExit(f"The source failed: {' '.join(dict.fromkeys(errors)) or f'exit code {process.returncode}'}")


def show_log(log: Mapping[str, Any]) -> None:
    """Print what a connector says about the sync; the CDK's own words about memory are left out."""
    if "MemoryMonitor" not in log["message"]:
        print(f"  [{log['level']}] {log['message']}")


def logged(stream: Iterable[Json]) -> Iterator[Json]:
    """Yield messages and print the log lines among them."""
    for message in stream:
        if message["type"] == "LOG":
            show_log(message["log"])
        yield message


def check(config: Path) -> None:
    """Stop with the source's words when the configuration does not work."""
    (status,) = [m["connectionStatus"] for m in messages("check", config) if m["type"] == "CONNECTION_STATUS"]
    if status["status"] != "SUCCEEDED":
        raise SystemExit(f"The check failed: {status['message']}")


def discover(config: Path) -> Json:
    """Return a configured catalog of all streams, read incrementally."""
    (catalog,) = [m["catalog"] for m in messages("discover", config) if m["type"] == "CATALOG"]
    return {"streams": [{"stream": stream, **MODES} for stream in catalog["streams"]]}


def read(config: Path, catalog: Mapping[str, Any], states: list[Json]) -> Iterator[Json]:
    """Yield the messages of a read that begins at saved states."""
    with tempfile.TemporaryDirectory() as folder:
        catalog_path, state_path = Path(folder, "catalog.json"), Path(folder, "state.json")
        catalog_path.write_text(json.dumps(catalog))
        state_path.write_text(json.dumps(states))
        yield from messages("read", config, catalog=catalog_path, state=state_path)


def account(config: Path, catalog: Mapping[str, Any]) -> Json:
    """Return the one record of the stream users: the account behind the credentials, and its name and id."""
    users = {"streams": [configured for configured in catalog["streams"] if configured["stream"]["name"] == "users"]}
    (record,) = [message["record"]["data"] for message in read(config, users, []) if message["type"] == "RECORD"]
    return dict(record)


def sync(config: Path, database: Path) -> dict[str, int]:
    """Check, discover, read. Returns the number of records by stream."""
    began = time.monotonic()
    check(config)
    catalog = discover(config)
    with closing(Warehouse(database)) as warehouse:
        try:
            warehouse.claim(account(config, catalog))
        except OtherAccountError as error:
            raise SystemExit(str(error)) from None
        counts = warehouse.take(logged(read(config, catalog, warehouse.prepare(catalog))))
    print(f"  {sum(counts.values())} records written to {database} in {time.monotonic() - began:.1f} s")
    return counts


def main() -> None:
    """Run one sync."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=configuration, required=True, help="configuration of the source, a JSON file")
    parser.add_argument("--database", type=Path, default=Path("mailchimp.duckdb"), help="the DuckDB file (default: mailchimp.duckdb)")
    parser.add_argument("--json", action="store_true", help="end with a JSON object: the number of records by stream")
    arguments = parser.parse_args()
    counts = sync(arguments.config, arguments.database)
    if arguments.json:
        print(json.dumps(counts))


if __name__ == "__main__":
    main()
