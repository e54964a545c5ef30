"""The one place that talks HTTP: a request in, a parsed body or a typed error out."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, TypeVar

import msgspec
import orjson
import requests
import tenacity
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, InvalidSchema, InvalidURL, RequestException, Timeout
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError

from mailchimp_unified import auth
from mailchimp_unified.config import ApiKeyCredentials, ConnectionConfig
from mailchimp_unified.errors import (
    Answer,
    BugError,
    ConfigError,
    MailchimpError,
    TimedOutError,
    TransientError,
    UnreachableError,
    error_for,
)

SERVER_TIMEOUT_SECONDS = 120
"""After this time Mailchimp gives up a call: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits."""

PAGE_SIZE = 1000
"""Most items of one page of a collection: https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination."""

NOTEWORTHY_PAUSE_SECONDS = 5.0
"""A longer pause is named in the log, so that nobody takes a waiting sync for a dead one."""

Result = TypeVar("Result")

# Statuses that mean "not this way": following one would send the credentials elsewhere.
_REDIRECTS = range(300, 400)


@dataclass(frozen=True)
class Patience:
    """How long the client waits, in seconds. The defaults suit Mailchimp; tests shorten them."""

    connect: float = 10.0
    # Longer than Mailchimp's own limit: when we give up, the connection is no longer counted there.
    read: float = SERVER_TIMEOUT_SECONDS + 10.0
    rest_after_timeout: float = 10.0
    first_back_off: float = 1.0
    longest_back_off: float = 60.0
    # A request is tried for this long in all.
    total: float = 900.0
    # A host that never answered is given up after so many tries.
    tries_before_first_answer: int = 3


@dataclass(frozen=True)
class Request:
    """A call of the API: `path` below /3.0, and `what` it is about in words for the user.

    `repeatable` tells that sending it twice does the same as sending it once. `keeps` is a TypedDict of what is wanted of an
    answer that holds much more: the rest is skipped unparsed.
    """

    path: str
    what: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    method: str = "GET"
    body: Any = None
    repeatable: bool = True
    keeps: Any = None


@dataclass(frozen=True)
class Reply:
    """A successful answer: the parsed body ({} when there is none) and the time at which Mailchimp gave it (UTC)."""

    body: dict[str, Any]
    date: datetime | None = None


@dataclass
class Traffic:
    """What the calls of one client cost: counts, and seconds summed over all workers."""

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    backed_off_seconds: float = 0.0


class MailchimpClient:
    """Calls Mailchimp for one set of credentials. Safe to share between threads; each keeps a connection of its own."""

    def __init__(self, config: ConnectionConfig, *, patience: Patience | None = None, logger: logging.Logger | None = None) -> None:
        self.traffic = Traffic()
        self._config = config
        self._patience = patience or Patience()
        self._logger = logger or logging.getLogger(__name__)
        self._auth = auth.api_auth(config.credentials)
        self._sessions = threading.local()
        self._counting, self._resolving = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()
        self._answered = False
        self._api_url = ""

    def call(self, request: Request) -> Reply:
        """Return the reply to `request`, retrying what is transient.

        Raises ConfigError, RejectedRecordError or BugError at once, and TransientError when the time for retries is used
        up. A request that is not repeatable is retried only where Mailchimp surely did not carry it out.
        """
        url = self._url() + request.path
        return self._retried(lambda: self._reply(self._send(request, url, self._auth), request), request)

    def stop(self) -> None:
        """End every wait between tries: the calls under way fail with the error that made them wait."""
        self._stopped.set()

    def _url(self) -> str:
        with self._resolving:
            if not self._api_url:
                self._api_url = self._resolve_url()
            return self._api_url

    def _resolve_url(self) -> str:
        credentials = self._config.credentials
        if isinstance(credentials, ApiKeyCredentials):
            return auth.api_url_of_key(self._config, credentials)
        request = Request(path="", what="access token")
        url, metadata_auth = auth.metadata_url(self._config), auth.metadata_auth(credentials)
        return self._retried(lambda: auth.api_url_of_token(self._config, self._send(request, url, metadata_auth).content), request)

    def _send(self, request: Request, url: str, header: AuthBase) -> _Received:
        """Send once. Returns an answer with a status below 300, else raises the typed error."""
        began = time.monotonic()
        try:
            response = self._session().request(
                request.method,
                url,
                params=dict(request.params),
                data=None if request.body is None else orjson.dumps(request.body),
                auth=header,
                timeout=(self._patience.connect, self._patience.read),
                allow_redirects=False,
                stream=True,
            )
            # A page in one piece: requests would read it in a hundred.
            content = response.raw.read(decode_content=True)
        except (RequestException, HTTPError) as error:
            raise _network_error(error, request) from error
        finally:
            self._count(requests=1, waited_seconds=time.monotonic() - began)
        self._answered = True
        received = _Received(response.status_code, response.headers, content)
        if received.status in _REDIRECTS:
            raise ConfigError(f"The host answered with a redirect (status {received.status}). Please correct the address of the API.")
        if received.status >= HTTPStatus.BAD_REQUEST:
            raise error_for(_answer(received, request))
        return received

    def _reply(self, received: _Received, request: Request) -> Reply:
        return Reply(_body(received, request), _date(received.headers.get("Date")))

    def _retried(self, attempt: Callable[[], Result], request: Request) -> Result:
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception(lambda error: self._worth_retrying(error, request)),
                wait=self._pause,
                stop=self._used_up,
                sleep=self._rest,
                reraise=True,
            )(attempt)
        except TransientError as error:
            if self._answered or error.sent:
                raise
            raise UnreachableError(
                f"No answer from {self._host()}. Please check the network, and the data centre at the end of the API key"
                f" or the address of the API.",
                detail=error.detail,
            ) from error

    def _worth_retrying(self, error: BaseException, request: Request) -> bool:
        if self._stopped.is_set() or not isinstance(error, TransientError):
            return False
        return request.repeatable or not error.sent

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait: jittered and growing, at least what Mailchimp asked for or a timeout needs."""
        patience, error = self._patience, state.outcome.exception() if state.outcome else None
        pause = tenacity.wait_random_exponential(multiplier=patience.first_back_off, max=patience.longest_back_off)(state)
        if isinstance(error, TimedOutError):
            pause = max(pause, patience.rest_after_timeout)
        if isinstance(error, TransientError):
            pause = max(pause, error.retry_after)
        return pause

    def _used_up(self, state: tenacity.RetryCallState) -> bool:
        unreachable = not self._answered and state.attempt_number >= self._patience.tries_before_first_answer
        return unreachable or (state.seconds_since_start or 0.0) >= self._patience.total

    def _rest(self, seconds: float) -> None:
        level = logging.INFO if seconds >= NOTEWORTHY_PAUSE_SECONDS else logging.DEBUG
        self._logger.log(level, "Mailchimp is busy or disturbed: waiting %.1f s before trying again.", seconds)
        self._count(retries=1, backed_off_seconds=seconds)
        self._stopped.wait(seconds)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"mailchimp-unified/{_release()}"
            session.headers["Content-Type"] = "application/json"
            self._sessions.session = session
        return session

    def _host(self) -> str:
        return self._api_url.partition("/3.0")[0] or auth.metadata_url(self._config).partition("/oauth2")[0]

    def _count(self, **amounts: float) -> None:
        with self._counting:
            for name, amount in amounts.items():
                setattr(self.traffic, name, getattr(self.traffic, name) + amount)


