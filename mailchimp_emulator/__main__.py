"""python -m mailchimp_emulator: serve until stopped; the first line of the output is the URL."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import signal
from typing import Any

from mailchimp_emulator.runner import start
from mailchimp_emulator.state import Options


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mailchimp_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8800, help="port on 127.0.0.1; 0 takes a free one (default 8800)")
    parser.add_argument("--demo", action="store_true", help="begin with the demo account: three audiences, campaigns, a store")
    parser.add_argument("--contacts", type=int, default=0, help="begin with one audience of so many contacts")
    parser.add_argument("--seed", type=int, default=1, help="number from which names and times are drawn (default 1)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each request takes (default 0)")
    parser.add_argument("--options", type=json.loads, default={}, metavar="JSON", help="any option of Options, as JSON")
    return parser.parse_args()


def options_of(arguments: argparse.Namespace) -> Options:
    """The options that the command line stands for."""
    chosen: dict[str, Any] = {"demo": arguments.demo, "latency": arguments.latency}
    if arguments.contacts:
        one = {"name": "Audience", "contacts": arguments.contacts}
        chosen["seed"] = {"seed": arguments.seed, "lists": [one]}
    return Options(**{**chosen, **arguments.options})


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        runner, server = await start(options_of(arguments), arguments.port)
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise SystemExit(
            f"Port {arguments.port} is in use. Stop what listens there, or choose another with --port (0 takes a free one)."
        ) from None
    print(server.state.origin, flush=True)
    await stop.wait()
    server.churn.stop()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(_arguments()))
