from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from mailchimp_emulator.client import ControlError
from mailchimp_emulator.synthesis import made_up

TIME = {"type": "string", "format": "date-time"}
CAMPAIGN = {"type": "object", "properties": {"id": {"type": "string"}, "create_time": TIME, "send_time": TIME}}
CAMPAIGNS = {
    "path": "/campaigns",
    "item": CAMPAIGN,
    "key": "campaigns",
    "items": 25,
    "time": "create_time",
    "since": "since_create_time",
    "before": "before_create_time",
}
ACTIVITY = {
    "path": "/reports/{campaign_id}/email-activity",
    "item": {
        "type": "object",
        "properties": {
            "campaign_id": {"type": "string"},
            "email_id": {"type": "string"},
            "activity": {"type": "array", "items": {"type": "object", "properties": {"timestamp": TIME}}},
        },
    },
    "key": "emails",
    "parent": "/campaigns",
    "names": {"campaign_id": "campaign_id"},
    "time": "activity.timestamp",
    "since": "since",
}


def test_what_is_not_described_is_not_there(api: Any, mailchimp: Any) -> None:
    """A collection appears with its description and goes with the next one, or a reset."""
    assert api.call("GET", "/campaigns").status_code == 404
    mailchimp.describe([CAMPAIGNS])
    assert api.get("/campaigns")["total_items"] == 25
    assert api.call("POST", "/campaigns", json={}).status_code == 404
    mailchimp.describe([])
    assert api.call("GET", "/campaigns").status_code == 404


def test_described_collections_are_paged_as_any_other(api: Any, mailchimp: Any) -> None:
    """Ten items unless asked for more, an offset, and fields; all pages together are the collection."""
    mailchimp.describe([CAMPAIGNS])
    pages = [api.get("/campaigns", count=10, offset=offset, fields="campaigns.id")["campaigns"] for offset in (0, 10, 20)]

    assert len(api.get("/campaigns")["campaigns"]) == 10
    assert sorted(item["id"] for page in pages for item in page) == sorted(f"id-{number}" for number in range(25))
    assert {frozenset(item) for page in pages for item in page} == {frozenset({"id"})}


def test_cursors_lead_from_page_to_page(api: Any, mailchimp: Any) -> None:
    """The last page names no next one."""
    mailchimp.describe([{**CAMPAIGNS, "paging": "cursor"}])
    first = api.get("/campaigns", count=20)
    second = api.get("/campaigns", count=20, cursor=first["next_cursor"])

    assert first["total_items"] == second["total_items"] == 25
    assert len({item["id"] for item in [*first["campaigns"], *second["campaigns"]]}) == 25
    assert "next_cursor" not in second


def test_times_filter_and_sort(api: Any, mailchimp: Any) -> None:
    """`since` excludes its second, `before` includes it, and a sorted collection is sorted."""
    mailchimp.describe([CAMPAIGNS])
    moments = [item["create_time"] for item in api.get("/campaigns", count=100, sort_field="create_time", sort_dir="ASC")["campaigns"]]
    window = api.get("/campaigns", count=100, since_create_time=moments[3], before_create_time=moments[7])

    assert moments == sorted(moments)
    assert {item["create_time"] for item in window["campaigns"]} == set(moments[4:8])
    assert window["total_items"] == 4
    backwards = api.get("/campaigns", count=100, sort_field="create_time", sort_dir="DESC")["campaigns"]
    assert [item["create_time"] for item in backwards] == moments[::-1]


def test_children_know_their_parents(api: Any, mailchimp: Any) -> None:
    """A child of an unknown parent is a 404; of a known one it carries the key. Times of entries filter the entries."""
    mailchimp.describe([CAMPAIGNS, ACTIVITY])
    emails = api.get("/reports/id-3/email-activity")["emails"]
    latest = max(entry["timestamp"] for email in emails for entry in email["activity"])

    assert api.call("GET", "/reports/id-99/email-activity").status_code == 404
    assert {email["campaign_id"] for email in emails} == {"id-3"}
    later = api.get("/reports/id-3/email-activity", since=latest)
    assert (later["total_items"], [email["activity"] for email in later["emails"]]) == (3, [[], [], []])


def test_each_ancestor_is_looked_up_by_its_own_key(api: Any, mailchimp: Any) -> None:
    """A grandchild needs its parent and its grandparent, whose keys need not be alike."""
    child, grandchild = "/campaigns/{campaign_id}/links", "/campaigns/{campaign_id}/links/{link_id}/members"
    described = [CAMPAIGNS, {**ACTIVITY, "path": child}, {**ACTIVITY, "path": grandchild, "parent": child}]
    mailchimp.describe(described)
    mailchimp.add_items("/campaigns/id-1/links", {"id": "mine"})
    assert len(api.get("/campaigns/id-1/links/mine/members")["emails"]) == 3
    assert api.call("GET", "/campaigns/id-2/links/mine/members").status_code == 404
    assert api.call("GET", "/campaigns/id-99/links/mine/members").status_code == 404


