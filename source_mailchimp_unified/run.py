"""The console script `source-mailchimp-unified`: spec, check, discover and read."""

from __future__ import annotations

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
    sys.exit(launch(SourceMailchimpUnified(), sys.argv[1:]))


if __name__ == "__main__":
    main()
