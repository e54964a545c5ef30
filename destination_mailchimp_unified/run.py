"""The console script `destination-mailchimp-unified`: spec, check, discover and write."""

from __future__ import annotations

import gc
import os
import sys

# Importing the CDK makes very many objects and no garbage: looking for some takes an eighth of the start.
gc.disable()
from destination_mailchimp_unified import output  # noqa: E402
from destination_mailchimp_unified.destination import DestinationMailchimpUnified  # noqa: E402
from destination_mailchimp_unified.entrypoint import launch  # noqa: E402
from mailchimp_unified.runtime import tune  # noqa: E402

gc.enable()


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    tune()
    code = launch(DestinationMailchimpUnified(), sys.argv[1:])
    output.flush()
    # Not sys.exit: that would wait for requests that are still under way and that nobody needs any more.
    os._exit(code)


if __name__ == "__main__":
    main()