class _Received(NamedTuple):
    """An answer as it came: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def _answer(received: _Received, request: Request) -> Answer:
    return Answer(
        status=received.status,
        what=request.what,
        method=request.method,
        content_type=received.headers.get("Content-Type", ""),
        body=received.content,
        retry_after=received.headers.get("Retry-After"),
    )


def _body(received: _Received, request: Request) -> dict[str, Any]:
    if received.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        body = _parsed(received.content, request.keeps)
    except (orjson.JSONDecodeError, msgspec.DecodeError):
        raise TransientError(f"Mailchimp's answer about {request.what} was cut off or is not JSON, again and again.") from None
    if not isinstance(body, dict):
        raise BugError(f"Mailchimp's answer about {request.what} is not a JSON object.")
    return body


def _parsed(content: bytes, keeps: Any) -> Any:
    if keeps is not None:
        # An answer of another form than expected is parsed whole.
        with contextlib.suppress(msgspec.ValidationError):
            return _decoder(keeps).decode(content)
    return orjson.loads(content)


@cache
def _decoder(keeps: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(keeps)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(timezone.utc) if header else None
    except ValueError:
        return None


def _network_error(error: RequestException | HTTPError, request: Request) -> MailchimpError:
    if isinstance(error, (InvalidURL, InvalidSchema)):
        return ConfigError("The address of the API is not usable. Please correct it.", detail=str(error))
    if isinstance(error, ConnectTimeout) or _never_connected(error):
        return TransientError(f"No connection to Mailchimp ({request.what}).", detail=type(error).__name__, sent=False)
    if isinstance(error, (Timeout, ReadTimeoutError)):
        return TimedOutError(f"Mailchimp did not answer in time ({request.what}).", detail=type(error).__name__)
    return TransientError(f"The connection to Mailchimp broke off ({request.what}).", detail=type(error).__name__)


def _never_connected(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _release() -> str:
    try:
        return version("mailchimp-unified")
    except PackageNotFoundError:
        return "unreleased"
