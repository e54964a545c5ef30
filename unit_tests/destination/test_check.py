"""The check of a connection: what it asks, what it refuses, and what it says of a sync to come. And who must act on an error."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_mailchimp_unified.faults import UNEXPECTED, failure_type, traced
from mailchimp_unified.errors import BugError, ConfigError, NotFoundError, RejectedRecordError, TransientError
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import CONFIG, LOGGER, Account, audiences, destination, page
from unit_tests.kernel.conftest import Answers, answer

LIST = audiences(1)[0]["id"]
REQUIRED: list[dict[str, Any]] = [
    {"tag": "COMPANY", "name": "Company", "type": "text", "required": True},
    {"tag": "FNAME", "name": "First", "type": "text"},
]


def check(answers: Answers, caplog: pytest.LogCaptureFixture, **options: Any) -> tuple[str, str, list[str]]:
    """Return the status, the words for the user or the log, and the paths that were asked for."""
    connector, scripted = destination(answers)
    caplog.clear()
    with caplog.at_level(logging.INFO, LOGGER.name):
        found = connector.check(LOGGER, {**CONFIG, **options})
    return found.status.value, found.message or caplog.messages[-1], [path.removeprefix("/3.0") for path in scripted.paths]


def with_role(role: Any) -> Answers:
    """Return an account whose user has a role."""
    account = Account(audiences(2))

    def answers(outgoing: Outgoing) -> Received:
        at_root = urlsplit(outgoing.url).path.rstrip("/") == "/3.0"
        return answer({"account_id": "a", "account_name": "Shop", "role": role}) if at_root else account(outgoing)

    return answers


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("viewer", "FAILED"),
        ("Author", "FAILED"),
        ("manager", "SUCCEEDED"),
        ("admin", "SUCCEEDED"),
        ("owner", "SUCCEEDED"),
        ("", "SUCCEEDED"),
        (None, "SUCCEEDED"),
    ],
)
def test_who_may_not_edit_contacts_is_refused(role: str | None, status: str, caplog: pytest.LogCaptureFixture) -> None:
    """By the role of the user, in any case; a role that Mailchimp does not tell is no reason."""
    found, words, paths = check(with_role(role), caplog)

    assert found == status
    assert (role or "unknown") in words
    assert ("/lists" in paths) is (status == "SUCCEEDED")


def test_without_an_audience_the_account_is_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    """How many audiences there are, and what the account is called; no audience is read."""
    status, words, paths = check(with_role("owner"), caplog, field_mapping=[{"column": "mail", "field": "email"}])

    assert (status, set(paths)) == ("SUCCEEDED", {"/", "/lists"})
    assert "2 audiences" in words
    assert "Shop" in words
    assert "email <- mail" in words
    assert "email <-" not in check(with_role("owner"), caplog)[1]
    assert "account a " in check(Account(audiences(2)), caplog)[1]


def test_with_an_audience_it_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """Its name and merge fields; the others are nobody's business."""
    status, words, paths = check(with_role("owner"), caplog, list_id=LIST)

    assert (status, sorted(paths)) == ("SUCCEEDED", ["/", f"/lists/{LIST}", f"/lists/{LIST}/merge-fields"])
    assert "Audience 0" in words


