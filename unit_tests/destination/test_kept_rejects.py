"""Where rejected records are kept, and what a line about one says."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import obstore
import orjson
import pytest

from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry, StreamKey
from destination_mailchimp_unified.settling.outcomes import CREATED, UNCHANGED, UPDATED, Outcome, rejected
from destination_mailchimp_unified.settling.rejected_records import JOB_VARIABLES, FileStore, Store, outcome_line, store_of
from mailchimp_unified.errors import ConfigError
from unit_tests.destination.asking import config

Json = dict[str, Any]

CONTACT = "c" * 32
PEOPLE: StreamKey = (None, "people")


def in_bucket(**more: Any) -> DestinationConfig:
    """A configuration by which rejects go to a bucket."""
    storage = {"storage_type": "S3", "s3_bucket_name": "rejects", "s3_bucket_region": "us-east-1", **more}
    return config(rejected_records="object_storage", object_storage_config=storage)


def there(store: Store | None) -> Store:
    """Return a store that is wanted."""
    assert store is not None
    return store


class Bucket:
    """Keeps the objects that are put, and what is taken away again; `refuses` tells that it takes none."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self.stores: list[Any] = []
        self.refuses = False
        self.seconds = 0.0

    async def put(self, store: Any, key: str, content: bytes) -> None:
        """Keep an object."""
        await asyncio.sleep(self.seconds)
        if self.refuses:
            raise OSError("no such bucket")
        self.stores.append(store)
        self.objects[key] = content

    async def delete(self, store: Any, key: str) -> None:
        """Take an object away."""
        self.deleted.append(key)
        del self.objects[key]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket, and no job that a platform names."""
    found = Bucket()
    monkeypatch.setattr(obstore, "put_async", found.put)
    monkeypatch.setattr(obstore, "delete_async", found.delete)
    for name in JOB_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return found


# Where.


def test_nowhere_is_the_default() -> None:
    """Nothing is kept unless it is asked for."""
    assert store_of(config()) is None
    assert store_of(config(rejected_records_file="/tmp/x")) is None


@pytest.mark.parametrize(
    "options",
    [
        {"rejected_records": "file"},
        {"rejected_records": "object_storage"},
        {"rejected_records": "object_storage", "object_storage_config": {"storage_type": "S3"}},
        {"rejected_records": "object_storage", "object_storage_config": {"storage_type": "None", "s3_bucket_name": "rejects"}},
    ],
)
def test_a_place_that_is_not_named_is_refused(options: Json) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigError):
        store_of(config(**options))


def in_file(path: Path) -> Store:
    """Return a store in a file."""
    return there(store_of(config(rejected_records="file", rejected_records_file=str(path))))


def test_each_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    """Nothing waits for a flush; and what an earlier sync wrote, or another writes meanwhile, stays."""
    path = tmp_path / "rejects.jsonl"
    path.write_bytes(b"old\n")
    first, second = in_file(path), in_file(path)
    for store, line in ((first, b"a"), (second, b"b"), (first, b"c")):
        store.add(line)
        assert store.pending == 0
    asyncio.run(first.flush())

    assert path.read_bytes() == b"old\na\nb\nc\n"


@pytest.mark.parametrize("mode", [None, 0o644])
def test_only_the_owner_may_read_the_file(tmp_path: Path, mode: int | None) -> None:
    """However it was made before."""
    path = tmp_path / "rejects.jsonl"
    if mode is not None:
        path.touch()
        path.chmod(mode)
    in_file(path).add(b"a")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, b"", b"old\n"])
def test_a_check_leaves_the_file_as_it_was(tmp_path: Path, content: bytes | None) -> None:
    """One that was not there is not there afterwards."""
    path = tmp_path / "rejects.jsonl"
    if content is not None:
        path.write_bytes(content)
    asyncio.run(in_file(path).check())

    assert (path.read_bytes() if path.exists() else None) == content


def test_a_file_that_cannot_be_written_is_told_as_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    """By the check, and by the first line."""
    store = in_file(tmp_path / "nowhere" / "rejects.jsonl")

    with pytest.raises(ConfigError, match="rejected_records_file"):
        asyncio.run(store.check())
    with pytest.raises(ConfigError, match="rejected_records_file"):
        store.add(b"a")


# In a bucket.


def test_each_flush_makes_an_object_of_what_came_since_the_last(bucket: Bucket) -> None:
    """Numbered from 1; without lines none is made."""
    store = there(store_of(in_bucket(), {"streams": [{"sync_id": 42}]}))
    asyncio.run(store.flush())
    for lines in ([b"a", b"bc"], [], [b"d"]):
        for line in lines:
            store.add(line)
        asyncio.run(store.flush())

    assert bucket.objects == {"42/rejected-records-00001.jsonl": b"a\nbc\n", "42/rejected-records-00002.jsonl": b"d\n"}
    assert bucket.deleted == []


def test_a_line_is_pending_until_the_bucket_has_it(bucket: Bucket) -> None:
    """With the end of the line; one that came while others were put is not safe with them."""
    bucket.seconds = 0.001
    sizes = []

    async def story() -> None:
        store = there(store_of(in_bucket()))
        sizes.append(store.pending)
        store.add(b"abc")
        store.add(b"")
        flushing = asyncio.create_task(store.flush())
        await asyncio.sleep(0)
        sizes.append(store.pending)
        store.add(b"d")
        sizes.append(store.pending)
        await flushing
        sizes.append(store.pending)
        await store.flush()
        sizes.append(store.pending)

    asyncio.run(story())
    assert sizes == [0, 5, 7, 2, 0]
    assert sorted(bucket.objects.values()) == [b"abc\n\n", b"d\n"]


def test_a_bucket_that_takes_nothing_is_told_as_a_mistake_in_the_configuration(bucket: Bucket) -> None:
    """By the check, and by the first object; the lines are not taken for safe."""
    bucket.refuses = True
    store = there(store_of(in_bucket()))
    with pytest.raises(ConfigError):
        asyncio.run(store.check())
    store.add(b"a")
    with pytest.raises(ConfigError):
        asyncio.run(store.flush())

    assert store.pending == 2


def test_a_check_of_a_bucket_leaves_nothing(bucket: Bucket) -> None:
    """It puts a small object where the others will be, and takes it away."""
    asyncio.run(there(store_of(in_bucket(bucket_path="/a/b/"), {"streams": [{"sync_id": 42}]})).check())

    assert (bucket.objects, bucket.deleted) == ({}, ["a/b/42/check"])


KEYS = {"access_key_id": "id", "secret_access_key": "secret"}


@pytest.mark.parametrize(
    ("more", "config_of", "allows_http"),
    [
        ({}, {"region": "us-east-1"}, False),
        (KEYS, {"region": "us-east-1", "access_key_id": "id", "secret_access_key": "secret"}, False),
        ({"access_key_id": "id"}, {"region": "us-east-1"}, False),
        ({"secret_access_key": "secret"}, {"region": "us-east-1"}, False),
        ({"s3_endpoint": "http://minio:9000"}, {"region": "us-east-1", "endpoint": "http://minio:9000"}, True),
        ({"s3_endpoint": "https://minio"}, {"region": "us-east-1", "endpoint": "https://minio"}, False),
        ({"s3_bucket_region": ""}, {}, False),
    ],
)
def test_a_bucket_is_opened_with_what_the_configuration_names(
    bucket: Bucket, more: Json, config_of: Mapping[str, str], allows_http: bool
) -> None:
    """Keys come in pairs, else the environment's are used; without encryption only where the endpoint says so; the bucket in the path."""
    asyncio.run(there(store_of(in_bucket(**more))).check())

    [store] = bucket.stores
    found = {name.removeprefix("aws_"): value for name, value in store.config.items()}
    assert found.pop("bucket") == "rejects"
    assert str(found.pop("virtual_hosted_style_request")).lower() == "false"
    assert found == config_of
    assert str(store.client_options["allow_http"]).lower() == str(allows_http).lower()


