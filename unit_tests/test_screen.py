"""What the examples print, on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from unit_tests.documents import ROOT

SCRIPT = """
from screen import line, step, table, watched
messages = [{"type": "RECORD", "record": {"stream": "contacts"}}] * 250 + [{"type": "LOG", "log": {"level": "WARN", "message": "[odd] words"}}]
step(1, "Read")
print(len(list(watched(messages, "Reading"))))
table(["name", "contacts"], [("An audience", 1234)])
line("word " * 40)
"""
COMMAND = [sys.executable, "-c", SCRIPT]
ESCAPE = "\x1b["


def environment() -> dict[str, str]:
    """Return an environment of a common terminal, in which the examples are found."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "examples"), "TERM": "xterm-256color", "COLUMNS": "200"}


def on_a_terminal() -> str:
    """Run the script on a terminal and return what it wrote there."""
    leader, follower = pty.openpty()
    with subprocess.Popen(COMMAND, env=environment(), stdout=follower, stderr=follower) as process:
        os.close(follower)
        written = b""
        try:
            while part := os.read(leader, 65536):
                written += part
        except OSError:  # how Linux says that nobody writes any more
            pass
        assert process.wait() == 0
    os.close(leader)
    return written.decode()


def test_a_terminal_gets_colors_and_progress() -> None:
    """On a terminal the headline is colored, and a bar counts the records while they come."""
    written = on_a_terminal()

    assert ESCAPE in written
    assert "Reading: 200 contacts" in written


def test_a_file_gets_plain_text_of_a_hundred_columns() -> None:
    """Elsewhere there are no escape codes and no bar; lines are as long as a terminal takes, and warnings are shown as they are."""
    done = subprocess.run(COMMAND, env=environment(), capture_output=True, text=True, check=True)

    assert ESCAPE not in done.stdout
    assert "Reading" not in done.stdout
    assert "WARN [odd] words" in done.stdout
    assert "1,234" in done.stdout
    assert max(len(one.rstrip()) for one in done.stdout.splitlines()) <= 100
