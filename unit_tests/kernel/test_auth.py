"""From credentials to the host, the header, and what a log must not show."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mailchimp_unified import auth
from mailchimp_unified.config import ConnectionConfig

HEX = "0123456789abcdef0123456789abcdef"
KEY = f"{HEX}-us6"
BASIC = base64.b64encode(f"anystring:{KEY}".encode()).decode()


def config(api_url: str | None = None, **credentials: str) -> ConnectionConfig:
    """Return a configuration with a key, or with the given credentials."""
    chosen = credentials or {"auth_type": "apikey", "apikey": KEY}
    return ConnectionConfig.model_validate({"credentials": chosen, "api_url": api_url})


def token(text: str = "a-token-of-some-length", api_url: str | None = None) -> ConnectionConfig:
    """Return a configuration with a token."""
    return config(api_url, auth_type="oauth2.0", access_token=text)


def test_of_a_key_every_form_is_a_secret() -> None:
    """As it is, as the header has it, and without its data center: the longest first, so that none is replaced in part."""
    assert auth.secrets_of(config().credentials) == [BASIC, KEY, HEX]


@pytest.mark.parametrize(("text", "secret"), [("1234567", False), ("12345678", True), ("123456789", True)])
def test_what_is_shorter_than_eight_characters_is_not_hidden(text: str, secret: bool) -> None:
    """Replaced wherever it stands, it would spoil every text."""
    assert auth.secrets_of(token(text).credentials) == ([text] if secret else [])


def test_the_credentials_are_not_in_what_a_log_shows_of_them() -> None:
    """Neither the key nor its header."""
    shown = repr(auth.api_auth(config().credentials)) + repr(config())

    assert not [form for form in (BASIC, KEY, HEX) if form in shown]


@pytest.mark.parametrize(("given", "origin"), [("http://127.0.0.1:8800", "http://127.0.0.1:8800"), (None, "")])
def test_a_url_of_the_api_replaces_every_host(given: str | None, origin: str) -> None:
    """The one of a key, of a token with and without a data center, and of its metadata."""
    key, opened = config(given), token(api_url=given)
    credentials: Any = key.credentials

    assert auth.api_url_of_key(key, credentials) == f"{origin or 'https://us6.api.mailchimp.com'}/3.0"
    assert auth.metadata_url(opened) == f"{origin or 'https://login.mailchimp.com'}/oauth2/metadata"
    assert auth.api_url_of_token(opened, b'{"dc": "us3"}') == f"{origin or 'https://us3.api.mailchimp.com'}/3.0"
    assert auth.api_url_of_token(opened, b"[]") == f"{origin or 'https://api.mailchimp.com'}/3.0"
    assert auth.api_url_without_metadata(opened) == f"{origin or 'https://api.mailchimp.com'}/3.0"


@pytest.mark.parametrize("data_center", ["us3.example.org/", "us3@example.org", "3us", "u3", "us", "US3", "us12345", "", None, 3])
def test_a_token_is_sent_to_no_host_that_is_not_a_data_center(data_center: Any) -> None:
    """What the metadata names becomes part of a host: nothing but the form of a data center passes."""
    metadata = b"{}" if data_center is None else f'{{"dc": "{data_center}"}}'.encode()

    assert auth.api_url_of_token(token(), metadata) == "https://api.mailchimp.com/3.0"


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://us4.api.mailchimp.com", "us4.api.mailchimp.com"),
        ("https://us4.api.mailchimp.com/", "us4.api.mailchimp.com"),
        ("http://us4.api.mailchimp.com", "api.mailchimp.com"),
        ("https://us4.api.mailchimp.com.example.org", "api.mailchimp.com"),
        ("https://example.org/us4.api.mailchimp.com", "api.mailchimp.com"),
    ],
)
def test_an_endpoint_is_used_only_if_it_is_mailchimps(endpoint: str, host: str) -> None:
    """Over https, and with nothing around it."""
    assert auth.api_url_of_token(token(), f'{{"api_endpoint": "{endpoint}"}}'.encode()) == f"https://{host}/3.0"
