"""What tests of entry points share."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def process_as_before() -> Iterator[None]:
    """What an entry point sets for its process is taken back."""
    handlers, raises = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}, logging.raiseExceptions
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    logging.raiseExceptions = raises
