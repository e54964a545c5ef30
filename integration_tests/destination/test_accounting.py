"""Every record is accounted for: in the counts of its state, in the summary, in the log, in how the sync ends."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = "good@contacts.example"

UNUSABLE = [
    b"not json at all",
    b'{"type": "RECORD"',
    b"[1, 2]",
    b'{"type": "RECORD"}',
    b'{"type": "RECORD", "record": {"stream": "people"}}',
    b'{"type": "RECORD", "record": {"stream": "nobody", "data": {"email": "x@contacts.example"}}}',
    b'{"type": "RECORD", "record": {"stream": "people", "namespace": "other", "data": {"email": "x@contacts.example"}}}',
]


@pytest.mark.parametrize("line", UNUSABLE)
def test_a_line_that_cannot_be_used_is_a_rejected_record(runner: Any, record: Any, state: Any, line: bytes) -> None:
    """It is counted in the next state and in the summary."""
    result = runner.write([record({"email": GOOD}), line, line, state(1)])
    assert result.error is None
    assert result.statistics == [{"recordCount": 1.0, "rejectedRecordCount": 2.0}]


@pytest.mark.parametrize("line", UNUSABLE)
def test_unusable_lines_are_seen_by_the_guard(runner: Any, record: Any, line: bytes) -> None:
    """A table of lines that cannot be used is stopped like one of bad records."""
    result = runner.write([record({"email": GOOD}), *([line] * 200)], max_rejected_percent=50)
    assert result.error is not None
    assert "max_rejected_percent" in (result.error.message or "")


LENIENT = [
    (b'{"type":"RECORD","record":{"stream":"people","data":{"email":"good@contacts.example","first_name":"A\\ud800"}}}', "A\N{REPLACEMENT CHARACTER}"),
    (b'{"type":"RECORD","record":{"stream":"people","data":{"email":"good@contacts.example","first_name":"A","score":NaN}}}', "A"),
    (b'{"type":"RECORD","record":{"stream":"people","data":{"email":"good@contacts.example","first_name":"A\xff"}}}', "A\N{REPLACEMENT CHARACTER}"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "name"), LENIENT)
def test_what_strict_parsers_refuse_is_read_leniently(runner: Any, state: Any, line: bytes, name: str) -> None:
    """Half of a surrogate pair, NaN or a stray byte in one column costs no record."""
    result = runner.write([line, state(1)])
    assert result.statistics == [{"recordCount": 1.0}]
    assert runner.members()[GOOD]["merge_fields"]["FNAME"] == name


def state_line(blob: str, *, around: str = "") -> bytes:
    """A STATE message as its sender wrote it."""
    return (
        '{ "state" : {"type":"STREAM", "stream":{"stream_descriptor":{"name":"people"},"stream_state":'
        + blob
        + '} , "id":7}'
        + around
        + ' ,"type":"STATE" }'
    ).encode()


BLOBS = [
    '{"at": 1.23456789012345678901234567890}',
    '{"at": 123456789012345678901234567890123456789}',
    '{"at": ' + "9" * 5000 + "}",
    '{"at": 1E400, "b": -0.0, "c": 1.10}',
    '{"at": NaN}',
    '{"at": "\\ud800 \\u00e9 \\/ é"}',
    '{"at": "}, \\"state\\": {", "x": [{"state": 1}, []]}',
    '{"destinationStats": {"recordCount": 5}}',
    "{}",
    "null",
    "[" * 200 + "]" * 200,
]


@pytest.mark.parametrize("blob", BLOBS)
@pytest.mark.parametrize("around", ["", ', "other" : "x@contacts.example" ', ', "z":{"state":{"a":1}}'])
def test_a_state_comes_back_byte_for_byte(runner: Any, record: Any, blob: str, around: str) -> None:
    """No matter what is in it: only the counts are spliced in."""
    sent = state_line(blob, around=around)
    result = runner.write([record({"email": GOOD}), sent])
    assert result.error is None
    [back] = result.lines
    counts = b',"destinationStats":{"recordCount":1.0}'
    assert back.count(counts) == 1
    assert back.replace(counts, b"") == sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("state") | st.just("destinationStats"), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    state=st.dictionaries(st.text(max_size=5), JSON, max_size=4),
    more=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_any_state_keeps_its_bytes(state: Any, more: Any, indent: int | None, ascii_only: bool) -> None:
    """Taking the counts out of what comes back leaves the bytes that came in."""
    from destination_mailchimp_unified.intake.states import state_of

    state.pop("destinationStats", None)
    message = {**more, "type": "STATE", "state": state}
    text = json.dumps(message, indent=indent, ensure_ascii=ascii_only).replace("\n", " ")
    line = text.encode("utf-8", "surrogatepass")
    back = state_of(line, message).with_counts(3, 1)
    counts = b'"destinationStats":{"recordCount":3.0,"rejectedRecordCount":1.0}'
    assert back.count(counts) == 1
    assert back.replace(b"," + counts if state else counts, b"") == line


def test_counts_of_a_state_that_has_some_are_replaced(runner: Any, record: Any) -> None:
    """Counts that a state came with are those of an earlier destination."""
    line = b'{"type":"STATE","state":{"id":1,"destinationStats":{"recordCount":99.0},"data":{}}}'
    [back] = runner.write([record({"email": GOOD}), line]).lines
    assert back == line.replace(b"99.0", b"1.0")


@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_sync_whose_records_are_all_rejected_fails(runner: Any, record: Any, state: Any, count: int) -> None:
    """However few they were, it fails at the end, with the most common reason; if one was accepted, it does not fail."""
    bad = [record({"email": f"nobody {n}"}) for n in range(count)]
    result = runner.write([*bad, record({"email": None}) if count > 1 else bad[0], state(1)])
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert "spaces" in (result.error.message or "") or "blank" in (result.error.message or "")
    assert runner.write([*bad, record({"email": GOOD}), state(1)]).error is None
    assert runner.write([state(1)]).error is None


def test_reasons_are_bounded_and_hold_no_value(runner: Any, record: Any) -> None:
    """Thousands of different bad values make neither long lines nor show themselves."""
    bad = [record({"email": f"p{n}@contacts.example", "language": {"secret": n}, "vip": f"secret-{n}-" + "x" * 500}) for n in range(900)]
    result = runner.write([record({"email": GOOD}), *bad])
    assert result.counts()["rejected"] == 900
    assert max(len(line) for line in result.log) < 3000
    assert "secret" not in result.text
    assert len([line for line in result.log if line.startswith("Rejected")]) <= 100


def test_each_reject_names_its_record_and_its_contact(runner: Any, record: Any, catalog: Any) -> None:
    """The line has the record's number in its stream and the id of the contact, as it is in the warehouse."""
    from mailchimp_unified.identity import subscriber_hash

    messages = [record({"email": GOOD}, "one"), record({"email": "A@contacts.example", "vip": "?"}, "two")]
    messages += [record({"email": f"b{n}@contacts.example"}, "one") for n in range(3)] + [
        record({"email": "c@contacts.example", "vip": "?"}, "one")
    ]
    result = runner.write(messages, catalog("one", "two"))
    first, second = [line for line in result.log if line.startswith("Rejected")]
    assert all(part in first for part in ("1 of stream two", subscriber_hash("a@contacts.example"), "vip"))
    assert all(part in second for part in ("5 of stream one", subscriber_hash("c@contacts.example"), "vip"))


