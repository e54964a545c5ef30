"""What a column does is said, and mistakes in the mapping are judged before anything is sent."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest

PEOPLE = {"name": "people", "json_schema": {"properties": {"Attendee Email": {}, "Ticket Type": {}, "Status": {}, "Order Date": {}}}}
RULES = [{"column": "Attendee Email", "field": "email"}, {"column": "Ticket Type", "field": "tags"}]
ROW = {"Attendee Email": "a@contacts.example", "Ticket Type": "VIP", "Status": "unsubscribed", "Order Date": "x"}


@pytest.mark.parametrize("known", [True, False])
def test_the_log_says_what_the_columns_do(runner: Any, record: Any, catalog: Any, known: bool) -> None:
    """At the start each stream says which column fills what, and which are left alone; a CRM's status does nothing."""
    streams = catalog(PEOPLE if known else {"name": "people", "json_schema": {}})
    result = runner.write([record(ROW)], streams, field_mapping=RULES)
    assert "people: email <- Attendee Email, tags <- Ticket Type; ignored: Status, Order Date" in result.log
    [member] = runner.members().values()
    assert (member["status"], member["tags"]) == ("subscribed", ["VIP"])


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "unsubscribed", "is_deleted": True, "location": "Reno", "phones": 5, "addresses": "x", "vip": "perhaps", "id": 7},
        {"Status": "Open", "interests": "golf", "language": "English, German", "custom_fields": "none of yours", "list_name": "x"},
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_table_of_people_lands_whatever_its_other_columns(runner: Any, record: Any, catalog: Any, columns: Any, known: bool) -> None:
    """Outside streams of unified contacts, columns that happen to have a field's name reject and change nothing."""
    row = {"email": "a@contacts.example", "first_name": "Ada", **columns}
    streams = catalog({"name": "people", "json_schema": {"properties": {name: {} for name in row}} if known else {}})
    result = runner.write([record(row)], streams)
    assert result.counts()["created"] == 1
    [member] = runner.members().values()
    assert (member["status"], member["merge_fields"]) == ("subscribed", {"FNAME": "Ada"})


MISTAKES = [
    ([{"column": "Tickt Type", "field": "tags"}], ["Tickt Type", "did you mean Ticket Type"]),
    ([{"column": "Ticket Type", "field": "tags", "stream": "peopel"}], ["peopel", "did you mean people"]),
    ([{"column": "Status", "field": "email"}], ["email", "more than one column", "Attendee Email", "Status"]),
    ([{"column": "status", "field": "email", "stream": "people"}], ["email", "more than one column"]),
    ([{"column": "Status", "field": "first_name"}, {"column": "Order Date", "field": "custom_fields.fname"}], ["same field", "FNAME"]),
    ([{"column": "Status", "field": "full_name"}, {"column": "Order Date", "field": "last_name"}], ["same field", "full_name"]),
    (
        [{"column": "Status", "field": "custom_fields.ADDRESS"}, {"column": "Order Date", "field": "custom_fields.ADDRESS.city"}],
        ["same field"],
    ),
    ([{"column": "Status", "field": "custom_fields.COMPANI"}], ["COMPANI", "did you mean COMPANY"]),
    ([{"column": "Status", "field": "custom_fields.COMPANY_NAME"}], ["COMPANY_NAME", "10 characters"]),
    ([{"column": "Status", "field": "custom_fields.CÖMPANY"}], ["letters, digits and underscores"]),
    ([{"column": "Status", "field": "custom_fields.COMPANY.city"}], ["COMPANY", "not a postal address"]),
    ([{"column": "Status", "field": "custom_fields.PLAN"}], ["PLAN", "no choices"]),
    ([{"value": "Blue", "field": "custom_fields.COLOR"}], ["COLOR", "choices", "Red"]),
    ([{"value": "many", "field": "custom_fields.AGE"}], ["AGE", "expects a number"]),
    ([{"column": "Status", "field": "frist_name"}], ["frist_name", "did you mean first_name"]),
    ([{"column": "Status", "field": "tags", "format": "number"}], ["tags", "format"]),
    ([{"column": "Status", "field": "custom_fields.AGE", "format": "numbr?"}], ["AGE", "numbr?"]),
    ([{"column": "Status", "field": "custom_fields.AGE", "separator": ";"}], ["AGE", "separator"]),
    ([{"column": "Status", "field": "vip", "prefix": "x"}], ["vip", "prefix"]),
    ([{"field": "email"}], ["column or a value"]),
    ([{"column": "Status", "value": "x", "field": "vip"}], ["column or a value"]),
    ([{"column": "Status", "feild": "vip", "field": "vip"}], ["feild", "did you mean field"]),
]

