"""Mailchimp with dlt: the source's streams as dlt resources, into DuckDB or any other destination of dlt.

pip install "dlt[duckdb]"
python examples/dlt_pipeline.py --config my_config.json

The command source-mailchimp-unified has to be on the PATH; it may be installed in another environment. dlt keeps the states, in the
destination together with the rows: run it again for what changed since.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt

Json = dict[str, Any]
SOURCE = "source-mailchimp-unified"
MODES = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}


def messages(verb: str, **files: Any) -> Iterator[Json]:
    """Run a command of the source and yield its messages; its errors become exceptions. `files` are what its options name, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [SOURCE, verb]
        for name, content in files.items():
            path = Path(folder, f"{name}.json")
            path.write_text(json.dumps(content))
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
            raise RuntimeError(f"The source failed: {' '.join(dict.fromkeys(errors))}")


def hints(stream: Json) -> Any:
    """Return how dlt loads a stream: into a table of its name, merged by its primary key."""
    key = [path[0] for path in stream["source_defined_primary_key"]]
    return dlt.mark.make_hints(table_name=stream["name"], primary_key=key, write_disposition="merge")


@dlt.resource(name="mailchimp", max_table_nesting=1)
def records(config: Json) -> Iterator[Any]:
    """Yield what is new in all streams, and keep their states: dlt saves them with the rows, or neither.

    One process reads all streams: it keeps to the number of connections that the configuration allows.
    """
    (catalog,) = [message["catalog"] for message in messages("discover", config=config) if message["type"] == "CATALOG"]
    streams = {stream["name"]: stream for stream in catalog["streams"]}
    configured = {"streams": [{"stream": stream, **MODES} for stream in streams.values()]}
    states = dlt.current.resource_state().setdefault("states", {})
    described: set[str] = set()
    for message in messages("read", config=config, catalog=configured, state=list(states.values())):
        if message["type"] == "STATE":
            states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        elif message["type"] == "RECORD":
            name, row = message["record"]["stream"], message["record"]["data"]
            if name in described:
                yield dlt.mark.with_table_name(row, name)
            else:
                described.add(name)
                yield dlt.mark.with_hints(row, hints(streams[name]), create_table_variant=True)


def main() -> None:
    """Run the pipeline once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="configuration of the source, a JSON file")
    parser.add_argument("--destination", default="duckdb", help="a destination of dlt (default: duckdb)")
    arguments = parser.parse_args()
    pipeline = dlt.pipeline(pipeline_name="mailchimp_unified", destination=arguments.destination, dataset_name="mailchimp")
    pipeline.run(records(json.loads(arguments.config.read_text())))
    counts = pipeline.last_trace.last_normalize_info.row_counts
    print(json.dumps({name: counts.get(name, 0) for name in ("contacts", "lists", "tags", "users")}))


if __name__ == "__main__":
    main()