@pytest.mark.parametrize("write_mode", ["single", "bulk", "auto"])
@pytest.mark.parametrize("double_optin", [False, True])
@pytest.mark.parametrize("status_if_new", ["auto", "unsubscribed", "transactional"])
@pytest.mark.parametrize("more", [{}, {"timestamp_opt": "2020-01-01T00:00:00Z", "timestamp_signup": "2020-01-01T00:00:00Z"}])
def test_created_and_updated_are_told_apart(
    make_runner: Any, record: Any, write_mode: str, double_optin: bool, status_if_new: str, more: Any
) -> None:
    """In every mode, for every status of new contacts, with any times in the records."""
    runner = make_runner(contacts=3, double_optin=double_optin, statuses={"subscribed": 1, "pending": 1, "unsubscribed": 1})
    known = list(runner.members())
    runner.mailchimp.clock(advance=60)
    messages = [
        record({"email": email, "first_name": "New", **more})
        for email in [*known, "n1@contacts.example", "n2@contacts.example", "n3@contacts.example"]
    ]
    result = runner.write(messages, write_mode=write_mode, status_if_new=status_if_new)
    assert result.counts() == {"created": 3, "updated": 3, "unchanged": 0, "skipped": 0, "rejected": 0}


@pytest.mark.parametrize("write_mode", ["single", "bulk"])
def test_several_records_of_one_new_contact_create_it_once(runner: Any, record: Any, write_mode: str) -> None:
    """The first has created the contact, the others have updated it."""
    messages = [record({"email": "a@contacts.example", "first_name": str(n)}) for n in range(3)]
    assert runner.write(messages, write_mode=write_mode).counts() == {
        "created": 1,
        "updated": 2,
        "unchanged": 0,
        "skipped": 0,
        "rejected": 0,
    }


