"""The destination's commands from their arguments to their messages and their exit code, and the server's limits."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import uvicorn
from airbyte_cdk.models import AirbyteConnectionStatus, AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer, Status, Type
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

import destination_mailchimp_unified
from destination_mailchimp_unified import entrypoint, output
from destination_mailchimp_unified import run as process
from destination_mailchimp_unified.audience.groups import with_ids
from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config
from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from destination_mailchimp_unified.intake.formats import reader_of
from destination_mailchimp_unified.intake.planned import type_of_schema
from destination_mailchimp_unified.live.log import MaskingFormatter
from destination_mailchimp_unified.live.requests import RefusedError, check_headers
from destination_mailchimp_unified.live.serving import address_of, serve
from integration_tests.commands import catalog
from integration_tests.simulation.clock import VirtualClockLoop
from integration_tests.streaming.simulated import pipeline_in
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.patience import Patience
from mailchimp_unified.transport import Received
from unit_tests.account import CONFIG, LOGGER, Account, audiences, destination
from unit_tests.destination.writing import STATE, Mailchimp, record, record_line, state_line, write
from unit_tests.kernel.conftest import Scripted, answer

if TYPE_CHECKING:
    from destination_mailchimp_unified.audience.groups import Groups


pytestmark = pytest.mark.usefixtures("process_as_before")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A configuration, a catalog, and an input of one state on the standard input."""
    found = {name: str(tmp_path / f"{name}.json") for name in ("config", "catalog")}
    Path(found["config"]).write_text(json.dumps({**CONFIG, "list_id": audiences(1)[0]["id"]}))
    Path(found["catalog"]).write_text(json.dumps(catalog(["people"])))
    (tmp_path / "input").write_bytes(state_line(1))
    with (tmp_path / "input").open() as lines:
        monkeypatch.setattr("sys.stdin", lines)
        yield found


