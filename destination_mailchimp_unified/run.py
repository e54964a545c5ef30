"""The console script `destination-mailchimp-unified`: spec, check, discover and write."""

from __future__ import annotations

import os
import sys

from destination_mailchimp_unified import output
from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.entrypoint import launch
from mailchimp_unified.runtime import tune


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    tune()
    code = launch(DestinationMailchimpUnified(), sys.argv[1:])
    output.flush()
    # Not sys.exit: that would wait for requests that are still under way and that nobody needs any more.
    os._exit(code)


if __name__ == "__main__":
    main()
