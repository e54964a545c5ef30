"""Reads what changed in Mailchimp every minute, and prints each record as a line of JSON.

The states are kept in a file, and only after the records before them were printed: killed at any moment, it resumes from there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 60.0
STREAM = {"name": "contacts", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
CATALOG = {"streams": [{"stream": STREAM, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}]}


def main() -> None:
    """Read, rest for what is left of the interval, and begin again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="configuration of the source")
    parser.add_argument("--state", type=Path, default=Path("state.json"), help="where the states are kept (state.json)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="interval (60)")
    parser.add_argument("--times", type=int, default=0, help="end after so many reads (0: never)")
    options = parser.parse_args()
    done = 0
    while True:
        began = time.monotonic()
        read(options.config, options.state)
        done += 1
        if done == options.times:
            return
        time.sleep(max(0.0, options.seconds - (time.monotonic() - began)))


def read(config: str, kept: Path) -> None:
    """Print the records of one sync, and keep its last state."""
    catalog = kept.with_suffix(".catalog.json")
    catalog.write_text(json.dumps(CATALOG))
    command = [sys.executable, "-m", "source_mailchimp_unified.run", "read", "--config", config, "--catalog", str(catalog)]
    if kept.exists():
        command += ["--state", str(kept)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as source:
        assert source.stdout
        for line in source.stdout:
            message = json.loads(line)
            if message["type"] == "RECORD":
                print(json.dumps(message["record"]["data"]), flush=True)
            elif message["type"] == "STATE":
                _keep(kept, message["state"])
            elif message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                print(message["trace"]["error"]["message"], file=sys.stderr)


def _keep(kept: Path, state: dict[str, object]) -> None:
    """Put the state where the last one was, in one step."""
    new = kept.with_suffix(".new")
    new.write_text(json.dumps([state]))
    new.replace(kept)


if __name__ == "__main__":
    main()
