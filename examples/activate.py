"""Rows of a CSV or Parquet file, of a DuckDB table or of a query go into an audience; the outcomes are printed.

Records that were rejected go in again, once they are corrected.

python examples/activate.py --config destination_config.json --recipe examples/recipes/attendees.json examples/recipes/attendees.csv
python examples/activate.py --config destination_config.json --database shop.duckdb --table customers
python examples/activate.py --config destination_config.json --database shop.duckdb --sql "SELECT mail AS email FROM customers"
python examples/activate.py --config destination_config.json --sql "FROM rows WHERE consent = 'yes'" answers.csv
python examples/activate.py --config destination_config.json --rejected rejected.jsonl --still-rejected again.jsonl

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import duckdb
from rejects import NotSendableError, Rejects
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
    return run(config, catalog(table), lines(table), show)


def run(
    config: Mapping[str, Any],
    configured: Json,
    messages: Iterable[str],
    show: Callable[[Mapping[str, Any]], None] = show_log,
) -> dict[str, float]:
    """Write messages that end with one STATE, and show the destination's log. Returns the counts of the acknowledged state."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [command("destination-mailchimp-unified"), "write"]
        for name, content in (("config", config), ("catalog", configured)):
            path = Path(folder, f"{name}.json")
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            feeder = threading.Thread(target=feed, args=(process.stdin, messages))
            feeder.start()
            answers = list(shown(process.stdout, show))
            feeder.join()
    if process.returncode:
        reasons = [m["trace"]["error"]["message"] for m in answers if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]
        raise SystemExit(f"The destination failed: {' '.join(reasons)}")
    (state,) = [message["state"] for message in answers if message["type"] == "STATE"]
    counts: dict[str, float] = state["destinationStats"]
    return counts


def feed(pipe: IO[str], messages: Iterable[str]) -> None:
    """Hand the messages over, unless the destination has had enough."""
    try:
        with pipe:
            pipe.writelines(f"{line}\n" for line in messages)
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


def send_again(arguments: argparse.Namespace, config: Json) -> dict[str, float] | None:
    """Write the rejected records of a file again; None where it holds none. Raises SystemExit for a file that cannot be sent."""
    if arguments.still_rejected:
        config |= {"rejected_records": "file", "rejected_records_file": str(arguments.still_rejected)}
    where = config.get("rejected_records_file")
    if config.get("rejected_records") == "file" and where and is_same_file(Path(where), arguments.rejected):
        raise SystemExit(f"{where} is being read, and rejected records would be written into it. Name another file with --still-rejected.")
    try:
        rejects = Rejects.of(arguments.rejected, only_later=arguments.only == "later")
        configured = json.loads(arguments.catalog.read_text()) if arguments.catalog else rejects.catalog(config)
        rejects.check_against(configured)
    except NotSendableError as error:
        raise SystemExit(str(error)) from None
    if left_out := rejects.left_out():
        print(left_out)
    return run(config, configured, rejects.messages()) if rejects.count else None


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, whether it is there or not."""
    return one.samefile(other) if one.exists() and other.exists() else one.resolve() == other.resolve()


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("file", type=Path, nargs="?", help="a CSV or Parquet file; in a query its name is rows")
    made.add_argument("--config", type=configuration, required=True, help="configuration of the destination, a JSON file")
    made.add_argument("--recipe", type=configuration, help="keys that are added to the configuration, a JSON file")
    made.add_argument("--database", type=Path, help="a DuckDB file, opened for reading only")
    made.add_argument("--table", help="a table of the database")
    made.add_argument("--sql", help="a query whose columns are fields of a contact, or mapped to such")
    made.add_argument("--dry-run", action="store_true", help="write nothing, say what would be done")
    again = made.add_argument_group("sending rejected records again")
    again.add_argument("--rejected", type=readable, help="the file of rejected records that a sync wrote: only they are sent")
    again.add_argument("--only", choices=["later"], help="later: only those that Mailchimp rejected temporarily")
    again.add_argument("--still-rejected", type=Path, help="the file for what is rejected again, instead of rejected_records_file")
    again.add_argument("--catalog", type=configuration, help="the configured catalog of the sync, if its streams had destination objects")
    return made


def readable(path: str) -> Path:
    """Return the path of a file that the command line names. Raises ArgumentTypeError when it cannot be read."""
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None
    return Path(path)


def parsed() -> argparse.Namespace:
    """Return the command line, or end with what is wrong with it."""
    reader = parser()
    arguments = reader.parse_args()
    of_a_table = arguments.file or arguments.database or arguments.table or arguments.sql
    if arguments.rejected and of_a_table:
        reader.error("--rejected sends the records of its file, and no table")
    if not arguments.rejected and (arguments.only or arguments.still_rejected or arguments.catalog):
        reader.error("--only, --still-rejected and --catalog belong to --rejected")
    if not arguments.rejected and not (arguments.file or (arguments.database and (arguments.table or arguments.sql))):
        reader.error("name a file, or a database with a table or a query, or --rejected with a file")
    return arguments


def main() -> None:
    """Write a table, or rejected records again."""
    arguments = parsed()
    config = json.loads(arguments.config.read_text())
    if arguments.recipe:
        config |= json.loads(arguments.recipe.read_text())
    if arguments.dry_run:
        config["dry_run"] = True
    counts = send_again(arguments, config) if arguments.rejected else write(config, opened(arguments))
    if counts is not None:
        print(f"{counts['recordCount']:.0f} records written, {counts.get('rejectedRecordCount', 0):.0f} rejected")


if __name__ == "__main__":
    main()
