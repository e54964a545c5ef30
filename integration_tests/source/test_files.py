"""A file that a command is given may be wrong in every way: it is a config error in words, never a bug."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import IMPATIENT, STREAMS, Output, Source, catalog, config
from mailchimp_emulator import Emulator, EmulatorProcess
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.entrypoint import launch
from source_mailchimp_unified.files import read_catalog, read_state, states_by_stream

Launch = Callable[..., Output]

MISSING = object()


@pytest.fixture
def launched(mailchimp: Emulator, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Launch:
    """Run a command as the console script does, with these contents of its files."""

    def run(name: str, **contents: Any) -> Output:
        files = {"config": json.dumps(config(mailchimp.url)), "catalog": json.dumps(catalog(["users"])), **contents}
        arguments = [name]
        for option in ("config", "catalog", "state") if name == "read" else ("config",):
            if option not in files:
                continue
            path = tmp_path / f"{option}.json"
            if files[option] is not MISSING:
                path.write_bytes(files[option] if isinstance(files[option], bytes) else files[option].encode())
            arguments += [f"--{option}", str(path)]
        exit_code = launch(SourceMailchimpUnified(IMPATIENT), arguments)
        out, err = capfd.readouterr()
        assert err == ""
        return Output([json.loads(line) for line in out.splitlines()], exit_code)

    return run


BROKEN: dict[str, Any] = {
    "missing": MISSING,
    "empty": "",
    "not JSON": "{nope",
    "bytes": b"\xff\xfe\x00",
    "a list of numbers": "[1]",
    "a number": "5",
    "a text": '"x"',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize(
    ("command", "file"), [("check", "config"), ("discover", "config"), ("read", "config"), ("read", "catalog"), ("read", "state")]
)
def test_a_broken_file_is_a_config_error_in_words(launched: Launch, command: str, file: str, content: Any) -> None:
    """The message names the file and what is expected of it; an empty state is none."""
    output = launched(command, **{file: content})

    if (file, content) == ("state", ""):
        assert output.exit_code == 0
        return
    assert output.exit_code == 1
    (error,) = output.errors()
    assert error["failure_type"] == "config_error"
    assert file in error["message"] or {"config": "configuration"}.get(file, file) in error["message"]
    assert "report" not in error["message"]
    assert "Traceback" not in json.dumps(output.messages)
    assert command != "check" or output.connection_status()["status"] == "FAILED"


WRONG_CATALOGS = {
    "null": "null",
    "no streams": "{}",
    "streams as an object": '{"streams": {}}',
    "a stream as a text": '{"streams": ["contacts"]}',
    "a stream without a name": '{"streams": [{"stream": {}}]}',
    "a name as a number": '{"streams": [{"stream": {"name": 5}}]}',
    "an unknown sync mode": '{"streams": [{"stream": {"name": "users"}, "sync_mode": "mirror"}]}',
    "a stream twice": '{"streams": [{"name": "users"}, {"name": "users"}]}',
}


@pytest.mark.parametrize("content", WRONG_CATALOGS.values(), ids=WRONG_CATALOGS.keys())
def test_a_catalog_that_is_none_is_a_config_error(launched: Launch, content: str) -> None:
    """Any mistake inside a catalog is reported before anything is read."""
    output = launched("read", catalog=content)

    assert (output.exit_code, [error["failure_type"] for error in output.errors()]) == (1, ["config_error"])
    assert "catalog" in output.errors()[0]["message"]
    assert output.records("users") == []


WRONG_STATES = {
    "a state of another source": '[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"cursor": 1}}}]',
    "no state message": '[{"cursor": 1}]',
    "an older form without streams": '[{"type": "LEGACY", "data": {"cursor": "2026"}}]',
}


@pytest.mark.parametrize("content", WRONG_STATES.values(), ids=WRONG_STATES.keys())
def test_a_state_that_cannot_serve_is_said(launched: Launch, content: str) -> None:
    """Nothing is read from the beginning in silence because a state was not understood."""
    output = launched("read", state=content)

    assert (output.exit_code, {error["failure_type"] for error in output.errors()}) == (1, {"config_error"})
    assert "state" in output.errors()[0]["message"]


def test_the_output_of_discover_is_a_catalog(launched: Launch, mailchimp: Emulator) -> None:
    """As it was printed, log lines included, as the message alone, or as what is in it: every stream is read, incrementally."""
    mailchimp.seed(name="One", contacts=5)
    found = launched("discover")
    message = next(m for m in found.messages if m["type"] == "CATALOG")
    printed = "\n".join(json.dumps(m) for m in found.messages)

    for content in (printed, json.dumps(message), json.dumps(message["catalog"])):
        output = launched("read", catalog=content)

        assert output.exit_code == 0
        assert {name: output.statuses(name)[-1] for name in STREAMS} == dict.fromkeys(STREAMS, "COMPLETE")
        assert "lists" in output.states("contacts")[-1]


def test_states_are_taken_in_every_form_they_are_kept_in(tmp_path: Path) -> None:
    """As a list, as printed lines, as one message, as a global state, as an object by stream."""
    state = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"records": {}}}}
    together = {"type": "GLOBAL", "global": {"stream_states": [state["stream"]]}}
    forms = [json.dumps([state]), json.dumps(state), json.dumps({"type": "STATE", "state": state}), json.dumps([together])]
    forms += [
        "\n".join([json.dumps({"type": "STATE", "state": state})] * 2),
        json.dumps([{"type": "LEGACY", "data": {"users": {"records": {}}}}]),
    ]
    path = tmp_path / "state.json"
    for form in forms:
        path.write_text(form)

        assert states_by_stream(read_state(str(path))) == {"users": {"records": {}}}


def test_a_catalog_needs_no_more_than_names(tmp_path: Path) -> None:
    """What the protocol wants beyond that is filled in."""
    path = tmp_path / "catalog.json"
    path.write_text('\ufeff{"streams": [{"name": "users"}, {"stream": {"name": "tags"}, "sync_mode": "full_refresh"}]}')

    assert [(one.stream.name, one.sync_mode.value) for one in read_catalog(str(path)).streams] == [
        ("users", "incremental"),
        ("tags", "full_refresh"),
    ]


OPTIONAL = [name for name, field in SourceConfig.model_fields.items() if not field.is_required() and name != "api_url"]


@pytest.mark.parametrize("value", [None, "", "  "], ids=repr)
@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_key_may_be_set_to_nothing(launched: Launch, mailchimp: Emulator, key: str, value: Any) -> None:
    """Null and blank text mean that a key is not set."""
    output = launched("check", config=json.dumps(config(mailchimp.url, **{key: value})))

    assert output.connection_status()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("key", "value"), [("num_workers", 3.0), ("lookback_seconds", 60.0)])
def test_a_whole_float_is_a_whole_number(launched: Launch, mailchimp: Emulator, key: str, value: float) -> None:
    """Forms and templates write 3 as 3.0."""
    assert launched("check", config=json.dumps(config(mailchimp.url, **{key: value}))).connection_status()["status"] == "SUCCEEDED"


@pytest.mark.parametrize("command", ["check", "read"])
def test_an_unknown_key_is_warned_about(launched: Launch, mailchimp: Emulator, command: str) -> None:
    """A misspelled key is named, with the one it may be meant for."""
    output = launched(command, config=json.dumps(config(mailchimp.url, num_worker=3)))

    assert any("num_worker (did you mean num_workers?)" in line for line in output.logs())


def test_an_earlier_start_date_reads_what_it_adds(mailchimp: Emulator, tmp_path: Path) -> None:
    """The contacts between the two dates are read, and nothing else; the log says so."""
    (list_id,) = mailchimp.seed(name="Old", contacts=300, changed_from="2021-01-01T00:00:00+00:00", changed_to="2026-01-01T00:00:00+00:00")
    late, early = 1_704_067_200, 1_640_995_200  # 2024-01-01, 2022-01-01
    first = Source(tmp_path, config(mailchimp.url, start_date="2024-01-01")).read(catalog(["contacts"]))

    second = Source(tmp_path, config(mailchimp.url, start_date="2022-01-01")).read(catalog(["contacts"]), first.state())

    added = {m["email_address"] for m in mailchimp.members(list_id) if early <= m["last_changed"] < late}
    assert added
    assert {record["email"] for record in second.records("contacts")} == added
    assert any("start_date" in line for line in second.logs())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_plain_text(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They begin with what was asked for, not with a message for a platform."""
    with pytest.raises(SystemExit) as ended:
        launch(SourceMailchimpUnified(), [option])

    assert ended.value.code == 0
    assert capsys.readouterr().out.split()[0] in ("usage:", "source-mailchimp-unified")


