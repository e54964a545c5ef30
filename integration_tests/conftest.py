from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import Source, config
from mailchimp_emulator import Emulator


@pytest.fixture
def mailchimp() -> Iterator[Emulator]:
    """An empty local Mailchimp."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def source(mailchimp: Emulator, tmp_path: Path) -> Callable[..., Source]:
    """The source, configured for the local Mailchimp."""

    def configured(**more: Any) -> Source:
        return Source(tmp_path, config(mailchimp.url, **more))

    return configured
