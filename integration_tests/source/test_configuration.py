"""A wrong configuration is one clear sentence: FAILED in check, a config_error in read, and no secret anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import IMPATIENT, Output, Source, catalog, config
from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.entrypoint import launch

Launch = Callable[..., Output]

HEX = DEFAULT_API_KEY.partition("-")[0]


def key(value: Any) -> dict[str, Any]:
    """Return credentials with an API key."""
    return {"credentials": {"auth_type": "apikey", "apikey": value}}


def token(value: Any) -> dict[str, Any]:
    """Return credentials with an OAuth token."""
    return {"credentials": {"auth_type": "oauth2.0", "access_token": value}}


@pytest.fixture
def launched(mailchimp: Emulator, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Launch:
    """Run a command as the console script does, with short pauses."""

    def run(name: str, **more: Any) -> Output:
        arguments = Source(tmp_path, {**config(mailchimp.url), **more}).arguments(name, catalog() if name == "read" else None)
        exit_code = launch(SourceMailchimpUnified(IMPATIENT), arguments)
        out, err = capfd.readouterr()
        assert err == ""
        return Output([json.loads(line) for line in out.splitlines()], exit_code)

    return run


MISTAKES = {
    "key without suffix": (key(HEX), "credentials.apikey is missing the data center suffix"),
    "malformed key": (key("not-a-key"), "credentials.apikey is not a Mailchimp API key"),
    "key of a wrong type": (key(["x"]), "credentials.apikey must be a valid string"),
    "no credentials": ({"credentials": None}, "credentials must be an object (it is empty)"),
    "unknown kind of credentials": ({"credentials": {"auth_type": "password"}}, "credentials has an unknown auth_type"),
    "no kind of credentials": ({"credentials": {}}, "credentials has no auth_type"),
    "empty key field": ({"credentials": {"auth_type": "apikey"}}, "credentials.apikey is missing"),
    "empty token": (token(" "), "credentials.access_token is empty"),
    "wrong data center": (key(f"{HEX}-us99"), "suffix names the wrong data center"),
    "unknown key": (key(f"{'f' * 32}-us1"), "rejected the credentials"),
    "unknown token": (token("nonsense-token"), "rejected the access token"),
    "unknown list": ({"list_ids": ["ffffffffff"]}, "list_ids names audiences that the account does not have: ffffffffff"),
    "malformed list": ({"list_ids": ["../x"]}, "list_ids.0 is not an audience id"),
    "no worker": ({"num_workers": 0}, "num_workers must be greater than or equal to 1 (it is 0)"),
    "too many workers": ({"num_workers": 11}, "num_workers must be less than or equal to 10 (it is 11)"),
    "workers as text": ({"num_workers": "six"}, "num_workers must be a valid integer (it is a string)"),
    "unknown status": ({"statuses": ["deleted"]}, "statuses.0 must be 'subscribed', 'unsubscribed'"),
    "bad date": ({"start_date": "next week"}, "start_date is not a date"),
    "date in the future": ({"start_date": "2999-01-01T00:00:00Z"}, "start_date is in the future"),
    "http to elsewhere": ({"api_url": "http://mailchimp.example"}, "api_url would send the credentials unencrypted"),
    "no origin": ({"api_url": "https://mailchimp.example/3.0/lists"}, "api_url is not an origin"),
    "unknown raw stream": (
        {"raw_streams": ["all", "campaign"]},
        "raw_streams.1 is not a Mailchimp collection. Closest matches: campaigns",
    ),
    "raw streams as a number": ({"raw_streams": 5}, "raw_streams must be a valid list (it is 5)"),
    "raw streams as a text": ({"raw_streams": "campaigns"}, "raw_streams must be a valid list (it is a string)"),
    "remote data as text": ({"include_remote_data": "yes"}, "include_remote_data must be a valid boolean"),
}


@pytest.mark.parametrize(("mistake", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_check_says_in_a_sentence_what_is_wrong(launched: Launch, mailchimp: Emulator, mistake: dict[str, Any], words: str) -> None:
    """Every mistake is a FAILED connection status that names the field and what to do."""
    mailchimp.seed_demo()

    output = launched("check", **mistake)

    status = output.connection_status()
    assert status["status"] == "FAILED"
    assert words in status["message"]
    assert "Traceback" not in json.dumps(output.messages)
    assert output.exit_code == 0


@pytest.mark.parametrize(("mistake", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_read_ends_with_a_config_error(launched: Launch, mailchimp: Emulator, mistake: dict[str, Any], words: str) -> None:
    """Every mistake ends a read with a config_error, the same words, no traceback in a message, and exit code 1."""
    mailchimp.seed_demo()

    output = launched("read", **mistake)

    assert output.exit_code == 1
    assert any(words in error["message"] for error in output.errors())
    assert {error["failure_type"] for error in output.errors()} == {"config_error"}
    assert not [line for line in [*output.logs(), *(error["message"] for error in output.errors())] if "Traceback" in line]


@pytest.mark.parametrize("command", ["check", "discover", "read"])
@pytest.mark.parametrize(
    "credentials", [key(DEFAULT_API_KEY), token(DEFAULT_OAUTH_TOKEN), key("secret-nonsense"), token("secret-nonsense")]
)
def test_no_secret_is_ever_printed(launched: Launch, mailchimp: Emulator, credentials: dict[str, Any], command: str) -> None:
    """Neither a key, nor its digits, nor the header made of it, nor a token ever appears in the output."""
    mailchimp.seed_demo()
    mailchimp.faults([{"kind": "reset", "probability": 0.2}, {"kind": "403_json", "path": "/segments"}])

    text = json.dumps(launched(command, **credentials).messages)

    header = base64.b64encode(f"anystring:{DEFAULT_API_KEY}".encode()).decode()
    for secret in (DEFAULT_API_KEY, HEX, header, DEFAULT_OAUTH_TOKEN, "secret-nonsense"):
        assert secret not in text


@pytest.mark.parametrize("credentials", [key(DEFAULT_API_KEY), token(DEFAULT_OAUTH_TOKEN)], ids=["key", "token"])
def test_check_succeeds_and_names_the_account(launched: Launch, mailchimp: Emulator, credentials: dict[str, Any]) -> None:
    """A good configuration succeeds, and the log names the account, the role and the audiences."""
    mailchimp.seed_demo()

    output = launched("check", **credentials)

    assert output.connection_status()["status"] == "SUCCEEDED"
    assert any("Northwind Outdoor (role: owner). Reading 3 of 3 audiences" in line for line in output.logs())


def test_check_names_a_role_that_is_too_low(launched: Launch, mailchimp: Emulator) -> None:
    """A user who may not see the contacts learns so from the check."""
    mailchimp.seed_demo()
    mailchimp.forbid(["/members"])

    message = launched("check").connection_status()["message"]

    assert "does not have access to the contacts of audience" in message


def test_a_revoked_token_ends_the_sync_with_a_config_error(launched: Launch, mailchimp: Emulator) -> None:
    """Signing in again is what the user is asked to do."""
    mailchimp.seed_demo()
    mailchimp.revoke(DEFAULT_OAUTH_TOKEN)

    output = launched("read", **token(DEFAULT_OAUTH_TOKEN))

    assert all("Sign in again" in error["message"] for error in output.errors())
    assert {error["failure_type"] for error in output.errors()} == {"config_error"}


def test_a_state_of_another_source_is_a_config_error(mailchimp: Emulator, tmp_path: Path) -> None:
    """A saved state that is not ours is refused in words, not misread."""
    mailchimp.seed_demo()
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "contacts"}, "stream_state": {"lists": [1, 2]}}}]

    output = Source(tmp_path, config(mailchimp.url)).command("read", catalog(["contacts"]), state)

    assert output.exit_code == 1
    assert "Clear the stream's state" in output.errors()[0]["message"]


def test_spec_is_a_message(tmp_path: Path) -> None:
    """`spec` prints the specification."""
    output = Source(tmp_path, {}).command("spec")

    (spec,) = [message["spec"] for message in output.messages if message["type"] == "SPEC"]
    assert spec["connectionSpecification"]["required"] == ["credentials"]