def test_debug_shows_each_request(mailchimp: Emulator, tmp_path: Path) -> None:
    """Every request is a message of the level DEBUG, with its status."""
    mailchimp.seed(name="One", contacts=5)
    source = Source(tmp_path, config(mailchimp.url))
    command = [sys.executable, "-m", "source_mailchimp_unified.run", *source.arguments("read", catalog(["contacts"])), "--debug"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    logs = [json.loads(line)["log"] for line in done.stdout.splitlines() if '"LOG"' in line]
    requests = [log["message"] for log in logs if log["level"] == "DEBUG" and "HTTP 200" in log["message"]]
    assert len(requests) == len([entry for entry in mailchimp.journal() if entry["path"].startswith("/3.0")])


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("first_process", [False, True])
def test_a_process_that_shall_end_ends_at_once(tmp_path: Path, number: int, exit_code: int, first_process: bool) -> None:
    """Also while a request hangs, also as the first process of a container: flushed output, no traceback, the expected exit code."""
    prefix = ["unshare", "--pid", "--fork", "--kill-child", "--user"] if first_process else []
    if first_process and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a namespace of processes")
    with EmulatorProcess() as remote:
        first, second = remote.seed({"name": "One", "contacts": 10}, {"name": "Two", "contacts": 10})
        remote.faults([{"kind": "hang", "path": f"/lists/{second}/members"}])
        source = Source(tmp_path, config(remote.url, num_workers=1))
        command = [*prefix, sys.executable, "-m", "source_mailchimp_unified.run", *source.arguments("read", catalog(["contacts"]))]
        # A shell that runs the tests in the background lets its children ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1]["type"] == "STATE":
                break

        os.kill(_innermost(process.pid) if first_process else process.pid, number)
        _, errors = process.communicate(timeout=20)

    assert errors == ""
    assert first_process or process.returncode == exit_code
    assert first in lines[-1]["state"]["stream"]["stream_state"]["lists"]


def _innermost(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _innermost(int(children[0])) if children else pid
