"""Signing in: who may answer, how long somebody is waited for, and what a person is told in the end."""

from __future__ import annotations

import getpass
import io
import json
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
import requests

from mailchimp_unified.auth import LOGIN_ORIGIN
from mailchimp_unified.errors import BugError, ConfigError, MailchimpError, SignInError, TransientError
from mailchimp_unified.patience import Patience
from mailchimp_unified.sign_in import command
from mailchimp_unified.sign_in.command import Application, Callback, account_of, exchange, main, sign_in

ROOT = Path(__file__).resolve().parents[2]
APP = Application("app", "made-up")
HERE = "http://127.0.0.1:1/callback"
AGREED = "{callback}?code=c&state={state}"


@dataclass
class Login:
    """Mailchimp's login: gives one answer to every request for a token, and keeps what it was asked."""

    status: int = 200
    body: bytes = b'{"access_token": "token"}'
    urls: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def post(self, url: str, **options: Any) -> requests.Response:
        """Answer."""
        self.urls.append(url)
        self.asked.append(options)
        answer = requests.Response()
        answer.status_code, answer.raw = self.status, io.BytesIO(self.body)
        return answer


@dataclass
class Browser:
    """Sends requests to this machine one after the other, where `{callback}` and `{state}` stand for what it was asked with."""

    targets: Sequence[str] = (AGREED,)
    page: str = ""
    question: dict[str, str] = field(default_factory=dict)
    _open: list[HTTPConnection] = field(default_factory=list)

    def visit(self, url: str) -> None:
        """Read the question, and come back."""
        self.page, _, query = url.partition("?")
        self.question = dict(parse_qsl(query))
        back = urlsplit(self.question["redirect_uri"])
        for target in self.targets:
            connection = HTTPConnection(str(back.hostname), back.port, timeout=10)
            connection.request("GET", target.format(callback=back.path, state=self.question["state"]))
            self._open.append(connection)

    def answers(self) -> list[tuple[HTTPResponse, str]]:
        """Return what the requests were answered with, and the texts."""
        found = [connection.getresponse() for connection in self._open]
        return [(answer, answer.read().decode()) for answer in found]

    def close(self) -> None:
        """Close what is open."""
        for connection in self._open:
            connection.close()


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Login:
    """A login that gives a token."""
    login = Login()
    monkeypatch.setattr(requests, "post", login.post)
    return login


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser in which somebody agrees."""
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """How long each wait for a request might take: nobody ever comes, and a wait is over after 59 seconds at the latest."""
    found: list[float | None] = []
    clock = SimpleNamespace(now=1_000.0)

    def handle_request(self: Callback) -> None:
        assert self.timeout is not None
        assert len(found) < 10
        found.append(self.timeout)
        clock.now += max(1.0, min(59.0, self.timeout - 1))

    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(Callback, "handle_request", handle_request)
    return found


def test_the_login_has_half_a_minute_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code lives no longer; and no redirect takes the secret elsewhere."""
    asked: list[dict[str, Any]] = []

    def post(_: str, **options: Any) -> requests.Response:
        asked.append(options)
        raise requests.Timeout

    monkeypatch.setattr(requests, "post", post)
    with pytest.raises(TransientError):
        exchange(Application("app", "made-up", "https://login.mailchimp.com"), "code", "http://127.0.0.1:1/")

    assert [(one["timeout"], one["allow_redirects"]) for one in asked] == [(30.0, False)]


def test_who_agrees_gives_a_token(login: Login, browser: Browser) -> None:
    """The question says who asks and where to come back; the code that comes is exchanged with the secret and the same redirect."""
    assert sign_in(APP, browser.visit, seconds=5) == "token"

    assert browser.page == f"{LOGIN_ORIGIN}/oauth2/authorize"
    uri = browser.question["redirect_uri"]
    assert (browser.question["response_type"], browser.question["client_id"]) == ("code", "app")
    assert login.urls == [f"{LOGIN_ORIGIN}/oauth2/token"]
    assert login.asked[0]["data"] == {
        "grant_type": "authorization_code", "client_id": "app", "client_secret": "made-up", "redirect_uri": uri, "code": "c",
    }  # fmt: skip
    # A port that the machine gives away itself.
    assert int(str(urlsplit(uri).port)) >= 1024
    [(answer, text)] = browser.answers()
    assert answer.status == 200
    assert (answer.headers["Cache-Control"], answer.headers["Content-Length"]) == ("no-store", str(len(text)))
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_another_login_is_used_where_the_configuration_names_one(login: Login, browser: Browser) -> None:
    """Both the page and the token are those of the host that replaces Mailchimp's."""
    sign_in(Application("app", "made-up", "https://proxy.example"), browser.visit, seconds=5)

    assert (browser.page, login.urls) == ("https://proxy.example/oauth2/authorize", ["https://proxy.example/oauth2/token"])


