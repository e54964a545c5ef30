"""The log of a process whose standard output belongs to answers: lines elsewhere, without secrets and email addresses."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

from mailchimp_unified.errors import ConfigError
from mailchimp_unified.identity import masked

HIDDEN = "****"


class MaskingFormatter(logging.Formatter):
    """Formats lines in which no secret and no email address stands in clear, stack traces included."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self.secrets: list[str] = []

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        text = super().format(record)
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return masked(text)


def log_to(path: str | None) -> tuple[logging.Logger, MaskingFormatter]:
    """Let everything be logged to a file, or to the standard error. Returns the logger, and the formatter, which wants the secrets.

    Raises ConfigError for a file that cannot be written.
    """
    try:
        lines = logging.FileHandler(path) if path else logging.StreamHandler(sys.stderr)
    except OSError as error:
        raise ConfigError("The --log-file cannot be written.", detail=type(error).__name__) from None
    formatter = MaskingFormatter()
    lines.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    # Of the server, only what is amiss.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # A log line that nobody reads any more must not print a stack trace.
    logging.raiseExceptions = False
    return logging.getLogger("mailchimp_unified.stream"), formatter


def hide(formatter: MaskingFormatter, secrets: Iterable[str]) -> None:
    """Let no secret pass."""
    formatter.secrets += secrets
