"""Rejected records on their way to a bucket: safe before the state that follows them, and never too many in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import obstore
import pytest

from destination_mailchimp_unified.intake.lines import Chunks
from unit_tests.destination.writing import STATE, Mailchimp, record, record_line, write

BUCKET: dict[str, Any] = {
    "rejected_records": "object_storage",
    "object_storage_config": {"storage_type": "S3", "s3_bucket_name": "rejects", "s3_bucket_region": "us-east-1"},
}
MEBIBYTE = 1 << 20
RECORDS = 160


class Bucket:
    """Takes an object in some seconds; what was put is in `sizes`."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.sizes, self.lines = seconds, list[int](), list[bytes]()

    async def put(self, _store: Any, _key: str, content: bytes) -> None:
        """Keep an object."""
        await asyncio.sleep(self.seconds)
        self.sizes.append(len(content))
        self.lines += content.splitlines()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket that is slow."""
    found = Bucket(10.0)
    monkeypatch.setattr(obstore, "put_async", found.put)
    return found


def test_a_state_waits_until_the_rejects_before_it_are_safe(bucket: Bucket) -> None:
    """It comes back when the bucket has taken them."""
    sync = write(Mailchimp(), {"email": "nobody"}, STATE, 60.0, {"email": "nobody"}, STATE, **BUCKET)

    assert sync.counts == (0, 2)
    assert [seconds >= least for seconds, least in zip(sync.state_seconds, (10.0, 70.0), strict=True)] == [True, True]
    assert len(bucket.lines) == 2


def test_rejects_that_a_slow_bucket_keeps_waiting_fill_no_memory(bucket: Bucket) -> None:
    """Where records are rejected faster than the bucket takes them, the input waits: some mebibytes are in memory, not all of them, nor few."""
    line = record_line(record(1, email="nobody", note="x" * (MEBIBYTE // 4)))

    async def give(intake: Chunks) -> None:
        given = 0
        while given < RECORDS:
            if intake.empty:
                intake.add(line)
                given += 1
            await asyncio.sleep(0.1)
        intake.add(b"")

    assert write(Mailchimp(), give=give, **BUCKET).error is not None, "everything was rejected"
    assert len(bucket.lines) == RECORDS
    assert 4 * MEBIBYTE <= max(bucket.sizes) <= 6 * MEBIBYTE
