"""Clients that somebody else wrote, pointed at a local Mailchimp."""

from __future__ import annotations

from typing import Any

import mailchimp_marketing
from mailchimp_marketing.api_client import ApiClientError

from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator

ADA, BO, CY = "ada@shop.test", "bo@shop.test", "cy@shop.test"


def client(mailchimp: Emulator, *, token: bool = False) -> Any:
    """Return Mailchimp's Python client, with a key or a token."""
    credentials = {"access_token": DEFAULT_OAUTH_TOKEN} if token else {"api_key": DEFAULT_API_KEY}
    made = mailchimp_marketing.Client(credentials)
    # The client knows Mailchimp's own hosts only.
    made.api_client.host = f"{mailchimp.url}/3.0"
    return made


def drive(mailchimp: Emulator) -> None:
    """Read and write everything that the emulator has, the way the client's documentation does."""
    mailchimp.seed(id="a" * 10, name="Customers", contacts=25)
    chimp = client(mailchimp)
    assert chimp.ping.get() == {"health_status": "Everything's Chimpy!"}
    assert chimp.root.get_root()["role"] == "owner"
    assert [one["name"] for one in chimp.lists.get_all_lists(count=5)["lists"]] == ["Customers"]
    assert chimp.lists.get_list("a" * 10)["stats"]["member_count"] == 25
    for part in (members, bulk, segments, merge_fields, interests):
        part(chimp.lists, "a" * 10)


def members(lists: Any, list_id: str) -> None:
    """Members, one by one."""
    page = lists.get_list_members_info(list_id, count=20, offset=20, status="subscribed", sort_field="last_changed", sort_dir="ASC")
    assert (len(page["members"]), page["total_items"]) == (5, 25)
    assert lists.add_list_member(list_id, {"email_address": ADA, "status": "pending", "tags": ["New"]})["status"] == "pending"
    assert refused(lists.add_list_member, list_id, {"email_address": ADA, "status": "subscribed"}) == 400
    put = lists.set_list_member(list_id, BO, {"email_address": BO, "status_if_new": "subscribed", "merge_fields": {"FNAME": "Bo"}})
    assert (put["status"], put["merge_fields"]["FNAME"]) == ("subscribed", "Bo")
    assert lists.update_list_member(list_id, put["id"], {"language": "fr"})["language"] == "fr"
    lists.update_list_member_tags(list_id, BO, {"tags": [{"name": "New", "status": "active"}]})
    assert [tag["name"] for tag in lists.get_list_member_tags(list_id, BO)["tags"]] == ["New"]
    lists.delete_list_member(list_id, BO)
    assert lists.get_list_member(list_id, BO)["status"] == "archived"
    lists.delete_list_member_permanent(list_id, BO)
    assert refused(lists.get_list_member, list_id, BO) == 404


def bulk(lists: Any, list_id: str) -> None:
    """Many members at once."""
    rows = [{"email_address": email, "status": "subscribed"} for email in (ADA, CY, "no address")]
    answer = lists.batch_list_members(list_id, {"members": rows, "update_existing": True})
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (1, 1, 1)
    assert lists.batch_list_members(list_id, {"members": rows[:1]})["errors"][0]["error_code"] == "ERROR_CONTACT_EXISTS"


def segments(lists: Any, list_id: str) -> None:
    """Segments, which are tags when they are static."""
    made = lists.create_segment(list_id, {"name": "VIP", "static_segment": [ADA]})
    assert lists.batch_segment_members({"members_to_add": [CY], "members_to_remove": [ADA]}, list_id, made["id"])["total_added"] == 1
    assert [one["email_address"] for one in lists.get_segment_members_list(list_id, made["id"])["members"]] == [CY]
    assert {one["name"] for one in lists.list_segments(list_id, type="static")["segments"]} == {"New", "VIP"}
    assert [tag["name"] for tag in lists.tag_search(list_id, name="VI")["tags"]] == ["VIP"]
    assert lists.update_segment(list_id, made["id"], {"name": "Gold"})["name"] == "Gold"
    lists.delete_segment(list_id, made["id"])
    assert refused(lists.get_segment, list_id, made["id"]) == 404


def merge_fields(lists: Any, list_id: str) -> None:
    """Merge fields."""
    made = lists.add_list_merge_field(list_id, {"tag": "AGE", "name": "Age", "type": "number"})
    assert lists.update_list_merge_field(list_id, made["merge_id"], {"name": "Years"})["name"] == "Years"
    assert "AGE" in {field["tag"] for field in lists.get_list_merge_fields(list_id)["merge_fields"]}
    assert refused(lists.update_list_member, list_id, CY, {"merge_fields": {"AGE": "old"}}) == 400
    lists.delete_list_merge_field(list_id, made["merge_id"])
    assert refused(lists.get_list_merge_field, list_id, made["merge_id"]) == 404


def interests(lists: Any, list_id: str) -> None:
    """Groups and their interests."""
    made = lists.create_list_interest_category(list_id, {"title": "Topics", "type": "checkboxes"})
    topic = lists.create_interest_category_interest(list_id, made["id"], {"name": "News"})
    assert lists.update_list_member(list_id, CY, {"interests": {topic["id"]: True}})["interests"] == {topic["id"]: True}
    assert lists.list_interest_category_interests(list_id, made["id"])["interests"][0]["subscriber_count"] == "1"
    assert lists.get_list_interest_categories(list_id)["total_items"] == 1


def refused(call: Any, *arguments: Any) -> int:
    """Return the status with which a call of the client is refused."""
    try:
        call(*arguments)
    except ApiClientError as error:
        return int(error.status_code)
    raise AssertionError("the call was not refused")
