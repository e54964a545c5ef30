"""The command line: Airbyte's entry point, with our words for what is wrong, and an end that waits for nobody."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER, is_platform_debug_log_enabled
from airbyte_cdk.models import AirbyteMessage, ConnectorSpecification
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, get_secrets, update_secrets

from mailchimp_unified.auth import SECRET_CHARACTERS
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.identity import masked
from mailchimp_unified.runtime import end_on_signals
from source_mailchimp_unified.faults import error_message, traced
from source_mailchimp_unified.source import SourceMailchimpUnified, parse_source_config
from source_mailchimp_unified.sync.messages import RecordLines, record_lines

STATE_PREFIX = '{"type":"STATE"'

_LEVELS = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL"}


class LogFormatter(logging.Formatter):
    """Log lines as Airbyte's messages, secrets and email addresses masked."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without its newline."""
        level = _LEVELS.get(record.levelno, record.levelname)
        message = masked(filter_secrets(super().format(record)))
        return orjson.dumps({"type": "LOG", "log": {"level": level, "message": message}}).decode()


class Entrypoint(AirbyteEntrypoint):
    """The CDK's entry point. The configuration is checked by our model, whose messages name the field."""

    source: SourceMailchimpUnified

    @staticmethod
    def validate_connection(
        source_spec: ConnectorSpecification,  # noqa: ARG004 - the model knows the same rules
        config: Mapping[str, Any],
    ) -> None:
        """Raise a config error for a wrong configuration."""
        try:
            parse_source_config(config)
        except MailchimpError as error:
            raise traced(error) from None

    @staticmethod
    def set_up_secret_filter(config: Mapping[str, Any], connection_specification: Mapping[str, Any]) -> None:
        """Hide the secrets of the configuration in all output, but not a blank or a letter: that would hide the output itself."""
        found = (str(secret) for secret in get_secrets(connection_specification, config))
        update_secrets([secret for secret in found if len(secret.strip()) >= SECRET_CHARACTERS])

    def lines(self, parsed: argparse.Namespace) -> Iterator[str | bytes]:
        """Yield the lines of a command. Records skip the CDK's message objects, which cost more than all else together.

        A str is one line without its newline, bytes are lines of records with theirs.
        """
        if parsed.command == "read":
            return self._read_lines(parsed)
        return iter(self.run(parsed))

    def _read_lines(self, parsed: argparse.Namespace) -> Iterator[str | bytes]:
        if parsed.debug or is_platform_debug_log_enabled():
            self.logger.setLevel(logging.DEBUG)
        spec, config = self.source.spec(self.logger), self.source.read_config(parsed.config)
        self.set_up_secret_filter(config, spec.connectionSpecification)
        self.validate_connection(spec, config)
        catalog, state = self.source.read_catalog(parsed.catalog), self.source.read_state(parsed.state)
        counts: defaultdict[HashableStreamDescriptor, float] = defaultdict(float)
        lines: Counter[str] = Counter()
        for output in self.source.sync(self.logger, config, catalog, state, record_lines):
            # The monitor looks at the memory every so many messages.
            for _ in range(output.number if isinstance(output, RecordLines) else 1):
                self._memory_monitor.check_memory_usage()
            if isinstance(output, RecordLines):
                lines[output.stream] += output.number
                yield output.content
                continue
            if output.state is not None and output.state.stream is not None:
                name = output.state.stream.stream_descriptor.name
                counts[HashableStreamDescriptor(name=name)] = float(lines.pop(name, 0))
            yield self.airbyte_message_to_string(self.handle_record_counts(output, counts))


def launch(source: SourceMailchimpUnified, args: Sequence[str]) -> int:
    """Run the command in `args`, print its messages, and return the exit code.

    It is 0, 1 after any failure, 143 after SIGTERM, or 130 after Ctrl-C.
    """
    parsed = _parser().parse_args(list(args))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(LogFormatter("%(message)s"))
    # A log line that nobody can read any more is not an error.
    logging.raiseExceptions = False
    end_on_signals()
    try:
        return _run(source, parsed)
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:
        _stop_talking()
        return 1


def _run(source: SourceMailchimpUnified, parsed: argparse.Namespace) -> int:
    with PRINT_BUFFER:
        try:
            for line in Entrypoint(source).lines(parsed):
                if isinstance(line, bytes):
                    _print_records(line)
                    continue
                print(f"{line}\n", end="")
                if line.startswith(STATE_PREFIX):
                    # Requests may follow that take their time: what is safe must be known immediately.
                    PRINT_BUFFER.flush()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost boundary: every failure becomes a message
            _print(error_message(error))
            if parsed.command == "check":
                # The caller of a check waits for its status.
                _print(traced(error).as_connection_status_message())
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="source-mailchimp-unified")
    parser.add_argument("--version", action="version", version=f"source-mailchimp-unified {version('mailchimp-unified')}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, words in (
        ("spec", "print the specification of the configuration"),
        ("check", "try the configuration"),
        ("discover", "print the streams of the account"),
        ("read", "print the records of the streams in a catalog"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--debug", action="store_true", help="log every request, too")
        if name != "spec":
            command.add_argument("--config", required=True, help="path of the configuration file")
        if name == "read":
            command.add_argument("--catalog", required=True, help="path of the configured catalog file, or of the output of discover")
            command.add_argument("--state", help="path of a file with the state messages of the last sync")
    return parser


def _print_records(lines: bytes) -> None:
    """Print lines of records past the CDK's buffer, which would copy a page of them four times."""
    sys.stdout.flush()
    output = sys.__stdout__ if sys.stdout is PRINT_BUFFER else sys.stdout
    assert output is not None, "a process that reads has an output"
    output.buffer.write(lines)


def _stop_talking() -> None:
    """Discard what is left: the reader of our output is gone, and Python would complain when it exits."""
    assert sys.__stdout__ is not None, "a process with a broken pipe has an output"
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())


def _print(message: AirbyteMessage | None) -> None:
    if message is not None:
        print(f"{AirbyteEntrypoint.airbyte_message_to_string(message)}\n", end="")
