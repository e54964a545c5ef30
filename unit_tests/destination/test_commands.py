"""The destination's commands from their arguments to their messages and their exit code, and the server's limits."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import uvicorn
from airbyte_cdk.utils import AirbyteTracedException

from destination_mailchimp_unified import entrypoint
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
from mailchimp_unified.transport import Received
from unit_tests.account import CONFIG, LOGGER, Account, audiences, destination
from unit_tests.destination.writing import STATE, Mailchimp, record, state_line, write
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
