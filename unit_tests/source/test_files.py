"""The files that a command is given: the forms that are taken, and what is a config error in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer, FailureType
from airbyte_cdk.utils import AirbyteTracedException

from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.files import read_catalog, read_config, read_state, states_by_stream

READERS: dict[str, Callable[[str], Any]] = {"config": read_config, "catalog": read_catalog, "state": read_state}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file would be."""
    return tmp_path / "file.json"


def written(path: Path, content: Any) -> str:
    """Write a file: bytes and texts as they are, anything else as JSON."""
    path.write_bytes(content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode())
    return str(path)


@pytest.mark.parametrize("content", ["{nope", b"\xff\xfe\x00", "[1]", "5", '"x"', '{"a": 1}\n{nope', '{"a": 1}\n[2]'])
@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_something_else_is_a_config_error(name: str, content: Any, path: Path) -> None:
    """Each of the three files."""
    with pytest.raises(ConfigError):
        READERS[name](written(path, content))


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_cannot_be_read_is_a_config_error(name: str, path: Path) -> None:
    """One that is not there, and one that is a folder."""
    for missing in (path, path.parent):
        with pytest.raises(ConfigError):
            READERS[name](str(missing))


@pytest.mark.parametrize("blank", ["", " \n", b"\xef\xbb\xbf"])
def test_only_a_state_may_be_empty(blank: Any, path: Path) -> None:
    """Then it is none."""
    written(path, blank)
    for name in ("config", "catalog"):
        with pytest.raises(ConfigError):
            READERS[name](str(path))
    assert read_state(str(path)) == []


def test_where_a_file_stops_being_json_is_said_without_quoting_it(path: Path) -> None:
    """What stands there may be a secret."""
    with pytest.raises(ConfigError) as refused:
        read_config(written(path, '{\n"apikey": secret}'))

    assert "line 2" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n "])
def test_a_byte_order_mark_is_left_out(mark: bytes, path: Path) -> None:
    """Editors of Windows write one."""
    assert read_config(written(path, mark + b'{"a": 1}')) == {"a": 1}


def streams(path: Path, content: Any) -> list[tuple[str, str]]:
    """Return the streams of a catalog and how each is read."""
    return [(one.stream.name, one.sync_mode.value) for one in read_catalog(written(path, content)).streams]


MODES = {
    "nothing else": ({}, "incremental"),
    "both modes": ({"supported_sync_modes": ["full_refresh", "incremental"]}, "incremental"),
    "one mode": ({"supported_sync_modes": ["full_refresh"]}, "full_refresh"),
    "no mode": ({"supported_sync_modes": []}, "full_refresh"),
    "modes of another protocol": ({"supported_sync_modes": ["resumable", "incremental"]}, "incremental"),
    "modes as a text": ({"supported_sync_modes": "full_refresh"}, "incremental"),
}


@pytest.mark.parametrize(("described", "mode"), MODES.values(), ids=MODES)
def test_a_stream_is_read_incrementally_where_it_can_be(described: dict[str, Any], mode: str, path: Path) -> None:
    """Unless the catalog says how; a stream may stand alone, as discover gives it, or in an entry of a configured catalog."""
    bare = {"name": "users", **described}

    assert streams(path, {"streams": [bare]}) == streams(path, {"streams": [{"stream": bare}]}) == [("users", mode)]
    for chosen in ("full_refresh", "incremental"):
        assert streams(path, {"streams": [{"stream": bare, "sync_mode": chosen}]}) == [("users", chosen)]


def test_what_the_protocol_wants_beyond_names_is_filled_in(path: Path) -> None:
    """The modes that can be had, a schema, and a mode of the destination."""
    schema = {"type": "object"}
    content = {
        "streams": [{"name": "a", "json_schema": schema}, {"name": "b", "json_schema": 7, "supported_sync_modes": ["x", "incremental"]}]
    }

    one, other = read_catalog(written(path, content)).streams

    assert [one.stream.json_schema, other.stream.json_schema] == [schema, {}]
    assert [[mode.value for mode in stream.stream.supported_sync_modes or []] for stream in (one, other)] == [
        ["full_refresh", "incremental"],
        ["incremental"],
    ]
    assert one.destination_sync_mode.value == "append"


