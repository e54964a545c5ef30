"""Where lines leave the process: secrets and email addresses are masked, except in states, which belong to their sender."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import orjson
from airbyte_cdk.logger import PRINT_BUFFER, AirbyteLogFormatter
from airbyte_cdk.models import Level
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from mailchimp_unified.identity import masked

# What is the same for everybody: examples in it may look like email addresses.
_PUBLIC = "SPEC"


class LogFormatter(logging.Formatter):
    """Formats log records as Airbyte's messages, those for debugging too, which the CDK's formatter prints in a form of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        level = AirbyteLogFormatter.level_mapping.get(record.levelno, Level.INFO)
        return line({"type": "LOG", "log": {"level": level.value, "message": super().format(record)}}).decode()


def line(message: Mapping[str, Any]) -> bytes:
    """Return a message as a line without its newline, email addresses and secrets masked in every text of it."""
    return orjson.dumps(message if message.get("type") == _PUBLIC else _masked(message))


def write(text: bytes) -> None:
    """Print a line at once: a platform waits for every state."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


def flush() -> None:
    """Print what is still in buffers."""
    logging.shutdown()
    PRINT_BUFFER.flush()
    sys.stdout.flush()


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(filter_secrets(value))
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value
