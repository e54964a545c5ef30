"""Tags, which are static segments."""

from __future__ import annotations

from typing import Any

import pytest


def tag(api: Any, name: str, **states: str) -> None:
    """Edit the tags of a contact; keyword names stand for tags."""
    rows = [{"name": label.replace("_", " "), "status": state} for label, state in states.items()]
    assert api.post(f"members/{name}@shop.test/tags", {"tags": rows}).status_code == 204


def test_a_tag_is_a_static_segment(api: Any) -> None:
    """The first use of a name makes a segment of type static with the same id."""
    api.add("ada", tags=["VIP"])
    [shown] = api.get("members/ada@shop.test")["tags"]
    page = api.get("segments", type="static")
    assert page["total_items"] == 1
    segment = page["segments"][0]
    assert (segment["id"], segment["name"], segment["type"], segment["member_count"]) == (shown["id"], "VIP", "static", 1)
    assert segment.keys() == {
        "id", "name", "member_count", "type", "created_at", "updated_at", "options", "list_id", "_links",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["fuzzy", "saved", "nonsense"])
def test_unknown_segment_type_is_empty(api: Any, kind: str) -> None:
    """A type that nothing has, or that does not exist, gives 200 and an empty page."""
    api.add("ada", tags=["VIP"])
    page = api.get("segments", type=kind)
    assert (page["segments"], page["total_items"]) == ([], 0)


def test_names_match_whatever_their_case(api: Any) -> None:
    """The first spelling stays, and other spellings mean the same tag."""
    api.add("ada", tags=["Big Spender"])
    api.add("ben", tags=["BIG SPENDER"])
    tag(api, "ada", big_spender="inactive")
    assert [found["name"] for found in api.get("tag-search")["tags"]] == ["Big Spender"]
    assert api.get("members/ada@shop.test")["tags"] == []
    assert api.get("members/ben@shop.test")["tags"][0]["name"] == "Big Spender"


def test_unlisted_tags_stay(api: Any) -> None:
    """Only tags that the request names are touched, on archived contacts too."""
    api.add("ada", tags=["One", "Two"])
    api.delete("members/ada@shop.test")
    tag(api, "ada", Two="inactive", Three="active")
    assert {shown["name"] for shown in api.get("members/ada@shop.test")["tags"]} == {"One", "Three"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tags": []}, 204),
        ({"tags": {"name": "x", "status": "active"}}, 204),
        ({"tags": ["x"]}, 400),
        ({"tags": [{"name": "x"}]}, 400),
        ({"tags": [{"name": "x", "status": "on"}]}, 400),
        ({"tags": [{"name": 1, "status": "active"}]}, 400),
    ],
)
def test_shapes_of_tag_edits(api: Any, body: Any, status: int) -> None:
    """A bare object is accepted and does nothing; rows of the wrong shape are refused."""
    api.add("ada")
    assert api.post("members/ada@shop.test/tags", body).status_code == status
    assert api.get("members/ada@shop.test")["tags"] == []


def test_tag_search_is_by_prefix(api: Any) -> None:
    """tag-search finds names by prefix in any case, all without a name, and obeys count."""
    api.add("ada", tags=["Hiking", "hiker", "Climbing"])
    assert {found["name"] for found in api.get("tag-search", name="HIK")["tags"]} == {"Hiking", "hiker"}
    assert api.get("tag-search")["total_items"] == 3
    assert len(api.get("tag-search", count=1)["tags"]) == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 1),
        ({"include_unsubscribed": "true"}, 2),
        ({"include_cleaned": "1", "include_transactional": "true", "include_unsubscribed": "true"}, 4),
    ],
)
def test_member_count_is_of_subscribed(api: Any, query: dict[str, str], count: int) -> None:
    """member_count and the members of a segment leave out all but the subscribed unless asked."""
    for status in ("subscribed", "unsubscribed", "cleaned", "transactional"):
        api.add(status, status, tags=["VIP"])
    segment = api.get("segments", **query)["segments"][0]
    assert segment["member_count"] == count
    page = api.get(f"segments/{segment['id']}/members", **query)
    assert (len(page["members"]), page["total_items"]) == (count, count)


def test_segment_life(api: Any, mailchimp: Any) -> None:
    """A tag is made with members, renamed, emptied and deleted; its members lose it."""
    for name in ("ada", "ben"):
        api.add(name)
    made = api.post("segments", {"name": "VIP", "static_segment": ["ada@shop.test", "nobody@shop.test"]}).json()
    path = f"segments/{made['id']}"
    assert (made["member_count"], made["type"]) == (1, "static")
    assert api.post("segments", {"name": "vip", "static_segment": []}).status_code == 400
    mailchimp.clock(advance=60)
    renamed = api.patch(path, {"name": "Gold", "static_segment": ["ben@shop.test"]}).json()
    assert (renamed["name"], renamed["member_count"]) == ("Gold", 1)
    assert api.get("members/ben@shop.test")["tags"] == [{"id": made["id"], "name": "Gold"}]
    assert api.get("segments", since_updated_at="2026-05-04T12:00:30Z")["total_items"] == 1
    assert api.delete(path).status_code == 204
    assert api.call("GET", path).status_code == 404
    assert api.get("members/ben@shop.test")["tags"] == []


def test_saved_segments_are_no_tags(api: Any) -> None:
    """A segment with options is saved, is not found as a tag, and takes no members."""
    options = {"match": "any", "conditions": []}
    made = api.post("segments", {"name": "Query", "options": options}).json()
    assert made["type"] == "saved"
    assert api.get("tag-search")["tags"] == []
    assert api.post(f"segments/{made['id']}", {"members_to_add": []}).status_code == 400


def test_bulk_tagging_by_segment(api: Any, mailchimp: Any) -> None:
    """Members are added and removed by address; addresses not on the list are reported."""
    for name in ("ada", "ben"):
        api.add(name)
    made = api.post("segments", {"name": "VIP", "static_segment": ["ben@shop.test"]}).json()
    mailchimp.clock(advance=60)
    body = {"members_to_add": ["ADA@shop.test", "nobody@shop.test"], "members_to_remove": ["ben@shop.test"]}
    answer = api.post(f"segments/{made['id']}", body).json()
    assert (answer["total_added"], answer["total_removed"], answer["error_count"]) == (1, 1, 1)
    assert answer["errors"][0]["email_addresses"] == ["nobody@shop.test"]
    assert answer["members_added"][0]["last_changed"] == "2026-05-04T12:01:00+00:00"
    assert api.get("members/ben@shop.test")["tags"] == []


def test_segment_edits_have_a_limit(api: Any) -> None:
    """More than 500 email addresses in one call are refused, and so is anything but an array of strings."""
    made = api.post("segments", {"name": "VIP", "static_segment": []}).json()
    for wrong in ([f"c{number}@shop.test" for number in range(501)], "ada@shop.test", [1]):
        assert api.post(f"segments/{made['id']}", {"members_to_add": wrong}).status_code == 400


def test_single_members_of_a_segment(api: Any) -> None:
    """One member joins and leaves a segment by its own path."""
    ada = api.add("ada")
    path = f"segments/{api.post('segments', {'name': 'VIP', 'static_segment': []}).json()['id']}/members"
    assert api.post(path, {"email_address": "ada@shop.test"}).json()["email_address"] == "ada@shop.test"
    assert api.get("members/ada@shop.test")["tags_count"] == 1
    assert api.delete(f"{path}/{ada['id']}").status_code == 204
    assert api.delete(f"{path}/{ada['id']}").status_code == 404
    assert api.post(path, {"email_address": "nobody@shop.test"}).status_code == 404
