"""Calls of the API: what an answer must have to be whole, and what the calls of both connectors ask for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mailchimp_unified import endpoints
from mailchimp_unified.parsing import parsed
from mailchimp_unified.request import Request, total_items

PEOPLE = Request("/people", "the people", items="people")
PERSON = Request("/people/1", "a person", needs=("id", "status"))
PART = Request("/people/1/parts", "parts of a person", one_of=("left", "right"))


@pytest.mark.parametrize(
    ("request_", "body", "whole"),
    [
        (PERSON, {"id": "a", "status": "x"}, True),
        (PERSON, {"id": "", "status": 0}, True),
        (PERSON, {"id": "a"}, False),
        (PERSON, {"id": None, "status": "x"}, False),
        (PERSON, {}, False),
        (PART, {"left": 1}, True),
        (PART, {"right": 0}, True),
        (PART, {"left": 1, "right": 2}, True),
        (PART, {"left": None, "middle": 1}, False),
        (PART, {}, False),
        (Request("/x", "x"), {}, True),
        (PEOPLE, {"people": [1]}, True),
        (PEOPLE, {"people": [1], "total_items": 5}, True),
        (PEOPLE, {"people": []}, True),
        (PEOPLE, {"people": [], "total_items": 0}, True),
        (PEOPLE, {"people": [], "total_items": 1}, False),
        (PEOPLE, {"people": [], "total_items": -1}, True),
        (PEOPLE, {"people": [], "total_items": True}, True),
        (PEOPLE, {"people": {}}, False),
        (PEOPLE, {"people": None}, False),
        (PEOPLE, {}, False),
        (PEOPLE.page(0), {"people": [], "total_items": 3}, False),
        (PEOPLE.page(1), {"people": [], "total_items": 3}, True),
        (PEOPLE.page(0, 1), {"people": [], "total_items": 3}, False),
        (PEOPLE.page(0, 0), {"people": [], "total_items": 3}, True),
    ],
)
def test_an_answer_is_whole_when_it_has_what_the_request_needs(request_: Request, body: dict[str, Any], whole: bool) -> None:
    """Every key that is needed, one of those of which one is, and the list; an empty first page only of an empty collection."""
    assert (request_.lack(body) == "") is whole


def test_the_first_thing_that_lacks_is_named() -> None:
    """And how many items there should have been."""
    assert "id" in PERSON.lack({"name": "x"}).split()
    assert "status" in PERSON.lack({"id": "x"}).split()
    assert "7" in PEOPLE.lack({"people": [], "total_items": 7}).split()


@pytest.mark.parametrize(("said", "total"), [(5, 5), (1, 1), (0, 0), (-1, 0), (True, 0), ("5", 0), (5.0, 0), (None, 0), ([], 0)])
def test_a_count_is_a_whole_number_from_nothing_on(said: Any, total: int) -> None:
    """Everything else is unknown, which is 0."""
    assert total_items({"total_items": said}) == total
    assert total_items({}) == 0


def test_a_page_holds_a_thousand_items_unless_fewer_are_asked_for() -> None:
    """Mailchimp's most; the other parameters stay."""
    request = Request("/people", "the people", {"sort": "x"})

    assert request.page(3_000).params == {"sort": "x", "count": 1_000, "offset": 3_000}
    assert request.page(5, 7).params == {"sort": "x", "count": 7, "offset": 5}


def test_what_was_there_a_moment_ago_is_expected() -> None:
    """And nothing else is, without being said to be."""
    assert PERSON.surely().expected
    assert not PERSON.expected


MEMBER = {"id": "a", "status": "subscribed", "_links": [{"rel": "self"}], "stats": {}}
BULK = {"new_members": [MEMBER], "errors": [{"email_address": "b", "error": "is already a list member"}], "total_created": 1, "_links": []}


def test_of_an_answer_with_members_little_is_kept_even_where_parts_are_missing() -> None:
    """Links and statistics are most of it; neither a list nor a field has to be there."""
    kept = endpoints.bulk("a", [], update_existing=True).keeps

    assert parsed(orjson.dumps(BULK), kept) == {
        "new_members": [{"id": "a", "status": "subscribed"}],
        "errors": [{"email_address": "b"}],
    }
    assert parsed(orjson.dumps(MEMBER), endpoints.put_member("a", "b", {}).keeps) == {"id": "a", "status": "subscribed"}


@pytest.mark.parametrize("is_syncing", [True, False])
def test_tags_are_edited_silently_only_when_that_is_asked(is_syncing: bool) -> None:
    """`is_syncing` keeps automations from starting; without it they start."""
    rows = [{"name": "VIP", "status": "active"}]

    assert endpoints.edit_tags("a", "b", rows, is_syncing=is_syncing).body == {"tags": rows, **({"is_syncing": True} if is_syncing else {})}


@pytest.mark.parametrize("update", [True, False])
def test_a_bulk_call_updates_only_when_that_is_asked(update: bool) -> None:
    """Without it, who exists is reported and left as they are."""
    assert endpoints.bulk("a", [{"email_address": "x"}], update_existing=update).body == {
        "members": [{"email_address": "x"}],
        "update_existing": update,
    }


def test_of_a_contact_little_is_read_unless_it_is_wanted_whole() -> None:
    """Whole is everything but links."""
    assert endpoints.member("a", "b").params == {"fields": "id,email_address,status"}
    assert endpoints.member("a", "b", whole=True).params == {"exclude_fields": "_links"}


def test_contacts_come_in_the_order_of_their_changes() -> None:
    """With the fields that are wanted and the count, or with all but links; filters are added."""
    order = {"sort_field": "last_changed", "sort_dir": "ASC"}

    assert endpoints.members("a").params == {**order, "exclude_fields": "members._links,_links"}
    assert endpoints.members("a", {"status": "archived"}, "members.id").params == {
        **order,
        "status": "archived",
        "fields": "members.id,total_items",
    }


@pytest.mark.parametrize(
    "request_", [endpoints.totals(endpoints.members("a", {"count": 500, "offset": 7})), endpoints.known_permissions("a")]
)
def test_where_a_look_is_enough_one_row_is_asked_for(request_: Request) -> None:
    """The first one: a count of 0 is documented nowhere."""
    assert (request_.params["count"], request_.params["offset"]) == (1, 0)


def test_what_writes_a_contact_returns_it_and_what_archives_it_returns_nothing() -> None:
    """An answer without the contact is not believed, unless there is none to give."""
    for written in (endpoints.put_member("a", "b", {}), endpoints.patch_member("a", "b", {})):
        assert written.lack({"id": "b"}) != ""
        assert written.lack({"id": "b", "status": "pending"}) == ""
    archived = endpoints.archive_member("a", "b")
    assert (archived.method, archived.body, archived.lack({})) == ("DELETE", None, "")


def test_a_call_without_validation_is_the_same_but_for_that() -> None:
    """What else was asked for stays."""
    request = endpoints.put_member("a", "b", {"x": 1})
    without = endpoints.without_validation(Request("/x", "x", {"a": 1}, body={"x": 1}))

    assert endpoints.without_validation(request).params == {"skip_merge_validation": "true"}
    assert (without.params, without.body) == ({"a": 1, "skip_merge_validation": "true"}, {"x": 1})
