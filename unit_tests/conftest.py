"""What tests of entry points share."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def process_as_before() -> Iterator[None]:
    """What an entry point sets for its process is taken back."""
    handler, raises = signal.getsignal(signal.SIGTERM), logging.raiseExceptions
    yield
    signal.signal(signal.SIGTERM, handler)
    logging.raiseExceptions = raises
