"""Members are read from an answer as objects; what cannot be read so is read whole, with the same records in the end."""

from __future__ import annotations

import gc
import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.entities import contact
from mailchimp_unified.entities.rows import Contact, Member, MembersPage, member_of, rows_of
from mailchimp_unified.parsing import parsed
from source_mailchimp_unified.contacts.lookback import fingerprint_of
from source_mailchimp_unified.sync.fingerprints import digest
from source_mailchimp_unified.sync.messages import record_lines

ROW: dict[str, Any] = {
    "id": "a" * 32, "email_address": "a@shop.test", "status": "subscribed", "list_id": "b" * 10, "last_changed": "2026-01-01T00:00:00+00:00",
    "merge_fields": {"FNAME": "Ada"}, "interests": {"x": True}, "tags": [{"id": 1, "name": "A"}], "language": "en", "vip": False,
}  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def answer(*rows: Any) -> bytes:
    """Return the body of a page."""
    return orjson.dumps({"members": rows, "total_items": len(rows), "list_id": "b" * 10})


@given(st.dictionaries(st.sampled_from([*Member.__struct_fields__, "unknown"]), values, max_size=5))
def test_a_row_is_the_same_member_in_either_way_of_reading(row: dict[str, Any]) -> None:
    """A contact and its fingerprint do not depend on how the answer was read."""
    kept = parsed(answer(row), MembersPage)
    whole = parsed(answer(row))

    (quick,), (slow,) = rows_of(kept["members"]), rows_of(whole["members"])
    assert quick is not None
    assert slow is not None
    assert kept["total_items"] == whole["total_items"] == 1
    assert contact.tolerantly(quick) == contact.tolerantly(slow) == contact.from_mailchimp(row)
    assert fingerprint_of(quick) == fingerprint_of(slow)


def test_the_fingerprint_of_a_member_is_that_of_states_already_saved() -> None:
    """A member is known again by a state that an earlier release saved."""
    names = ("id", "contact_id", "status", "last_changed", "email_address", "merge_fields", "interests", "tags", "language", "vip")

    (member,) = rows_of([ROW])

    assert member is not None
    assert fingerprint_of(member) == digest([ROW.get(name) for name in names])


ODD_ANSWERS = {
    "a row that is null": answer(ROW, None),
    "a row that is a list": answer(ROW, [1]),
    "half of a surrogate pair": answer(ROW).replace(b"Ada", b"\\ud800"),
    "a stray byte": answer(ROW).replace(b"Ada", b"\xff"),
    "not a number": answer(ROW).replace(b'"Ada"', b"NaN"),
    "a number beyond all": answer(ROW).replace(b'"Ada"', b"1e999"),
}


@pytest.mark.parametrize("content", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_answer_that_cannot_be_read_as_members_is_read_whole(content: bytes) -> None:
    """Its first row is a member all the same; a row that is no object is none."""
    first, *others = rows_of(parsed(content, MembersPage)["members"])

    assert first is not None
    assert first.email_address == "a@shop.test"
    assert others in ([], [None])


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_a_whole_number_of_any_size_is_read_and_printed(number: int) -> None:
    """Nothing breaks over a number that takes more than 64 bits."""
    content = json.dumps({"members": [{**ROW, "merge_fields": {"LTV": number}}], "total_items": 1}).encode()

    (member,) = rows_of(parsed(content, MembersPage)["members"])

    assert member is not None
    assert len(fingerprint_of(member)) == len(digest(None))
    for record in (contact.unified(member), contact.tolerantly(member)):
        (lines,) = record_lines("contacts", [record])
        assert json.loads(lines.content)["record"]["data"]["custom_fields"] == {"LTV": number}


@pytest.mark.parametrize("body", [b"[]", b"5", b'{"members":null}', b'{"members":{}}', b'{"error":"x"}', b"{}"])
def test_an_answer_that_is_no_page_is_what_it_is(body: bytes) -> None:
    """What an answer lacks is judged where it always is: nothing is made up for it."""
    assert parsed(body, MembersPage) == orjson.loads(body)


def test_the_garbage_collector_does_not_look_at_members_and_contacts() -> None:
    """A big list has millions of them, and none is part of a cycle."""
    member = member_of({**ROW, "merge_fields": {}})

    assert not gc.is_tracked(member)
    assert not gc.is_tracked(contact.unified(member))


def test_a_contact_is_printed_without_nulls_at_the_top() -> None:
    """Nulls inside are printed: there an absent name is something else."""
    assert msgspec.json.decode(msgspec.json.encode(Contact(id="i", vip=False, custom_fields={"FNAME": None}))) == {
        "id": "i",
        "vip": False,
        "custom_fields": {"FNAME": None},
    }


def test_a_member_keeps_its_row_apart_from_its_properties() -> None:
    """What no contact is made of is in the row only, even if it is called like what the member adds."""
    row = {"id": "i", "whole": "x", "unknown": 1}

    member = member_of(row)

    assert member.whole is row
    assert member == Member(id="i", whole=row)
    assert rows_of([member, row, None, [], "x"]) == [member, member, None, None, None]
