"""/lists and the account."""

from __future__ import annotations

from typing import Any

import pytest

NEW_LIST = {
    "name": "Fresh",
    "contact": {"company": "X", "address1": "1", "city": "C", "country": "US"},
    "permission_reminder": "You asked.",
    "campaign_defaults": {"from_name": "X", "from_email": "x@shop.test", "subject": "", "language": "en"},
    "email_type_option": False,
    "double_optin": True,
}


def test_stats_are_counted(api: Any) -> None:
    """A list counts its contacts by status, and its merge fields; empty dates are blanks."""
    assert api.get()["stats"]["last_unsub_date"] == ""
    for number, status in enumerate(("subscribed", "subscribed", "unsubscribed", "cleaned", "pending")):
        api.add(f"c{number}", status)
    stats = api.get()["stats"]
    assert (stats["member_count"], stats["unsubscribe_count"], stats["cleaned_count"]) == (2, 1, 1)
    assert (stats["merge_field_count"], stats["campaign_last_sent"]) == (5, "")
    assert "total_contacts" not in stats
    assert api.get("/lists", include_total_contacts="true")["lists"][0]["stats"]["total_contacts"] == 3


def test_lists_page(api: Any, mailchimp: Any) -> None:
    """The page has lists, total_items, constraints and links, and obeys count, fields and the date filters."""
    mailchimp.seed(id="bbbbbbbbbb", name="Old", date_created="2019-01-01T00:00:00Z")
    page = api.get("/lists")
    assert page.keys() == {"lists", "total_items", "constraints", "_links"}
    assert page["constraints"] == {"may_create": True, "max_instances": 100, "current_total_instances": 2}
    assert len(api.get("/lists", count=1)["lists"]) == 1
    assert api.get("/lists", fields="lists.id") == {"lists": [{"id": "aaaaaaaaaa"}, {"id": "bbbbbbbbbb"}]}
    assert api.get("/lists", since_date_created="2019-01-01T00:00:00Z")["total_items"] == 1
    assert api.get("/lists", before_date_created="2019-01-01T00:00:00Z")["total_items"] == 1
    by_date = api.get("/lists", sort_field="date_created", sort_dir="ASC", fields="lists.name")
    assert [found["name"] for found in by_date["lists"]] == ["Old", "Customers"]


def test_lists_that_hold_an_address(api: Any, mailchimp: Any) -> None:
    """`email` keeps the lists that the email address is on."""
    mailchimp.seed(id="bbbbbbbbbb")
    api.add("ada")
    assert api.get("/lists", email="ADA@shop.test", fields="lists.id") == {"lists": [{"id": "aaaaaaaaaa"}]}


def test_list_life(api: Any) -> None:
    """A list is made, changed and deleted."""
    made = api.post("/lists", NEW_LIST).json()
    path = f"/lists/{made['id']}"
    assert made["double_optin"] is True
    assert api.get(path + "/merge-fields")["total_items"] == 5
    assert api.patch(path, {"name": "Renamed", "double_optin": False}).json()["name"] == "Renamed"
    assert api.get(path)["double_optin"] is False
    assert api.delete(path).status_code == 204
    assert api.call("GET", path).status_code == 404


@pytest.mark.parametrize("name", ["name", "contact", "permission_reminder", "campaign_defaults", "email_type_option"])
def test_required_keys_of_a_list(api: Any, name: str) -> None:
    """A new list needs these keys."""
    body = {key: setting for key, setting in NEW_LIST.items() if key != name}
    answer = api.post("/lists", body)
    assert answer.json()["errors"] == [{"field": "", "message": f"Required fields were not provided: {name}"}]


def test_list_limit(api: Any, mailchimp: Any) -> None:
    """An account that is full may not create."""
    mailchimp.behavior(list_limit=1)
    assert api.get("/lists")["constraints"]["may_create"] is False
    assert api.post("/lists", NEW_LIST).status_code == 400


def test_marketing_permissions_show_on_members(api: Any) -> None:
    """Members show marketing permissions when the list asks for them."""
    assert "marketing_permissions" not in api.add("ada")
    api.patch("", {"marketing_permissions": True})
    [permission] = api.get("members/ada@shop.test")["marketing_permissions"]
    sent = [{"marketing_permission_id": permission["marketing_permission_id"], "enabled": True}]
    after = api.put("members/ada@shop.test", {"marketing_permissions": sent}).json()
    assert after["marketing_permissions"][0]["enabled"] is True


def test_account(api: Any, mailchimp: Any) -> None:
    """GET / names the account and who calls; ping says that all is well."""
    api.add("ada")
    mailchimp.rename_account("Renamed")
    mailchimp.role("viewer")
    account = api.get("/")
    assert (account["account_name"], account["role"], account["total_subscribers"]) == ("Renamed", "viewer", 1)
    assert api.get("/", fields="login_id").keys() == {"login_id"}
    assert api.get("/ping") == {"health_status": "Everything's Chimpy!"}


def test_every_collection_gives_ten_by_default(api: Any, mailchimp: Any) -> None:
    """Without a count every collection gives ten items, with one as many as asked for."""
    tags = [f"Tag {number:02d}" for number in range(12)]
    api.add("c0", tags=tags)
    for number in range(1, 12):
        api.add(f"c{number}", tags=tags[:1])
        api.post("merge-fields", {"name": f"Field {number}", "type": "text"})
        api.post("interest-categories", {"title": f"Group {number}", "type": "hidden"})
    group = api.get("interest-categories")["categories"][0]["id"]
    for number in range(12):
        api.post(f"interest-categories/{group}/interests", {"name": f"Interest {number}"})
    mailchimp.seed(*[{} for _ in range(11)])
    tag = next(found for found in api.get("segments", count=100)["segments"] if found["member_count"] > 1)
    collections = {
        "/lists": "lists", "members": "members", "members/c0@shop.test/tags": "tags", "tag-search": "tags",
        "segments": "segments", f"segments/{tag['id']}/members": "members", "merge-fields": "merge_fields",
        "interest-categories": "categories", f"interest-categories/{group}/interests": "interests",
    }  # fmt: skip
    for path, key in collections.items():
        assert len(api.get(path)[key]) == 10, path
        assert len(api.get(path, count=1000)[key]) == api.get(path)["total_items"] > 10, path
