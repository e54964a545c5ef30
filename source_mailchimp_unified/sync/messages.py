"""Airbyte messages: records, states and stream statuses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message


def record_messages(stream: str, records: Iterable[dict[str, Any]]) -> Iterator[AirbyteMessage]:
    """Yield each record of a stream as a message."""
    for record in records:
        yield AirbyteMessage(type=Type.RECORD, record=AirbyteRecordMessage(stream, record, _now()))


class RecordLines(NamedTuple):
    """Records of a stream as the lines that are printed: what `record_messages` come to, without the way there."""

    stream: str
    number: int
    text: str


def record_lines(stream: str, records: Iterable[dict[str, Any]]) -> Iterator[RecordLines]:
    """Yield all records as one text, nothing for none. Like the CDK's serialiser it leaves out the nulls at the top of a record."""
    head, tail = f'{{"type":"RECORD","record":{{"stream":"{stream}","data":', f',"emitted_at":{_now()}}}}}'
    lines = [
        f"{head}{orjson.dumps({name: value for name, value in record.items() if value is not None}).decode()}{tail}" for record in records
    ]
    if lines:
        yield RecordLines(stream, len(lines), "\n".join(lines))


def _now() -> int:
    return int(time.time() * 1000)


def state_message(stream: str, state: dict[str, Any]) -> AirbyteMessage:
    """Return the state of a stream as a message; the CDK adds the number of records since the last one."""
    stream_state = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(state))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream_state))


def status_message(stream: str, status: AirbyteStreamStatus) -> AirbyteMessage:
    """Return the status of a stream as a message."""
    return as_airbyte_message(StreamDescriptor(name=stream), status)
