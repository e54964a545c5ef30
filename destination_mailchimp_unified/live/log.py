"""The log of a process whose standard output belongs to answers: lines on the standard error, without secrets and email addresses."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

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


def log_to_stderr() -> tuple[logging.Logger, MaskingFormatter]:
    """Let everything be logged to the standard error. Returns the logger, and the formatter, which wants to know the secrets."""
    stream, formatter = logging.StreamHandler(sys.stderr), MaskingFormatter()
    stream.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[stream], force=True)
    # Of the server, only what is amiss.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # A log line that nobody reads any more is no reason for a stack trace.
    logging.raiseExceptions = False
    return logging.getLogger("mailchimp_unified.stream"), formatter


def hide(formatter: MaskingFormatter, secrets: Iterable[str]) -> None:
    """Let no secret pass."""
    formatter.secrets += secrets
