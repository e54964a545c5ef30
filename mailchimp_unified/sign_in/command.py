"""Signs in to Mailchimp in a browser and prints a configuration: for people without Airbyte Cloud.

The authorization-code flow of https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/ with a redirect
to this machine (https://www.rfc-editor.org/rfc/rfc8252#section-7.3). The configuration goes to the standard output,
everything else to the standard error. The access token does not expire, so there is nothing to refresh.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import secrets
import sys
import time
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
import requests

from mailchimp_unified.auth import LOGIN_ORIGIN
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.config import ConnectionConfig, parse_config
from mailchimp_unified.endpoints import ACCOUNT
from mailchimp_unified.errors import BugError, ConfigError, MailchimpError, SignInError, TransientError
from mailchimp_unified.patience import Patience

AUTHORIZE_PATH = "/oauth2/authorize"
"""Where the person agrees: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/."""

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
"""Where a code becomes a token: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/."""

SECRET_VARIABLE = "MAILCHIMP_CLIENT_SECRET"  # noqa: S105 - the name of an environment variable
"""The client secret is read from here, or asked for: in the arguments everybody on the machine could read it."""

CALLBACK_PATH = "/callback"
DEFAULT_PORT = 8710
DEFAULT_MINUTES = 5.0

_LOOPBACK = "127.0.0.1"
_CALL_SECONDS = 30.0
# A connection that says nothing must not keep the answer of the browser waiting.
_SILENCE_SECONDS = 5.0

_PAGE = "Thank you. You can close this window and go back to the terminal."
_WRONG_PAGE = "Unexpected response. Go back to the terminal."

_ADVICE = {
    "invalid_grant": "Mailchimp rejected the code: it has expired or was already used. Start again.",
    "invalid_client": "Mailchimp rejected the client id and client secret. Copy both from the registered application.",
    "redirect_uri_mismatch": "The redirect URI does not match the registered one. Register {redirect_uri} in the application.",
}


@dataclass(frozen=True)
class Application:
    """The application that is registered with Mailchimp under Account, Extras, Registered apps."""

    client_id: str
    client_secret: str = field(repr=False)
    # Replaces both Mailchimp hosts, for tests and proxies.
    api_url: str | None = None

    @property
    def login(self) -> str:
        """The host on which people sign in."""
        return config_of(self, "none yet").api_url or LOGIN_ORIGIN


def config_of(application: Application, token: str) -> ConnectionConfig:
    """Return what it takes to use a token. Raises ConfigError for a host that must not be given one."""
    return parse_config(ConnectionConfig, {"credentials": credentials(token), "api_url": application.api_url})


def credentials(token: str) -> dict[str, str]:
    """Return the credentials as both connectors take them."""
    return {"auth_type": "oauth2.0", "access_token": token}


class Callback(HTTPServer):
    """Waits on this machine for the browser to come back, once."""

    def __init__(self, port: int) -> None:
        try:
            super().__init__((_LOOPBACK, port), _CallbackHandler)
        except OSError as error:
            raise ConfigError(f"Port {port} is already in use. Choose another port.", detail=type(error).__name__) from None
        self.state = secrets.token_urlsafe(32)
        self.answer: dict[str, str] | None = None

    @property
    def uri(self) -> str:
        """The redirect URI, which has to be registered with the application letter by letter."""
        return f"http://{_LOOPBACK}:{self.server_address[1]}{CALLBACK_PATH}"  # ignore-https-check: this machine only

    def belongs(self, answer: Mapping[str, str]) -> bool:
        """Return whether an answer is to the question that was asked: nobody else knows the state."""
        return secrets.compare_digest(answer.get("state", "").encode(), self.state.encode())

    def code(self, seconds: float) -> str:
        """Return the code with which the browser comes back in time, or raise why it did not."""
        deadline = time.monotonic() + seconds
        while self.answer is None:
            self.timeout = deadline - time.monotonic()
            if self.timeout <= 0:
                raise SignInError("Timed out waiting for you to approve access in the browser. Start again.")
            self.handle_request()
        if "error" in self.answer:
            raise SignInError("Access was denied in Mailchimp. Start again and allow access.", detail=self.answer["error"])
        if not self.answer.get("code"):
            raise SignInError("The browser's redirect contains no code. Start again.")
        return self.answer["code"]


class _CallbackHandler(BaseHTTPRequestHandler):
    server: Callback
    timeout = _SILENCE_SECONDS

    def do_GET(self) -> None:
        """Take the answer; anything else that a browser requests (an icon) is not here."""
        parts = urlsplit(self.path)
        if parts.path != CALLBACK_PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        answer = dict(parse_qsl(parts.query))
        fits = self.server.belongs(answer)
        page = (_PAGE if fits else _WRONG_PAGE).encode()
        self.send_response(HTTPStatus.OK if fits else HTTPStatus.BAD_REQUEST)
        for name, text in (
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(page)
        if fits:
            # Anybody on this machine can send a request: without the state it is not our answer, and we keep waiting.
            self.server.answer = answer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Write nothing: the line would hold the code."""


