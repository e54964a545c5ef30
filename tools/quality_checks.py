"""Runs Airbyte's own quality checks on both connectors of a tree that stage.py made, without the network.

.venv-quality/bin/python tools/quality_checks.py STAGED/airbyte

Prints one JSON object per check: {"connector", "check", "status": "PASSED" | "FAILED" | "SKIPPED", "message"}. Ends with 1 when one failed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from airbyte_ops_mcp import metadata_validator
from airbyte_ops_mcp.connector_ops import utils
from airbyte_ops_mcp.connector_ops.utils import Connector
from airbyte_ops_mcp.connector_qa.checks import ENABLED_CHECKS
from airbyte_ops_mcp.connector_qa.checks.version import CheckVersionIncrement

CONNECTORS = ("source-mailchimp-unified", "destination-mailchimp-unified")

ANSWERS: tuple[tuple[Any, str, Any], ...] = (
    # The base image is there; of these connectors Docker Hub, the registry and the main branch of Airbyte know nothing yet.
    (metadata_validator, "is_image_on_docker_hub", True),
    (metadata_validator, "get_latest_version_on_dockerhub", None),
    (utils, "download_catalog", {"sources": [], "destinations": []}),
    (CheckVersionIncrement, "_get_master_metadata", None),
)
"""What the look-ups of the checks find, for a connector that was never published."""


def results() -> Iterator[dict[str, str]]:
    """Yield the result of every check on every connector; the working folder is the root of the tree."""
    for name in CONNECTORS:
        for check in ENABLED_CHECKS:
            result = check.run(Connector(name))
            yield {"connector": name, "check": type(check).__name__, "status": result.status.name, "message": result.message}


def offline_results() -> list[dict[str, str]]:
    """Return the results, with the look-ups answered. Any other lookup of a host is told that there is no network."""
    with mock.patch.object(socket, "getaddrinfo", side_effect=socket.gaierror("no network in this check")):
        for place, name, answer in ANSWERS:
            mock.patch.object(place, name, return_value=answer).start()
        # The validators print what they do; the output of this script is JSON.
        with redirect_stdout(sys.stderr):
            found = list(results())
        mock.patch.stopall()
    return found


def main() -> None:
    """Run the checks and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("airbyte", type=Path, help="root of the staged tree")
    # The checks look for files below the working folder.
    os.chdir(parser.parse_args().airbyte)
    found = offline_results()
    for result in found:
        print(json.dumps(result))
    sys.exit(any(result["status"] == "FAILED" for result in found))


if __name__ == "__main__":
    main()