BY_CONFIGURATION = range(3, len(MISTAKES))
"""Those of the mistakes that the configuration alone tells, with the audience."""


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_a_mistake_in_the_mapping_is_judged_before_anything_is_sent(make_runner: Any, record: Any, catalog: Any, number: int) -> None:
    """Each mistake is a config error that names what is wrong; what the configuration alone tells fails the check too."""
    rules, words = MISTAKES[number]
    fields = [
        {"tag": "FNAME"}, {"tag": "LNAME"}, {"tag": "COMPANY"}, {"tag": "AGE", "type": "number"}, {"tag": "ADDRESS", "type": "address"},
        {"tag": "COLOR", "type": "dropdown", "choices": ["Red", "Green"]}, {"tag": "PLAN", "type": "dropdown", "choices": []},
    ]  # fmt: skip
    runner = make_runner(merge_fields=fields)
    result = runner.write([record(ROW)], catalog(PEOPLE), field_mapping=[*RULES, *rules])
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert [word for word in words if word not in str(result.error.message)] == []
    assert (runner.writes(), runner.members()) == ([], {})
    status, message = runner.check(field_mapping=[*RULES, *rules])
    if number in BY_CONFIGURATION and number != 3:
        assert status == "FAILED"
        assert [word for word in words if word not in message] == []


def test_columns_that_only_records_tell_are_judged_before_anything_is_sent(runner: Any, record: Any, catalog: Any) -> None:
    """Where no schema tells the columns, the first record does: two columns for one field end the sync at once."""
    rules = [*RULES, {"column": "Status", "field": "email", "stream": "people"}]
    result = runner.write([record(ROW)], catalog({"name": "people", "json_schema": {}}), field_mapping=rules)
    assert "more than one column" in str(result.error.message)
    assert runner.writes() == []


def test_a_table_without_an_email_column_is_told_which_is_meant(runner: Any, record: Any, catalog: Any) -> None:
    """Where no column fills email the stream is refused with the likely column, or its records with what to do."""
    result = runner.write([record(ROW)], catalog(PEOPLE))
    assert "perhaps Attendee Email" in str(result.error.message)
    unknown = runner.write([record(ROW)], catalog({"name": "people", "json_schema": {}}))
    assert "no column is mapped to email" in unknown.text
    assert runner.writes() == []


def test_two_streams_may_fill_a_field_from_different_columns(runner: Any, record: Any, catalog: Any) -> None:
    """A rule holds for the streams that have its column, or for the one that it names."""
    leads = {"name": "leads", "json_schema": {"properties": {"mail": {}, "stage": {}}}}
    rules = [*RULES, {"column": "mail", "field": "email", "stream": "LEADS"}, {"column": "stage", "field": "tags", "prefix": "stage:"}]
    rows = [record(ROW), record({"mail": "b@contacts.example", "stage": "Won"}, "leads")]
    result = runner.write(rows, catalog(PEOPLE, leads), field_mapping=rules)
    assert result.error is None
    assert {email: member["tags"] for email, member in runner.members().items()} == {
        "a@contacts.example": ["VIP"],
        "b@contacts.example": ["stage:Won"],
    }