def sign_in(application: Application, visit: Callable[[str], object], *, port: int = 0, seconds: float = DEFAULT_MINUTES * 60) -> str:
    """Return an access token, after somebody agreed on the page that `visit` opens. Port 0 takes a free one.

    Raises ConfigError, TransientError or BugError, each with a sentence for the user.
    """
    login = application.login
    with Callback(port) as callback:
        question = {"response_type": "code", "client_id": application.client_id, "redirect_uri": callback.uri, "state": callback.state}
        visit(f"{login}{AUTHORIZE_PATH}?{urlencode(question)}")
        return exchange(application, callback.code(seconds), callback.uri)


def exchange(application: Application, code: str, redirect_uri: str) -> str:
    """Return the access token for a code, which lives for half a minute and can be used once."""
    form = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "client_secret": application.client_secret,
        "redirect_uri": redirect_uri,
        "code": code,
    }
    try:
        response = requests.post(f"{application.login}{TOKEN_PATH}", data=form, timeout=_CALL_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise TransientError("No response from Mailchimp's login. Check the network and start again", detail=type(error).__name__) from None
    answer = _object(response.content)
    if response.status_code == HTTPStatus.OK and isinstance(answer.get("access_token"), str):
        return str(answer["access_token"])
    refusal = str(answer.get("error", ""))
    if refusal in _ADVICE:
        raise SignInError(_ADVICE[refusal].format(redirect_uri=redirect_uri), detail=str(answer.get("error_description", "")))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise TransientError(f"Mailchimp's login is failing (status {response.status_code}). Start again later")
    raise BugError(f"Mailchimp did not return a token (status {response.status_code}).", detail=refusal)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def account_of(application: Application, token: str) -> str:
    """Return the name of the account that a token opens, asked of the data center that it belongs to."""
    account = asyncio.run(_account(config_of(application, token)))
    return f"{account.get('account_name', '')} ({account.get('role', '')})"


async def _account(config: ConnectionConfig) -> dict[str, Any]:
    client = MailchimpClient(config, patience=Patience(total=60.0))
    try:
        return (await client.call(ACCOUNT)).body
    finally:
        client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        secret = os.environ.get(SECRET_VARIABLE) or getpass.getpass("Client secret: ", stream=sys.stderr)
        application = Application(parsed.client_id, secret, parsed.api_url)
        token = sign_in(application, _shown if parsed.no_browser else _opened, port=parsed.port, seconds=parsed.minutes * 60)
        _say(f"Signed in to {account_of(application, token)}.")
    except MailchimpError as error:
        _say(error.message)
        return 1
    except (KeyboardInterrupt, EOFError):
        _say("Stopped.")
        return 1
    found = {"credentials": credentials(token)} | ({"api_url": parsed.api_url} if parsed.api_url else {})
    sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mailchimp-unified-sign-in", description="Sign in to Mailchimp and print a configuration.")
    parser.add_argument("--client-id", required=True, help="client id of the application registered with Mailchimp")
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help=f"port of the redirect URI on {_LOOPBACK} (default {DEFAULT_PORT}); 0 takes a free one",
    )
    parser.add_argument(
        "--minutes", type=float, default=DEFAULT_MINUTES, help=f"how long to wait for the browser (default {DEFAULT_MINUTES:g})"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the URL to visit")
    parser.add_argument("--api-url", help=argparse.SUPPRESS)
    return parser


def _shown(url: str) -> None:
    _say(f"Visit {url}")


def _opened(url: str) -> None:
    _shown(url)
    webbrowser.open(url)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
