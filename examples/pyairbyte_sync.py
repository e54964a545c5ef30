"""Mailchimp with PyAirbyte: into a DuckDB cache, and from there, or straight, into an audience.

make pyairbyte
.venv-pyairbyte/bin/python examples/pyairbyte_sync.py read --source source.json --database mailchimp.duckdb
.venv-pyairbyte/bin/python examples/pyairbyte_sync.py write --source source.json --destination destination.json --database mailchimp.duckdb

Run either again for what changed since: the database keeps the states. The last line of the output is a JSON object with the counts;
after writing, the lines before it are the destination's own: what became of the records, and why which were rejected.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

# Neither connector is in Airbyte's registry, where PyAirbyte would look them up.
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")

import airbyte as ab
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorError

CONNECTORS = Path(__file__).resolve().parents[1] / ".venv" / "bin"
"""The connectors run in an environment of their own: PyAirbyte and they need not agree on versions."""

CONTACTS = ["contacts"]
"""The stream that can be written back."""


def command(name: str) -> Path:
    """Return the path of a connector's command: of this checkout, else the one on the PATH."""
    found = CONNECTORS / name if (CONNECTORS / name).exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"The command {name} is not installed. Install it with: pip install mailchimp-unified")
    return Path(found)


def source(config: Path) -> ab.Source:
    """Return the source, checked, with all streams selected."""
    name = "source-mailchimp-unified"
    made = ab.get_source(name, config=json.loads(config.read_text()), local_executable=command(name))
    made.check()
    made.select_all_streams()
    return made


def destination(config: Path) -> Any:
    """Return the destination, checked."""
    name = "destination-mailchimp-unified"
    made = ab.get_destination(name, config=json.loads(config.read_text()), local_executable=command(name))
    made.check()
    return made


def words(error: AirbyteConnectorError) -> str:
    """Return what the connector says. PyAirbyte keeps it in the context of the error, or in the error that came first."""
    reason = (error.context or {}).get("failure_reason")
    first = error.original_exception
    return reason or (words(first) if isinstance(first, AirbyteConnectorError) else error.get_message())


def read(config: Path, cache: DuckDBCache) -> dict[str, Any]:
    """Read what is new into the cache. Returns how many records came, and how many rows each table has now."""
    result = source(config).read(cache=cache)
    return {"records": result.processed_records, "rows": {name: len(dataset) for name, dataset in result.streams.items()}}


def write(source_config: Path, destination_config: Path, cache: DuckDBCache, *, direct: bool) -> dict[str, Any]:
    """Write contacts into their audience. Returns how many records went.

    Through the cache all contacts are written that it holds after reading what is new; directly only what is new is written, and the
    cache keeps nothing but the state.
    """
    contacts = source(source_config)
    contacts.select_streams(CONTACTS)
    audience = destination(destination_config)
    # PyAirbyte writes what a connector logs into a file; here it goes to the screen too.
    logging.getLogger(f"airbyte.{audience.name}").addHandler(logging.StreamHandler(sys.stdout))
    result = audience.write(contacts, cache=False, state_cache=cache) if direct else audience.write(contacts.read(cache=cache))
    return {"records": result.processed_records}


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["read", "write"])
    parser.add_argument("--source", type=Path, required=True, help="configuration of the source, a JSON file")
    parser.add_argument("--destination", type=Path, help="configuration of the destination, a JSON file; for write")
    parser.add_argument("--database", type=Path, default=Path("demo_output/pyairbyte.duckdb"), help="the DuckDB file")
    parser.add_argument("--direct", action="store_true", help="write without the cache in between")
    arguments = parser.parse_args()
    if arguments.command == "write" and arguments.destination is None:
        parser.error("write needs --destination")
    cache = DuckDBCache(db_path=arguments.database)
    try:
        if arguments.command == "read":
            counts = read(arguments.source, cache)
        else:
            counts = write(arguments.source, arguments.destination, cache, direct=arguments.direct)
    except AirbyteConnectorError as error:
        raise SystemExit(words(error)) from None
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
