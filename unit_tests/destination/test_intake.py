"""Lines of the input, however they come in: whole, in pieces, and without an end."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from integration_tests.simulation.clock import VirtualClockLoop
from mailchimp_unified.identity import subscriber_hash
from unit_tests.account import Account, audiences, chunks_of, written
from unit_tests.kernel.conftest import Scripted


def record(number: int) -> dict[str, Any]:
    """Return a record of a contact."""
    return {"type": "RECORD", "record": {"stream": "people", "emitted_at": 1, "data": {"email": f"c{number}@contacts.example"}}}


def state(number: int) -> dict[str, Any]:
    """Return a state."""
    stream_state = {"stream_descriptor": {"name": "people"}, "stream_state": {"at": number}}
    return {"type": "STATE", "state": {"type": "STREAM", "id": number, "stream": stream_state}}


def contacts(*numbers: int) -> set[str]:
    """Return the ids of contacts."""
    return {subscriber_hash(f"c{number}@contacts.example") for number in numbers}


def outcome(text: bytes, chunk: int) -> tuple[set[str], list[int], list[float]]:
    """Return whom the destination writes of an input that comes in chunks, and the states and counts that it acknowledges."""
    account = Account(audiences(1))
    scripted = Scripted(account, seconds=0.001)
    connector = DestinationMailchimpUnified(transport=lambda: scripted, new_loop=VirtualClockLoop, feed=chunks_of(chunk))
    states = [orjson.loads(line)["state"] for line in written(connector, text)]
    return set(account.written), [one["id"] for one in states], [one["destinationStats"]["recordCount"] for one in states]


@settings(max_examples=40)
@given(
    records=st.integers(1, 6),
    chunk=st.integers(1, 400),
    last=st.sampled_from([b"", b"\n", b"\r\n", b"\n\n \n"]),
    between=st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
)
def test_every_line_counts_however_the_input_is_cut_and_ends(records: int, chunk: int, last: bytes, between: bytes) -> None:
    """A last line without a newline is a line; cut anywhere, lines are put together again; blank ones are nothing."""
    lines = [*(orjson.dumps(record(n)) for n in range(records)), orjson.dumps(state(1))]

    assert outcome(between.join(lines) + last, chunk) == (contacts(*range(records)), [1], [float(records)])


@pytest.mark.parametrize("chunk", [7, 1 << 16])
def test_a_record_is_the_last_line_without_a_newline(chunk: int) -> None:
    """It is written, though no state speaks of it."""
    text = orjson.dumps(state(1)) + b"\n" + orjson.dumps(record(1))

    assert outcome(text, chunk) == (contacts(1), [1], [0.0])


@pytest.mark.parametrize("text", [b"", b"\n", b" \n\n"])
def test_an_empty_input_ends_well(text: bytes) -> None:
    """Nothing came, and nothing is said."""
    assert outcome(text, 8) == (set(), [], [])
