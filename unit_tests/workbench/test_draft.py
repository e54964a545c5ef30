"""A draft is the configuration of the destination, and a saved configuration is the draft again."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_workbench.send.consent import consequences
from mailchimp_workbench.send.draft import Draft, Rule
from mailchimp_workbench.send.options import options, read_option
from mailchimp_workbench.send.outcomes import Outcome
from mailchimp_workbench.send.reject_files import MARKS, cell, csv_lines, restored
from mailchimp_workbench.send.rows import from_records
from mailchimp_workbench.send.writing import catalog

ROWS = from_records("people", [{"Email": "a@guests.example", "Plan": "Pro", "status": "won", "Notes": ""}])


def draft() -> Draft:
    """Return a draft of four columns."""
    made = Draft(ROWS, "a1b2c3d4e5")
    made.fill(Rule("email", column="Email"))
    return made


def test_what_is_left_alone_is_said() -> None:
    """A column that the destination would take by its name is ignored explicitly; others need no rule."""
    assert draft().mapping() == [{"column": "Email", "field": "email"}, {"column": "status", "field": "ignore"}]


def test_with_other_columns_as_merge_fields_every_column_has_its_rule() -> None:
    """What the page shows as left alone is left alone, also with the option that writes other columns."""
    made = draft()
    made.options = {"unmapped_columns": "merge_fields"}

    assert {rule["column"] for rule in made.mapping() if rule["field"] == "ignore"} == {"Plan", "status", "Notes"}


def test_a_field_has_one_origin() -> None:
    """Choosing a field for a column takes it from the column or the constant that had it."""
    made = draft()
    made.add_constant(Rule("tags", value="Spring fair"))
    made.fill(Rule("tags", column="Plan"))
    made.fill(Rule("email", column="Notes"))

    assert made.constants == []
    assert made.target("Email") == ""
    assert made.target("Notes") == "email"


def test_a_saved_configuration_is_the_draft_again() -> None:
    """Rules with their details, constants and options come back; credentials and what is the account's do not."""
    made = draft()
    made.fill(Rule("tags", column="Plan", prefix="plan:", separator=";"))
    made.add_constant(Rule("custom_fields.ORIGIN", value="fair"))
    made.options = {"tag_mode": "replace", "managed_tags": ["plan:*"]}
    again = Draft(ROWS)

    again.load({**made.config(), "credentials": {"apikey": "secret"}, "num_workers": 3, "dry_run": True})

    assert again.config() == made.config()
    assert again.notes == []


def test_a_configuration_for_other_columns_says_what_it_left_out() -> None:
    """Case does not matter; a rule for a column that is not there is named."""
    made = Draft(ROWS)
    made.load({"field_mapping": [{"column": "EMAIL", "field": "email"}, {"column": "Gone", "field": "tags"}]})

    assert made.target("Email") == "email"
    assert made.notes == ["No column is called Gone: its rule was left out."]


@given(st.text())
def test_no_cell_is_a_formula_and_every_cell_comes_back(value: str) -> None:
    """A spreadsheet takes every value of a record for text, and the upload of the file is the same record again."""
    written = cell(value)

    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}"))
    assert restored({"x": written}) == {"x": value}


@given(st.text(min_size=1).filter(lambda name: name not in MARKS))
def test_columns_keep_their_names(name: str) -> None:
    """A column whose name would be a formula has the same name again after the upload."""
    reject = Outcome(1, "rejected", "", "", "", {name: "x"})

    (head, *_) = csv.reader(csv_lines([reject]))

    assert not head[-1].startswith(("=", "+", "-", "@"))
    assert list(restored(dict.fromkeys(head, "x"))) == [name]


def test_the_file_of_rejects_says_why() -> None:
    """The columns of the rows follow those that say which row, which field and why."""
    one = Outcome(5, "rejected", "the email address is empty", "email", "", {"=cmd": "+1", "Email": ""})

    head, row = csv_lines([one])

    assert head.strip().split(",") == [*MARKS, "'=cmd", "Email"]
    assert row.strip() == "5,email,the email address is empty,'+1,"


@pytest.mark.parametrize(
    ("chosen", "double_optin", "has_status", "said"),
    [
        ({}, True, False, "once they confirm"),
        ({}, False, False, "subscribed at once"),
        ({"status_if_new": "transactional"}, True, False, "without a subscription"),
        ({}, False, True, "Nobody who unsubscribed, bounced or was archived is subscribed again"),
        ({"apply_status": "never"}, False, True, "Nobody who unsubscribed"),
        ({"apply_status": "opt_outs"}, False, True, "can unsubscribe somebody"),
        ({"apply_status": "always"}, False, True, "can subscribe somebody again"),
        ({"apply_status": True}, False, True, "can subscribe somebody again"),
        ({"apply_status": "always"}, False, False, "Nobody who unsubscribed"),
    ],
)
def test_what_it_means_for_consent(chosen: dict[str, Any], double_optin: bool, has_status: bool, said: str) -> None:
    """The sentence follows the audience, the options, and whether a status is mapped at all."""
    assert said in consequences(chosen, double_optin=double_optin, has_status=has_status)


SPECIFICATION = {
    "properties": {
        "credentials": {"type": "object"},
        "dry_run": {"type": "boolean"},
        "api_url": {"type": "string", "airbyte_hidden": True},
        "tag_mode": {"type": "string", "enum": ["add", "replace"], "default": "add", "title": "Tags"},
        "managed_tags": {"type": "array", "items": {"type": "string"}},
        "percent": {"type": "number", "default": 100},
        "restore": {"type": "boolean", "default": False},
    }
}


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("tag_mode", "replace", "replace"),
        ("tag_mode", "add", None),
        ("managed_tags", "a, b,", ["a", "b"]),
        ("percent", "12", 12),
        ("percent", "12.5", 12.5),
        ("percent", "100", None),
        ("percent", "most", "most"),
        ("restore", "true", True),
        ("restore", "false", None),
    ],
)
def test_options_come_from_the_specification(name: str, typed: str, expected: Any) -> None:
    """Each option is read by its type; a default is not written down, and what cannot be read is left to the destination to refuse."""
    known = {one.name: one for one in options(SPECIFICATION, {})}

    assert set(known) == {"tag_mode", "managed_tags", "percent", "restore"}
    assert read_option(known[name], typed) == expected


def test_a_draft_names_its_audience_by_id_alone() -> None:
    """The audience is `list_id` of the configuration: what the destination calls its objects does not matter."""
    made = Draft(ROWS, "2e6b74a9f8")
    (configured,) = catalog(ROWS)["streams"]

    assert made.config()["list_id"] == "2e6b74a9f8"
    assert "destination_object_name" not in configured
