"""Mailchimp with Dagster: one asset for each table, all filled by one sync, every hour.

dagster dev -f examples/dagster/mailchimp.py

The sync runs in a process of its own, with the Python in whose environment the connectors and DuckDB are installed:
MAILCHIMP_PYTHON (default: python), MAILCHIMP_CONFIG (default: source.json) and MAILCHIMP_DATABASE (default: mailchimp.duckdb) say which.
"""

# No "from __future__ import annotations" here: Dagster reads the type of the context.
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

SYNC = Path(__file__).resolve().parents[1] / "sync.py"
STREAMS = ("contacts", "lists", "tags", "users")


@dg.multi_asset(
    specs=[dg.AssetSpec(name, group_name="mailchimp", kinds={"duckdb"}) for name in STREAMS],
    # Two syncs at a time would share Mailchimp's ten connections, and DuckDB has one writer.
    pool="mailchimp",
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL),
)
def mailchimp(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Read what is new in Mailchimp."""
    python, config, database = (
        os.environ.get(name, default)
        for name, default in (
            ("MAILCHIMP_PYTHON", "python"), ("MAILCHIMP_CONFIG", "source.json"), ("MAILCHIMP_DATABASE", "mailchimp.duckdb"),
        )
    )  # fmt: skip
    command = [python, str(SYNC), "--config", config, "--database", database, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    for line in done.stdout.splitlines():
        context.log.info(line)
    if done.returncode:
        raise dg.Failure(f"The sync ended with exit code {done.returncode}; its last words are in the log of this run.")
    for name, count in json.loads(done.stdout.splitlines()[-1]).items():
        yield dg.MaterializeResult(asset_key=name, metadata={"records": count})


job = dg.define_asset_job("mailchimp_sync", selection=dg.AssetSelection.groups("mailchimp"))
defs = dg.Definitions(assets=[mailchimp], jobs=[job], schedules=[dg.ScheduleDefinition(job=job, cron_schedule="5 * * * *")])
