"""The commands of the source: what is printed, in which order and form, with which exit code, and what each ends on."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from airbyte_cdk.models import AirbyteStreamStatus, ConfiguredAirbyteCatalogSerializer, FailureType, Status
from airbyte_cdk.utils import AirbyteTracedException
from airbyte_cdk.utils import airbyte_secrets_utils as secrets
from airbyte_cdk.utils.memory_monitor import MemoryMonitor

from integration_tests.commands import catalog
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_emulator import DEFAULT_API_KEY
from mailchimp_unified.errors import BugError, ConfigError, MailchimpError, NotFoundError, ServerError
from mailchimp_unified.patience import Patience
from mailchimp_unified.transport import Outgoing, Received
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.entrypoint import Entrypoint, LogFormatter, launch
from source_mailchimp_unified.faults import error_message, failure_type, traced
from source_mailchimp_unified.sync.messages import state_message, status_message
from unit_tests.account import CONFIG, NOW, Account, audiences, source
from unit_tests.kernel.conftest import Answers, Scripted, answer
from unit_tests.source.raw_sync import Told

pytestmark = pytest.mark.usefixtures("process_as_before", "_secrets_as_before")

Json = dict[str, Any]


@pytest.fixture
def _secrets_as_before() -> Iterator[None]:
    """What a command hides in its output is shown again."""
    before = list(secrets.__SECRETS_FROM_CONFIG)
    yield
    secrets.update_secrets(before)


@dataclass
class Console:
    """A command line in a folder, and its output."""

    folder: Path
    printed: Path
    output: TextIO

    def launch(self, connector: SourceMailchimpUnified, arguments: Sequence[str]) -> int:
        """Run a command, with the buffer of the CDK between it and its output, as in a process of its own."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", self.output)
            patch.setattr(sys, "__stdout__", self.output)
            return launch(connector, arguments)

    def file(self, name: str, content: Any) -> str:
        """Write a file."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def arguments(self, command: str, *streams: str, **config: Any) -> list[str]:
        """Return a command line."""
        found = [command, "--config", self.file("config", {**CONFIG, **config})]
        return [*found, "--catalog", self.file("catalog", catalog(streams))] if streams else found

    def messages(self) -> list[Json]:
        """Return what was printed up to now."""
        return [json.loads(line) for line in self.printed.read_text().splitlines()]

    def of(self, kind: str) -> list[Json]:
        """Return the messages of a type."""
        return [one[{"CONNECTION_STATUS": "connectionStatus"}.get(kind, kind.lower())] for one in self.messages() if one["type"] == kind]


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A command line in a folder of its own."""
    with (tmp_path / "printed").open("w") as output:
        yield Console(tmp_path, tmp_path / "printed", output)


def members(number: int) -> list[Json]:
    """Return so many members, all of one second."""
    return [
        {"id": f"{n:032x}", "list_id": audiences(1)[0]["id"], "status": "subscribed", "last_changed": "2026-11-20T00:00:00+00:00"}
        for n in range(number)
    ]


def test_records_are_printed_between_the_statuses_and_before_the_state_that_counts_them(console: Console) -> None:
    """Each line is a message, and each record is counted by one state."""
    code = console.launch(source(Account(audiences(2), members=members(2)))[0], console.arguments("read", "lists", "tags"))

    assert code == 0
    printed = [one for one in console.messages() if one["type"] != "LOG"]
    lists = [one for one in printed if "lists" in json.dumps(one)]
    assert [one["type"] for one in lists if one["type"] != "TRACE"] == ["RECORD", "RECORD", "STATE"]
    assert [one["type"] for one in (lists[0], lists[-1])] == ["TRACE", "TRACE"]
    counts = {one["stream"]["stream_descriptor"]["name"]: one["sourceStats"]["recordCount"] for one in console.of("STATE")}
    assert counts == {"lists": 2, "tags": 0}


