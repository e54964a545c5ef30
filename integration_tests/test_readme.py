"""The commands of the README do what it says, taken from its text."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.commands import config
from mailchimp_emulator import Emulator
from unit_tests.documents import ROOT, blocks

README = ROOT / "README.md"
START, *REST = blocks(README, "sh", "Walkthrough")
PORT = "8800"

RESULTS = (
    "6350",
    '"recordCount":1.0,"rejectedRecordCount":1.0',
    "1 created, 0 updated, 0 unchanged, 0 skipped, 1 rejected",
)
"""What the README says that the commands print."""


def environment() -> dict[str, str]:
    """Return an environment in which the project's commands are found first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def port() -> Iterator[str]:
    """The port of an emulator that was started with the README's own command, on a free port."""
    assert PORT in START
    command = ["bash", "-euc", START.replace(PORT, "0")]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True) as emulator:
        assert emulator.stdout is not None
        try:
            yield emulator.stdout.readline().strip().rpartition(":")[2]
        finally:
            os.killpg(emulator.pid, signal.SIGTERM)


def test_the_commands_by_hand(port: str, tmp_path: Path) -> None:
    """Check, discover, read, read again and write, pasted one after the other, print what the README says."""
    pasted = "\n".join(REST)
    assert f"http://localhost:{PORT}" in pasted
    script = pasted.replace(PORT, port)
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6350\n" in done.stdout
    assert "Read 0 contacts" in done.stdout
    for words in RESULTS:
        assert words in README.read_text()
        assert words in done.stdout
    streams = json.loads((tmp_path / "catalog.json").read_text().splitlines()[-1])["catalog"]["streams"]
    assert [stream["name"] for stream in streams][:4] == ["contacts", "lists", "tags", "users"]


def test_the_demo_reads_an_account_with_a_configuration(mailchimp: Emulator, tmp_path: Path) -> None:
    """`make demo CONFIG=...` reads an account twice and writes nothing to it."""
    mailchimp.seed(name="Customers", contacts=30)
    (tmp_path / "my_config.json").write_text(json.dumps(config(mailchimp.url)))
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), "--config", "my_config.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 contacts" in done.stdout
    assert list((tmp_path / "demo_output").glob("account-*.duckdb"))
    assert not (tmp_path / "demo_output" / "demo.duckdb").exists()
    assert {entry["method"] for entry in mailchimp.journal()} == {"GET"}
