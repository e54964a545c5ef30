"""The garbage collector rests while a connector starts, and only then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("source_mailchimp_unified", "destination_mailchimp_unified")

EMBEDDING = """
import gc, json
if not {enabled}:
    gc.disable()
before = gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()
import {package}
print(json.dumps([before, (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count())]))
"""

COMMAND = """
import gc, json, os, sys
import {package}.run as run
def launch(*_):
    print(json.dumps([gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count()]))
    return 0
run.launch = launch
run.main()
"""


def result(code: str) -> Any:
    """Run code in a Python of its own, and return what it prints."""
    root = Path(__file__).resolve().parents[1]
    return json.loads(subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("package", PACKAGES)
def test_an_embedding_program_finds_the_garbage_collector_as_it_left_it(package: str, enabled: bool) -> None:
    """A program that imports a connector keeps its own settings, even if the collector is off."""
    before, after = result(EMBEDDING.format(package=package, enabled=enabled))

    assert after == before


@pytest.mark.parametrize("package", PACKAGES)
def test_the_garbage_collector_runs_again_after_start_up(package: str) -> None:
    """A sync of days would grow without it; it looks seldom, and never at what start-up made."""
    enabled, threshold, frozen = result(COMMAND.format(package=package))

    assert enabled
    assert threshold >= 10_000
    assert frozen > threshold
