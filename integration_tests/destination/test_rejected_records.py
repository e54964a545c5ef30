"""Rejected records in the user's hands, and the policies and guards of what is written."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from integration_tests.bucket import KEYS, Bucket
from mailchimp_unified.identity import subscriber_hash

GOOD = b'{"type": "RECORD", "record": {"stream": "people", "emitted_at": 1, "data": {"email": "good@contacts.example"}}}'


def lines_of(text: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def bad_records(record: Any) -> list[Any]:
    """Records of which three are rejected for different reasons, and lines that are none."""
    return [
        record({"email": "good@contacts.example"}),
        record({"email": "a@contacts.example", "vip": "?"}),
        record({"email": "b@contacts.example", "ip_signup": "nowhere"}),
        record({"email": "b b"}),
        b"no json",
    ]


def test_a_file_has_every_reject_and_can_be_sent_again(make_runner: Any, record: Any, state: Any, tmp_path: Path) -> None:
    """Each line names stream, number, contact, field and reason and holds the record; only the owner may read the file."""
    runner, path = make_runner(), tmp_path / "rejected.jsonl"
    options = {"rejected_records": "file", "rejected_records_file": str(path)}
    result = runner.write([*bad_records(record), state(1)], **options)
    assert result.statistics == [{"recordCount": 1.0, "rejectedRecordCount": 4.0}]
    found = sorted(lines_of(path.read_text()), key=lambda line: line["number"])
    assert [(line["number"], line.get("stream"), line.get("field")) for line in found] == [
        (2, "people", "vip"), (3, "people", "ip_signup"), (4, "people", "email"), (5, None, None)
    ]  # fmt: skip
    assert found[0]["record"] == {"email": "a@contacts.example", "vip": "?"}
    assert found[0]["contact_id"] == subscriber_hash("a@contacts.example")
    assert found[3]["line"] == "no json"
    assert all(line["outcome"] == "rejected" and line["reason"] for line in found)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = [
        record({**line["record"], "vip": True, "ip_signup": None, "email": line["record"]["email"].replace(" ", "@x.")})
        for line in found[:3]
    ]
    assert runner.write(again).counts()["created"] == 3


def test_a_throttled_sign_up_is_to_be_sent_later(runner: Any, record: Any, tmp_path: Path) -> None:
    """A refusal that passes by itself says so, in the reason and in the file."""
    path = tmp_path / "rejected.jsonl"
    runner.mailchimp.behavior(throttled_signups={"busy@contacts.example": -1})
    messages = [record({"email": email}) for email in ("busy@contacts.example", "good@contacts.example")]
    result = runner.write(messages, rejected_records="file", rejected_records_file=str(path))
    [line] = lines_of(path.read_text())
    assert line["retry"] == "later"
    assert "temporary" in line["reason"]
    assert "temporary" in result.text


ODD = {
    "a number of forty digits": ('{"email": "bad", "odd": %s}' % ("1" * 40), int("1" * 40)),
    "not a number": ('{"email": "bad", "odd": NaN}', None),
    "an infinite number": ('{"email": "bad", "odd": 1e400}', None),
    "half a pair": (r'{"email": "bad", "odd": "\ud83d"}', "\N{REPLACEMENT CHARACTER}"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_reject_with_an_odd_value_is_kept(make_runner: Any, tmp_path: Path, name: str) -> None:
    """What strict JSON has no word for, or no room for, ends no sync when its record is rejected; whole numbers are kept digit by digit."""
    columns, kept = ODD[name]
    runner, path = make_runner(), tmp_path / "rejected.jsonl"
    line = f'{{"type": "RECORD", "record": {{"stream": "people", "emitted_at": 1, "data": {columns}}}}}'

    result = runner.write([line.encode(), GOOD], rejected_records="file", rejected_records_file=str(path))

    assert result.error is None
    assert [one["record"]["odd"] for one in lines_of(path.read_text())] == [kept]


@pytest.mark.parametrize("levels", [99, 200, 900, 980])
def test_a_record_that_is_nested_too_deeply_is_rejected(make_runner: Any, tmp_path: Path, levels: int) -> None:
    """It ends no sync, and the records around it are written."""
    runner, path = make_runner(), tmp_path / "rejected.jsonl"
    deep = "[" * levels + "]" * levels
    line = f'{{"type": "RECORD", "record": {{"stream": "people", "emitted_at": 1, "data": {{"email": "a@contacts.example", "tags": {deep}}}}}}}'

    result = runner.write([line.encode(), GOOD], rejected_records="file", rejected_records_file=str(path))

    assert result.error is None
    assert "good@contacts.example" in runner.members()
    assert len(lines_of(path.read_text())) == 1


def test_a_number_of_forty_digits_is_written_digit_by_digit(make_runner: Any, record: Any) -> None:
    """No parser on its way rounds it."""
    runner = make_runner()
    runner.write([record({"email": "a@contacts.example", "first_name": int("12345678" * 5)})])
    assert runner.members()["a@contacts.example"]["merge_fields"]["FNAME"] == "12345678" * 5


def test_no_file_is_made_without_rejects(runner: Any, record: Any, tmp_path: Path) -> None:
    """A sync that rejects nothing leaves nothing."""
    path = tmp_path / "rejected.jsonl"
    runner.write([record({"email": "good@contacts.example"})], rejected_records="file", rejected_records_file=str(path))
    assert not path.exists()


def test_a_dry_run_keeps_every_planned_outcome(make_runner: Any, record: Any, tmp_path: Path) -> None:
    """With old and new value of each field that would change."""
    runner, path = make_runner(contacts=2, tags=["Old"], tags_per_contact=1), tmp_path / "planned.jsonl"
    first, second = list(runner.members())
    messages = [
        record({"email": first, "first_name": "New", "tags": ["Fresh"], "tags_to_remove": ["old"]}),
        record({"email": second, "is_deleted": True}),
        record({"email": "new@contacts.example", "first_name": "Ada"}),
    ]
    options = {"rejected_records": "file", "rejected_records_file": str(path), "dry_run": True}
    runner.write(messages, **options)
    assert runner.writes() == []
    found = {line["record"]["email"]: line for line in lines_of(path.read_text())}
    assert found[first]["outcome"] == "updated"
    assert found[first]["changes"]["merge_fields.FNAME"] == {"old": runner.members()[first]["merge_fields"].get("FNAME"), "new": "New"}
    assert found[first]["changes"]["tags"] == {"old": ["Old"], "new": ["Fresh"]}
    assert found[second]["changes"] == {"status": {"old": "subscribed", "new": "archived"}}
    assert found["new@contacts.example"]["outcome"] == "created"
    assert found["new@contacts.example"]["changes"]["status"] == {"old": None, "new": "subscribed"}


def test_object_storage_has_them_where_the_platform_looks(runner: Any, record: Any, state: Any, catalog: Any, bucket: Bucket) -> None:
    """In the folder of the sync, safe before the state is given back."""
    storage = {"storage_type": "S3", "s3_bucket_name": "made", "s3_bucket_region": "us-east-1", "bucket_path": "rejects/mc", **KEYS}
    options = {"rejected_records": "object_storage", "object_storage_config": {**storage, "s3_endpoint": bucket.endpoint}}
    assert runner.check(**options) == ("SUCCEEDED", "")
    assert bucket.texts() == {}
    result = runner.write([*bad_records(record), state(1)], catalog({"name": "people", "sync_id": 4711}), **options)
    assert result.ids == [1]
    texts = bucket.texts()
    assert {key.rpartition("/")[0] for key in texts} == {"rejects/mc/4711"}
    assert len(lines_of("".join(texts.values()))) == 4


def test_a_bucket_that_is_not_there_fails_the_check_and_acknowledges_nothing(runner: Any, record: Any, state: Any, bucket: Bucket) -> None:
    """A reject that cannot be kept is not acknowledged."""
    storage = {"storage_type": "S3", "s3_bucket_name": "nowhere", "s3_bucket_region": "us-east-1", **KEYS, "s3_endpoint": bucket.endpoint}
    options = {"rejected_records": "object_storage", "object_storage_config": storage}
    status, message = runner.check(**options)
    assert (status, "nowhere" in message) == ("FAILED", True)
    result = runner.write([*bad_records(record), state(1)], **options)
    assert result.error is not None
    assert result.ids == []


@pytest.mark.parametrize(
    "options",
    [
        {"rejected_records": "file"},
        {"rejected_records": "file", "rejected_records_file": "/nowhere/at/all.jsonl"},
        {"rejected_records": "object_storage"},
        {"rejected_records": "object_storage", "object_storage_config": {"storage_type": "None", "s3_bucket_name": "x"}},
        {"max_new_contacts": "many"},
        {"max_new_contacts": "-1"},
        {"max_new_contacts": True},
        {"write_policy": "mirror"},
    ],
)
def test_check_refuses_what_cannot_work(runner: Any, options: dict[str, Any]) -> None:
    """A place that is missing and a guard that is none are named before anything is sent."""
    status, message = runner.check(**options)
    assert status == "FAILED"
    assert any(name in message for name in options) or "rejected_records" in message


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize(
    ("policy", "counts"),
    [
        ("upsert", {"created": 2, "updated": 3, "unchanged": 0, "skipped": 0, "rejected": 0}),
        ("update_only", {"created": 0, "updated": 3, "unchanged": 0, "skipped": 2, "rejected": 0}),
        ("create_only", {"created": 2, "updated": 0, "unchanged": 0, "skipped": 3, "rejected": 0}),
    ],
)
def test_write_policies(make_runner: Any, record: Any, write_mode: str, policy: str, counts: dict[str, int]) -> None:
    """update_only creates nobody, create_only touches nobody who is there, archived ones included."""
    runner = make_runner(contacts=3, statuses={"subscribed": 1, "archived": 1, "unsubscribed": 1})
    before = runner.members()
    messages = [record({"email": email, "first_name": "New"}) for email in [*before, "n1@contacts.example", "n2@contacts.example"]]
    for dry_run in (True, False):
        result = runner.write(messages, write_mode=write_mode, write_policy=policy, dry_run=dry_run)
        assert result.counts() == counts
    after = runner.members()
    assert ("n1@contacts.example" in after) == (policy != "update_only")
    assert all((after[email] == before[email]) == (policy == "create_only") for email in before)


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize(
    ("most", "fits"), [(10, True), ("10", True), ("9", False), (0, False), ("50%", True), ("45%", False), (None, True)]
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_no_more_contacts_are_created_than_allowed(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any, record: Any, state: Any, write_mode: str, most: Any, fits: bool, dry_run: bool
) -> None:
    """The sync stops with a config error before one more is created; existing contacts do not count."""
    runner = make_runner(contacts=20)
    known = [record({"email": email, "first_name": "New"}) for email in runner.members()]
    new = [record({"email": f"n{n}@contacts.example"}) for n in range(10)]
    result = runner.write([*known, *new, state(1)], write_mode=write_mode, max_new_contacts=most, dry_run=dry_run)
    created = len(runner.members()) - 20
    assert (result.error is None) == fits, result.error
    if fits:
        assert created == (0 if dry_run else 10)
    else:
        assert result.error.failure_type.value == "config_error"
        assert "max_new_contacts" in (result.error.message or "")
        assert created <= 9
        assert result.ids == []
