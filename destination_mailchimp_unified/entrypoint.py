"""The command line: what the CDK's parser has no verb for, and an end that waits for nobody."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from airbyte_cdk.logger import init_logger, is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, Type
from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets, update_secrets

from destination_mailchimp_unified import output
from destination_mailchimp_unified.config import read_object
from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.faults import traced
from mailchimp_unified.auth import SECRET_CHARACTERS
from mailchimp_unified.request import Json
from mailchimp_unified.runtime import end_on_signals


def launch(destination: DestinationMailchimpUnified, args: Sequence[str]) -> int:
    """Run the command in `args`, print its messages, and return the exit code: 0, 1 after a failure, 143 after SIGTERM, 130 after Ctrl-C."""
    logger = init_logger("airbyte")
    for handler in logging.getLogger().handlers:
        handler.setFormatter(output.LogFormatter("%(message)s"))
    # A log line that nobody reads any more must not print a stack trace.
    logging.raiseExceptions = False
    parsed = _parser().parse_args(list(args))
    if parsed.debug or is_platform_debug_log_enabled():
        logger.setLevel(logging.DEBUG)
    end_on_signals()
    try:
        return _run(destination, parsed, logger)
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:
        # The reader of our output is gone. Nothing more can be written, not even by Python when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(destination: DestinationMailchimpUnified, parsed: argparse.Namespace, logger: logging.Logger) -> int:
    try:
        for message in _messages(destination, parsed, logger):
            # A state is a line already, the one that came in.
            output.write(message if isinstance(message, bytes) else output.line(message))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost boundary: every failure becomes a message
        output.write(output.line(_dumped(traced(error).as_sanitized_airbyte_message())))
        return 1
    return 0


def _messages(destination: DestinationMailchimpUnified, parsed: argparse.Namespace, logger: logging.Logger) -> Iterator[Json | bytes]:
    spec = destination.spec(logger)
    if parsed.command == "spec":
        yield _dumped(AirbyteMessage(type=Type.SPEC, spec=spec))
        return
    config = read_object(parsed.config, "configuration")
    # A short text is not worth hiding: replacing it everywhere would spoil every word that contains it.
    update_secrets([one for one in get_secrets(spec.connectionSpecification, config) if len(str(one)) >= SECRET_CHARACTERS])
    if parsed.command == "check":
        yield _dumped(AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=destination.check(logger, config)))
    elif parsed.command == "discover":
        yield destination.discover(logger, config)
    else:
        catalog = read_object(parsed.catalog, "catalog")
        # The file itself, not Python's reader of it: a thread that waits there at exit would hold the reader's lock.
        yield from destination.write_lines(logger, config, catalog, functools.partial(os.read, sys.stdin.fileno()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="destination-mailchimp-unified")
    parser.add_argument("--version", action="version", version=f"destination-mailchimp-unified {version('mailchimp-unified')}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, words in (
        ("spec", "print the specification of the configuration"),
        ("check", "try the configuration"),
        ("discover", "print the audiences as destination objects"),
        ("write", "write the messages of the standard input"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--debug", action="store_true", help="log every request, too")
        if name != "spec":
            command.add_argument("--config", required=True, help="path of the configuration file")
        if name == "write":
            command.add_argument("--catalog", required=True, help="path of the configured catalog file")
    return parser


def _dumped(message: AirbyteMessage) -> Json:
    return dict(AirbyteMessageSerializer.dump(message) or {})
