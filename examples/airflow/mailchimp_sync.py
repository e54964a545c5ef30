"""Mailchimp with Airflow 3: a DAG with one task, every hour.

Copy this file into the DAG folder. The sync runs with the Python in whose environment the connectors and DuckDB are installed:
the variables mailchimp_python, mailchimp_examples (the folder with sync.py), mailchimp_config and mailchimp_database say which.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Two syncs at a time would share Mailchimp's ten connections, and DuckDB has one writer.
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
    tags=["mailchimp"],
)
def mailchimp_sync() -> None:
    """Read what is new in Mailchimp into a DuckDB file."""

    @task.bash
    def sync() -> str:
        """Return the command; the last line of its output, the number of records by stream, is the task's result."""
        return (
            "{{ var.value.mailchimp_python }} {{ var.value.mailchimp_examples }}/sync.py"
            " --config {{ var.value.mailchimp_config }} --database {{ var.value.mailchimp_database }} --json"
        )

    sync()


mailchimp_sync()