@pytest.mark.parametrize(
    "wrong",
    [
        "null",
        {},
        {"streams": {}},
        {"streams": ["contacts"]},
        {"streams": [{"stream": {}}]},
        {"streams": [{"stream": "users"}]},
        {"streams": [{"stream": {"name": 5}}]},
        {"streams": [{"stream": {"name": ""}}]},
        {"streams": [{"name": "users"}, {"stream": None}]},
        {"streams": [{"stream": {"name": "users"}, "sync_mode": "mirror"}]},
        {"streams": [{"name": "users"}, {"name": "tags"}, {"name": "users"}]},
        {"catalog": [], "type": "CATALOG"},
        '{"type": "LOG"}\n{"type": "LOG"}',
    ],
    ids=str,
)
def test_a_catalog_with_a_mistake_is_a_config_error(wrong: Any, path: Path) -> None:
    """Nothing is read of the rest of it."""
    with pytest.raises(ConfigError):
        read_catalog(written(path, wrong))


def test_a_catalog_may_name_no_stream(path: Path) -> None:
    """Then there is nothing to do."""
    assert streams(path, {"streams": []}) == []


CATALOG = {"streams": [{"name": "users"}]}


@pytest.mark.parametrize(
    "lines",
    [
        [{"type": "CATALOG", "catalog": CATALOG}],
        [{"type": "LOG", "catalog": {"streams": []}}, {"type": "CATALOG", "catalog": CATALOG}, {"type": "LOG"}],
        [CATALOG],
    ],
)
def test_a_catalog_may_be_a_line_of_what_was_printed(lines: list[Any], path: Path) -> None:
    """Log lines around it do not count; blank lines neither."""
    assert streams(path, "\n\n".join(map(json.dumps, lines))) == [("users", "incremental")]


def stream_state(name: str, state: Any) -> dict[str, Any]:
    """Return a state of a stream, as the protocol has it."""
    return {"stream_descriptor": {"name": name}, "stream_state": state}


USERS = {"type": "STREAM", "stream": stream_state("users", {"records": {}})}
TAGS = {"type": "STREAM", "stream": stream_state("tags", {"records": {"[1]": "x"}})}
BOTH = {"users": {"records": {}}, "tags": {"records": {"[1]": "x"}}}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([USERS, TAGS], BOTH),
        ({"type": "STATE", "state": USERS}, {"users": BOTH["users"]}),
        ([{"type": "STATE", "state": USERS}, TAGS], BOTH),
        ([USERS, None, {}, TAGS], BOTH),
        ("\n".join(json.dumps({"type": "STATE", "state": one}) for one in (USERS, TAGS)), BOTH),
        ([{"type": "GLOBAL", "global": {"stream_states": [USERS["stream"], TAGS["stream"]]}}], BOTH),
        ([{"type": "LEGACY", "data": BOTH}], BOTH),
        ([{"type": "LEGACY", "data": {"users": {"records": {"[2]": "y"}}}}, USERS, TAGS], BOTH),
        ([{"type": "STREAM", "stream": stream_state("users", None)}], {}),
        ([{**USERS, "data": {"tags": {"old": 1}}}], {"users": BOTH["users"]}),
        ({}, {}),
        ([], {}),
    ],
    ids=str,
)
def test_states_are_taken_in_every_form_they_are_kept_in(content: Any, found: Any, path: Path) -> None:
    """A later one of a stream replaces an earlier one."""
    assert states_by_stream(read_state(written(path, content))) == found


@pytest.mark.parametrize(
    "wrong",
    [
        [{"cursor": 1}],
        [USERS, "x"],
        [{"type": "STREAM"}],
        [{"type": "GLOBAL"}],
        {"type": "STREAM", "stream": "users"},
        {"state": {"cursor": 1}},
        [{"type": "STATE", "state": 5}],
    ],
    ids=str,
)
def test_a_state_with_a_mistake_is_a_config_error(wrong: Any, path: Path) -> None:
    """Nothing is read from the beginning in silence."""
    with pytest.raises(ConfigError):
        read_state(written(path, wrong))


def test_an_older_state_that_names_no_streams_is_a_config_error() -> None:
    """It cannot be told whose it is."""
    for wrong in ({"cursor": "2026"}, {"users": {"records": {}}, "cursor": 5}):
        with pytest.raises(ConfigError):
            states_by_stream([AirbyteStateMessageSerializer.load({"type": "LEGACY", "data": wrong})])


@pytest.mark.parametrize("none", [None, []])
def test_no_states_are_no_states(none: list[AirbyteStateMessage] | None) -> None:
    """A first sync has none."""
    assert states_by_stream(none) == {}
    assert read_state("") == read_state(None) == []


@pytest.mark.parametrize(
    "read", [SourceMailchimpUnified.read_config, SourceMailchimpUnified.read_catalog, SourceMailchimpUnified.read_state]
)
def test_the_source_raises_what_the_platform_understands(read: Callable[[str], Any], path: Path) -> None:
    """A traced config error for a file that is not there."""
    with pytest.raises(AirbyteTracedException) as refused:
        read(str(path))

    assert refused.value.failure_type == FailureType.config_error
