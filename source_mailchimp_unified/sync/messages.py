"""Airbyte messages: records, states, stream statuses and estimates."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    AirbyteTraceMessage,
    StreamDescriptor,
    TraceType,
    Type,
)
from airbyte_cdk.models.airbyte_protocol import (  # type: ignore[attr-defined] # passed on from a package without types
    AirbyteEstimateTraceMessage,
    AirbyteRecordMessageMeta,
    AirbyteRecordMessageMetaChange,
    Change,
    EstimateType,
    Reason,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from msgspec.structs import asdict

from mailchimp_unified.entities.readable import Readable
from mailchimp_unified.entities.rows import Contact

Record = dict[str, Any] | Contact | Readable
"""A record, with the names of its fields that could not be read where there are any."""

Records = Iterable[Record]


def record_messages(stream: str, records: Records) -> Iterator[AirbyteMessage]:
    """Yield each record of a stream as a message."""
    for one in records:
        content, nulled = one if isinstance(one, Readable) else (one, ())
        record = asdict(content) if isinstance(content, Contact) else content
        yield AirbyteMessage(type=Type.RECORD, record=AirbyteRecordMessage(stream, record, _now(), meta=_meta(nulled) if nulled else None))


class RecordLines(NamedTuple):
    """Records of a stream as the lines that are printed: what `record_messages` come to, without the way there."""

    stream: str
    number: int
    content: bytes


def record_lines(stream: str, records: Records) -> Iterator[RecordLines]:
    """Yield all records as lines, nothing for none. Like the CDK's serializer it leaves out the nulls at the top of a record."""
    now = _now()
    lines = [_RecordLine(_Record(stream, one, now) if type(one) is Contact else _record(stream, one, now)) for one in records]
    if lines:
        yield RecordLines(stream, len(lines), _ENCODER.encode_lines(lines))


class _Record(msgspec.Struct, omit_defaults=True, gc=False):
    stream: str
    data: Any
    emitted_at: int
    meta: Any = None


class _RecordLine(msgspec.Struct, tag_field="type", tag="RECORD", gc=False):
    record: _Record


_ENCODER = msgspec.json.Encoder()


def _record(stream: str, one: Any, now: int) -> _Record:
    content, nulled = one if isinstance(one, Readable) else (one, ())
    changes = [{"field": name, "change": Change.NULLED.value, "reason": Reason.SOURCE_SERIALIZATION_ERROR.value} for name in nulled]
    return _Record(
        stream, {name: value for name, value in content.items() if value is not None}, now, {"changes": changes} if changes else None
    )


def _meta(nulled: Iterable[str]) -> AirbyteRecordMessageMeta:
    return AirbyteRecordMessageMeta(
        changes=[
            AirbyteRecordMessageMetaChange(field=name, change=Change.NULLED, reason=Reason.SOURCE_SERIALIZATION_ERROR) for name in nulled
        ]
    )


def _now() -> int:
    return int(time.time() * 1000)


def state_message(stream: str, state: dict[str, Any]) -> AirbyteMessage:
    """Return the state of a stream as a message; the CDK adds the number of records since the last one."""
    stream_state = AirbyteStreamState(StreamDescriptor(name=stream), AirbyteStateBlob(state))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream_state))


def status_message(stream: str, status: AirbyteStreamStatus) -> AirbyteMessage:
    """Return the status of a stream as a message."""
    return as_airbyte_message(StreamDescriptor(name=stream), status)


def estimate_message(stream: str, rows: int) -> AirbyteMessage:
    """Return about how many records a stream has in this sync as a message."""
    estimate = AirbyteEstimateTraceMessage(name=stream, type=EstimateType.STREAM, row_estimate=rows)
    return AirbyteMessage(type=Type.TRACE, trace=AirbyteTraceMessage(type=TraceType.ESTIMATE, emitted_at=_now(), estimate=estimate))
