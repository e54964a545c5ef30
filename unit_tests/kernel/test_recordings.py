"""The mappings over every recorded answer of the real Mailchimp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import orjson

from mailchimp_unified import auth
from mailchimp_unified.config import ConnectionConfig
from mailchimp_unified.entities import audience, contact
from mailchimp_unified.errors import BugError, MailchimpError, NotFoundError, RejectedRecordError
from mailchimp_unified.failed_responses import FailedResponse, error_for
from mailchimp_unified.schemas import load_schema
from source_mailchimp_unified.catalog import catalog, custom_fields_schema
from unit_tests.references import reference

RECORDINGS = reference("mailchimp-recordings.json")


def recordings() -> list[dict[str, Any]]:
    """Return the recorded calls."""
    found: list[dict[str, Any]] = json.loads(RECORDINGS.read_text())["recordings"]
    return found


def members() -> Iterator[dict[str, Any]]:
    """Yield every recorded member, from any call."""
    for call in recordings():
        body = call["response"]
        if isinstance(body, dict):
            yield from body.get("members", [body] if "email_address" in body else [])


def definitions() -> list[dict[str, Any]]:
    """Return the recorded merge-field definitions."""
    return next(call["response"]["merge_fields"] for call in recordings() if call["path"].endswith("/merge-fields"))


def test_every_recorded_member_fits_the_schema_that_discover_would_announce() -> None:
    """Each member gives a record that validates, `custom_fields` typed from the recorded definitions."""
    (stream,) = [one for one in catalog(definitions(), remote=True).streams if one.name == "contacts"]
    validator = jsonschema.Draft7Validator(stream.json_schema)
    found = list(members())

    assert len(found) > 100
    for member in found:
        record = contact.from_mailchimp(member, remote=True)
        assert [error.message for error in validator.iter_errors(record)] == []
        assert record["id"] == member["id"]


def test_every_recorded_list_fits_the_schema() -> None:
    """Each audience gives a record that validates, with its merge fields."""
    validator = jsonschema.Draft7Validator(load_schema("lists"))
    lists = [one for call in recordings() if call["path"] == "/3.0/lists" for one in call["response"]["lists"]]

    assert lists
    for one in lists:
        assert [error.message for error in validator.iter_errors(audience.from_mailchimp(one, definitions(), remote=True))] == []


def test_every_recorded_merge_field_has_a_type() -> None:
    """Each definition types its values; numbers are numbers."""
    schema = custom_fields_schema(definitions())

    assert schema["LTV"]["type"] == ["null", "number"]
    assert schema["JOINED_AT"]["format"] == "date"
    assert set(schema["ADDRESS"]["properties"]) >= {"addr1", "city", "state", "zip"}


def test_the_recorded_metadata_leads_to_the_api() -> None:
    """The OAuth metadata names the data center to call."""
    (call,) = [call for call in recordings() if call["path"] == "/oauth2/metadata"]
    config = ConnectionConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}})

    assert auth.api_url_of_token(config, orjson.dumps(call["response"])) == "https://us3.api.mailchimp.com/3.0"


def test_every_recorded_refusal_is_the_users_or_the_records() -> None:
    """A recorded 404 is NotFound; a 400 or 405 of a write rejects the record with Mailchimp's own title; none is a bug of ours."""
    refused = [call for call in recordings() if call["status"] >= 400]

    assert len(refused) > 40
    for call in refused:
        error = error_for(answer(call))
        assert not isinstance(error, BugError)
        assert isinstance(error, NotFoundError if call["status"] == 404 else RejectedRecordError)
        assert isinstance(error, MailchimpError)
        assert error.detail == call["response"]["detail"]


def answer(call: dict[str, Any]) -> FailedResponse:
    """Return a recorded answer as the client sees it."""
    return FailedResponse(call["status"], "a contact", call["method"], call["headers"]["Content-Type"], orjson.dumps(call["response"]))
