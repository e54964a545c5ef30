from __future__ import annotations

import json
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from destination_mailchimp_unified.intake.arrivals import Entry, StreamKey
from destination_mailchimp_unified.intake.states import State
from destination_mailchimp_unified.sending.bulk import answered_rows
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import CREATED, UPDATED, rejected, rejected_by
from mailchimp_unified.errors import RejectedRecordError
from mailchimp_unified.identity import masked, subscriber_hash

STREAMS: list[StreamKey] = [(None, "a"), (None, "b"), ("ns", "a")]


def state(number: int, stream: StreamKey | None) -> State:
    """A state with a number, in a form of its own."""
    return State(stream, b'{"id":%d,"counts":' % number, b"}", b"")


@given(
    st.lists(st.one_of(st.tuples(st.just("record"), st.integers(0, 2)), st.tuples(st.just("state"), st.integers(-1, 2))), max_size=40),
    st.randoms(),
)
def test_states_come_out_in_order_and_only_after_what_is_before_them(script: list[tuple[str, int]], chance: random.Random) -> None:
    """In any order of settling, a state is released after all earlier records and states, and the counts add up."""
    ledger, released, number = Ledger(), [], 0
    open_records: list[tuple[StreamKey, int, int]] = []
    records_before: list[int] = []
    settled: set[int] = set()

    def settle_one() -> None:
        stream, epoch, index = open_records.pop(chance.randrange(len(open_records)))
        ledger.settle(Entry(stream, epoch, index), chance.choice([CREATED, UPDATED, rejected("x")]))
        settled.add(index)
        collect()

    def collect() -> None:
        for message in map(json.loads, ledger.released()):
            place = message["id"]
            assert all(index in settled for index in range(records_before[place]))
            released.append(message)

    for kind, which in script:
        if kind == "record":
            open_records.append((STREAMS[which], ledger.admit(), number))
            number += 1
        else:
            ledger.mark(state(len(records_before), None if which < 0 else STREAMS[which]))
            records_before.append(number)
        collect()
        if open_records and chance.random() < 0.4:
            settle_one()
    while open_records:
        settle_one()
    ledger.mark(state(len(records_before), None))
    records_before.append(number)
    collect()
    assert [message["id"] for message in released] == list(range(len(records_before)))
    counts = [message["counts"] for message in released]
    assert sum(one["recordCount"] + one.get("rejectedRecordCount", 0) for one in counts) == number
    assert all(isinstance(count, float) and (name == "recordCount" or count > 0) for one in counts for name, count in one.items())


def test_a_record_is_settled_once() -> None:
    """A second outcome for a record is a bug that ends the sync."""
    ledger = Ledger()
    entry = Entry(STREAMS[0], ledger.admit(), 1)
    ledger.settle(entry, CREATED)
    with pytest.raises(AssertionError):
        ledger.settle(entry, CREATED)


@given(st.lists(st.sampled_from(["created", "updated", "error", "missing"]), max_size=30))
def test_rows_are_found_by_address_whatever_its_case(fates: list[str]) -> None:
    """Every address of a bulk answer is found under the id of its contact; refused and missing ones under none."""
    rows = [(f"P{number}@x.org", fate) for number, fate in enumerate(fates)]
    body = {
        f"{name}_members": [{"email_address": e.upper()} for e, fate in rows if fate == kind]
        for name, kind in (("new", "created"), ("updated", "updated"))
    }
    answer = answered_rows({**body, "errors": [{"email_address": e} for e, fate in rows if fate == "error"]})
    for email, fate in rows:
        assert (subscriber_hash(email) in answer.created, subscriber_hash(email) in answer.updated) == (
            fate == "created",
            fate == "updated",
        )


@given(st.emails())
def test_no_address_is_shown(email: str) -> None:
    """Neither our reasons nor Mailchimp's words show an email address unmasked."""
    name = email.rpartition("@")[0]
    # A name of stars looks like its own mask.
    assume(name.strip("*"))
    error = RejectedRecordError(
        "no", detail=f"{email} looks fake or invalid.", title="Invalid Resource", fields=(("FNAME", f"not {email}"),)
    )
    outcome = rejected_by(error)
    for line in (outcome.reason, outcome.words):
        assert email not in line
        assert len(name) < 3 or f"{name}@" not in line
    assert masked("nothing to see") == "nothing to see"


@pytest.mark.parametrize("between", [",", ";", "/", "|", " ", "><", "),(", "\t"])
def test_two_email_addresses_in_one_text_are_both_masked(between: str) -> None:
    """With any characters between two email addresses, neither name is shown."""
    text = masked(f"ada.long@x.org{between}grace.long@y.org")
    assert "ada.long" not in text
    assert "race.long" not in text
