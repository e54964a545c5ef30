"""The console script `destination-mailchimp-unified`: spec, check, discover and write."""

from __future__ import annotations

import gc
import sys

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.entrypoint import launch

OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    # What start-up made lives as long as the process: the garbage collector need not look at it again.
    gc.freeze()
    # Answers are many objects and no cycles: looking at them more often finds nothing.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    sys.exit(launch(DestinationMailchimpUnified(), sys.argv[1:]))


if __name__ == "__main__":
    main()
