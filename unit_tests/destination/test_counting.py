"""How outcomes are counted and worded, and which states they let go: the numbers that a platform shows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.intake.states import State
from destination_mailchimp_unified.settling.ledger import Ledger, Tally
from destination_mailchimp_unified.settling.outcomes import (
    COMPLIANCE_STATE,
    CREATED,
    FORGOTTEN,
    UNCHANGED,
    UPDATED,
    WITHOUT,
    Outcome,
    rejected,
    rejected_by,
    skipped,
)
from mailchimp_unified.errors import ConfigError, RejectedRecordError

A: StreamKey = (None, "a")
B: StreamKey = (None, "b")

# Outcomes.


@pytest.mark.parametrize(("length", "kept"), [(199, 199), (200, 200), (201, 200)])
def test_a_reason_has_two_hundred_characters_at_most(length: int, kept: int) -> None:
    """A class of reasons is no essay."""
    assert rejected("x" * length).reason == "x" * kept


@pytest.mark.parametrize(("length", "kept"), [(499, 499), (500, 500), (501, 500)])
def test_five_hundred_characters_of_mailchimp_are_quoted_at_most(length: int, kept: int) -> None:
    """A page of HTML in place of an answer fills no log."""
    assert rejected("why", "x" * length).words == "x" * kept


def refusal(*fields: tuple[str, str], detail: str = "", title: str = "Invalid Resource", temporary: bool = False) -> Outcome:
    """Return the outcome of a record that Mailchimp refuses so."""
    return rejected_by(RejectedRecordError("the message", detail=detail, title=title, fields=fields, temporary=temporary))


def test_a_refusal_names_the_fields_that_it_is_about() -> None:
    """Each once, in order; a complaint about none is quoted all the same."""
    outcome = refusal(("LNAME", "too long"), ("FNAME", "too short"), ("LNAME", "odd"), ("", "and more"), detail="Look below.")

    assert (outcome.kind, outcome.field, outcome.later) == ("rejected", "FNAME, LNAME", False)
    assert outcome.words == "Look below. LNAME: too long; FNAME: too short; LNAME: odd; and more"
    assert "FNAME, LNAME" in outcome.reason


@pytest.mark.parametrize("fields", [(), (("FNAME", "odd"),)])
@pytest.mark.parametrize("title", [COMPLIANCE_STATE, FORGOTTEN])
def test_who_may_not_be_written_has_a_reason_of_its_own(title: str, fields: tuple[tuple[str, str], ...]) -> None:
    """No matter what else the refusal complains of."""
    outcome, other = refusal(*fields, detail="No.", title=title), refusal(detail="No.")

    assert (outcome.words, outcome.field) == (" ".join(["No.", *(f"{name}: {words}" for name, words in fields)]), "")
    assert outcome.reason != other.reason
    assert "No." not in outcome.reason


@pytest.mark.parametrize("title", [COMPLIANCE_STATE, "Invalid Resource"])
def test_a_refusal_that_passes_is_to_be_tried_later(title: str) -> None:
    """Its words are quoted."""
    outcome = refusal(("email", "busy"), detail="Wait.", title=title, temporary=True)

    assert (outcome.later, outcome.words, outcome.reason.startswith("temporary")) == (True, "Wait. email: busy", True)


def test_refusals_of_two_email_addresses_have_one_reason() -> None:
    """Else every record would have a reason of its own; without any words the message is the reason."""
    first, second = (refusal(detail=f"{email} looks fake or invalid") for email in ("ada@x.org", "grace@y.org"))

    assert first.reason == second.reason != refusal(detail="another thing").reason
    assert first.words != second.words
    assert refusal().reason == "the message"


def test_what_refuses_no_record_is_told_in_its_own_words() -> None:
    """Without an email address in clear."""
    outcome = rejected_by(ConfigError("not for ada.long@x.org", detail="nor ada.long@x.org"))

    assert outcome.kind == "rejected"
    assert ["ada.long" in text for text in (outcome.reason, outcome.words)] == [False, False]
    assert [text.startswith(word) for text, word in ((outcome.reason, "not for"), (outcome.words, "nor"))] == [True, True]


def test_notes_are_kept_but_for_those_about_what_was_left_out() -> None:
    """An outcome without any stays the one it is."""
    left, other = f"{WITHOUT}FNAME", "stay archived"

    assert UPDATED.noting(()) is UPDATED
    assert UPDATED.noting((left, other)).notes == (left, other)
    assert UPDATED.noting((left, other)).noting_nothing().notes == (other,)
    assert UPDATED.noting((left,)).noting_nothing() == UPDATED
    assert UPDATED.noting((other,)).noting_nothing().notes == (other,)
    assert UPDATED.notes == ()


def test_an_outcome_is_shared_and_so_never_changed() -> None:
    """The outcome of one record is that of many."""
    name = "kind"
    with pytest.raises(AttributeError):
        setattr(CREATED, name, "updated")


# Tallies.


def tally(*outcomes: Outcome) -> Tally:
    """Count outcomes."""
    found = Tally()
    for outcome in outcomes:
        found.add(outcome)
    return found


def test_outcomes_are_counted_by_kind_and_reason_and_note() -> None:
    """Each once; what has no reason is counted under none."""
    found = tally(CREATED, CREATED, skipped("s"), rejected("r"), rejected("r"), UPDATED.noting(("n", "m")), UPDATED.noting(("n",)))

    assert found.counts == {"created": 2, "skipped": 1, "rejected": 2, "updated": 2}
    assert found.reasons == {("skipped", "s"): 1, ("rejected", "r"): 2}
    assert found.notes == {"n": 2, "m": 1}
    assert (found.settled, tally().settled) == (7, 0)


def test_forty_reasons_are_told_apart() -> None:
    """Those that come after are counted together, and the first forty still each."""
    found = tally(*[rejected(f"{number}") for number in range(40)])
    assert (len(found.reasons), set(found.reasons.values())) == (40, {1})

    for outcome in (rejected("40"), rejected("39"), rejected("41"), skipped("40"), rejected("40")):
        found.add(outcome)

    assert found.reasons["rejected", "39"] == 2
    others = {key: count for key, count in found.reasons.items() if not key[1].isdigit()}
    assert sorted((kind, count) for (kind, _), count in others.items()) == [("rejected", 3), ("skipped", 1)]
    assert sum(found.reasons.values()) == found.settled == 45


KINDS = ("created", "updated", "unchanged", "skipped", "rejected")


@pytest.mark.parametrize(
    ("outcomes", "counts", "more"),
    [
        ([], (0, 0, 0, 0, 0), []),
        ([CREATED, UNCHANGED, UNCHANGED], (1, 0, 2, 0, 0), []),
        ([rejected("r"), rejected("q"), rejected("q")], (0, 0, 0, 0, 3), [("2", "rejected: q"), ("1", "rejected: r")]),
        ([UPDATED.noting(("n",)), UPDATED.noting(("m",)), UPDATED.noting(("m",))], (0, 3, 0, 0, 0), [("2", "m"), ("1", "n")]),
        ([rejected("r"), UPDATED.noting(("n",))], (0, 1, 0, 0, 1), [("1", "rejected: r"), ("1", "n")]),
    ],
)
def test_a_sentence_tells_all_counts_and_then_reasons_and_notes(
    outcomes: list[Outcome], counts: tuple[int, ...], more: list[tuple[str, str]]
) -> None:
    """Counts of all kinds in their order; the most common reason first, the most common note first."""
    found = re.findall(r"(\d+) ([\w: ]*\w)", tally(*outcomes).sentence())

    assert found[:5] == [(str(count), kind) for count, kind in zip(counts, KINDS, strict=True)]
    assert found[5:] == more


# The ledger.


def state(number: int, stream: StreamKey | None = None) -> State:
    """A state with a number."""
    return State(stream, b'{"id":%d,"counts":' % number, b"}", b"")


def entry(ledger: Ledger, stream: StreamKey = A, size: int = 0) -> Entry:
    """Admit a record of a stream."""
    return Entry(stream, ledger.admit(size), 0, size=size)


def released(ledger: Ledger) -> list[tuple[int, int, int]]:
    """Return number, accepted and rejected records of the states that may go."""
    found: list[dict[str, Any]] = [json.loads(line) for line in ledger.released()]
    return [(one["id"], int(one["counts"]["recordCount"]), int(one["counts"].get("rejectedRecordCount", 0))) for one in found]


def test_what_came_and_what_is_open_is_counted() -> None:
    """Records and their bytes, those before the last state apart."""
    ledger = Ledger()
    assert (ledger.came, ledger.came_before_state, ledger.open_records, ledger.open_bytes, ledger.epoch) == (0, 0, 0, 0, 0)
    first, second = entry(ledger, size=10), entry(ledger, size=5)
    ledger.mark(state(0))
    third = entry(ledger)

    assert (ledger.came, ledger.came_before_state, ledger.open_records, ledger.open_bytes) == (3, 2, 3, 15)
    assert (first.epoch, second.epoch, third.epoch, ledger.epoch) == (0, 0, 1, 1)
    ledger.admit()
    ledger.settle(first, CREATED)
    ledger.settle(third, rejected("r"))

    assert (ledger.came, ledger.open_records, ledger.open_bytes) == (4, 2, 5)
    assert ledger.tallies[A].counts == {"created": 1, "rejected": 1}


def test_a_state_counts_the_records_of_its_stream_up_to_it() -> None:
    """Not those after it, although they are settled; those of earlier states of other streams; and lines of no stream, once."""
    ledger = Ledger()
    records = [entry(ledger, A), entry(ledger, B), entry(ledger, NOWHERE)]
    ledger.mark(state(0, B))
    records += [entry(ledger, A), entry(ledger, A)]
    ledger.mark(state(1, A))
    records += [entry(ledger, A), entry(ledger, B)]
    outcomes = [CREATED, UPDATED, rejected("r"), rejected("r"), rejected("r"), CREATED, UPDATED]
    for one, outcome in reversed(list(zip(records, outcomes, strict=True))):
        assert released(ledger) == []
        ledger.settle(one, outcome)

    assert released(ledger) == [(0, 1, 1), (1, 1, 2)]
    ledger.mark(state(2))
    assert released(ledger) == [(2, 2, 0)]
    ledger.mark(state(3, A))
    assert released(ledger) == [(3, 0, 0)]


def test_a_state_waits_for_the_records_before_it_and_for_no_others() -> None:
    """One that is open after it holds it back no more."""
    ledger = Ledger()
    before = entry(ledger)
    ledger.mark(state(0))
    entry(ledger)
    assert (ledger.may_release, released(ledger)) == (False, [])
    ledger.settle(before, CREATED)

    assert (ledger.may_release, released(ledger)) == (True, [(0, 1, 0)])
    assert not ledger.may_release
    ledger.mark(state(1))
    assert not ledger.may_release


def test_the_last_state_waits_where_it_is_told_to() -> None:
    """Until another comes, or until that is over."""
    ledger = Ledger()
    assert not ledger.may_release
    ledger.holds_last = True
    assert not ledger.may_release
    ledger.mark(state(0))
    assert (ledger.may_release, released(ledger)) == (False, [])
    ledger.mark(state(1))
    assert (ledger.may_release, released(ledger)) == (True, [(0, 0, 0)])
    assert not ledger.may_release
    ledger.holds_last = False

    assert released(ledger) == [(1, 0, 0)]


@pytest.mark.parametrize("others", [0, 1])
def test_a_record_has_one_outcome(others: int) -> None:
    """A second one is a bug, and is noticed at the latest when no record of its epoch is open."""
    ledger = Ledger()
    one = entry(ledger)
    for _ in range(others):
        ledger.settle(entry(ledger), CREATED)
    ledger.settle(one, CREATED)

    with pytest.raises(AssertionError):
        ledger.settle(one, CREATED)
