"""The console script `mailchimp-unified-stream`: events by the standard input, or by HTTP."""

from __future__ import annotations

import argparse
import asyncio
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from destination_mailchimp_unified.config import read_object
from destination_mailchimp_unified.live.lines import Lines
from destination_mailchimp_unified.live.log import MaskingFormatter, hide, log_to
from destination_mailchimp_unified.live.options import parser
from destination_mailchimp_unified.live.output import Output, write_all
from destination_mailchimp_unified.live.pipeline import Pipeline, pipeline_of
from destination_mailchimp_unified.live.stdio import answer_lines
from mailchimp_unified.auth import secrets_of
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.runtime import tune

FAILED = 1
SWITCH_SECONDS = 0.001
"""So soon a thread that has an answer, or a call to send, is let in while a burst is read; Python's own 5 ms are felt at each step of a call."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)
EXIT_AFTER_SIGNAL = 128
"""Added to the number of a signal: https://www.gnu.org/software/bash/manual/bash.html#Exit-Status."""


def main() -> None:
    """Run the command and end the process with its exit code."""
    tune()
    sys.setswitchinterval(SWITCH_SECONDS)
    code = run(sys.argv[1:])
    logging.shutdown()
    # Not sys.exit: a thread may still wait for input that nobody wants any more.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Answer events to the end of the input, or until a signal: 0, 1 after a failure, 143 after SIGTERM, 130 after SIGINT."""
    options = parser().parse_args(list(arguments))
    logger, formatter = log_to(None)
    stopping = Stopping()
    try:
        if options.log_file:
            logger, formatter = log_to(options.log_file)
        asyncio.run(_run(options, logger, formatter, stopping))
    except MailchimpError as error:
        logger.error("%s%s", error.closing_message, f" ({error.detail})" if error.detail else "")  # noqa: TRY400 - foreseen
        return FAILED
    except BrokenPipeError:
        # The reader of the answers is gone.
        return FAILED
    except Exception:
        logger.exception("The process failed in an unexpected way. Please report it with this log.")
        return FAILED
    return stopping.code


class Stopping:
    """What a signal asks for: the first one for an orderly end, the next for one at once."""

    def __init__(self) -> None:
        self.code = 0

    def watch(self, stop: Callable[[], None]) -> None:
        """Call `stop` at the first signal. To be called on the event loop that runs."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signaled, number, stop)

    def _signaled(self, number: int, stop: Callable[[], None]) -> None:
        if self.code:
            os._exit(self.code)
        self.code = EXIT_AFTER_SIGNAL + number
        stop()


async def _run(options: argparse.Namespace, logger: logging.Logger, formatter: MaskingFormatter, stopping: Stopping) -> None:
    pipeline = pipeline_of(read_object(options.config, "configuration"), options.stream, logger)
    hide(formatter, secrets_of(pipeline.config.credentials))
    if options.listen:
        # HTTP is an extra: reading lines does not need it.
        from destination_mailchimp_unified.live.serving import serve

        await serve(pipeline, options, formatter, stopping.watch)
    else:
        await _answer_input(pipeline, options, stopping)


async def _answer_input(pipeline: Pipeline, options: argparse.Namespace, stopping: Stopping) -> None:
    lines = Lines(functools.partial(os.read, sys.stdin.fileno()))
    output = Output(functools.partial(write_all, sys.stdout.fileno()), in_order=options.in_order)
    output.when_unheard = lines.stop
    stopping.watch(lines.stop)
    await answer_lines(pipeline, lines, output)
    if output.unheard:
        raise BrokenPipeError


if __name__ == "__main__":
    main()