def test_audiences_and_contacts_may_be_parents(api: Any, mailchimp: Any) -> None:
    """A description below an audience or a contact needs one that is there, and leaves what has a handler of its own alone."""
    contact = api.add("ada")
    notes = {
        "path": "/lists/{list_id}/members/{subscriber_hash}/notes",
        "item": CAMPAIGN,
        "key": "notes",
        "parent": "/lists/{list_id}/members",
    }
    mailchimp.describe([notes, {**notes, "path": "/lists/{list_id}/segments", "key": "segments"}])

    assert len(api.get(f"members/{contact['id']}/notes")["notes"]) == 3
    assert api.call("GET", f"members/{'0' * 32}/notes").status_code == 404
    assert api.call("GET", "/lists/ffffffffff/members/x/notes").status_code == 404
    assert api.get("segments")["segments"] == []


def test_items_are_added_as_given(api: Any, mailchimp: Any) -> None:
    """What a test gives stands in the item, the rest is made up; a path that nothing describes is an error."""
    mailchimp.describe([CAMPAIGNS])
    added = mailchimp.add_items("/campaigns", {"id": "mine", "create_time": "2027-01-01T00:00:00+00:00"})

    assert (len(added), added[-1]["id"]) == (26, "mine")
    assert mailchimp.items("/campaigns") == added
    assert [item["id"] for item in api.get("/campaigns", since_create_time="2026-12-31T00:00:00Z")["campaigns"]] == ["mine"]
    with pytest.raises(ControlError, match="nothing is described at /reports"):
        mailchimp.items("/reports")


@pytest.mark.parametrize("paging", ["offset", "none", "cursor"])
def test_ten_by_default(api: Any, mailchimp: Any, paging: str) -> None:
    """Every collection gives ten items unless asked for more, also where the reference names no pages."""
    mailchimp.describe([{**CAMPAIGNS, "paging": paging}])
    answer = api.get("/campaigns")
    assert (len(answer["campaigns"]), answer["total_items"]) == (10, 25)
    assert len(api.get("/campaigns", count=1000)["campaigns"]) == 25


def test_items_change_and_go(api: Any, mailchimp: Any) -> None:
    """Items that have given values change in place or go; how many there were is told."""
    mailchimp.describe([CAMPAIGNS])
    assert mailchimp.change_items("/campaigns", {"id": "id-3"}, send_time="2026-01-01T00:00:00+00:00", title="Changed") == 1
    assert next(item for item in api.get("/campaigns", count=100)["campaigns"] if item["id"] == "id-3")["title"] == "Changed"
    assert mailchimp.remove_items("/campaigns", id="id-3") == 1
    assert mailchimp.remove_items("/campaigns", id="id-3") == 0
    answer = api.get("/campaigns", count=100)
    assert (answer["total_items"], "id-3" in {item["id"] for item in answer["campaigns"]}) == (24, False)


def test_items_show_late(api: Any, mailchimp: Any) -> None:
    """An item is seen so many seconds after its time; entries of an item, too."""
    mailchimp.describe([{**CAMPAIGNS, "items": 1}, ACTIVITY])
    mailchimp.add_items("/campaigns", {"id": "new", "create_time": "2026-05-04T11:59:00+00:00"})
    opened = {"email_id": "ada", "activity": [{"timestamp": "2026-05-04T11:59:00+00:00"}]}
    mailchimp.add_items("/reports/new/email-activity", opened)
    mailchimp.behavior(visible_after=90)
    assert [item["id"] for item in api.get("/campaigns")["campaigns"]] == ["id-0"]
    assert {"ada": 0}.items() <= {one["email_id"]: len(one["activity"]) for one in api.get("/reports/new/email-activity")["emails"]}.items()
    mailchimp.clock(advance=30)
    assert {item["id"] for item in api.get("/campaigns")["campaigns"]} == {"id-0", "new"}
    assert {"ada": 1}.items() <= {one["email_id"]: len(one["activity"]) for one in api.get("/reports/new/email-activity")["emails"]}.items()


def test_an_answer_may_be_the_item(api: Any, mailchimp: Any) -> None:
    """Without a key the answer is one item."""
    mailchimp.describe([{"path": "/campaigns", "item": CAMPAIGN, "paging": "none"}])
    assert api.get("/campaigns", count=1).keys() == CAMPAIGN["properties"].keys()


@pytest.mark.parametrize("number", range(6))
def test_values_are_of_the_described_shape(number: int) -> None:
    """Every kind of value, variants and combinations fit their schema, and are the same every time."""
    variants = [
        {"type": "object", "properties": {"kind": {"enum": ["a"]}}},
        {"type": "object", "properties": {"size": {"type": "integer"}}},
    ]
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["text", "whole", "part", "yes", "list", "inner", "choice"],
        "properties": {
            "text": {"type": "string"},
            "whole": {"type": "integer"},
            "part": {"type": ["null", "number"]},
            "yes": {"type": "boolean"},
            "list": {"type": "array", "items": {"x-oneOf": variants}, "minItems": 2},
            "inner": {"allOf": [{"properties": {"a": TIME}}, {"properties": {"b": {"type": "string"}}}]},
            "choice": {"type": "string", "enum": ["x", "y"]},
        },
    }
    made = made_up(schema, "thing", number)

    jsonschema.Draft7Validator(schema).validate(made)
    assert made["inner"].keys() == {"a", "b"}
    assert made == made_up(schema, "thing", number)
    assert made != made_up(schema, "thing", number + 1)
