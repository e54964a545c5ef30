"""`make workbench` serves the demo account, and leaves nothing running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from integration_tests.workbench.served import Visitor, words

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_can_be_looked_at(tmp_path: Path) -> None:
    """It reads the demo account, prints an address that opens, and ends with its local Mailchimp when it is told to."""
    command = [sys.executable, "-u", str(ROOT / "examples" / "workbench.py"), "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next(line.strip() for line in iter(process.stdout.readline, "") if "/open?token=" in line)
        visitor = Visitor(address)
        seen = words(visitor.get("/status/audiences").text)
        account = (tmp_path / "demo_output" / "workbench_config.json").read_text().split('"api_url": "')[1].split('"')[0]
        process.terminate()
        process.communicate(timeout=60)

    assert "Northwind Customers 3,700 of 5,000 contacts can be reached" in seen
    assert not answers(account)


def answers(url: str) -> bool:
    """Return whether somebody listens at an address."""
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return False
    return True
