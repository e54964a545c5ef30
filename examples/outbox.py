"""Sends the rows of an outbox table in PostgreSQL to Mailchimp as they come, and writes the outcome into each row.

The application writes the event in the same transaction as its own tables; nothing is lost, no matter what is killed. The table:

    CREATE TABLE outbox (
        id bigserial PRIMARY KEY, event jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
        outcome text, reason text, answered_at timestamptz
    );
    CREATE INDEX outbox_waiting ON outbox (id) WHERE answered_at IS NULL;

    INSERT INTO outbox (event) VALUES ('{"email": "ada@example.org", "tags": ["ordered"]}');
    NOTIFY outbox;
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

import psycopg

WAITING = "SELECT id, event FROM outbox WHERE answered_at IS NULL ORDER BY id LIMIT 1000"
ANSWERED = "UPDATE outbox SET outcome = %s, reason = %s, answered_at = now() WHERE id = %s"
ONE_AT_A_TIME = "SELECT pg_advisory_lock(hashtext('mailchimp outbox'))"


def main() -> None:
    """Send what waits, wait for a NOTIFY or a second, and begin again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="configuration of the destination")
    parser.add_argument("--database", required=True, help="connection string of PostgreSQL")
    options = parser.parse_args()
    command = [sys.executable, "-m", "destination_mailchimp_unified.live.run", "--config", options.config]
    pipe = subprocess.PIPE
    with psycopg.connect(options.database, autocommit=True) as database, subprocess.Popen(command, stdin=pipe, stdout=pipe) as stream:
        database.execute(ONE_AT_A_TIME)
        database.execute("LISTEN outbox")
        while stream.poll() is None:
            if not send(database, stream):
                next(database.notifies(timeout=1.0, stop_after=1), None)
    sys.exit(f"mailchimp-unified-stream ended with exit code {stream.returncode}")


def send(database: psycopg.Connection[tuple[int, dict[str, object]]], stream: subprocess.Popen[bytes]) -> int:
    """Send what waits and keep the answers. Returns how many rows there were."""
    assert stream.stdin
    assert stream.stdout
    rows = database.execute(WAITING).fetchall()
    stream.stdin.writelines(json.dumps({**event, "id": number}).encode() + b"\n" for number, event in rows)
    stream.stdin.flush()
    for _ in rows:
        if not (line := stream.stdout.readline()):
            break
        answer = json.loads(line)
        database.execute(ANSWERED, (answer["outcome"], answer["reason"], answer["id"]))
    return len(rows)


if __name__ == "__main__":
    main()
