"""The console script `source-mailchimp-unified`: spec, check, discover and read."""

from __future__ import annotations

import gc
import sys

from source_mailchimp_unified.entrypoint import launch
from source_mailchimp_unified.source import SourceMailchimpUnified

OBJECTS_BETWEEN_COLLECTIONS = 100_000
SECONDS_BETWEEN_TURNS = 0.02


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    # What start-up made lives as long as the process: the garbage collector need not look at it again.
    gc.freeze()
    # Pages are many objects and no cycles: looking at them more often costs a tenth of the sync and finds nothing.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    # The workers mostly wait for Mailchimp; taking turns more often costs more than it brings.
    sys.setswitchinterval(SECONDS_BETWEEN_TURNS)
    sys.exit(launch(SourceMailchimpUnified(), sys.argv[1:]))


if __name__ == "__main__":
    main()