@pytest.mark.parametrize("write_mode", ["single", "bulk"])
def test_what_was_left_undone_is_in_the_summary(make_runner: Any, record: Any, write_mode: str) -> None:
    """Contacts who stay archived and statuses that were not applied are counted and named."""
    runner = make_runner(contacts=5, statuses={"subscribed": 3, "archived": 2})
    messages = [
        record({"email": email, "first_name": "New", **({"status": "unsubscribed"} if member["status"] == "subscribed" else {})})
        for email, member in runner.members().items()
    ]
    result = runner.write(messages, write_mode=write_mode)
    assert result.counts()["updated"] == 5
    assert "2 stay archived" in result.text
    assert "3 statuses not applied: apply_status is never" in result.text


def test_nothing_more_is_sent_after_the_guard_stopped_the_sync(runner: Any, record: Any) -> None:
    """Requests under way end; none begins afterwards."""
    runner.mailchimp.latency(0.3)
    good = [record({"email": f"p{n}@contacts.example"}) for n in range(60)]
    bad = [record({"email": f"nobody {n}"}) for n in range(200)]
    result = runner.write([*good, *bad], write_mode="single", max_rejected_percent=50, num_workers=2)
    assert result.error is not None
    runner.mailchimp.latency(0)
    before = len(runner.mailchimp.journal())
    time.sleep(0.5)
    assert len(runner.mailchimp.journal()) - before <= 2
    assert len(runner.writes()) <= 4


def test_sigterm_ends_within_a_second(runner: Any, record: Any, state: Any, start: Any) -> None:
    """A platform that stops a sync gets exit code 143 at once, although a request hangs and the input stays open."""
    runner.mailchimp.faults([{"kind": "hang", "path": "b@contacts.example|0f77b30f|/members/"}])
    process = start("write", runner.config(write_mode="single"))
    process.stdin.write(json.dumps(record({"email": "b@contacts.example"})).encode() + b"\n" + json.dumps(state(1)).encode() + b"\n")
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not runner.mailchimp.stats()["faults"] and time.monotonic() < deadline:
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert time.monotonic() - began < 2
    assert b'"STATE"' not in process.stdout.read()


def test_short_secrets_do_not_spoil_the_output(runner: Any, record: Any, state: Any, start: Any) -> None:
    """A client id of one letter is replaced nowhere."""
    config = runner.config()
    config["credentials"] = {
        "auth_type": "oauth2.0",
        "client_id": "a",
        "client_secret": "t",
        "access_token": "0123456789abcdef0123456789abcdef-us1",
    }
    process = start("write", config)
    output, _ = process.communicate(
        json.dumps(record({"email": GOOD})).encode() + b"\n" + json.dumps(state(1)).encode() + b"\n", timeout=120
    )
    kinds = [json.loads(line)["type"] for line in output.splitlines()]
    assert set(kinds) <= {"LOG", "STATE", "TRACE"}
    assert b"****" not in output.replace(b"0123456789abcdef", b"")


def test_no_email_address_leaves_the_process_in_clear(runner: Any, record: Any, state: Any, start: Any) -> None:
    """Two in one cell, and in what Mailchimp says: neither is in the output, but for states, which come back as they came."""
    messages = [
        record({"email": "ada.one@contacts.example;ada.two@contacts.example"}),
        record({"email": "ada.three@contacts.example", "ip_signup": "ada.four@contacts.example"}),
        record({"email": GOOD}),
        {**state(1), "for": "ada.five@contacts.example"},
    ]
    process = start("write", runner.config())
    output, errors = process.communicate(b"".join(json.dumps(message).encode() + b"\n" for message in messages), timeout=120)
    shown = b"".join(line for line in output.splitlines() if b'"STATE"' not in line) + errors
    for name in (b"ada.one", b"ada.two", b"ada.three", b"ada.four", b"da.two"):
        assert name not in shown
    assert b"ada.five@contacts.example" in output
