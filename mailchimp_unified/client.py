"""The one place that talks to Mailchimp: a request in, a typed reply or a typed error out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import tenacity
from requests.auth import AuthBase

from mailchimp_unified import auth
from mailchimp_unified.clock import MailchimpClock, date_of
from mailchimp_unified.config import ApiKeyCredentials, ConnectionConfig
from mailchimp_unified.errors import (
    BugError,
    ConfigError,
    IncompleteAnswerError,
    MailchimpError,
    NotFoundError,
    ServerError,
    SignInError,
    StaleError,
    TimedOutError,
    TransientError,
)
from mailchimp_unified.failed_responses import FailedResponse, error_for
from mailchimp_unified.parsing import UnreadableError, parsed, printed
from mailchimp_unified.patience import Patience
from mailchimp_unified.request import Reply, Request
from mailchimp_unified.transport import Outgoing, Received, ThreadedTransport, Transport

TRIES_FOR_A_WHOLE_ANSWER = 5
"""An answer that stays incomplete for so many tries is not going to become whole."""

TRIES_FOR_A_404 = 3
"""What is expected to be there is gone when Mailchimp has said so this often."""

TRIES_FOR_METADATA = 3
"""Tries to learn the data center of a token before the host that serves every account is used."""

NOTEWORTHY_PAUSE_SECONDS = 5.0
"""A longer pause is named in the log, so that nobody takes a waiting sync for a dead one."""

Result = TypeVar("Result")

# Statuses that mean "not this way": following one would send the credentials elsewhere.
_REDIRECTS = range(300, 400)


@dataclass
class Traffic:
    """What the calls of one client cost: counts, and seconds summed over all calls."""

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    backed_off_seconds: float = 0.0


@dataclass
class _Call:
    """A call under way: when it began, how often it failed, and the limit for failures that a smaller page might avoid.

    It counts its failures and keeps none: an error holds on to the frames that it passed, and so to the request.
    """

    request: Request
    began: float
    tries: int | None
    failures: int = 0
    not_found: int = 0
    incomplete: int = 0
    heavy: int = 0
    # Whether a try that failed may have been carried out all the same.
    lost_answer: bool = False

    def note(self, error: MailchimpError) -> None:
        """Count a failure."""
        self.failures += 1
        self.not_found += isinstance(error, NotFoundError)
        self.incomplete += isinstance(error, IncompleteAnswerError)
        self.heavy += isinstance(error, TransientError) and error.heavy
        self.lost_answer |= isinstance(error, TransientError) and error.sent


class MailchimpClient:
    """Calls Mailchimp for one set of credentials, `num_workers` requests at once. Belongs to one event loop."""

    def __init__(
        self,
        config: ConnectionConfig,
        *,
        patience: Patience | None = None,
        logger: logging.Logger | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.traffic = Traffic()
        self.clock = MailchimpClock()
        self._config = config
        self._patience = patience or Patience()
        self._logger = logger or logging.getLogger(__name__)
        self._auth = auth.api_auth(config.credentials)
        self._transport = transport or ThreadedTransport(config.num_workers)
        # A call that waits for its next try keeps its place: other calls must not reach a throttled host in the meantime.
        self._places = asyncio.Semaphore(config.num_workers)
        self._resolving = asyncio.Lock()
        self._api_url = ""
        self._answered = False
        # Its message and detail.
        self._last_failure: tuple[str, str] | None = None
        # Set when one call has used up its time and nothing has succeeded since.
        self._given_up = asyncio.Event()
        self._silent_since_given_up: MailchimpError | None = None

    async def call(
        self, request: Request, *, tries: int | None = None, since: float | None = None, fresh: Callable[[], bool] | None = None
    ) -> Reply:
        """Return the reply to `request`, retrying what is transient.

        `tries` limits the tries that fail with a server error or a timeout, for a caller that would then ask for less; `since` is
        when that caller began to ask for more, in seconds of the loop's clock: the time for retries counts from there.
        `fresh` is asked before every try whether what the request rests on still holds; if not, StaleError is raised.
        Raises ConfigError, RejectedRecordError or BugError at once, and TransientError when the time for retries is used up.
        """
        async with self._places:
            url = await self._url() + request.path
            call = _Call(request, asyncio.get_running_loop().time() if since is None else since, tries)
            try:
                reply = await self._retried(partial(self._reply, request, url, fresh), call)
            except MailchimpError as error:
                error.after_lost_answer = call.lost_answer
                raise
        return replace(reply, after_lost_answer=True) if call.lost_answer else reply

    def close(self) -> None:
        """Send nothing more. Requests under way end by themselves."""
        self._transport.close()

    @contextlib.asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Give up what is done inside after so many seconds. Raises TransientError, naming what failed last."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            message, detail = self._last_failure or ("Mailchimp did not respond", "")
            raise TransientError(f"{message.rstrip('.')}; gave up after {seconds:g} s", detail=detail) from None

    async def _url(self) -> str:
        async with self._resolving:
            if not self._api_url:
                self._api_url = await self._resolve_url()
            return self._api_url

    async def _resolve_url(self) -> str:
        credentials = self._config.credentials
        if isinstance(credentials, ApiKeyCredentials):
            return auth.api_url_of_key(self._config, credentials)
        request = Request(path="", what="the access token")
        url, metadata_auth = auth.metadata_url(self._config), auth.metadata_auth(credentials)

        async def metadata() -> str:
            return auth.api_url_of_token(self._config, (await self._send(request, url, metadata_auth)).content)

        try:
            return await self._retried(metadata, _Call(request, asyncio.get_running_loop().time(), TRIES_FOR_METADATA))
        except SignInError:
            raise
        except (ConfigError, BugError, ServerError) as error:
            self._logger.warning("%s Calling %s instead.", error.message, auth.GLOBAL_ORIGIN)
            return auth.api_url_without_metadata(self._config)

    async def _reply(self, request: Request, url: str, fresh: Callable[[], bool] | None) -> Reply:
        if fresh is not None and not fresh():
            raise StaleError(f"What was known for {request.what} is too old to act on.")
        asked = asyncio.get_running_loop().time()
        received = await self._send(request, url, self._auth)
        body = _body(received, request)
        if lack := request.lack(body):
            raise IncompleteAnswerError(f"The response for {request.what} {lack}", detail=str(body.get("error") or ""))
        return Reply(body, self.clock.note(date_of(received.headers.get("Date"))), asked)

    async def _send(self, request: Request, url: str, header: AuthBase) -> Received:
        """Send once. Returns an answer with a status below 300, else raises the typed error."""
        clock = asyncio.get_running_loop().time
        began = clock()
        body = None if request.body is None else printed(request.body)
        outgoing = Outgoing(
            request.method, url, request.what, request.params, body, header, self._patience.connect, self._patience.read
        )  # fmt: skip
        try:
            received = await self._transport.send(outgoing)
        finally:
            self.traffic.requests += 1
            self.traffic.waited_seconds += clock() - began
        self._logger.debug(
            "%s %s %s: HTTP %d, %d bytes after %.3f s",
            request.method, request.path, dict(request.params), received.status, len(received.content), clock() - began,
        )  # fmt: skip
        self._answered = True
        if received.status in _REDIRECTS:
            raise ConfigError(f"The host returned a redirect (HTTP {received.status}). Correct api_url.")
        if received.status >= HTTPStatus.BAD_REQUEST:
            raise error_for(_answer(received, request))
        return received

    async def _retried(self, attempt: Callable[[], Awaitable[Result]], call: _Call) -> Result:
        if self._silent_since_given_up is not None:
            raise self._silent_since_given_up
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda error: self._worth_retrying(error, call)),
            wait=lambda state: self._pause(state, call),
            sleep=self._rest,
            reraise=True,
        )
        try:
            result: Result = await retrying(attempt)
        except MailchimpError as error:
            self._note_failure(error, call)
            # The frames that it passed hold the error itself, and the request: as below.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            # It refers to itself, and to the request: the body of a bulk call would stay until the garbage collector comes.
            retrying.iter_state.reset()
        self._given_up.clear()
        self._silent_since_given_up = None
        return result

    def _worth_retrying(self, error: BaseException, call: _Call) -> bool:
        if isinstance(error, NotFoundError) and call.request.expected:
            call.note(error)
            return call.not_found < TRIES_FOR_A_404 and self._time_left(call) > 0
        if not isinstance(error, TransientError):
            return False
        self._last_failure = error.message, error.detail
        call.note(error)
        if self._given_up.is_set() or self._time_left(call) <= 0:
            return False
        if isinstance(error, IncompleteAnswerError):
            return call.incomplete < TRIES_FOR_A_WHOLE_ANSWER
        return not (error.heavy and call.tries and call.heavy >= call.tries)

    def _time_left(self, call: _Call) -> float:
        patience = self._patience
        total = patience.total if self._answered else min(patience.total, patience.first_answer)
        return total - (asyncio.get_running_loop().time() - call.began)

    def _pause(self, state: tenacity.RetryCallState, call: _Call) -> float:
        """Return the seconds to wait: jittered and growing, at least what Mailchimp asked for, never beyond the time that is left."""
        patience, error = self._patience, state.outcome.exception() if state.outcome else None
        pause = tenacity.wait_random_exponential(multiplier=patience.first_back_off, max=patience.longest_back_off)(state)
        if isinstance(error, TimedOutError):
            pause = max(pause, patience.rest_after_timeout)
        if isinstance(error, TransientError):
            pause = max(pause, error.retry_after)
        pause = min(pause, max(0.0, self._time_left(call)))
        self._logger.log(_level(pause), "%s; retrying in %.3g s.", str(error).rstrip("."), pause)
        return pause

    async def _rest(self, seconds: float) -> None:
        self.traffic.retries += 1
        self.traffic.backed_off_seconds += seconds
        # One caller giving up on Mailchimp gives up for all.
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which may swallow a cancellation: https://github.com/python/cpython/issues/86296.
            async with asyncio.timeout(seconds):
                await self._given_up.wait()

    def _note_failure(self, error: MailchimpError, call: _Call) -> None:
        """Say how long a failed request was tried, and let the others fail at once when Mailchimp is silent."""
        if not isinstance(error, TransientError):
            return
        elapsed = asyncio.get_running_loop().time() - call.began
        if self._given_up.is_set() and not error.answered:
            self._silent_since_given_up = error
        if self._time_left(call) <= 0:
            error.is_final = True
            self._given_up.set()
        error.give_up(call.failures, elapsed)


def _level(pause: float) -> int:
    return logging.INFO if pause >= NOTEWORTHY_PAUSE_SECONDS else logging.DEBUG


def _answer(received: Received, request: Request) -> FailedResponse:
    return FailedResponse(
        status=received.status,
        what=request.what,
        method=request.method,
        content_type=received.headers.get("Content-Type", ""),
        body=received.content,
        retry_after=received.headers.get("Retry-After"),
        date=received.headers.get("Date"),
    )


def _body(received: Received, request: Request) -> dict[str, Any]:
    if received.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        body = parsed(received.content, request.keeps)
    except UnreadableError:
        raise TransientError(f"The response for {request.what} is truncated or not JSON") from None
    if not isinstance(body, dict):
        raise BugError(f"The response for {request.what} is not a JSON object.")
    return body