def test_the_records_of_a_stream_are_counted_from_state_to_state(console: Console) -> None:
    """All together they are all records."""
    console.launch(source(Account(audiences(2), members=members(3_000)))[0], console.arguments("read", "contacts", num_workers=1))

    counts = [one["sourceStats"]["recordCount"] for one in console.of("STATE")]
    assert sum(counts) == len(console.of("RECORD")) == 6_000
    assert len(counts) > 3


def test_the_memory_is_looked_at_for_every_message(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The monitor stops a sync before the platform kills it; it counts messages, and a line may hold many records."""
    looked: list[None] = []
    monkeypatch.setattr(MemoryMonitor, "check_memory_usage", lambda _: looked.append(None))

    console.launch(source(Account(audiences(25)))[0], console.arguments("read", "lists"))

    assert len(looked) == sum(one["type"] != "LOG" for one in console.messages())
    assert len(console.of("RECORD")) == 25


@pytest.mark.parametrize(("option", "platform", "told"), [([], "info", False), (["--debug"], "info", True), ([], "debug", True)])
def test_requests_are_told_where_they_are_asked_for(
    option: list[str], platform: str, told: bool, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the option of the command, or by the setting of the platform."""
    monkeypatch.setenv("LOG_LEVEL", platform)
    connector, scripted = source(Account(audiences(1)))

    console.launch(connector, [*console.arguments("read", "lists"), *option])

    requests = [one for one in console.of("LOG") if one["level"] == "DEBUG" and "HTTP 200" in one["message"]]
    assert len(requests) == (len(scripted.seen) if told else 0)


def saying(said: Callable[[], Iterator[Any]], monkeypatch: pytest.MonkeyPatch) -> SourceMailchimpUnified:
    """Return a source that reads what a test says."""
    connector = SourceMailchimpUnified()
    monkeypatch.setattr(connector, "sync", lambda *_: said())
    return connector


def test_a_state_is_printed_at_once(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests may follow that take minutes: what is safe must be known before them."""
    at_once: list[str] = []

    def said() -> Iterator[Any]:
        yield status_message("lists", AirbyteStreamStatus.STARTED)
        yield state_message("lists", {"records": {}})
        at_once.extend(one["type"] for one in console.messages())

    assert console.launch(saying(said, monkeypatch), console.arguments("read", "lists")) == 0
    assert at_once[-2:] == ["TRACE", "STATE"]


def test_what_is_logged_during_a_command_is_printed_without_secrets_and_addresses(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a message, regardless of who logs it."""

    def said() -> Iterator[Any]:
        logging.getLogger("airbyte.other").warning("%s uses %s", "ada@contacts.example", DEFAULT_API_KEY)
        yield from ()

    console.launch(saying(said, monkeypatch), console.arguments("read", "lists"))

    [line] = [one["message"] for one in console.of("LOG") if one["level"] == "WARN"]
    assert "ada@" not in line
    assert DEFAULT_API_KEY not in line


@pytest.mark.parametrize(("end", "code"), [(SystemExit(143), 143), (SystemExit(130), 130), (SystemExit(None), 0), (SystemExit(0), 0)])
def test_a_command_that_is_told_to_end_has_the_code_of_that(
    end: SystemExit, code: int, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was printed until then is out, and nothing is an error."""

    def said() -> Iterator[Any]:
        yield status_message("lists", AirbyteStreamStatus.STARTED)
        raise end

    assert console.launch(saying(said, monkeypatch), console.arguments("read", "lists")) == code
    assert [one["type"] for one in console.messages() if one["type"] != "LOG"] == ["TRACE"]


def test_a_reader_that_is_gone_ends_the_command_quietly(console: Console) -> None:
    """Nobody can be told, so nothing more is printed; log lines that nobody reads are no errors either."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        console.output = output
        assert console.launch(source(Account(audiences(1)))[0], console.arguments("read", "lists")) == 1
        print("more", file=output, flush=True)
    assert logging.raiseExceptions is False


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["mirror"],
        ["spec", "--config", "x"],
        ["check"],
        ["discover"],
        ["check", "--config", "x", "--catalog", "y"],
        ["discover", "--config", "x", "--state", "y"],
        ["read", "--config", "x"],
        ["read", "--catalog", "x"],
    ],
    ids=" ".join,
)
def test_a_command_takes_what_it_needs_and_no_more(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Anything else is an error of the command line."""
    with pytest.raises(SystemExit) as ended:
        launch(SourceMailchimpUnified(), arguments)

    assert ended.value.code == 2
    assert "usage" in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_no_errors(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    """They are plain text."""
    with pytest.raises(SystemExit) as ended:
        launch(SourceMailchimpUnified(), [option])

    assert ended.value.code == 0
    assert "source-mailchimp-unified" in capfd.readouterr().out


def test_the_specification_needs_no_configuration(console: Console) -> None:
    """It names what can be chosen."""
    assert console.launch(SourceMailchimpUnified(), ["spec", "--debug"]) == 0
    (spec,) = console.of("SPEC")
    assert "campaigns" in spec["connectionSpecification"]["properties"]["raw_streams"]["items"]["enum"]


@pytest.mark.parametrize("command", ["check", "discover", "read"])
def test_a_wrong_configuration_ends_every_command_in_words(command: str, console: Console) -> None:
    """A check fails, the others are config errors."""
    code = console.launch(SourceMailchimpUnified(), console.arguments(command, *(["lists"] if command == "read" else []), num_workers=11))

    if command == "check":
        assert (code, [one["status"] for one in console.of("CONNECTION_STATUS")]) == (0, ["FAILED"])
    else:
        assert (code, [one["error"]["failure_type"] for one in console.of("TRACE")]) == (1, ["config_error"])


def test_a_check_of_a_file_that_is_not_there_is_a_status_too(console: Console) -> None:
    """The caller of a check waits for one; other commands have only the error."""
    missing = str(console.folder / "missing.json")
    assert console.launch(SourceMailchimpUnified(), ["check", "--config", missing]) == 1
    assert [one["status"] for one in console.of("CONNECTION_STATUS")] == ["FAILED"]
    assert console.launch(SourceMailchimpUnified(), ["discover", "--config", missing]) == 1
    assert len(console.of("CONNECTION_STATUS")) == 1
    assert [one["error"]["failure_type"] for one in console.of("TRACE")] == ["config_error"] * 2


# Log lines and errors


@pytest.mark.parametrize(
    ("level", "word"),
    [(logging.DEBUG, "DEBUG"), (logging.INFO, "INFO"), (logging.WARNING, "WARN"), (logging.ERROR, "ERROR"), (logging.CRITICAL, "FATAL")],
)
def test_a_log_line_is_a_message_without_secrets_and_addresses(level: int, word: str) -> None:
    """In Airbyte's words for the levels."""
    secrets.update_secrets(["hush-hush"])
    record = logging.LogRecord("x", level, "", 0, "%s of ada@contacts.example", ("hush-hush",), None)

    line = json.loads(LogFormatter("%(message)s").format(record))

    assert (line["type"], line["log"]["level"]) == ("LOG", word)
    assert "hush" not in line["log"]["message"]
    assert "ada@" not in line["log"]["message"]


@pytest.mark.parametrize(
    ("secret", "hidden"), [("1234567", False), ("12345678", True), ("123456789", True), (" " * 20, False), (" 1234567 ", False)]
)
def test_what_is_too_short_to_be_a_secret_is_not_hidden(secret: str, hidden: bool) -> None:
    """A blank or a letter, hidden wherever it stands, would hide the output itself."""
    specification = {"type": "object", "properties": {"token": {"type": "string", "airbyte_secret": True}}}
    Entrypoint.set_up_secret_filter({"token": secret}, specification)

    assert (secret not in secrets.filter_secrets(f"<{secret}>")) == hidden


def test_the_key_of_a_configuration_is_hidden_in_every_form(caplog: pytest.LogCaptureFixture) -> None:
    """Also where no command line has set up a filter, such as in a program that embeds the source."""
    secrets.update_secrets([])
    source(Account(audiences(1)))[0].check(logging.getLogger("embedding"), CONFIG)

    for form in (DEFAULT_API_KEY, DEFAULT_API_KEY.partition("-")[0]):
        assert form not in secrets.filter_secrets(f"<{form}>")


FAILURES: list[tuple[Exception, FailureType]] = [
    (ConfigError("x"), FailureType.config_error),
    (NotFoundError("x"), FailureType.config_error),
    (ServerError("x"), FailureType.transient_error),
    (BugError("x"), FailureType.system_error),
    (MailchimpError("x"), FailureType.system_error),
    (ValueError("x"), FailureType.system_error),
    (AirbyteTracedException(failure_type=FailureType.transient_error), FailureType.transient_error),
]


@pytest.mark.parametrize(("error", "kind"), FAILURES, ids=lambda one: type(one).__name__)
def test_a_failure_says_who_must_act(error: Exception, kind: FailureType) -> None:
    """The user, nobody, or the maintainers."""
    assert failure_type(error) == traced(error).failure_type == kind


def test_only_what_was_not_foreseen_has_a_stack_trace() -> None:
    """The words of what was foreseen are for the user, and Mailchimp's own are kept for those who look closer."""
    foreseen = error_message(ConfigError("said", detail="by Mailchimp"), "lists")
    unforeseen = error_message(ValueError("unsaid"))
    assert foreseen.trace is not None
    assert unforeseen.trace is not None
    assert (error := foreseen.trace.error) is not None
    assert (other := unforeseen.trace.error) is not None

    assert (error.stream_descriptor.name if error.stream_descriptor else None, error.stack_trace) == ("lists", None)
    assert (error.message, error.internal_message) == ("said", "by Mailchimp")
    assert other.stream_descriptor is None
    assert "ValueError" in (other.internal_message or "")
    assert "ValueError" in (other.stack_trace or "")


def test_addresses_are_masked_in_all_of_an_error() -> None:
    """In its words, in those of Mailchimp, and in the stack trace."""
    for failure in (
        BugError("ada@contacts.example", detail="ada@contacts.example"),
        BugError("ada@contacts.example"),
        ValueError("ada@contacts.example"),
    ):
        message = error_message(failure)
        assert message.trace is not None
        assert (error := message.trace.error) is not None
        assert "ada@" not in f"{error.message} {error.internal_message} {error.stack_trace}"


def test_a_foreseen_failure_without_words_of_mailchimp_names_its_kind() -> None:
    """So that the maintainers know where it came from."""
    assert traced(BugError("said")).internal_message == "BugError: said"
    assert traced(BugError("said", detail="theirs")).internal_message == "theirs"
    again = traced(BugError("said"))
    assert traced(again, "lists") is again


# Failures of a sync


def failing(**statuses: int) -> Answers:
    """Return an account in which some paths have a status, by the name at their end."""

    def answers(outgoing: Outgoing) -> Received:
        status = statuses.get(outgoing.url.rpartition("/")[2].replace("-", "_"))
        return answer({"title": "No.", "detail": "No."}, status) if status else Account(audiences(1))(outgoing)

    return answers


def read(
    answers: Answers, *streams: str, patience: Patience | None = None, **config: Any
) -> tuple[list[Any], AirbyteTracedException | None, Told]:
    """Return the messages of a sync, what it failed with, and what it told."""
    told, messages, failure = Told(), [], None
    reading = source(answers, patience)[0].read(told, {**CONFIG, **config}, ConfiguredAirbyteCatalogSerializer.load(catalog(streams)), [])
    try:
        messages.extend(reading)
    except AirbyteTracedException as error:
        failure = error
    return messages, failure, told


def ends(messages: Sequence[Any]) -> dict[str, str]:
    """Return the last status of each stream."""
    traces = [one.trace.stream_status for one in messages if one.trace and one.trace.stream_status]
    return {one.stream_descriptor.name: one.status.value for one in traces}


def odd_segments(outgoing: Outgoing) -> Received:
    """Answer with a row that is none, which is a fault of ours or of Mailchimp's."""
    if outgoing.url.endswith("/folders"):
        return answer({"folders": ["odd"], "total_items": 1})
    if outgoing.url.endswith("/templates"):
        return answer({}, 500)
    return Account(audiences(1))(outgoing)


HASTY = Patience(first_back_off=0.1, longest_back_off=0.1, total=1.0, first_answer=1.0)


@pytest.mark.parametrize(
    ("streams", "kind"),
    [
        (["lists"], None),
        (["nothing"], FailureType.config_error),
        (["nothing", "mailchimp_templates"], FailureType.transient_error),
        (["mailchimp_templates", "mailchimp_template_folders", "nothing"], FailureType.transient_error),
        (["mailchimp_file_folders", "nothing"], FailureType.system_error),
        (["mailchimp_templates", "mailchimp_file_folders", "nothing"], FailureType.system_error),
    ],
    ids=str,
)
def test_a_sync_fails_as_the_gravest_of_its_streams(streams: list[str], kind: FailureType | None) -> None:
    """What only the maintainers or time can mend outweighs what the user can. The other streams are read all the same."""
    messages, failure, _ = read(odd_segments, "lists", *[one for one in streams if one != "lists"], patience=HASTY)

    assert ends(messages)["lists"] == "COMPLETE"
    assert (failure.failure_type if failure else None) == kind


def test_a_stream_that_does_not_exist_is_incomplete_with_its_reason() -> None:
    """Before anything is read; nothing is asked for it."""
    messages, failure, _ = read(Account(audiences(1)), "nothing", "mailchimp_member_notes", "lists")

    assert ends(messages) == {"nothing": "INCOMPLETE", "mailchimp_member_notes": "INCOMPLETE", "lists": "COMPLETE"}
    errors = [one.trace.error for one in messages if one.trace and one.trace.error]
    assert [one.stream_descriptor.name for one in errors] == ["nothing", "mailchimp_member_notes"]
    assert failure is not None
    assert "nothing" in (failure.internal_message or "")


@pytest.mark.parametrize("command", ["check", "read"])
def test_a_key_that_is_not_known_is_warned_of(command: str) -> None:
    """With the one that it may be meant for; a configuration without such a key is not warned of."""
    for config, number in (({"num_worker": 3, "colour": 1}, 2), ({}, 0)):
        told = Told()
        connector, _ = source(Account(audiences(1)))
        if command == "check":
            connector.check(told, {**CONFIG, **config})
        else:
            told = read(Account(audiences(1)), "lists", **config)[2]
        assert len(told.warnings) == number


def summary(told: Told) -> tuple[list[tuple[str, str]], str]:
    """Return the numbers of the last line, each with what it counts, and the seconds."""
    line = told.lines[-1][1]
    return re.findall(r"(\d[\d,]*) ([a-z]+)", re.sub(r"[\d.]+ s\b", "", line)), re.findall(r"([\d.]+) s\b", line)[0]


def test_a_sync_ends_with_what_it_read_and_what_that_took() -> None:
    """One is said as one."""
    counted, seconds = summary(read(Account(audiences(1)), "lists", "tags", num_workers=1)[2])
    assert counted == [("1", "list"), ("0", "tags"), ("1", "worker"), ("3", "requests"), ("0", "retries")]
    assert seconds == "0.0"

    counted, _ = summary(read(Account(audiences(0)), "lists", num_workers=6)[2])
    assert counted == [("0", "lists"), ("6", "workers"), ("1", "request"), ("0", "retries")]


def test_a_sync_of_nothing_says_so() -> None:
    """It counts no streams."""
    told = read(Account(audiences(1)), "nothing")[2]

    assert "nothing" in told.lines[-1][1]
    assert summary(told)[0] == [("6", "workers"), ("0", "requests"), ("0", "retries")]


def test_a_retry_is_counted_as_one() -> None:
    """And so are more."""
    for failures, said in ((1, ("1", "retry")), (2, ("2", "retries"))):
        left = [answer({}, 429)] * failures

        def answers(outgoing: Outgoing, left: list[Received] = left) -> Received:
            return left.pop() if left else Account(audiences(1))(outgoing)

        assert summary(read(answers, "lists")[2])[0][-1] == said


# Check and discover


def interactive(command: str, answers: Answers, patience: Patience | None = None, seconds: float = 0.001) -> float:
    """Return after how many seconds a command gave up."""
    loops: list[VirtualClockLoop] = []

    def new_loop() -> VirtualClockLoop:
        loops.append(VirtualClockLoop())
        return loops[-1]

    connector = SourceMailchimpUnified(patience, transport=lambda: Scripted(answers, seconds=seconds), new_loop=new_loop, now=NOW.timestamp)
    if command == "check":
        assert connector.check(Told(), CONFIG).status == Status.FAILED
    else:
        with pytest.raises(AirbyteTracedException):
            connector.discover(Told(), CONFIG)
    return loops[-1].time()


@pytest.mark.parametrize("command", ["check", "discover"])
def test_somebody_at_a_form_does_not_wait_long(command: str) -> None:
    """A server error is tried again for some seconds, unless the program that embeds the source says how long."""
    broken: Answers = lambda _: answer({}, 500)  # noqa: E731

    assert 5 < interactive(command, broken) < 13
    assert interactive(command, broken, replace(HASTY, total=2.0, first_answer=2.0)) < 3


def checked(account: Account, **config: Any) -> tuple[Status, str, list[str]]:
    """Return what a check says, what it tells, and the paths it asks for."""
    told, (connector, scripted) = Told(), source(account)
    status = connector.check(told, {**CONFIG, **config})
    return status.status, " ".join(line for _, line in told.lines), [path.removeprefix("/3.0") for path in scripted.paths]


def test_a_check_asks_for_the_account_its_audiences_and_the_contacts_of_one() -> None:
    """That is what a sync would fail on; an account without audiences is fine."""
    for number in (0, 1, 3):
        status, told, paths = checked(Account(audiences(number)))

        assert status == Status.SUCCEEDED
        assert paths == ["/", "/lists", *[f"/lists/{audiences(1)[0]['id']}/members"] * bool(number)]
        assert f"{number} of {number}" in told
        assert ("none" in told) == (number == 0)


def test_a_check_names_the_account_by_its_name_or_its_id() -> None:
    """And the role, when Mailchimp gives it."""
    for root, named, role in (
        ({"account_id": "acc-17", "account_name": "Northwind", "role": "owner"}, "Northwind", "owner"),
        ({"account_id": "acc-17", "account_name": "", "role": ""}, "acc-17", "unknown"),
    ):

        def answers(outgoing: Outgoing, root: Json = root) -> Received:
            return answer(root) if outgoing.url.endswith("/3.0/") else Account(audiences(2))(outgoing)

        told = Told()
        source(answers)[0].check(told, {**CONFIG, "list_ids": [audiences(2)[1]["id"]]})
        line = told.lines[-1][1]
        assert named in line
        assert role in line
        assert "1 of 2" in line


def test_a_check_fails_on_an_audience_that_is_not_there() -> None:
    """And on contacts that may not be read."""
    assert checked(Account(audiences(1)), list_ids=["ffffffffff"])[0] == Status.FAILED
    assert source(failing(members=403))[0].check(Told(), CONFIG).status == Status.FAILED


def streams(answers: Answers, **config: Any) -> dict[str, Any]:
    """Return the streams that are discovered, by name."""
    return {one.name: one for one in source(answers)[0].discover(Told(), {**CONFIG, **config}).streams}


@pytest.mark.parametrize("remote", [True, False])
def test_the_raw_answer_is_in_the_catalog_where_it_is_asked_for(remote: bool) -> None:
    """In every unified stream."""
    found = streams(Account(audiences(1)), include_remote_data=remote)

    assert list(found) == ["contacts", "lists", "tags", "users"]
    assert ["remote_data" in one.json_schema["properties"] for one in found.values()] == [remote] * 4


def test_every_unified_stream_is_followed() -> None:
    """By the time of its change, in both modes, and a sync that is killed is continued."""
    for one in streams(Account(audiences(1))).values():
        assert [mode.value for mode in one.supported_sync_modes] == ["full_refresh", "incremental"]
        assert one.source_defined_cursor is True
        assert one.is_resumable is True
        assert one.default_cursor_field == ["updated_at"]
        assert one.source_defined_primary_key


def custom_fields(*definitions: Json) -> Json:
    """Return the schemas of custom fields that are discovered."""
    found: Json = streams(Account(audiences(1), definitions))["contacts"].json_schema["properties"]["custom_fields"]["properties"]
    return found


def test_a_tag_of_several_types_takes_the_values_of_all() -> None:
    """Without a format that is not that of all; its name is the first one."""
    number, text = {"tag": "A", "name": "Age", "type": "number"}, {"tag": "A", "name": "How old", "type": "text"}
    day, birthday = {"tag": "A", "name": "Day", "type": "date"}, {"tag": "A", "name": "Day", "type": "birthday"}

    (both,) = custom_fields(number, text).values()
    assert set(custom_fields(number)["A"]["type"]) | set(custom_fields(text)["A"]["type"]) == set(both["type"])
    assert len(both["type"]) == len(set(both["type"]))
    assert both["description"] == "Age"
    assert "format" in custom_fields(day)["A"]
    assert custom_fields(day, {**day, "name": "Other"})["A"] == custom_fields(day)["A"]
    assert "format" not in custom_fields(day, birthday)["A"]
    assert "format" not in custom_fields(birthday, day)["A"]


def test_a_merge_field_without_a_name_is_described_by_its_tag() -> None:
    """Something has to be shown."""
    assert [
        one["description"] for one in custom_fields({"tag": "A", "name": "Age", "type": "text"}, {"tag": "B", "name": ""}).values()
    ] == ["Age", "B"]


@pytest.mark.parametrize("gone", [True, False])
def test_merge_fields_that_are_not_found_are_believed_only_of_an_audience_that_is_gone(gone: bool) -> None:
    """Otherwise discovery fails: a catalog without them would drop their columns."""
    first, second = audiences(2)

    def answers(outgoing: Outgoing) -> Received:
        missing = outgoing.url.endswith(f"/lists/{first['id']}/merge-fields") or (gone and outgoing.url.endswith(f"/lists/{first['id']}"))
        definitions = [{"tag": "B", "name": "B", "type": "text"}]
        return answer({}, 404) if missing else Account([first, second], definitions)(outgoing)

    if gone:
        assert list(streams(answers)["contacts"].json_schema["properties"]["custom_fields"]["properties"]) == ["B"]
    else:
        with pytest.raises(AirbyteTracedException):
            streams(answers)


def test_raw_streams_follow_the_unified_ones_in_the_catalog() -> None:
    """Those that are named."""
    assert list(streams(Account(audiences(1)), raw_streams=["campaigns"])) == ["contacts", "lists", "tags", "users", "mailchimp_campaigns"]


def test_a_full_refresh_leaves_nothing_to_continue() -> None:
    """In each kind of stream; an incremental sync leaves its state."""
    names = ["contacts", "lists", "mailchimp_lists"]
    for mode, complete in (("full_refresh", True), ("incremental", False)):
        configured = ConfiguredAirbyteCatalogSerializer.load(catalog(names, mode))
        messages = list(source(Account(audiences(1)))[0].read(Told(), CONFIG, configured, []))
        last = {
            one.state.stream.stream_descriptor.name: vars(one.state.stream.stream_state)
            for one in messages
            if one.state and one.state.stream
        }

        assert [state.get("__ab_full_refresh_sync_complete", False) for state in last.values()] == [complete] * 3
