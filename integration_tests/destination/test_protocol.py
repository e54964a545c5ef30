from __future__ import annotations

import json
import os
import select
import subprocess
import time
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from mailchimp_unified.patience import Patience


def lines_of(*messages: Any) -> bytes:
    """Messages as lines."""
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def messages_of(output: bytes) -> list[Any]:
    """Lines as messages."""
    return [json.loads(line) for line in output.splitlines()]


def read_until(process: subprocess.Popen[bytes], kind: str, seconds: float) -> Any:
    """The next message of a type, or None when it does not come in time."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([process.stdout], [], [], left)[0]:
            message = json.loads(process.stdout.readline())
            if message["type"] == kind:
                return message
    return None


def test_state_comes_back_while_input_stays_open(runner: Any, record: Any, state: Any, start: Any) -> None:
    """A STATE comes back with its id within a second of its records landing, on a pipe, while stdin stays open."""
    process = start("write", runner.config())
    sent = {**state(7), "unknown_key": [1]}
    sent["state"]["extra"] = 12345678901234567890123
    process.stdin.write(lines_of(record({"email": "a@contacts.example"}), sent))
    process.stdin.flush()
    back = read_until(process, "STATE", 20)
    assert back is not None
    landed = max(entry["at"] for entry in runner.writes())
    assert time.time() - landed < 1
    assert back.pop("unknown_key") == [1]
    assert back["state"].pop("destinationStats") == {"recordCount": 1.0}
    assert back["state"] == sent["state"]
    assert process.poll() is None
    process.stdin.write(lines_of(record({"email": "b@contacts.example"}), state(8)))
    process.stdin.flush()
    assert read_until(process, "STATE", 2)["state"]["id"] == 8
    output, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == b""
    assert "2 created" in output.decode()


def test_closed_output_ends_quietly(runner: Any, record: Any, state: Any, start: Any) -> None:
    """A reader that goes away ends the sync without any error output."""
    process = start("write", runner.config())
    process.stdout.close()
    process.stdin.write(lines_of(*(message for n in range(20) for message in (record({"email": f"a{n}@contacts.example"}), state(n)))))
    process.stdin.close()
    assert process.wait(20) != 0
    assert process.stderr.read() == b""


def test_failure_exits_with_a_trace_and_without_waiting_for_input(runner: Any, record: Any, start: Any) -> None:
    """A sync that fails says so in a TRACE and exits with an error although stdin stays open; no traceback is in its message."""
    runner.mailchimp.role("viewer")
    process = start("write", runner.config())
    process.stdin.write(lines_of(record({"email": "a@contacts.example"})))
    process.stdin.flush()
    output = process.stdout.read()
    assert process.wait(10) == 1
    trace = next(m for m in messages_of(output) if m["type"] == "TRACE")["trace"]["error"]
    assert trace["failure_type"] == "config_error"
    assert "Traceback" not in trace["message"]
    assert process.stderr.read() == b""


def test_secrets_and_addresses_stay_out_of_the_output(runner: Any, record: Any, start: Any) -> None:
    """Neither the key nor an email address appears in the output, no matter what is refused."""
    process = start("write", runner.config())
    rejected = [record({"email": "nobody.there@@contacts"}), record({"email": "secret.person@contacts.example", "vip": "?"})]
    output, errors = process.communicate(
        lines_of(*rejected, record({"email": "not an address@x"}), record({"email": "good@contacts.example"})), timeout=20
    )
    key = runner.config()["credentials"]["apikey"]
    assert process.returncode == 0
    for secret in (key, key.split("-")[0], "nobody.there", "secret.person"):
        assert secret not in output.decode()
        assert secret not in errors.decode()
    assert "3 rejected" in output.decode()


def test_check_answers_failed_instead_of_raising(runner: Any, start: Any) -> None:
    """Check says FAILED with exit code 0 for a wrong configuration, and names the field without quoting its value."""
    process = start("check", {**runner.config(), "credentials": {"auth_type": "apikey", "apikey": "hunter2hunter2"}})
    output, _ = process.communicate(timeout=20)
    status = next(m for m in messages_of(output) if m["type"] == "CONNECTION_STATUS")["connectionStatus"]
    assert process.returncode == 0
    assert status["status"] == "FAILED"
    assert "apikey" in status["message"]
    assert "hunter2" not in output.decode()


def test_states_of_all_kinds_pass_in_order(runner: Any, record: Any, state: Any) -> None:
    """GLOBAL and LEGACY states pass through unchanged; each carries the counts since the one before."""
    global_state = {"type": "STATE", "state": {"type": "GLOBAL", "id": 2, "global": {"shared_state": {"x": 1.5}, "stream_states": []}}}
    legacy = {"type": "STATE", "state": {"id": 3, "data": {"y": "z"}}}
    people = [record({"email": f"a{n}@contacts.example"}) for n in range(6)]
    result = runner.write([*people[:2], state(1), *people[2:5], global_state, people[5], legacy, record({"email": "?"}), state(4)])
    assert result.ids == [1, 2, 3, 4]
    assert result.statistics == [
        {"recordCount": 2.0},
        {"recordCount": 3.0},
        {"recordCount": 1.0},
        {"recordCount": 0.0, "rejectedRecordCount": 1.0},
    ]
    assert {k: v for k, v in result.states[1]["state"].items() if k != "destinationStats"} == global_state["state"]
    assert {k: v for k, v in result.states[2]["state"].items() if k != "destinationStats"} == legacy["state"]


def test_interleaved_streams_have_counts_of_their_own(runner: Any, record: Any, state: Any, catalog: Any) -> None:
    """A state counts the records of its own stream only, and waits for those of the others all the same."""
    messages = [
        record({"email": "a@contacts.example"}, "one"),
        record({"email": "b@contacts.example"}, "two"),
        record({"email": "c@contacts.example"}, "two"),
        state(1, "one"),
        state(2, "two"),
    ]
    result = runner.write(messages, catalog("one", "two"))
    assert result.statistics == [{"recordCount": 1.0}, {"recordCount": 2.0}]


def test_nothing_unsettled_is_acknowledged(runner: Any, record: Any, state: Any) -> None:
    """When Mailchimp stays down the sync fails as transient, and the state of what did not land is not given back."""
    runner.mailchimp.faults([{"kind": "500", "method": "PUT", "path": "/members/", "after": 1}])
    messages = [record({"email": "a@contacts.example"}), state(1), record({"email": "b@contacts.example"}), state(2)]
    patience = Patience(first_back_off=0.01, longest_back_off=0.02, total=0.1)
    result = runner.write(messages, patience=patience, num_workers=1, write_mode="single")
    assert result.error is not None
    assert result.error.failure_type.value == "transient_error"
    assert result.ids in ([], [1])


JUNK = st.one_of(
    st.binary(max_size=60).map(lambda junk: junk.replace(b"\n", b"")),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "record", "stream", "data", "state", "x"]), inner, max_size=4)
        ),
        max_leaves=8,
    ).map(lambda junk: json.dumps(junk).encode()),
    st.sampled_from(["RECORD", "STATE", "LOG", "TRACE", "NEWS"]).map(lambda kind: json.dumps({"type": kind}).encode()),
    st.sampled_from([b"", b"{", b"[" * 5000, b'"\\ud800"', b'{"type":"RECORD","record":{"stream":"nobody","data":{}}}']),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JUNK, max_size=12), st.integers(0, 12))
def test_junk_in_the_input_loses_nothing_else(runner: Any, record: Any, state: Any, junk: list[bytes], place: int) -> None:
    """With any lines between them, good records land and their states come back."""
    runner.mailchimp.reset()
    runner.list_id = runner.mailchimp.seed(name="Audience")[0]
    good = [record({"email": "a@contacts.example", "first_name": "Ada"}), state(1)]
    result = runner.write([*junk[:place], *good, *junk[place:]])
    assert result.error is None
    assert 1 in [message["state"].get("id") for message in result.states]
    assert runner.members()["a@contacts.example"]["merge_fields"]["FNAME"] == "Ada"


def test_reading_stops_while_too_much_is_under_way(runner: Any, record: Any, start: Any) -> None:
    """While Mailchimp does not answer, only so much of the input is taken."""
    runner.mailchimp.faults([{"kind": "hang", "method": method} for method in ("PATCH", "PUT")])
    process = start("write", runner.config(num_workers=1, write_mode="single"))
    flood = lines_of(*(record({"email": f"a{n}@contacts.example", "ignored": "x" * 900}) for n in range(8_000)))
    os.set_blocking(process.stdin.fileno(), False)
    sent, still = 0, 0
    while sent < len(flood) and still < 20:
        try:
            sent += os.write(process.stdin.fileno(), flood[sent : sent + 65536])
            still = 0
        except BlockingIOError:
            # Taken as stopped only after the writes have begun.
            still += 1 if runner.writes() else 0
            time.sleep(0.02)
    assert sent < len(flood) * 0.75


def test_messages_of_the_cdk_are_written_too(runner: Any, record: Any, state: Any, catalog: Any) -> None:
    """The CDK's own interface takes its message classes and gives states back as such."""
    load = AirbyteMessageSerializer.load
    messages = [load(record({"email": "a@contacts.example"})), load(state(1))]
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog())
    [back] = DestinationMailchimpUnified().write(runner.config(), configured, messages)
    assert back.state.destinationStats.recordCount == 1.0
    assert "a@contacts.example" in runner.members()


@pytest.mark.parametrize("broken", [[], {"streams": None}, {"streams": [{"stream": 1}]}])
def test_broken_catalog_is_a_config_error(runner: Any, broken: Any) -> None:
    """A catalog without readable streams ends the sync before anything is sent."""
    result = runner.write([], broken or {"x": 1})
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert runner.mailchimp.journal() == []
