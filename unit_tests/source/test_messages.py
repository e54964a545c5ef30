"""The lines that are printed are the messages that Airbyte's serialiser would print."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from hypothesis import given, settings
from hypothesis import strategies as st

from mailchimp_unified.entities.readable import Readable
from mailchimp_unified.entities.rows import Contact
from source_mailchimp_unified.sync.messages import Records, estimate_message, record_lines, record_messages

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=10)


plain = st.dictionaries(st.text(), values, max_size=8)
contacts = st.builds(Contact, id=st.text(), tags_count=st.none() | st.integers(0, 9), vip=st.none() | st.booleans(), custom_fields=values)
odd = st.builds(Readable, plain, st.lists(st.text(), max_size=3))


def printed(records: Records) -> tuple[list[Any], list[Any]]:
    """Return the lines of records, and what their messages come to."""
    lines = [json.loads(line) for chunk in record_lines("contacts", records) for line in chunk.content.splitlines()]
    return lines, [json.loads(AirbyteEntrypoint.airbyte_message_to_string(one)) for one in record_messages("contacts", records)]


@settings(max_examples=50)
@given(st.lists(plain | contacts | odd, max_size=4))
def test_record_lines_are_the_record_messages(records: list[Any]) -> None:
    """For any records, contacts, and those of which something could not be read: the same, except for the time they were made."""
    lines, messages = printed(records)

    assert [chunk.number for chunk in record_lines("contacts", records)] == ([len(records)] if records else [])
    for one in [*lines, *messages]:
        assert isinstance(one["record"].pop("emitted_at"), int)
    assert lines == messages


@pytest.mark.parametrize("nulled", [[], ["vip"], ["stats.rating", "tags.0"]], ids=str)
def test_a_record_names_what_could_not_be_read(nulled: list[str]) -> None:
    """And has no remark where everything could."""
    for each in printed([Readable({"id": "a", "vip": None}, nulled)]):
        [record] = [one["record"] for one in each]
        assert record["data"] == {"id": "a"}
        assert [one["field"] for one in record.get("meta", {}).get("changes", [])] == nulled
        assert all(
            (one["change"], one["reason"]) == ("NULLED", "SOURCE_SERIALIZATION_ERROR") for one in record.get("meta", {}).get("changes", [])
        )
        assert ("meta" in record) == bool(nulled)


def test_a_contact_is_printed_without_what_it_lacks() -> None:
    """As a message and as a line; false and zero are no lack."""
    for each in printed([Contact(id="a", vip=False, tags_count=0)]):
        assert [(one["type"], one["record"]["stream"], one["record"]["data"]) for one in each] == [
            ("RECORD", "contacts", {"id": "a", "vip": False, "tags_count": 0})
        ]


def test_a_message_has_the_time_it_was_made_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Airbyte's protocol wants it."""
    monkeypatch.setattr(time, "time", lambda: 1_795_608_000.25)
    estimate = estimate_message("contacts", 7).trace

    assert {one["record"]["emitted_at"] for each in printed([{"id": "a"}]) for one in each} == {1_795_608_000_250}
    assert estimate is not None
    assert estimate.emitted_at == 1_795_608_000_250


@pytest.mark.parametrize(
    "kind", [lambda: {"id": "a", "tags": [[]]}, lambda: Contact(id="a", tags=[[]]), lambda: Readable({"id": "a"}, ["vip"])]
)
def test_lines_on_their_way_are_no_work_for_the_garbage_collector(kind: Callable[[], Any]) -> None:
    """None of them is part of a cycle, and a page has a thousand."""
    tracked: list[str] = []

    def records() -> Iterator[Any]:
        yield from (kind() for _ in range(5))
        tracked.extend(type(one).__name__ for one in gc.get_objects() if type(one).__module__ == record_lines.__module__)
        yield kind()

    assert [chunk.number for chunk in record_lines("contacts", records())] == [6]
    assert tracked == []
