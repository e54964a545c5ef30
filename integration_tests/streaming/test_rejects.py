"""Rejected events are kept where the configuration wants them, as those of a sync are."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

from destination_mailchimp_unified.live.writer import KEEPING_SECONDS
from integration_tests.bucket import KEYS, NAME, Bucket
from integration_tests.streaming.conftest import Server, Stream

BAD: list[Any] = [{"id": "b1", "email": "nonsense"}, b"no json", {"id": "b2", "email": "a@contacts.example", "list_id": "x", "vip": "?"}]


def lines_of(text: str) -> list[dict[str, Any]]:
    """What was kept."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_file_has_every_reject_and_can_be_sent_again(start: Any, tmp_path: Path, members: Any) -> None:
    """A reject is in the file before its answer is read, with its columns; mended and sent again, it is written."""
    path = tmp_path / "rejects.jsonl"
    stream: Stream = start("--in-order", rejected_records="file", rejected_records_file=str(path))
    for number, bad in enumerate(BAD, start=1):
        (answer,) = stream.ask(bad)
        assert answer["outcome"] == "rejected"
        assert len(lines_of(path.read_text())) == number
    first, second, third = lines_of(path.read_text())

    assert (first["record"], first["field"], first["outcome"]) == (BAD[0], "email", "rejected")
    assert (second["line"], "record" in second) == ("no json", False)
    assert third["record"] == BAD[2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stream.ask(first["record"] | {"email": "mended@contacts.example"})[0]["outcome"] == "created"
    assert "mended@contacts.example" in members()


def test_rejects_by_http_are_kept(serve: Any, tmp_path: Path) -> None:
    """Each item of a list counts separately, even one that is not a contact."""
    path = tmp_path / "rejects.jsonl"
    server: Server = serve(rejected_records="file", rejected_records_file=str(path))

    assert server.post([{"email": "a@contacts.example"}, {"email": "nonsense", "number": 10**30}, "text"]).status_code == 207

    assert [line.get("record", line.get("line")) for line in lines_of(path.read_text())] == [
        {"email": "nonsense", "number": 10**30},
        '"text"',
    ]


def test_object_storage_has_every_reject_in_few_objects(start: Any, bucket: Bucket) -> None:
    """At the latest at the end; rejects of some seconds are in one object."""
    storage = {"storage_type": "S3", "s3_bucket_name": NAME, "s3_bucket_region": "us-east-1", "s3_endpoint": bucket.endpoint, **KEYS}
    stream: Stream = start(rejected_records="object_storage", object_storage_config=storage)
    began = time.monotonic()
    for number in range(20):
        stream.ask({"id": number, "email": "nonsense"})
    stream.close()

    assert stream.wait() == 0
    took = time.monotonic() - began
    assert sorted(line["record"]["id"] for text in bucket.texts().values() for line in lines_of(text)) == list(range(20))
    assert len(bucket.texts()) <= took / KEEPING_SECONDS + 2
