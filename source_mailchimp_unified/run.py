"""The console script `source-mailchimp-unified`: spec, check, discover and read."""

from __future__ import annotations

import contextlib
import os
import sys

from mailchimp_unified.runtime import tune
from source_mailchimp_unified.entrypoint import launch
from source_mailchimp_unified.source import SourceMailchimpUnified

SECONDS_BETWEEN_TURNS = 0.02


def main() -> None:
    """Run a command of the connector and end the process with its exit code."""
    tune()
    # The workers mostly wait for Mailchimp; taking turns more often costs more than it brings.
    sys.setswitchinterval(SECONDS_BETWEEN_TURNS)
    exit_code = launch(SourceMailchimpUnified(), sys.argv[1:])
    # Nobody may be listening any more.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    # Not sys.exit: that would wait for requests that are still under way and that nobody needs any more.
    os._exit(exit_code)


if __name__ == "__main__":
    main()
