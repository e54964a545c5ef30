"""The way to Mailchimp and back: one HTTP request on one of a bounded number of threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, InvalidSchema, InvalidURL, RequestException, SSLError, Timeout
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from mailchimp_unified.errors import ConfigError, MailchimpError, TimedOutError, TransientError

CHUNK_BYTES = 1 << 20
"""Read at most so much of a body before looking at the clock."""


class Outgoing(NamedTuple):
    """A request as it is sent. `connect` and `read` are seconds: to connect, and for the whole answer including its body."""

    method: str
    url: str
    what: str
    params: Mapping[str, str | int]
    body: bytes | None
    auth: AuthBase
    connect: float
    read: float


class Received(NamedTuple):
    """An answer as it came: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport(Protocol):
    """Sends one request and returns what comes back."""

    async def send(self, outgoing: Outgoing) -> Received:
        """Return the answer, with any status. Raises TransientError or ConfigError when none came."""

    def close(self) -> None:
        """Take no more requests. Does not wait for those under way."""


class ThreadedTransport:
    """Sends requests from `workers` threads, each with a connection of its own: never more than `workers` at once."""

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="mailchimp")
        self._sessions = threading.local()

    async def send(self, outgoing: Outgoing) -> Received:
        """Return the answer, with any status. Raises TransientError or ConfigError when none came."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._send, outgoing)

    def close(self) -> None:
        """Take no more requests. Does not wait for those under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, outgoing: Outgoing) -> Received:
        deadline = time.monotonic() + outgoing.connect + outgoing.read
        try:
            with self._session(outgoing.url).request(
                outgoing.method,
                outgoing.url,
                params=dict(outgoing.params),
                data=outgoing.body,
                auth=outgoing.auth,
                timeout=(outgoing.connect, outgoing.read),
                allow_redirects=False,
                stream=True,
            ) as response:
                return Received(response.status_code, response.headers, _read(response.raw, deadline, outgoing))
        except (RequestException, HTTPError) as error:
            raise _network_error(error, outgoing) from error

    def _session(self, url: str) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"mailchimp-unified/{_release()}"
            session.headers["Content-Type"] = "application/json"
            # Plain http is for this machine only, where no proxy can help.
            session.trust_env = urlsplit(url).scheme != "http"
            self._sessions.session = session
        return session


def _read(raw: BaseHTTPResponse, deadline: float, outgoing: Outgoing) -> bytes:
    """Return the whole body. Raises TimedOutError when it is not there by the deadline, however steadily it drips."""
    chunks = []
    while chunk := raw.read1(CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        if time.monotonic() > deadline:
            raw.close()
            raise TimedOutError(f"Mailchimp's answer was not complete after {outgoing.read:g} s", what=outgoing.what)
    return b"".join(chunks)


def _network_error(error: RequestException | HTTPError, outgoing: Outgoing) -> MailchimpError:
    what, detail = outgoing.what, type(error).__name__
    if isinstance(error, (InvalidURL, InvalidSchema)):
        return ConfigError("The URL of the API is not usable. Correct api_url.", detail=detail)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ConfigError(
            f"The certificate of {urlsplit(outgoing.url).hostname} cannot be verified: it is expired, self-signed, or from an unknown"
            " authority. Correct api_url, the clock of this machine, or its certificates (REQUESTS_CA_BUNDLE).",
            detail=detail,
        )
    if isinstance(error, ConnectTimeout) or _never_connected(error):
        return TransientError("No connection to Mailchimp", what=what, detail=detail, sent=False)
    if isinstance(error, (Timeout, ReadTimeoutError)):
        return TimedOutError(f"Mailchimp did not answer within {outgoing.read:g} s", what=what, detail=detail)
    return TransientError("The connection to Mailchimp was lost", what=what, detail=detail)


def _never_connected(error: Exception) -> bool:
    cause = next(iter(error.args), None)
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


@cache
def _release() -> str:
    try:
        return version("mailchimp-unified")
    except PackageNotFoundError:
        return "unreleased"
