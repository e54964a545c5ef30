"""From credentials to the URL of the API and the header that opens it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import orjson
import requests
from requests.auth import AuthBase

from mailchimp_unified.config import ApiKeyCredentials, ConnectionConfig, OAuthCredentials
from mailchimp_unified.errors import SignInError

API_ROOT = "/3.0"
"""Root of the Marketing API: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-structure."""

LOGIN_ORIGIN = "https://login.mailchimp.com"
"""Host of the OAuth endpoints: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/."""

METADATA_PATH = "/oauth2/metadata"
"""Names the data center behind a token: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/."""

GLOBAL_ORIGIN = "https://api.mailchimp.com"
"""Serves every account, no matter its data center: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-structure."""

SECRET_CHARACTERS = 8
"""A shorter text is not worth hiding: keys and tokens have more than thirty characters."""

# The data center becomes part of the host to which the token is sent: nothing else may pass.
_DATA_CENTER_PATTERN = re.compile(r"^[a-z]{2,4}\d{1,4}$")
_ENDPOINT_PATTERN = re.compile(r"^https://[a-z]{2,4}\d{1,4}\.api\.mailchimp\.com$")

_SIGN_IN_AGAIN = "Mailchimp rejected the access token: it is wrong or was revoked. Sign in again."


@dataclass(frozen=True)
class HeaderAuth(AuthBase):
    """Puts one Authorization header on every request."""

    header: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = self.header
        return request

    def __repr__(self) -> str:
        """Keep the credentials out of logs."""
        return "HeaderAuth(...)"


def api_auth(credentials: ApiKeyCredentials | OAuthCredentials) -> HeaderAuth:
    """Return the auth of API calls: Basic for a key, Bearer for a token.

    Source: https://mailchimp.com/developer/marketing/docs/fundamentals/#connecting-to-the-api.
    """
    if isinstance(credentials, ApiKeyCredentials):
        return HeaderAuth(f"Basic {_basic(credentials.apikey.get_secret_value())}")
    return HeaderAuth(f"Bearer {credentials.access_token.get_secret_value()}")


def metadata_auth(credentials: OAuthCredentials) -> HeaderAuth:
    """Return the auth of the metadata call, which wants a scheme of its own (OAuth)."""
    return HeaderAuth(f"OAuth {credentials.access_token.get_secret_value()}")


def metadata_url(config: ConnectionConfig) -> str:
    """Return the URL that returns the data center of a token."""
    return f"{config.api_url or LOGIN_ORIGIN}{METADATA_PATH}"


def api_url_of_key(config: ConnectionConfig, credentials: ApiKeyCredentials) -> str:
    """Return the root of the API for a key, such as https://us6.api.mailchimp.com/3.0."""
    return f"{config.api_url or _data_center_origin(credentials.data_center)}{API_ROOT}"


def api_url_of_token(config: ConnectionConfig, metadata: bytes) -> str:
    """Return the root of the API for a token from the body of the metadata answer.

    Where it names no data center its `api_endpoint` serves, else the host that serves every account.
    Raises SignInError for a refused token, which Mailchimp answers with status 200 and an `error` field.
    """
    try:
        body = orjson.loads(metadata)
    except orjson.JSONDecodeError:
        body = None
    body = body if isinstance(body, dict) else {}
    if body.get("error"):
        raise SignInError(_SIGN_IN_AGAIN, detail=str(body["error"]))
    data_center, endpoint = str(body.get("dc") or ""), str(body.get("api_endpoint") or "").rstrip("/")
    if config.api_url or _DATA_CENTER_PATTERN.match(data_center):
        return f"{config.api_url or _data_center_origin(data_center)}{API_ROOT}"
    return f"{endpoint if _ENDPOINT_PATTERN.match(endpoint) else GLOBAL_ORIGIN}{API_ROOT}"


def api_url_without_metadata(config: ConnectionConfig) -> str:
    """Return the root of the API for a token whose metadata cannot be had."""
    return f"{config.api_url or GLOBAL_ORIGIN}{API_ROOT}"


def secrets_of(credentials: ApiKeyCredentials | OAuthCredentials) -> list[str]:
    """Return every form in which the credentials could appear in a text, longest first, for log filters.

    What is too short to be a secret is left out: replaced wherever it stands, it would spoil every text.
    """
    if isinstance(credentials, OAuthCredentials):
        forms = [credentials.access_token.get_secret_value()]
    else:
        key = credentials.apikey.get_secret_value()
        forms = [_basic(key), key, key.partition("-")[0]]
    return [form for form in forms if len(form) >= SECRET_CHARACTERS]


def _basic(key: str) -> str:
    # Any user name will do; Mailchimp looks at the password only.
    return base64.b64encode(f"anystring:{key}".encode()).decode()


def _data_center_origin(data_center: str) -> str:
    return f"https://{data_center}.api.mailchimp.com"
