"""One sync: all streams read side by side in one event loop, their messages taken one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from airbyte_cdk.models import AirbyteStreamStatus

from mailchimp_unified.loops import NewLoop, close
from source_mailchimp_unified.sync.messages import status_message
from source_mailchimp_unified.sync.output import Format, Message, Output, OutputQueue
from source_mailchimp_unified.sync.streams import Session, Stream

PAGES_WAITING = 3
"""How many pages may wait for the consumer of the messages; each task of a stream may hold one more."""


class Sync:
    """A sync of some streams. `formatted` makes the output of records: messages, or the lines that are printed."""

    def __init__(self, session: Session, streams: Sequence[Stream], formatted: Format, new_loop: NewLoop = asyncio.new_event_loop) -> None:
        self._session = session
        self._new_loop = new_loop
        self._queue = OutputQueue(formatted, PAGES_WAITING)
        self._outputs = [(stream, Output(stream, self._queue)) for stream in streams]

    @property
    def records(self) -> dict[str, int]:
        """Records emitted, by stream."""
        return {stream.name: output.records for stream, output in self._outputs}

    def read(self) -> Iterator[Message]:
        """Yield the messages of the sync. A stream that fails does not stop the others; its errors stay in the stream.

        Closing the iterator cancels everything under way.
        """
        for stream, _ in self._outputs:
            yield status_message(stream.name, AirbyteStreamStatus.STARTED)
        loop = self._new_loop()
        try:
            reading = loop.create_task(self._read())
            yield from self._queue.messages(loop)
            loop.run_until_complete(reading)
        finally:
            self._session.client.close()
            close(loop)

    async def _read(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for stream, output in self._outputs:
                    group.create_task(_read_stream(stream, output, self._session))
        finally:
            self._queue.put(None)


async def _read_stream(stream: Stream, output: Output, session: Session) -> None:
    try:
        await stream.read(session, output)
    except Exception as error:  # noqa: BLE001 - one stream's failure must not stop the others
        stream.errors.append(error)
    output.end()
