"""The console script `source-mailchimp-unified`: spec, check, discover and read."""

from __future__ import annotations

import gc
import sys

from source_mailchimp_unified.entrypoint import launch
from source_mailchimp_unified.source import SourceMailchimpUnified


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    # What start-up made lives as long as the process: the garbage collector need not look at it again.
    gc.freeze()
    sys.exit(launch(SourceMailchimpUnified(), sys.argv[1:]))


if __name__ == "__main__":
    main()
