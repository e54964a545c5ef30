"""What nobody foresaw, in either connector: the maintainers must act, and find in the message where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from destination_mailchimp_unified import entrypoint as destination_entrypoint
from integration_tests.commands import catalog
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import entrypoint as source_entrypoint
from unit_tests.account import CONFIG, Account, audiences, destination, source
from unit_tests.kernel.conftest import Answers

WORDS = "nobody thought of ada.lovelace@contacts.example"


def unforeseen(_: Outgoing) -> Received:
    """Fail as only a mistake of ours does."""
    raise ZeroDivisionError(WORDS)


def rows_that_fail(outgoing: Outgoing) -> Received:
    """Fail once the account is known."""
    return unforeseen(outgoing) if outgoing.url.endswith(("/members", "/segments")) else Account(audiences(1))(outgoing)


pytestmark = pytest.mark.usefixtures("process_as_before")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a configuration, catalogs, and an input of one record on the standard input."""
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "raw_streams": ["campaigns"]}))
    for name in ("contacts", "lists", "tags", "users", "mailchimp_campaigns"):
        (tmp_path / f"{name}.json").write_text(json.dumps(catalog([name])))
    (tmp_path / "destination.json").write_text(json.dumps({**CONFIG, "list_id": audiences(1)[0]["id"]}))
    record = {"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 1, "data": {"email": "ada.lovelace@contacts.example"}}}
    (tmp_path / "input.jsonl").write_text(json.dumps(record))
    with (tmp_path / "input.jsonl").open() as lines:
        monkeypatch.setattr("sys.stdin", lines)
        yield tmp_path


def run(connector: str, answers: Answers, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command as the console script does. Returns the exit code, the errors, and all that was printed."""
    if connector == "source":
        code = source_entrypoint.launch(source(answers)[0], arguments)
    else:
        code = destination_entrypoint.launch(destination(answers)[0], arguments)
    out, err = capfd.readouterr()
    assert err == ""
    messages = [json.loads(line) for line in out.splitlines()]
    return code, [m["trace"]["error"] for m in messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"], out


COMMANDS = [
    ("source", ["check", "--config", "config.json"]),
    ("source", ["discover", "--config", "config.json"]),
    *(
        ("source", ["read", "--config", "config.json", "--catalog", f"{name}.json"])
        for name in ("contacts", "lists", "tags", "users", "mailchimp_campaigns")
    ),
    ("destination", ["check", "--config", "destination.json"]),
    ("destination", ["discover", "--config", "destination.json"]),
    ("destination", ["write", "--config", "destination.json", "--catalog", "contacts.json"]),
]


def places(folder: Path, arguments: list[str]) -> list[str]:
    """Return a command line with the files where they are."""
    return [str(folder / one) if one.endswith(".json") else one for one in arguments]


@pytest.mark.parametrize(("connector", "arguments"), COMMANDS, ids=lambda one: one if isinstance(one, str) else "-".join(one[::2]))
def test_an_unforeseen_failure_is_a_system_error_with_its_stack_trace(
    connector: str, arguments: list[str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In every command: the failure type, the place in the code, an exit code that is not 0, and no email address in clear."""
    code, errors, out = run(connector, unforeseen, places(folder, arguments), capfd)

    assert code == 1
    assert {error["failure_type"] for error in errors} == {"system_error"}
    assert "ZeroDivisionError" in errors[0]["stack_trace"]
    assert unforeseen.__name__ in errors[0]["stack_trace"]
    assert "ada.lovelace" not in out


@pytest.mark.parametrize("stream", ["contacts", "tags"])
def test_a_failure_in_one_stream_is_told_of_the_stream(stream: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Once reading has begun, the error names the stream that it belongs to and still says where it was."""
    _, errors, _ = run("source", rows_that_fail, places(folder, ["read", "--config", "config.json", "--catalog", f"{stream}.json"]), capfd)

    assert errors[0]["stream_descriptor"]["name"] == stream
    assert errors[0]["failure_type"] == "system_error"
    assert unforeseen.__name__ in errors[0]["stack_trace"]


def test_a_failure_while_writing_is_a_system_error_with_its_stack_trace(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Once the audience is known, too."""

    def failing_write(outgoing: Outgoing) -> Received:
        return Account(audiences(1))(outgoing) if outgoing.method == "GET" else unforeseen(outgoing)

    arguments = places(folder, ["write", "--config", "destination.json", "--catalog", "contacts.json"])
    code, errors, out = run("destination", failing_write, arguments, capfd)

    assert (code, errors[0]["failure_type"]) == (1, "system_error")
    assert unforeseen.__name__ in errors[0]["stack_trace"]
    assert "ada.lovelace" not in out
