"""The HTTP interface: POST /contacts answers when Mailchimp has answered; GET /healthz and GET /metrics say how it goes."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from destination_mailchimp_unified.live.answers import answer
from destination_mailchimp_unified.live.bodies import Bodies
from destination_mailchimp_unified.live.metrics import Metrics
from destination_mailchimp_unified.live.requests import RETRY_AFTER, RefusedError, check_headers, events_of, full, status_of, words
from destination_mailchimp_unified.live.service import Service
from mailchimp_unified.parsing import printed

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

Endpoint = Callable[[Request], Awaitable[Response]]


def application(service: Service, token: str | None) -> Starlette:
    """Return the application. Without a token it answers to names of this machine only, so that no web page can reach it by another."""
    metrics, bodies = Metrics(service), Bodies()

    async def contacts(request: Request) -> Response:
        with metrics.seconds.time():
            response = await _contacts(request, service, metrics, bodies)
        metrics.requests.labels(response.status_code).inc()
        return response

    async def shown(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def healthy(_: Request) -> Response:
        if service.ready:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "not ready"}, HTTPStatus.SERVICE_UNAVAILABLE)

    return Starlette(
        routes=[
            Route("/contacts", _guarded(contacts, token), methods=["POST"]),
            Route("/metrics", _guarded(shown, token)),
            Route("/healthz", healthy),
        ],
        middleware=[] if token else [Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS)],
        exception_handlers={RefusedError: _refused, HTTPException: _no_such_thing},
    )


def _guarded(endpoint: Endpoint, token: str | None) -> Endpoint:
    async def guarded(request: Request) -> Response:
        kind, _, shown = request.headers.get("Authorization", "").partition(" ")
        if token and not (kind.lower() == "bearer" and secrets.compare_digest(shown.strip().encode(), token.encode())):
            said = words("Send the header Authorization: Bearer, with the token that this server was started with.")
            return JSONResponse(said, HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"})
        return await endpoint(request)

    return guarded


async def _contacts(request: Request, service: Service, metrics: Metrics, bodies: Bodies) -> Response:
    try:
        headers = request.headers
        check_headers(headers.get("Content-Type", ""), headers.get("Content-Encoding", ""), headers.get("Content-Length", ""))
        if not service.feed.has_room():
            raise full()
        with bodies.room() as body:
            await bodies.read(request, body)
            return await _written(bytes(body), service, metrics)
    except RefusedError as error:
        return await _refused(request, error)


async def _written(body: bytes, service: Service, metrics: Metrics) -> Response:
    events, is_list = events_of(body, service.pipeline.streams)
    if not service.feed.has_room(len(events), len(body)):
        raise full()
    outcomes = await service.settle(events)
    if outcomes is None:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Mailchimp did not respond. Retry later.", RETRY_AFTER)
    for outcome in outcomes:
        metrics.contacts.labels(outcome.kind).inc()
    dry_run = service.pipeline.config.dry_run
    numbered = enumerate(zip(events, outcomes, strict=True), start=1)
    told = [answer(event.id, number, outcome, dry_run=dry_run) for number, (event, outcome) in numbered]
    return Response(printed(told if is_list else told[0]), status_of(outcomes), media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSONResponse(words(error.words), error.status, headers)


async def _no_such_thing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    said = "Available endpoints: POST /contacts, GET /healthz, GET /metrics." if known else error.detail
    return JSONResponse(words(said), error.status_code, error.headers)
