from __future__ import annotations

from typing import Any

import pytest

REQUIRED = {"tag": "COMPANY", "type": "text", "required": True}


def test_check_succeeds_with_and_without_default_list(runner: Any) -> None:
    """Only the credentials are required."""
    assert runner.check()[0] == "SUCCEEDED"
    assert runner.check(list_id=None)[0] == "SUCCEEDED"
    assert runner.writes() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"list_id": "ffffffffff"}, ["ffffffffff", "Audience"]),
        ({"list_id": "no/../way"}, ["list_id"]),
        ({"field_mapping": [{"column": "c", "field": "custom_fields.NOPE"}]}, ["NOPE"]),
        ({"field_mapping": [{"column": "c", "field": "emial"}]}, ["emial", "email"]),
        ({"field_mapping": [{"column": "c", "field": "member_rating"}]}, ["member_rating"]),
        ({"field_mapping": [{"column": "a", "field": "email"}, {"column": "b", "field": "email"}]}, ["email", "more than one"]),
        ({"tag_mode": "replace"}, ["managed_tags"]),
        ({"write_mode": "fast"}, ["write_mode"]),
        ({"dry_run": "yes"}, ["dry_run"]),
        ({"max_rejected_percent": 200}, ["max_rejected_percent"]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_check_names_the_mistake(runner: Any, options: dict[str, Any], words: list[str]) -> None:
    """Every mistake that can be known is named."""
    status, message = runner.check(**options)
    assert status == "FAILED"
    for word in words:
        assert word in message


def test_check_names_required_merge_fields_that_no_mapping_fills(make_runner: Any) -> None:
    """A mapping that leaves a required merge field empty could create nobody."""
    runner = make_runner(merge_fields=[REQUIRED])
    mapping = [{"column": "mail", "field": "email"}]
    status, message = runner.check(field_mapping=mapping)
    assert (status, "COMPANY" in message) == ("FAILED", True)
    assert runner.check(field_mapping=[*mapping, {"column": "firm", "field": "custom_fields.company"}])[0] == "SUCCEEDED"
    assert runner.check()[0] == "SUCCEEDED"


def test_check_names_a_role_that_cannot_write(runner: Any) -> None:
    """A viewer reads only."""
    runner.mailchimp.role("viewer")
    status, message = runner.check()
    assert status == "FAILED"
    assert "viewer" in message


def test_check_names_refused_credentials(runner: Any) -> None:
    """A revoked key is named as what it is, and not shown."""
    key = runner.config()["credentials"]["apikey"]
    runner.mailchimp.revoke(key)
    status, message = runner.check()
    assert status == "FAILED"
    assert "credentials" in message
    assert key not in message


@pytest.mark.parametrize("options", [{"list_id": "ffffffffff"}, {"field_mapping": [{"column": "c", "field": "custom_fields.NOPE"}]}])
def test_mistakes_fail_the_sync_before_anything_is_sent(runner: Any, record: Any, options: dict[str, Any]) -> None:
    """What check would have said, write says too, and writes nothing."""
    result = runner.write([record({"email": "a@contacts.example"})], **options)
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert runner.writes() == []


def test_stream_without_address_column_is_named(runner: Any, record: Any, catalog: Any) -> None:
    """A stream of the catalog without a column of email addresses is a config error with its name and columns."""
    schema = {"properties": {"e_mail": {}, "name": {}}}
    result = runner.write([record({"e_mail": "a@contacts.example"})], catalog({"name": "people", "json_schema": schema}))
    assert result.error is not None
    assert "people" in (result.error.message or "")
    assert "e_mail" in (result.error.message or "")


def test_stream_without_audience_is_named(runner: Any, catalog: Any) -> None:
    """A stream that says nowhere which audience it goes to is a config error."""
    schema = {"properties": {"email": {}}}
    result = runner.write([], catalog({"name": "people", "json_schema": schema}), list_id=None)
    assert result.error is not None
    assert "audience" in (result.error.message or "")