FIRST, SECOND = JOB_VARIABLES


@pytest.mark.parametrize(
    ("catalog", "environment", "job"),
    [
        ({"streams": [{"sync_id": 42}, {"sync_id": 43}]}, {FIRST: "7"}, "42"),
        ({"streams": ["odd", {}, {"sync_id": None}, {"sync_id": 0}]}, {FIRST: "7"}, "0"),
        ({"streams": [{"sync_id": ""}]}, {FIRST: "7", SECOND: "8"}, "7"),
        ({"streams": {"sync_id": 42}}, {FIRST: "", SECOND: "8"}, "8"),
        ({}, {SECOND: "8"}, "8"),
        (None, {FIRST: "7"}, "7"),
        (None, {}, r"\d{8}T\d{6}Z"),
        ({"streams": [{}]}, {FIRST: ""}, r"\d{8}T\d{6}Z"),
    ],
)
def test_objects_are_in_the_folder_of_the_job(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, catalog: Json | None, environment: Mapping[str, str], job: str
) -> None:
    """By the number that the catalog or the platform gives it, or by the time where neither does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asyncio.run(there(store_of(in_bucket(), catalog)).check())

    [key] = bucket.deleted
    assert re.fullmatch(f"{job}/check", key)


# What.

RECORD = b'{"type": "RECORD", "record": {"stream": "people", "data": {"email": "nobody", "n": 1}}}'


def line(outcome: Outcome, stream: StreamKey = PEOPLE, contact_id: str = CONTACT, row: int = 7, text: bytes = RECORD) -> Json:
    """Return what a line says."""
    found: Json = orjson.loads(outcome_line(Entry(stream, 0, 99, row=row, line=text), contact_id, outcome))
    return found


def test_a_line_says_all_there_is_to_say() -> None:
    """Whose record it is, what became of it and why, in Mailchimp's words, when to try again, what would change, and the record."""
    outcome = Outcome("rejected", "why", "No.", later=True, field="FNAME", changes=(("vip", None, True), ("language", "en", "de")))

    assert line(outcome, ("ns", "people")) == {
        "stream": "people",
        "namespace": "ns",
        "number": 7,
        "contact_id": CONTACT,
        "outcome": "rejected",
        "field": "FNAME",
        "reason": "why",
        "mailchimp": "No.",
        "retry": "later",
        "changes": {"vip": {"old": None, "new": True}, "language": {"old": "en", "new": "de"}},
        "record": {"email": "nobody", "n": 1},
    }


def test_a_line_says_nothing_of_what_there_is_not() -> None:
    """Rather than null."""
    assert line(CREATED, contact_id="", text=b"") == {"stream": "people", "number": 7, "outcome": "created"}
    assert line(UPDATED, contact_id="", text=b"", row=0) == {"stream": "people", "number": 99, "outcome": "updated"}


def test_a_line_that_was_no_record_of_a_stream_is_kept_as_it_came() -> None:
    """With its line number; bytes that are not text are replaced."""
    assert line(rejected("why"), NOWHERE, contact_id="", row=0, text=b"no json \xff") == {
        "number": 99,
        "outcome": "rejected",
        "reason": "why",
        "line": "no json \N{REPLACEMENT CHARACTER}",
    }
    assert line(UNCHANGED, NOWHERE, contact_id="", row=0, text=RECORD)["line"] == RECORD.decode()


def test_a_file_is_opened_when_there_is_something_to_write(tmp_path: Path) -> None:
    """A sync without rejects leaves none."""
    path = tmp_path / "rejects.jsonl"
    asyncio.run(FileStore(str(path)).flush())

    assert not path.exists()