def test_only_the_answer_to_this_question_counts(login: Login, browser: Browser) -> None:
    """A request without the state, with another, or for another page is refused, and the wait does not end by it."""
    wrong = ("/favicon.ico", "{callback}?code=x&state=another", "{callback}?code=x", "{callback}?error=no", "/other?code=x&state={state}")
    browser.targets = (*wrong, AGREED)

    sign_in(APP, browser.visit, seconds=5)

    answers = browser.answers()
    assert [answer.status for answer, _ in answers] == [404, 400, 400, 400, 404, 200]
    assert login.asked[0]["data"]["code"] == "c"
    texts = [text for answer, text in answers if answer.status != 404]
    assert [text.startswith("Thank you") for text in texts] == [False, False, False, True]


@pytest.mark.parametrize(
    "target", ["{callback}?error=access_denied&state={state}", "{callback}?state={state}", "{callback}?code=&state={state}"]
)
def test_an_answer_without_a_code_ends_the_wait(login: Login, browser: Browser, target: str) -> None:
    """Who refuses is believed, and no token is asked for."""
    browser.targets = (target,)
    with pytest.raises(SignInError):
        sign_in(APP, browser.visit, seconds=5)

    assert login.asked == []


def test_nobody_can_guess_the_state() -> None:
    """It is 32 random bytes, written with four characters for three bytes, and another one each time."""
    with Callback(0) as first, Callback(0) as second:
        assert (len(first.state), len(second.state)) == (43, 43)
        assert first.state != second.state


def test_a_connection_that_says_nothing_is_given_up_after_five_seconds() -> None:
    """Browsers open connections ahead: one of them must not keep the answer in the other waiting."""
    limits: list[float] = []
    silent: Any = SimpleNamespace(settimeout=limits.append, makefile=lambda *_: io.BytesIO())

    with Callback(0) as callback:
        callback.finish_request(silent, ("127.0.0.1", 1))

    assert limits == [5.0]


@pytest.mark.parametrize(
    ("options", "left"), [({}, [300.0, 241.0, 182.0, 123.0, 64.0, 5.0, 1.0]), ({"seconds": 60.5}, [60.5, 1.5, 0.5]), ({"seconds": 0.0}, [])]
)  # fmt: skip
def test_somebody_is_waited_for_until_the_time_is_up(waits: list[float], options: dict[str, Any], left: list[float]) -> None:
    """Five minutes, if nothing else is said; each wait takes what is left of the time, and none begins after its end."""
    with pytest.raises(SignInError):
        sign_in(APP, lambda _: None, **options)

    assert waits == left


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"access_token": 5}', BugError),
        (200, b"{}", BugError),
        (200, b"[]", BugError),
        (200, b"no json", BugError),
        (201, b'{"access_token": "token"}', BugError),
        (400, b'{"access_token": "token"}', BugError),
        (400, b'{"error": "unheard_of"}', BugError),
        (400, b'{"error": "invalid_grant"}', SignInError),
        (401, b'{"error": "invalid_client"}', SignInError),
        (500, b'{"error": "redirect_uri_mismatch"}', SignInError),
        (429, b"", TransientError),
        (428, b"", BugError),
        (430, b"", BugError),
        (499, b"", BugError),
        (500, b"", TransientError),
        (503, b"<html>", TransientError),
    ],
)
def test_an_answer_without_a_token_says_who_must_act(login: Login, status: int, body: bytes, error: type[MailchimpError]) -> None:
    """A refusal that Mailchimp documents is the user's; a login that fails or is busy is nobody's; anything else is ours."""
    login.status, login.body = status, body

    with pytest.raises(MailchimpError) as refused:
        exchange(APP, "c", HERE)

    assert type(refused.value) is error


def test_a_redirect_that_is_not_registered_is_named(login: Login) -> None:
    """The user has to copy it letter by letter."""
    login.status, login.body = 400, b'{"error": "redirect_uri_mismatch", "error_description": "why"}'

    with pytest.raises(SignInError, match=HERE) as refused:
        exchange(APP, "c", HERE)

    assert refused.value.detail == "why"


def test_a_description_of_an_application_does_not_hold_its_secret() -> None:
    """It may end up in a log."""
    assert "made-up" not in repr(APP)
    assert "app" in repr(APP)


def test_a_port_that_is_taken_is_the_users_to_change(browser: Browser) -> None:
    """Nobody is asked to agree where the answer could not arrive."""
    with Callback(0) as other, pytest.raises(ConfigError):
        sign_in(APP, browser.visit, seconds=5, port=other.server_address[1])

    assert browser.page == ""


@dataclass
class Client:
    """Mailchimp's API, which names the account; notes how long it would have been tried, and whether it was closed."""

    patience: Patience
    closed: bool = False

    async def call(self, _: object) -> SimpleNamespace:
        """Answer."""
        return SimpleNamespace(body={"account_name": "Northwind", "role": "owner"})

    def close(self) -> None:
        """Note it."""
        self.closed = True


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[Client]:
    """The clients that were made."""
    made: list[Client] = []

    def client(_: object, patience: Patience) -> Client:
        made.append(Client(patience))
        return made[-1]

    monkeypatch.setattr(command, "MailchimpClient", client)
    return made