@pytest.mark.parametrize("number", [0, 2])
def test_an_audience_that_is_not_there_is_named_with_those_that_are(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """Each with its id and its name."""
    status, words, _ = check(Account(audiences(number)), caplog, list_id="ffffffffff")

    assert status == "FAILED"
    assert all(f"{audience['id']} ({audience['name']})" in words for audience in audiences(number))
    assert ("none" in words) is (number == 0)


def with_groups(outgoing: Outgoing) -> Received:
    """Answer as an account with one group and one marketing permission."""
    collections = {"interest-categories": [{"id": "c1", "title": "Topics"}], "interests": [{"id": "i1", "name": "News"}]}
    path = urlsplit(outgoing.url).path
    if (name := path.rpartition("/")[2]) in collections:
        return page(outgoing, name.replace("interest-", ""), collections[name])
    if name == "members":
        return answer({"members": [{"marketing_permissions": [{"marketing_permission_id": "p1", "text": "Mail"}]}]})
    return Account(audiences(1))(outgoing)


@pytest.mark.parametrize(
    ("field", "status", "asks"),
    [
        ("interests.Topics/News", "SUCCEEDED", True),
        ("interests.Topics/Chess", "FAILED", True),
        ("marketing_permissions.Mail", "SUCCEEDED", True),
        ("marketing_permissions.Phone", "FAILED", True),
        ("tag:News", "SUCCEEDED", False),
    ],
)
def test_groups_are_read_where_a_rule_names_one(field: str, status: str, asks: bool, caplog: pytest.LogCaptureFixture) -> None:
    """And the name has to be one of the audience."""
    found, _, paths = check(with_groups, caplog, list_id=LIST, field_mapping=[{"column": "a", "field": field}])

    assert found == status
    assert (f"/lists/{LIST}/interest-categories" in paths) is asks


@pytest.mark.parametrize(
    ("options", "status", "demands"),
    [
        ({}, "SUCCEEDED", True),
        ({"required_fields": "skip"}, "SUCCEEDED", False),
        ({"field_mapping": [{"column": "mail", "field": "email"}]}, "FAILED", True),
        ({"field_mapping": [{"column": "mail", "field": "email"}], "required_fields": "skip"}, "SUCCEEDED", False),
        ({"field_mapping": [{"column": "firm", "field": "custom_fields.COMPANY"}]}, "SUCCEEDED", False),
        ({"unmapped_columns": "merge_fields"}, "SUCCEEDED", False),
    ],
)
def test_required_merge_fields_are_told(options: dict[str, Any], status: str, demands: bool, caplog: pytest.LogCaptureFixture) -> None:
    """They fail a mapping that leaves one empty, unless they may be skipped; without a mapping records may fill them."""
    found, words, _ = check(Account(audiences(1), REQUIRED), caplog, list_id=LIST, **options)

    assert found == status
    assert ("COMPANY" in words.partition("By field_mapping")[0]) is demands


@pytest.mark.parametrize(("tag", "creates"), [("COMPANY", False), ("SINCE", True)])
def test_merge_fields_that_a_sync_would_create_are_told(tag: str, creates: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With their types; where none is to be created, one that is missing is a mistake."""
    rules = [
        {"column": "since", "field": f"custom_fields.{tag}", "format": "DD/MM/YYYY"},
        {"column": "firm", "field": "custom_fields.COMPANY", "stream": "other"},
    ][: 2 if creates else 1]
    answers = Account(audiences(1), REQUIRED)

    status, words, _ = check(answers, caplog, list_id=LIST, field_mapping=rules, create_missing_merge_fields=True)
    assert status == "SUCCEEDED"
    assert (f"{tag} (date)" in words) is creates
    assert check(answers, caplog, list_id=LIST, field_mapping=rules)[0] == ("FAILED" if creates else "SUCCEEDED")


def test_a_place_for_rejected_records_is_tried(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Before Mailchimp is asked anything."""
    options = {"rejected_records": "file", "rejected_records_file": str(tmp_path / "rejects.jsonl")}
    assert check(with_role("owner"), caplog, **options)[0] == "SUCCEEDED"
    options["rejected_records_file"] = str(tmp_path / "nowhere" / "rejects.jsonl")
    assert check(with_role("owner"), caplog, **options)[::2] == ("FAILED", [])


@pytest.mark.parametrize("options", [{"tag_mode": "replace"}, {"field_mapping": [{"column": "a", "field": "emial"}]}])
def test_a_configuration_that_cannot_work_is_refused_before_anything_is_asked(
    options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody needs Mailchimp to know it."""
    assert check(with_role("owner"), caplog, **options)[::2] == ("FAILED", [])


# Errors.


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigError("words"), FailureType.config_error),
        (NotFoundError("words"), FailureType.config_error),
        (TransientError("words"), FailureType.transient_error),
        (RejectedRecordError("words"), FailureType.system_error),
        (BugError("words"), FailureType.system_error),
        (ZeroDivisionError("words"), FailureType.system_error),
        (KeyboardInterrupt(), FailureType.system_error),
        (AirbyteTracedException(failure_type=FailureType.transient_error), FailureType.transient_error),
    ],
)
def test_an_error_says_who_must_act(error: BaseException, kind: FailureType) -> None:
    """The user, nobody, or the maintainers; what was said already stands."""
    assert failure_type(error) == kind
    if isinstance(error, Exception):
        assert traced(error).failure_type == kind


def stack_trace(error: AirbyteTracedException) -> str:
    """Return the stack trace of an error as its message holds it."""
    trace = error.as_airbyte_message().trace
    assert trace is not None
    assert trace.error is not None
    return str(trace.error.stack_trace)


@pytest.mark.parametrize(("detail", "internal"), [("of ada@contacts.example", "of a***@contacts.example"), ("", None)])
def test_a_foreseen_error_has_its_own_words_and_no_stack_trace(detail: str, internal: str | None) -> None:
    """Mailchimp's words with masked addresses go to the maintainers; without any, the message and its kind."""
    found = traced(ConfigError("Please correct ben@contacts.example.", detail=detail))

    assert found.message == "Please correct ben@contacts.example."
    assert found.internal_message == (internal or "ConfigError: Please correct b***@contacts.example.")
    assert "ConfigError" not in stack_trace(traced(ConfigError("words", detail="detail")))


def test_an_unforeseen_error_has_its_stack_trace_and_none_of_its_words() -> None:
    """They may hold anything."""
    error = ZeroDivisionError("about ada@contacts.example")
    found = traced(error)

    assert (found.message, found.internal_message) == (UNEXPECTED, "ZeroDivisionError")
    assert "about" in stack_trace(found)
    assert traced(found) is found
