"""The console script `destination-mailchimp-unified`: spec, check, discover and write."""

from __future__ import annotations

import gc
import sys

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.entrypoint import launch


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    # What start-up made lives as long as the process: the garbage collector need not look at it again.
    gc.freeze()
    sys.exit(launch(DestinationMailchimpUnified(), sys.argv[1:]))


if __name__ == "__main__":
    main()
