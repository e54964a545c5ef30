from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.bucket import Bucket, served
from integration_tests.commands import Source, config
from integration_tests.real.description import ApiDescription
from integration_tests.real.gaps import GAPS, gap
from mailchimp_emulator import Emulator
from unit_tests.references import REFERENCES

DESCRIPTION = REFERENCES / "mailchimp-openapi.json"


@functools.cache
def description() -> ApiDescription:
    """Return Mailchimp's API description."""
    return ApiDescription(DESCRIPTION)


@pytest.fixture(autouse=True)
def requests_as_described(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every request that a test makes the connectors send is checked against Mailchimp's API description, if that is on this machine."""
    # The questions to a real account go beyond the description on purpose.
    asked = "mailchimp" in request.fixturenames and request.path.name != "test_live.py"
    local = request.getfixturevalue("mailchimp") if asked and DESCRIPTION.exists() else None
    yield
    if local is not None:
        sent = [entry for entry in local.journal() if entry["path"].startswith("/3.0")]
        assert {gap(fault) for entry in sent for fault in description().request_faults(entry)} <= set(GAPS)


@pytest.fixture(scope="session")
def _emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def mailchimp(_emulator: Emulator) -> Emulator:
    """An empty local Mailchimp."""
    _emulator.reset()
    return _emulator


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket on a server of its own."""
    with served() as made:
        yield made


@pytest.fixture
def source(mailchimp: Emulator, tmp_path: Path) -> Callable[..., Source]:
    """The source, configured for the local Mailchimp."""

    def configured(**more: Any) -> Source:
        return Source(tmp_path, config(mailchimp.url, **more))

    return configured