def test_the_check_says_what_the_rules_do(runner: Any) -> None:
    """The check names what each rule fills, and the merge fields that a sync would create with their types."""
    rules = [
        *RULES,
        {"column": "Since", "field": "custom_fields.since", "format": "DD/MM/YYYY"},
        {"column": "Amount", "field": "custom_fields.LTV", "format": "number", "stream": "orders"},
        {"column": "Status", "field": "ignore"},
    ]
    log, logger = io.StringIO(), logging.getLogger("destination.test")
    logger.handlers, logger.propagate = [logging.StreamHandler(log)], False
    logger.setLevel(logging.INFO)
    assert runner.check(field_mapping=rules, create_missing_merge_fields=True)[0] == "SUCCEEDED"
    assert runner.writes() == []
    for words in (
        "email <- Attendee Email",
        "custom_fields.LTV <- Amount (stream orders)",
        "Status is ignored",
        "LTV (number), SINCE (date)",
    ):
        assert words in log.getvalue()


@pytest.mark.parametrize("key", ["dryrun", "dry-run", "Dry_Run", "apply_staus", "field_mappings", "listid", "tagmode"])
def test_a_misspelt_option_is_an_error(runner: Any, record: Any, key: str) -> None:
    """An unknown key that is near a known one fails check and sync: an option that nobody reads would write for real."""
    assert "did you mean" in runner.check(**{key: True})[1]
    result = runner.write([record({"email": "a@contacts.example"})], **{key: True})
    assert result.error is not None
    assert key in str(result.error.message)
    assert runner.members() == {}


def test_a_key_unlike_any_other_is_warned_about(runner: Any, record: Any) -> None:
    """A key that no option is like does nothing and is named."""
    result = runner.write([record({"email": "a@contacts.example"})], airport="VIE")
    assert result.error is None
    assert "airport" in result.text


def test_a_record_of_another_account_goes_to_the_configured_audience(runner: Any, record: Any) -> None:
    """With list_ids_from: configuration the record's list_id does not count; by default it does."""
    row = record({"email": "a@contacts.example", "list_id": "0000000000", "first_name": "Ada"})
    assert runner.write([row]).counts()["rejected"] == 1
    assert runner.write([row], list_ids_from="configuration").counts()["created"] == 1
    assert list(runner.members()) == ["a@contacts.example"]
    assert "list_id" in runner.check(list_ids_from="configuration", list_id=None)[1]


@pytest.mark.parametrize("mode", ["hard_delete", "", None, 5])
def test_an_unknown_sync_mode_is_refused(runner: Any, record: Any, catalog: Any, mode: Any) -> None:
    """A mode that is missing or unknown is a config error before anything is sent."""
    result = runner.write([record({"email": "a@contacts.example"})], catalog({"name": "people", "destination_sync_mode": mode}))
    assert result.error is not None
    assert re.search("sync mode", str(result.error.message))
    assert runner.writes() == []


def test_a_reason_holds_no_email_address(runner: Any, record: Any) -> None:
    """A cell with two email addresses is rejected, and neither is in the log."""
    result = runner.write([record({"email": "ann@contacts.example;bob@contacts.example"})])
    assert result.counts()["rejected"] == 1
    assert "ann@" not in result.text
    assert "bob@" not in result.text


def test_the_form_before_rules_still_works(make_runner: Any, record: Any, catalog: Any) -> None:
    """A configuration of two keys per mapping means what it meant."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY"}])
    mapping = [{"column": "customer_email", "field": "email"}, {"column": "company", "field": "custom_fields.COMPANY"}]
    row = record({"customer_email": "a@contacts.example", "company": "Acme"})
    result = runner.write([row], catalog({"name": "people", "json_schema": {}}), field_mapping=mapping)
    assert result.counts()["created"] == 1
    assert runner.members()["a@contacts.example"]["merge_fields"] == {"COMPANY": "Acme"}
