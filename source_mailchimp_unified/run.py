"""The console script `source-mailchimp-unified`: spec, check, discover and read."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from mailchimp_unified.runtime import tune
from source_mailchimp_unified.entrypoint import launch
from source_mailchimp_unified.source import SourceMailchimpUnified

SECONDS_BETWEEN_TURNS = 0.02


class Terminated(BaseException):
    """Somebody wants the process to end. `exit_code` is what a shell expects of a process that ended by this signal."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def main() -> None:
    """Run a command of the connector and end the process with its exit code: 143 after SIGTERM, 130 after Ctrl-C."""
    tune()
    # The workers mostly wait for Mailchimp; taking turns more often costs more than it brings.
    sys.setswitchinterval(SECONDS_BETWEEN_TURNS)
    # As the first process of a container a signal without a handler would be ignored.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _terminate)
    try:
        exit_code = launch(SourceMailchimpUnified(), sys.argv[1:])
    except Terminated as terminated:
        exit_code = terminated.exit_code
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    _end(exit_code)


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    # A second signal must not interrupt what the first one began.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    raise Terminated(128 + number)


def _end(exit_code: int) -> NoReturn:
    """End at once: a request that is still on its way would keep the process for minutes."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # Nobody listens any more.
        pass
    os._exit(exit_code)


if __name__ == "__main__":
    main()
