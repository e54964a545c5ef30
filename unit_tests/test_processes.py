"""The processes that tests start are a user's: what this machine asks of Python does not reach them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ASKED = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"}

WHAT_IS_LEFT = """
import os, conftest
conftest.pytest_configure()
print(sorted(name for name in os.environ if name.startswith("PYTHON")))
"""


def test_no_process_inherits_what_is_asked_of_python() -> None:
    """With unbuffered output or in development mode, the tests run the same processes; the location of Python stays."""
    environment = {**os.environ, **ASKED, "PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-c", WHAT_IS_LEFT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "['PYTHONPATH']\n"


def test_the_tests_themselves_ask_nothing_of_python() -> None:
    """On this machine, with any shell settings."""
    assert not set(ASKED) & set(os.environ)
