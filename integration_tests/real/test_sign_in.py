"""Signing in to the emulator in a browser of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jinja2
import pytest
import requests

from mailchimp_emulator import Emulator
from mailchimp_unified.errors import ConfigError, SignInError, TransientError
from mailchimp_unified.sign_in.command import Application, account_of, exchange, sign_in
from source_mailchimp_unified.source import parse_source_config

ROOT = Path(__file__).resolve().parents[2]
SECRET = "made-up-secret"


@pytest.fixture
def app(mailchimp: Emulator) -> Application:
    """A registered application."""
    mailchimp.register_app("app", SECRET)
    return Application("app", SECRET, mailchimp.url)


def agree(url: str) -> None:
    """Visit the page in another thread, as a browser would, and follow it back."""
    threading.Thread(target=lambda: requests.get(url, timeout=10)).start()


def come_back(**answer: str) -> Callable[[str], None]:
    """Return a visit that comes back with an answer of its own; `state` stands for the state that was asked with."""

    def visit(url: str) -> None:
        question = {name: texts[0] for name, texts in parse_qs(urlsplit(url).query).items()}
        told = {name: question["state"] if text == "state" else text for name, text in answer.items()}
        agree(f"{question['redirect_uri']}?{urlencode(told)}")

    return visit


def test_a_person_agrees(app: Application, mailchimp: Emulator) -> None:
    """Agreeing in the browser gives a token that opens the account and fits the configuration."""
    token = sign_in(app, agree)
    assert account_of(app, token) == "Northwind Outdoor (owner)"
    parse_source_config({"credentials": {"auth_type": "oauth2.0", "access_token": token}})
    asked = next(entry["query"] for entry in mailchimp.journal() if entry["path"] == "/oauth2/authorize")
    assert len(asked["state"]) >= 32
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")


def test_every_sign_in_has_a_state_of_its_own(app: Application, mailchimp: Emulator) -> None:
    """Two sign-ins never share a state."""
    for _ in range(2):
        sign_in(app, agree)
    states = [entry["query"]["state"] for entry in mailchimp.journal() if entry["path"] == "/oauth2/authorize"]
    assert len(set(states)) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "access_denied", "state": "state"}, "denied"),
        ({"state": "state"}, "no code"),
    ],
)
def test_a_wrong_answer_of_the_browser_ends_it(app: Application, mailchimp: Emulator, answer: dict[str, str], words: str) -> None:
    """An answer without the permission or a code ends the sign-in, and no token is asked for."""
    with pytest.raises(SignInError, match=words):
        sign_in(app, come_back(**answer))
    assert [entry for entry in mailchimp.journal() if entry["path"] == "/oauth2/token"] == []


@pytest.mark.parametrize("answer", [{"code": "x", "state": "another"}, {"code": "x", "state": "é"}, {"code": "x"}, {"error": "no"}])
def test_a_request_that_does_not_know_the_state_is_passed_over(app: Application, mailchimp: Emulator, answer: dict[str, str]) -> None:
    """Anybody on this machine can call the port: a request without the state is refused, and the command keeps waiting for the real one."""

    def both(url: str) -> None:
        come_back(**answer)(url)
        agree(url)

    assert sign_in(app, both)


def test_a_person_refuses(app: Application, mailchimp: Emulator) -> None:
    """Refusing on Mailchimp's page is said in a sentence."""
    mailchimp.behavior(oauth_consent="deny")
    with pytest.raises(SignInError, match=r"Access was denied in Mailchimp\. Start again and allow access\."):
        sign_in(app, agree)


def test_nobody_comes_back(app: Application) -> None:
    """After the time is up the wait ends."""
    with pytest.raises(SignInError, match="Timed out waiting"):
        sign_in(app, lambda _: None, seconds=0.05)


def test_another_page_is_no_answer(app: Application) -> None:
    """What else a browser asks for, such as an icon, neither ends nor fools the wait."""

    def visit(url: str) -> None:
        redirect = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        threading.Thread(
            target=lambda: (requests.get(redirect.replace("callback", "favicon.ico"), timeout=10), requests.get(url, timeout=10))
        ).start()

    assert sign_in(app, visit)


def code(app: Application, redirect_uri: str = "http://127.0.0.1:1/callback") -> str:
    """Return a fresh code."""
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": redirect_uri, "state": "s"}
    answer = requests.get(f"{app.login}/oauth2/authorize", params=query, allow_redirects=False, timeout=10)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def test_a_code_that_was_used_or_expired(app: Application, mailchimp: Emulator) -> None:
    """A code works once, within half a minute."""
    used, old = code(app), code(app)
    exchange(app, used, "http://127.0.0.1:1/callback")
    mailchimp.clock(advance=31)
    for one in (used, old, "never given out"):
        with pytest.raises(SignInError, match="expired or was already used"):
            exchange(app, one, "http://127.0.0.1:1/callback")


