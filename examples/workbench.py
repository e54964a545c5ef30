"""The workbench over a local Mailchimp with the demo account: read into a DuckDB file, then served until it is stopped.

With a real account: mailchimp-unified-workbench --database mailchimp.duckdb --source my_config.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sync import sync

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess
from mailchimp_workbench.run import DEFAULT_PORT, serve
from mailchimp_workbench.settings import Settings

OUTPUT = Path("demo_output")
DATABASE = OUTPUT / "workbench.duckdb"


def main() -> None:
    """Serve the workbench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port on 127.0.0.1 (default {DEFAULT_PORT}; 0 takes a free one)")
    arguments = parser.parse_args()
    OUTPUT.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    config = OUTPUT / "workbench_config.json"
    with EmulatorProcess(demo=True) as mailchimp:
        config.write_text(json.dumps({"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": mailchimp.url}))
        sync(config, DATABASE)
        print("The workbench runs until you press Ctrl+C. Open this address:")
        serve(DATABASE, Settings.read(config, None), arguments.port)


if __name__ == "__main__":
    main()
