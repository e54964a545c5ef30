"""The lines that the destination writes about records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailchimp_workbench.send.outcomes import Change, outcome, read_outcomes


def test_a_planned_update_shows_old_and_new() -> None:
    """Each field with its value before and after; a merge field by its tag alone."""
    line = {
        "number": 3,
        "outcome": "updated",
        "changes": {"merge_fields.PLAN": {"old": "Free", "new": "Pro"}, "tags": {"old": None, "new": ["A", "B"]}},
    }

    assert outcome(line).changes == (Change("PLAN", "Free", "Pro"), Change("tags", "", "A, B"))


def test_a_reject_says_why_without_repeating_itself() -> None:
    """The field stands for itself, the reason follows, with Mailchimp's own words and whether it may work later."""
    one = outcome(
        {
            "number": 1,
            "outcome": "rejected",
            "field": "SIZE",
            "reason": "SIZE: is no choice",
            "mailchimp": "Bad.",
            "retry": "later",
            "record": {"a": 1},
        }
    )

    assert (one.field, one.reason, one.words, one.retry, one.record) == ("SIZE", "is no choice", "Bad.", "later", {"a": 1})


@pytest.mark.parametrize("line", [{}, {"record": None}, {"changes": None}, {"line": "not a message", "reason": "a line is not JSON"}])
def test_what_a_line_does_not_say_is_empty(line: dict[str, object]) -> None:
    """A line of the input that was no record has none, and is shown all the same."""
    one = outcome(line)

    assert (one.kind, one.record, one.changes) == ("rejected", {}, ())


def test_outcomes_are_read_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """The destination writes a line when a record is settled; the page shows rows."""
    file = tmp_path / "outcomes.jsonl"
    file.write_text("\n".join(json.dumps({"number": number}) for number in (3, 1, 2)) + "\n")

    assert [one.number for one in read_outcomes(file)] == [1, 2, 3]
    assert read_outcomes(tmp_path / "none.jsonl") == []