@pytest.mark.parametrize(
    ("command", "needs", "kind"),
    [
        ("spec", (), "SPEC"),
        ("check", ("config",), "CONNECTION_STATUS"),
        ("discover", ("config",), "DESTINATION_CATALOG"),
        ("write", ("config", "catalog"), "STATE"),
    ],
)
def test_a_command_prints_its_message_and_ends_well(
    command: str, needs: tuple[str, ...], kind: str, files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """One message of the command's own kind, and the exit code 0."""
    arguments = [command, *(word for name in needs for word in (f"--{name}", files[name]))]

    code = entrypoint.launch(destination(Account(audiences(1)))[0], arguments)

    messages = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert code == 0
    assert [message["type"] for message in messages if message["type"] != "LOG"] == [kind]


def test_a_check_that_fails_says_so_and_is_no_failure_of_the_command(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """The status is FAILED, the exit code 0: the command has done what it is for."""

    def refused(_: Any) -> Received:
        return answer({"title": "API Key Invalid", "status": 401}, 401)

    code = entrypoint.launch(destination(refused)[0], ["check", "--config", files["config"]])

    messages = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (code, messages[-1]["connectionStatus"]["status"]) == (0, "FAILED")


@pytest.mark.parametrize("arguments", [[], ["read"], ["check"], ["write", "--config", "x"]], ids=" ".join)
def test_a_command_line_that_lacks_something_is_refused(arguments: list[str]) -> None:
    """With the exit code of every command line that is wrong."""
    with pytest.raises(SystemExit) as raised:
        entrypoint.launch(destination(Account())[0], arguments)
    assert raised.value.code == 2


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_plain_text(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They begin with what was asked for, not with a message for a platform."""
    with pytest.raises(SystemExit) as ended:
        entrypoint.launch(destination(Account())[0], [option])

    assert ended.value.code == 0
    assert capsys.readouterr().out.split()[0] in ("usage:", "destination-mailchimp-unified")


@pytest.mark.parametrize("debug", [False, True])
def test_every_request_is_logged_where_it_is_asked_for(debug: bool, files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """As a message of the level DEBUG, and only with --debug."""
    connector, scripted = destination(Account(audiences(1)))

    entrypoint.launch(connector, ["check", "--config", files["config"], *(["--debug"] if debug else [])])

    logs = [message["log"] for message in map(json.loads, capfd.readouterr().out.splitlines()) if message["type"] == "LOG"]
    requests = [log for log in logs if log["level"] == "DEBUG" and "HTTP 200" in log["message"]]
    assert len(requests) == (len(scripted.seen) if debug else 0)


def parsed(**options: Any) -> DestinationConfig:
    """Return a configuration."""
    return parse_destination_config({**CONFIG, **options}, LOGGER)


@pytest.mark.parametrize(
    ("given", "meant"), [(True, "always"), (False, "never"), ("never", "never"), ("opt_outs", "opt_outs"), ("always", "always")]
)
def test_apply_status_is_read_as_every_version_wrote_it(given: object, meant: str) -> None:
    """The first version had a boolean."""
    assert parsed(apply_status=given).apply_status == meant


@pytest.mark.parametrize(
    ("rule", "valid"), [({"column": "a"}, True), ({"value": "a"}, True), ({}, False), ({"column": "a", "value": "b"}, False)]
)
def test_a_rule_has_a_column_or_a_value(rule: dict[str, str], valid: bool) -> None:
    """Exactly one of them says where the value comes from."""
    options = {"field_mapping": [{"field": "first_name", **rule}]}
    if valid:
        assert len(parsed(**options).field_mapping) == 1
    else:
        with pytest.raises(ConfigError, match="first_name"):
            parsed(**options)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "number"}, "number"),
        ({"type": ["null", "integer"]}, "number"),
        ({"type": ["integer", "number"]}, "number"),
        ({"type": ["number", "string"]}, "text"),
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": ["null", "string"], "format": "date-time"}, "date"),
        ({"type": "string", "format": "time"}, "text"),
        ({"type": "object"}, "address"),
        ({"type": ["null", "object"]}, "address"),
        ({"type": "boolean"}, "text"),
        ({"type": "null"}, "text"),
        ({}, "text"),
        (True, "text"),
    ],
    ids=str,
)
def test_a_merge_field_is_created_with_the_type_of_its_column(schema: Any, kind: str) -> None:
    """Numbers, dates and objects have types of their own; everything else is text."""
    assert type_of_schema(schema) == kind


@pytest.mark.parametrize("columns", [{"LNAME": "L"}, {"lname": "L", "Unknown": "x"}])
def test_a_column_that_is_named_like_a_merge_field_fills_it_on_request(columns: dict[str, str]) -> None:
    """With unmapped_columns merge_fields, in any spelling; others do nothing, and neither does any without it."""
    for choice, last_name in (("merge_fields", "L"), ("ignore", "")):
        world = Mailchimp()
        write(world, {**record(1, first_name="F"), **columns}, STATE, unmapped_columns=choice)
        assert world.member("p1@contacts.example").merge_fields.get("LNAME", "") == last_name


# The server.


def test_the_server_takes_a_thousand_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """More are refused, and one that is silent is closed after half a minute. Where it listens is told."""
    configs: list[uvicorn.Config] = []
    bound: list[int] = []

    async def served(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        configs.append(self.config)
        for one in sockets:
            bound.append(one.getsockname()[1])
            one.close()

    monkeypatch.setattr(uvicorn.Server, "serve", served)
    told: list[tuple[object, ...]] = []

    class Told(logging.Logger):
        def info(self, _: object, *values: object, **__: object) -> None:
            told.append(values)

    world = Mailchimp()
    options = argparse.Namespace(listen="127.0.0.1:0", without_token=True, token_file=None)

    async def serving() -> None:
        pipeline = pipeline_in(world)
        pipeline.logger = Told("server")
        await serve(pipeline, options, MaskingFormatter(), lambda _: None)

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(serving())
    assert ("127.0.0.1", bound[0]) in told
    assert [(one.limit_concurrency, one.timeout_keep_alive) for one in configs] == [(1000, 30)]


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:65535", ("localhost", 65_535)),
        ("localhost:65536", None),
        ("localhost", None),
        (":80", None),
        ("localhost:", None),
        ("localhost:http", None),
    ],
)
def test_where_to_listen_is_a_host_and_a_port(listen: str, address: tuple[str, int] | None) -> None:
    """Anything else is named before the server begins."""
    if address:
        assert address_of(listen) == address
    else:
        with pytest.raises(ConfigError, match="HOST:PORT"):
            address_of(listen)


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/cloudevents+json", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonl", False),
        ("", False),
    ],
)
def test_the_server_takes_json_and_nothing_that_a_web_page_can_send(kind: str, taken: bool) -> None:
    """A form of a web page cannot have such a content type."""
    if taken:
        check_headers(kind, "", "2")
    else:
        with pytest.raises(RefusedError) as refused:
            check_headers(kind, "", "2")
        assert refused.value.status == 415


@pytest.mark.parametrize(
    ("encoding", "length", "status"), [("gzip", "2", 415), ("identity", "2", None), ("", str(10**9), 413), ("", "", None), ("", "x", None)]
)
def test_the_server_takes_no_packed_and_no_huge_body(encoding: str, length: str, status: int | None) -> None:
    """It says so before the body is read."""
    if status is None:
        check_headers("application/json", encoding, length)
    else:
        with pytest.raises(RefusedError) as refused:
            check_headers("application/json", encoding, length)
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("format_", "cell", "read"),
    [
        ("DD.MM.YYYY", "31.01.2026", "2026-01-31"),
        ("[on] DD.MM.YYYY", "on 31.01.2026", "2026-01-31"),
        ("dd/mm/yyyy", "31/01/2026", "2026-01-31"),
        ("MMM D, YYYY", "Jan 5, 2026", "2026-01-05"),
        ("%d/%m/%Y", "31/01/2026", "2026-01-31"),
        ("number", "1.234,5-", -1234.5),
        ("number", "(12)", -12),
        ("number", "- 12", -12),
    ],
)
def test_a_cell_is_read_in_the_format_of_its_rule(format_: str, cell: str, read: object) -> None:
    """As spreadsheets and libraries write it; text in brackets stands for itself."""
    assert reader_of(format_)(cell) == read


@pytest.mark.parametrize("command", ["check", "discover"])
def test_a_command_that_somebody_waits_for_ends_in_half_a_minute(command: str) -> None:
    """No matter what Mailchimp does; until then it keeps trying."""
    loops: list[VirtualClockLoop] = []

    def new_loop() -> asyncio.AbstractEventLoop:
        loops.append(VirtualClockLoop())
        return loops[-1]

    scripted = Scripted(Account(audiences(1)), seconds=1_000.0)
    connector = DestinationMailchimpUnified(transport=lambda: scripted, new_loop=new_loop)
    with contextlib.suppress(AirbyteTracedException):
        getattr(connector, command)(LOGGER, {**CONFIG, "list_id": audiences(1)[0]["id"]})

    assert loops[-1].time() == pytest.approx(30.0)


def test_groups_and_permissions_that_are_named_become_ids() -> None:
    """Each by its own name; one that the audience does not have is told, and the others stay."""
    ids = {"Sports/Tennis": "i1", "Mail": "p1"}

    def found(name: str) -> str:
        if name not in ids:
            raise InvalidValueError("interests", f"there is no {name}")
        return ids[name]

    told: list[InvalidValueError] = []
    groups = SimpleNamespace(interest_id=found, permission_id=found)
    unified = {
        "interests": {"Sports/Tennis": True, "Sports/Chess": False},
        "marketing_permissions": [
            {"text": "Mail", "enabled": True},
            {"text": "Phone", "enabled": True},
            {"marketing_permission_id": "p9", "enabled": False},
        ],
    }
    sent = with_ids(unified, cast("Groups", groups), told.append)

    assert sent["interests"] == {"i1": True}
    assert [(one["marketing_permission_id"], one["enabled"]) for one in sent["marketing_permissions"]] == [("p1", True), ("p9", False)]
    assert len(told) == 2
    assert with_ids({"interests": {"abc": True}}, None, told.append) == {"interests": {"abc": True}}


# The process.


@pytest.mark.parametrize("printed", [b"", b"\n"])
def test_a_reader_that_is_gone_ends_the_command_with_1(
    printed: bytes, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more can be written, and no line of the log that nobody reads makes noise."""
    logging.raiseExceptions = True
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as output:
        os.write(writer, printed)
        os.close(reader)
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(output, write_through=True))
        assert entrypoint.launch(destination(Account(audiences(1)))[0], ["spec"]) == 1
        os.write(writer, b"what is left in buffers goes nowhere")
    assert not logging.raiseExceptions


@pytest.mark.parametrize(("end", "code"), [(SystemExit(143), 143), (SystemExit(0), 0), (SystemExit(), 0)])
def test_an_end_on_a_signal_keeps_its_exit_code(end: SystemExit, code: int, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the platform reads it."""

    def ended(*_: object) -> None:
        raise end

    monkeypatch.setattr(DestinationMailchimpUnified, "check", ended)

    assert entrypoint.launch(destination(Account(audiences(1)))[0], ["check", "--config", files["config"]]) == code


@pytest.mark.parametrize(("length", "hidden"), [(7, False), (8, True), (9, True)])
def test_a_secret_of_eight_characters_is_hidden_in_every_message(
    length: int, hidden: bool, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A shorter text is not worth hiding: replacing it everywhere would spoil words that contain it."""
    secret = "q9" * 4 + "x"
    Path(files["config"]).write_text(json.dumps({"credentials": {"auth_type": "apikey", "apikey": secret[:length]}}))

    def failed(*_: object) -> object:
        return AirbyteConnectionStatus(status=Status.FAILED, message=f"wrong: {secret[:length]} of ada.lovelace@contacts.example")

    monkeypatch.setattr(DestinationMailchimpUnified, "check", failed)
    entrypoint.launch(destination(Account(audiences(1)))[0], ["check", "--config", files["config"]])

    printed = capfd.readouterr().out
    assert (secret[:length] not in printed, "ada.lovelace" in printed) == (hidden, False)


def test_log_lines_are_messages_without_email_addresses(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """The specification is printed as it is: examples in it may look like email addresses."""
    connector = destination(Account(audiences(1)))[0]
    entrypoint.launch(connector, ["spec"])
    logging.getLogger("airbyte").info("written: ada.lovelace@contacts.example")

    spec, log = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    assert (spec["type"], log["type"]) == ("SPEC", "LOG")
    assert "ada.lovelace" not in log["log"]["message"]
    assert spec["spec"] == json.loads(json.dumps(spec["spec"]))


def test_everything_in_a_message_is_masked_except_in_the_specification() -> None:
    """In lists and objects, however deep; numbers and nothing stay."""
    inner = {"a": ["ada.lovelace@contacts.example", 1, None, True], "b": {"c": "x"}}

    masked_line = json.loads(output.line({"type": "LOG", **inner}))
    assert masked_line["a"][1:] == [1, None, True]
    assert "lovelace" not in masked_line["a"][0]
    assert masked_line["b"] == {"c": "x"}
    assert json.loads(output.line({"type": "SPEC", **inner})) == {"type": "SPEC", **inner}


def test_the_process_ends_with_the_code_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes its arguments, and prints what is in buffers before."""
    seen: list[object] = []

    def launch(_: object, arguments: list[str]) -> int:
        seen.append(arguments)
        return 7

    monkeypatch.setattr(process, "tune", lambda: seen.append("tuned"))
    monkeypatch.setattr(process, "launch", launch)
    monkeypatch.setattr(output, "flush", lambda: seen.append("flushed"))
    monkeypatch.setattr(os, "_exit", seen.append)
    monkeypatch.setattr("sys.argv", ["destination-mailchimp-unified", "check", "--config", "x"])
    process.main()

    assert seen == ["tuned", ["check", "--config", "x"], "flushed", 7]


def test_the_methods_of_the_cdk_write_as_the_command_does() -> None:
    """Messages of its classes in, states of its classes out; the secrets of the configuration are hidden from then on."""
    world = Account(audiences(1))
    catalog_of_one = ConfiguredAirbyteCatalogSerializer.load(catalog(["people"]))
    messages = [AirbyteMessageSerializer.load(json.loads(line)) for line in (record_line({"email": "a@contacts.example"}), state_line(1))]
    config = {**CONFIG, "list_id": audiences(1)[0]["id"]}

    states = list(DestinationMailchimpUnified(transport=lambda: Scripted(world, seconds=0.0)).write(config, catalog_of_one, iter(messages)))

    assert [one.type for one in states] == [Type.STATE]
    assert len(world.written) == 1
    assert CONFIG["credentials"]["apikey"] not in filter_secrets(f"the key is {CONFIG['credentials']['apikey']}")


@pytest.mark.parametrize("command", ["check", "discover"])
def test_a_patience_that_was_given_takes_the_place_of_the_commands_own(command: str) -> None:
    """A program that runs the connector can choose to wait longer, or not to retry."""
    asked: list[int] = []

    def away(_: Any) -> Received:
        asked.append(1)
        return answer({"status": 503}, 503)

    for patience in (Patience(total=0, first_answer=0), None):
        scripted = Scripted(away, seconds=0.01)
        connector = DestinationMailchimpUnified(patience, transport=lambda: scripted, new_loop=VirtualClockLoop)  # noqa: B023
        with contextlib.suppress(AirbyteTracedException):
            getattr(connector, command)(LOGGER, {**CONFIG, "list_id": audiences(1)[0]["id"]})
        if patience:
            assert len(asked) == 1
    assert len(asked) > 2


def test_the_package_offers_its_connector_and_nothing_else() -> None:
    """Imported when it is asked for."""
    assert destination_mailchimp_unified.DestinationMailchimpUnified is DestinationMailchimpUnified
    with pytest.raises(AttributeError):
        _ = destination_mailchimp_unified.Nonsense
