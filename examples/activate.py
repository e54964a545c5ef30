"""Rows of a CSV or Parquet file, of a DuckDB table or of a query go into an audience; the outcomes are printed.

python examples/activate.py --config destination_config.json --recipe examples/recipes/attendees.json examples/recipes/attendees.csv
python examples/activate.py --config destination_config.json --database shop.duckdb --table customers
python examples/activate.py --config destination_config.json --database shop.duckdb --sql "SELECT mail AS email FROM customers"
python examples/activate.py --config destination_config.json --sql "FROM rows WHERE consent = 'yes'" answers.csv

The configuration is the destination's; a recipe holds keys that are added to it. A database is opened for reading only.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
from sync import command, configuration, show_log

ROWS_AT_ONCE = 10_000

Json = dict[str, Any]

_TYPES: Mapping[str, Json] = {
    "BOOLEAN": {"type": ["null", "boolean"]},
    "DATE": {"type": ["null", "string"], "format": "date"},
    "TIMESTAMP": {"type": ["null", "string"], "format": "date-time"},
    "TIMESTAMP WITH TIME ZONE": {"type": ["null", "string"], "format": "date-time"},
    "VARCHAR": {"type": ["null", "string"]},
}
_NUMBERS = ("INT", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "DECIMAL")


@dataclass
class Table:
    """The result of a query: a name, the JSON schema of each column, and the rows."""

    name: str
    columns: dict[str, Json]
    result: duckdb.DuckDBPyConnection

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, sql: str, name: str = "query") -> Table:
        """Return the result of a query."""
        result = connection.execute(sql)
        return cls(name, {column[0]: schema_of(str(column[1])) for column in result.description or ()}, result)

    def rows(self) -> Iterator[Json]:
        """Yield the rows."""
        while rows := self.result.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                yield {name: plain(value) for name, value in zip(self.columns, row, strict=True)}


def schema_of(type_: str) -> Json:
    """Return the JSON schema of a column of a DuckDB type."""
    if type_.endswith("[]"):
        return {"type": ["null", "array"]}
    if type_.startswith("STRUCT"):
        return {"type": ["null", "object"]}
    return {"type": ["null", "number"]} if type_.lstrip("U").startswith(_NUMBERS) else _TYPES.get(type_, {})


def plain(value: Any) -> Any:
    """Return a value that JSON knows: a decimal is a number, and not a number is nothing."""
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def lines(table: Table) -> Iterator[str]:
    """Yield the rows as RECORD messages, a STATE after the last, and the word that the table is complete."""
    now, count = int(time.time() * 1000), 0
    for row in table.rows():
        count += 1
        yield json.dumps({"type": "RECORD", "record": {"stream": table.name, "data": row, "emitted_at": now}}, default=str)
    stream_state = {"stream_descriptor": {"name": table.name}, "stream_state": {"rows": count}}
    yield json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream_state, "id": 1}})
    complete = {"stream_descriptor": {"name": table.name}, "status": "COMPLETE"}
    yield json.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": now, "stream_status": complete}})


def catalog(table: Table) -> Json:
    """Return the configured catalog: one stream with the columns of the table, upserted."""
    schema = {"type": "object", "properties": table.columns}
    stream = {"name": table.name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]}
    return {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append_dedup"}]}


def write(config: Mapping[str, Any], table: Table, show: Callable[[Mapping[str, Any]], None] = show_log) -> dict[str, float]:
    """Write a table through the destination, and show its log. Returns the counts of the acknowledged state."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [command("destination-mailchimp-unified"), "write"]
        for name, content in (("config", config), ("catalog", catalog(table))):
            path = Path(folder, f"{name}.json")
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            feeder = threading.Thread(target=feed, args=(process.stdin, table))
            feeder.start()
            messages = list(shown(process.stdout, show))
            feeder.join()
    if process.returncode:
        reasons = [m["trace"]["error"]["message"] for m in messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]
        raise SystemExit(f"The destination failed: {' '.join(reasons)}")
    (state,) = [message["state"] for message in messages if message["type"] == "STATE"]
    counts: dict[str, float] = state["destinationStats"]
    return counts


def feed(pipe: IO[str], table: Table) -> None:
    """Hand the rows over, unless the destination has had enough."""
    try:
        with pipe:
            pipe.writelines(f"{line}\n" for line in lines(table))
    except BrokenPipeError:
        return


def shown(output: IO[str], show: Callable[[Mapping[str, Any]], None]) -> Iterator[Json]:
    """Yield the messages of the destination, and show its log."""
    for line in output:
        message = json.loads(line)
        if message["type"] == "LOG":
            show(message["log"])
        else:
            yield message


def opened(arguments: argparse.Namespace) -> Table:
    """Return the table that the command line names."""
    connection = duckdb.connect(str(arguments.database), read_only=True) if arguments.database else duckdb.connect()
    name = arguments.table or "query"
    if arguments.file:
        name = arguments.file.stem
        # Texts stay as they are: a zip code keeps its zeros.
        file = str(arguments.file).replace("'", "''")
        reader = (
            f"read_parquet('{file}')" if arguments.file.suffix == ".parquet" else f"read_csv('{file}', header = true, all_varchar = true)"
        )
        connection.execute(f"CREATE TEMP VIEW rows AS FROM {reader}")
    if arguments.sql:
        return Table.of(connection, arguments.sql, name)
    quoted = arguments.table.replace('"', '""') if arguments.table else "rows"
    return Table.of(connection, f'FROM "{quoted}"', name)


def main() -> None:
    """Write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="a CSV or Parquet file; in a query its name is rows")
    parser.add_argument("--config", type=configuration, required=True, help="configuration of the destination, a JSON file")
    parser.add_argument("--recipe", type=Path, help="keys that are added to the configuration, a JSON file")
    parser.add_argument("--database", type=Path, help="a DuckDB file, opened for reading only")
    parser.add_argument("--table", help="a table of the database")
    parser.add_argument("--sql", help="a query whose columns are fields of a contact, or mapped to such")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, say what would be done")
    arguments = parser.parse_args()
    if not (arguments.file or (arguments.database and (arguments.table or arguments.sql))):
        parser.error("give a file, or a database with a table or a query")
    config = json.loads(arguments.config.read_text())
    if arguments.recipe:
        config |= json.loads(arguments.recipe.read_text())
    if arguments.dry_run:
        config["dry_run"] = True
    counts = write(config, opened(arguments))
    print(f"{counts['recordCount']:.0f} records written, {counts.get('rejectedRecordCount', 0):.0f} rejected")


if __name__ == "__main__":
    main()
