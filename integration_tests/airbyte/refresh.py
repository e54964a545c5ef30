"""A program for PyAirbyte: every contact of the source goes to the destination, in a full refresh.

Its arguments are the two configuration files, and the database of a cache where one is used.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import airbyte as ab
from airbyte.caches import DuckDBCache

BINARIES = Path(__file__).resolve().parents[2] / ".venv" / "bin"


def main(source_file: str, destination_file: str, database: str = "") -> None:
    """Write the contacts."""
    source, destination = "source-mailchimp-unified", "destination-mailchimp-unified"
    reader = ab.get_source(source, config=json.loads(Path(source_file).read_text()), local_executable=BINARIES / source)
    writer = ab.get_destination(destination, config=json.loads(Path(destination_file).read_text()), local_executable=BINARIES / destination)
    reader.select_streams(["contacts"])
    # With replace the cache forgets rows that no longer come.
    by_cache = {"cache": DuckDBCache(db_path=database), "write_strategy": "replace"} if database else {}
    way: dict[str, Any] = by_cache or {"cache": False, "state_cache": False}
    writer.write(reader, streams=["contacts"], force_full_refresh=True, **way)


if __name__ == "__main__":
    main(*sys.argv[1:])