def test_the_account_is_asked_for_its_name_for_a_minute(clients: list[Client]) -> None:
    """A person waits for the answer, and the connection is closed after it."""
    assert account_of(APP, "token") == "Northwind (owner)"
    assert [(one.patience.total, one.closed) for one in clients] == [(60.0, True)]


@dataclass
class Terminal:
    """Runs the command, and keeps what it did: the sign-in is replaced by what it is given, in `signs_in`."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    signs_in: Callable[[], str]
    applications: list[Application] = field(default_factory=list)
    options: list[dict[str, float]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    asked: int = 0
    named: Sequence[str] = ("--client-id", "app")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code and what was written to the standard output and to the standard error."""
        self.monkeypatch.setattr(command, "sign_in", self._sign_in)
        self.monkeypatch.setattr(command, "account_of", lambda *_: "Northwind (owner)")
        self.monkeypatch.setattr(webbrowser, "open", self.opened.append)
        self.monkeypatch.setattr(getpass, "getpass", self._ask)
        code = main([*self.named, *arguments])
        written = self.capsys.readouterr()
        return code, written.out, written.err

    def _sign_in(self, application: Application, visit: Callable[[str], object], **options: float) -> str:
        self.applications.append(application)
        self.options.append(options)
        visit("https://page.example/")
        return self.signs_in()

    def _ask(self, _: str, stream: object) -> str:
        assert stream is sys.stderr
        self.asked += 1
        return "typed"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal with the secret in its environment, on which somebody agrees."""
    monkeypatch.setenv("MAILCHIMP_CLIENT_SECRET", "made-up")
    return Terminal(monkeypatch, capsys, lambda: "token")


def test_the_command_prints_a_configuration_and_nothing_else(terminal: Terminal) -> None:
    """Its standard output is a file of JSON with lines for people; the page and the account are told on the standard error."""
    code, out, err = terminal.run()

    assert code == 0
    assert json.loads(out) == {"credentials": {"auth_type": "oauth2.0", "access_token": "token"}}
    assert out.endswith("}\n")
    assert out.count("\n") > 1
    page, account = err.splitlines()
    assert page.endswith("https://page.example/")
    assert "Northwind (owner)" in account
    assert terminal.opened == ["https://page.example/"]
    assert terminal.applications == [Application("app", "made-up")]
    assert terminal.asked == 0


def test_a_host_of_its_own_is_a_part_of_the_configuration(terminal: Terminal) -> None:
    """The token belongs to that host."""
    _, out, _ = terminal.run("--api-url", "https://proxy.example")

    assert orjson.loads(out)["api_url"] == "https://proxy.example"
    assert terminal.applications == [Application("app", "made-up", "https://proxy.example")]


def test_the_port_and_the_time_are_those_of_the_page_that_says_what_to_register(terminal: Terminal) -> None:
    """Without options the redirect is the documented one, for five minutes; both can be chosen."""
    terminal.run()
    terminal.run("--port", "0", "--minutes", "0.5")

    first, second = terminal.options
    assert f"http://127.0.0.1:{first['port']}/callback" in (ROOT / "docs/oauth.md").read_text()
    assert (first["seconds"], second) == (300.0, {"port": 0, "seconds": 30.0})


def test_no_browser_is_opened_where_there_is_none(terminal: Terminal) -> None:
    """The page is told all the same."""
    code, _, err = terminal.run("--no-browser")

    assert (code, terminal.opened) == (0, [])
    assert "https://page.example/" in err


def test_a_secret_that_is_not_in_the_environment_is_asked_for(terminal: Terminal) -> None:
    """It is typed without being shown, and never an argument."""
    terminal.monkeypatch.delenv("MAILCHIMP_CLIENT_SECRET")
    terminal.run()

    assert terminal.applications == [Application("app", "typed")]


@pytest.mark.parametrize("error", [SignInError("One sentence."), KeyboardInterrupt(), EOFError()], ids=lambda error: type(error).__name__)
def test_what_goes_wrong_is_one_sentence_and_exit_code_1(terminal: Terminal, error: BaseException) -> None:
    """Nothing is written where a configuration is expected."""

    def fail() -> str:
        raise error

    terminal.signs_in = fail
    code, out, err = terminal.run("--no-browser")

    assert (code, out, len(err.splitlines())) == (1, "", 2)
    assert str(error) in err


def test_an_application_must_be_named(terminal: Terminal) -> None:
    """There is no client id that everybody may use."""
    terminal.named = ()
    with pytest.raises(SystemExit) as ended:
        terminal.run()

    assert ended.value.code == 2
    assert terminal.applications == []