def test_a_wrong_secret_or_redirect(app: Application) -> None:
    """A wrong secret, and a redirect URI that is not the registered one, are told apart."""
    with pytest.raises(SignInError, match="client secret"):
        exchange(Application("app", "wrong", app.api_url), code(app), "http://127.0.0.1:1/callback")
    with pytest.raises(SignInError, match=r"Register http://127\.0\.0\.1:2/callback"):
        exchange(app, code(app), "http://127.0.0.1:2/callback")


def test_a_disturbed_login(app: Application, mailchimp: Emulator) -> None:
    """A server error or a broken connection asks to start again."""
    for kind in ("502_html", "reset"):
        mailchimp.faults([{"kind": kind, "path": "/oauth2/token"}])
        with pytest.raises(TransientError, match=r"(?i)start again( later)?\.$"):
            exchange(app, code(app), "http://127.0.0.1:1/callback")


def test_secrets_stay_on_this_machine_or_encrypted() -> None:
    """No host is given the secret in clear text, and no description of an application shows it."""
    app = Application("app", SECRET, "http://mailchimp.example")
    with pytest.raises(ConfigError, match="unencrypted"):
        sign_in(app, lambda _: None)
    assert SECRET not in repr(app)


def test_a_port_that_is_taken(app: Application) -> None:
    """A taken port is said in a sentence."""
    port = int(app.api_url.rpartition(":")[2]) if app.api_url else 0
    with pytest.raises(ConfigError, match=f"Port {port} is already in use"):
        sign_in(app, agree, port=port)


@pytest.mark.parametrize(("secret", "code"), [(SECRET, 0), ("wrong", 1)])
def test_the_command(mailchimp: Emulator, app: Application, secret: str, code: int) -> None:
    """The command prints the URL, then a configuration and nothing else on the standard output, or one sentence."""
    command = [
        sys.executable,
        "-m",
        "mailchimp_unified.sign_in.command",
        "--client-id",
        "app",
        "--port",
        "0",
        "--no-browser",
        "--api-url",
        mailchimp.url,
    ]
    environment = {**os.environ, "MAILCHIMP_CLIENT_SECRET": secret}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stderr is not None
        agree(process.stderr.readline().split()[-1])
        out, rest = process.communicate(timeout=20)
    assert process.returncode == code
    assert rest.count("\n") == 1
    if code == 0:
        parse_source_config(json.loads(out))
        assert rest == "Signed in to Northwind Outdoor (owner).\n"
    else:
        assert (out, "client secret" in rest) == ("", True)


def specification(connector: str = "source_mailchimp_unified") -> dict[str, Any]:
    """Return what a connector tells the platform about signing in."""
    spec = json.loads(resources.files(connector).joinpath("spec.json").read_text())
    found: dict[str, Any] = spec.get("advanced_auth", {})
    return found


def test_both_connectors_tell_the_platform_the_same() -> None:
    """The destination describes signing in exactly as the source does."""
    assert specification("destination_mailchimp_unified") == specification()


def test_the_platform_signs_in_as_the_specification_says(mailchimp: Emulator, app: Application) -> None:
    """The templates that the platform fills in lead to a token, which lands where the configuration has it."""
    told = specification()["oauth_config_specification"]
    asked = told["oauth_connector_input_specification"]
    values = {f"{name}_key": name for name in ("client_id", "redirect_uri", "state")}
    values |= {
        "client_id_value": "app",
        "client_secret_value": SECRET,
        "redirect_uri_value": "https://cloud.airbyte.com/auth_flow",
        "state_value": "s",
    }

    def filled(template: str) -> str:
        return str(jinja2.Template(template).render(values)).replace("https://login.mailchimp.com", mailchimp.url)

    answer = requests.get(filled(asked["consent_url"]), allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith("https://cloud.airbyte.com/auth_flow?state=s&code=")
    values["auth_code_value"] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    assert asked["access_token_headers"] == {"Content-Type": "application/x-www-form-urlencoded"}
    form = {name: filled(text) for name, text in asked["access_token_params"].items()}
    token = requests.post(filled(asked["access_token_url"]), data=form, timeout=10).json()[asked["extract_output"][0]]
    found: dict[str, Any] = {"auth_type": "oauth2.0"}
    for name, one in told["complete_oauth_output_specification"]["properties"].items():
        assert (name, one["path_in_connector_config"][0]) == ("access_token", "credentials")
        found[one["path_in_connector_config"][-1]] = token
    parse_source_config({"credentials": found})
    assert account_of(app, token) == "Northwind Outdoor (owner)"


def test_the_specification_knows_no_refresh() -> None:
    """Tokens of Mailchimp do not expire: nothing about refreshing is told to the platform."""
    assert "refresh" not in json.dumps(specification())
    assert specification()["predicate_key"] == ["credentials", "auth_type"]
    assert specification()["predicate_value"] == "oauth2.0"
