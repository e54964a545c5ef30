"""Airbyte messages: records, states and stream statuses."""

from __future__ import annotations

import time
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


def record_message(stream: str, record: dict[str, Any]) -> AirbyteMessage:
    """Return a record of a stream as a message."""
    return AirbyteMessage(type=Type.RECORD, record=AirbyteRecordMessage(stream, record, int(time.time() * 1000)))


class RecordLine(NamedTuple):
    """A record of a stream as the line that is printed: what `record_message` comes to, without the way there."""

    stream: str
    text: str


def record_line(stream: str, record: dict[str, Any]) -> RecordLine:
    """Return a record of a stream as a line. Like the CDK's serialiser it leaves out the nulls at the top of a record."""
    present = {name: value for name, value in record.items() if value is not None}
    return RecordLine(
        stream,
        f'{{"type":"RECORD","record":{{"stream":"{stream}","data":{orjson.dumps(present).decode()},"emitted_at":{int(time.time() * 1000)}}}}}',
    )


def state_message(stream: str, state: dict[str, Any]) -> AirbyteMessage:
    """Return the state of a stream as a message; the CDK adds the number of records since the last one."""
    stream_state = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(state))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream_state))


def status_message(stream: str, status: AirbyteStreamStatus) -> AirbyteMessage:
    """Return the status of a stream as a message."""
    return as_airbyte_message(StreamDescriptor(name=stream), status)
