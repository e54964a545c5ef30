"""The HTTP server's application over a simulated Mailchimp: requests in this process, on a virtual clock, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from destination_mailchimp_unified.live.server import application
from destination_mailchimp_unified.live.service import Service
from integration_tests.streaming.simulated import pipeline_in
from unit_tests.destination.writing import Mailchimp

Json = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]

TOKEN = "0123456789abcdef0123"


@dataclass
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return orjson.loads(self.body)


@dataclass
class Server:
    """An application with its token, None for none; `headers` go with every request."""

    service: Service
    token: str | None = TOKEN
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.application = application(self.service, self.token)
        authorization = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.headers = {"host": "localhost", "content-type": "application/json", **authorization, **self.headers}

    async def post(self, *columns: Any, **headers: str | None) -> Reply:
        """Send one contact, or several as a list."""
        return await self.ask("POST", "/contacts", in_chunks([orjson.dumps(columns[0] if len(columns) == 1 else list(columns))]), **headers)

    async def ask(self, method: str, path: str, receive: Receive | None = None, **headers: str | None) -> Reply:
        """Send a request. Headers are given by their names with underscores; None leaves one out."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        named = self.headers | {name.replace("_", "-"): text for name, text in headers.items()}
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
            "headers": [(name.encode(), text.encode()) for name, text in named.items() if text is not None],
            "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("localhost", 1),
        }  # fmt: skip
        await self.application(scope, receive or in_chunks([b""]), send)
        found = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent))


def in_chunks(chunks: Iterable[bytes], seconds: float = 0.0) -> Receive:
    """Return how a body is received, each chunk after some seconds."""
    left = list(chunks)

    async def receive() -> Any:
        await asyncio.sleep(seconds)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def serving(
    story: Callable[[Server], Coroutine[Any, Any, None]], world: Mailchimp | None = None, token: str | None = TOKEN, **options: Any
) -> None:
    """Tell a story to a server, and end it in order."""
    world = world or Mailchimp()

    async def told() -> None:
        service = Service(pipeline_in(world, **options))
        working = asyncio.create_task(service.run())
        await service.pipeline.opened.wait()
        await story(Server(service, token))
        service.end()
        await working

    with asyncio.Runner(loop_factory=world.new_loop) as runner:
        runner.run(told())
