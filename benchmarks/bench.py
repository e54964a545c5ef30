"""Measures both connectors against references in one run, and writes benchmarks/RESULTS.md.

Everything is a whole process against the emulator in a process of its own, with a stated time per request and Mailchimp's
limit of ten connections on. Absolute times are those of one machine; the ratios are what counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import BIN, HERE, Bench, Row, credentials, emulator, report, seed
from measure import Figures, best, measure
from reading import reading_as_airbyte, reading_as_singer, reading_killed, reading_many_lists, reading_memory, reading_one_list
from streaming import streaming
from workbench import workbench
from writing import writing, writing_memory, writing_repeated


def starting(bench: Bench) -> None:
    """Start-up: spec against importing the CDK's entry point, and a check without latency; the best of five."""

    def started(command: Sequence[str]) -> Figures:
        return best(measure(command) for _ in range(5))

    imported = started([sys.executable, "-c", "import airbyte_cdk.entrypoint"])
    bench.add(Row("import of airbyte_cdk.entrypoint", imported))
    with emulator() as mailchimp:
        list_id = seed(mailchimp, 10)
        for name in ("source", "destination"):
            script = str(BIN / f"{name}-mailchimp-unified")
            figures = started([script, "spec"])
            bench.add(Row(f"{name} spec", figures, ratio="wall / import", value=figures.wall / imported.wall, target=1.2))
            config = bench.write(f"{name}.json", credentials(mailchimp, **({"list_id": list_id} if name == "destination" else {})))
            figures = started([script, "check", "--config", str(config)])
            bench.add(Row(f"{name} check", figures, ratio="wall / import", value=figures.wall / imported.wall))


CASES: dict[str, Callable[[Bench], None]] = {
    "starting": starting,
    "reading_one_list": reading_one_list,
    "reading_many_lists": reading_many_lists,
    "reading_as_airbyte": reading_as_airbyte,
    "reading_as_singer": reading_as_singer,
    "reading_killed": reading_killed,
    "reading_memory": reading_memory,
    "streaming": streaming,
    "writing": writing,
    "writing_repeated": writing_repeated,
    "writing_memory": writing_memory,
    "workbench": workbench,
}


def main() -> None:
    """Run the cases named on the command line, or all; only a full run is written down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="cases to run (all)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the contacts, for a quick look")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.scale)
        for name in arguments.cases or CASES:
            CASES[name](bench)
    if not arguments.cases and arguments.scale == 1.0:
        (HERE / "RESULTS.md").write_text(report(bench))
    else:
        print(report(bench))


if __name__ == "__main__":
    main()
