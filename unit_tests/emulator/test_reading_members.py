"""GET /lists/{list_id}/members."""

from __future__ import annotations

from typing import Any

import pytest

DAY = "2026-05-04T12:00:0"


@pytest.fixture
def four(api: Any, mailchimp: Any) -> Any:
    """Four contacts, one a second: ada at :00, ben at :01, cia at :02, dov at :03."""
    for name in ("ada", "ben", "cia", "dov"):
        api.add(name)
        mailchimp.clock(advance=1)
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"since_last_changed": DAY + "1+00:00"}, ["cia", "dov"]),
        ({"since_last_changed": DAY + "1Z"}, ["cia", "dov"]),
        ({"since_last_changed": DAY + "0.999Z"}, ["ben", "cia", "dov"]),
        ({"before_last_changed": DAY + "1Z"}, ["ada", "ben"]),
        ({"before_last_changed": DAY + "1.9Z"}, ["ada", "ben"]),
        ({"since_last_changed": DAY + "0Z", "before_last_changed": DAY + "2Z"}, ["ben", "cia"]),
        ({"since_last_changed": "2026-05-04T14:00:01+02:00"}, ["cia", "dov"]),
        ({"since_last_changed": "2027-01-01"}, []),
        ({"since_last_changed": "yesterday"}, ["ada", "ben", "cia", "dov"]),
        ({"since_last_changed": "2026-05-04T12:00:01.0000000Z"}, ["ada", "ben", "cia", "dov"]),
        ({"since_timestamp_opt": DAY + "2Z"}, ["dov"]),
        ({"email_address": "BEN@shop.test"}, ["ben"]),
        ({"nonsense": "1"}, ["ada", "ben", "cia", "dov"]),
        ({"sort_dir": "DESC"}, ["dov", "cia", "ben", "ada"]),
        ({"sort_dir": "DESC", "count": 2, "offset": 1}, ["cia", "ben"]),
        ({"count": 2, "offset": 3}, ["dov"]),
        ({"count": 0}, []),
        ({"offset": 9}, []),
    ],
)
def test_filter_and_order(four: Any, query: dict[str, Any], expected: list[str]) -> None:
    """since_ excludes its own second, before_ includes it, and an unreadable date filters nothing."""
    assert four.emails(sort_field="last_changed", **query) == expected


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({}, 4),
        ({"offset": 9}, 4),
        ({"count": 1}, 4),
        ({"since_last_changed": DAY + "1Z"}, 2),
        ({"since_last_changed": "2030-01-01"}, 0),
        ({"email_address": "ben@shop.test"}, 1),
        ({"status": "cleaned"}, 0),
    ],
)
def test_total_items_counts_what_matches(four: Any, query: dict[str, Any], total: int) -> None:
    """total_items obeys the filters and does not obey the page."""
    for order in ({}, {"sort_field": "last_changed"}, {"sort_field": "timestamp_opt"}):
        assert four.get("members", **query, **order)["total_items"] == total


def test_default_page_has_ten(api: Any, mailchimp: Any) -> None:
    """Without count a page has ten members."""
    mailchimp.seed(id="bbbbbbbbbb", contacts=25)
    assert len(api.get("/lists/bbbbbbbbbb/members")["members"]) == 10


@pytest.mark.parametrize(("flag", "status"), [("clamp", 200), ("refuse", 400)])
def test_count_above_a_thousand(api: Any, mailchimp: Any, flag: str, status: int) -> None:
    """A count above 1000 gives 1000, or is refused when the flag says so."""
    mailchimp.seed(id="bbbbbbbbbb", contacts=1200)
    mailchimp.behavior(count_over_max=flag)
    answer = api.call("GET", "/lists/bbbbbbbbbb/members", params={"count": 5000, "fields": "members.id"})
    assert answer.status_code == status
    assert status == 400 or len(answer.json()["members"]) == 1000


@pytest.fixture
def every_status(api: Any) -> Any:
    """One contact of each status, named after it."""
    for status in ("subscribed", "unsubscribed", "cleaned", "pending", "transactional"):
        api.add(status, status)
    api.add("archived")
    api.delete("members/archived@shop.test")
    return api


def test_bare_list_leaves_out_archived_only(every_status: Any, mailchimp: Any) -> None:
    """Without status every contact is listed but the archived; a flag leaves out transactional ones."""
    bare = {"subscribed", "unsubscribed", "cleaned", "pending", "transactional"}
    assert set(every_status.emails()) == bare
    mailchimp.behavior(transactional_in_bare_list=False)
    for order in ({}, {"sort_field": "last_changed"}):
        assert set(every_status.emails(**order)) == bare - {"transactional"}
    mailchimp.behavior(transactional_in_bare_list=True, archived_in_bare_list=True)
    assert set(every_status.emails(sort_field="last_changed")) == bare | {"archived"}


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"])
def test_status_filter(every_status: Any, status: str) -> None:
    """Each status lists its own, archived included, and composes with since and before."""
    assert every_status.emails(status=status) == [status]
    window = {"since_last_changed": DAY + "1Z", "sort_field": "last_changed"}
    assert every_status.emails(status=status, **window) == []


def test_no_order_without_sort_field(api: Any) -> None:
    """Without sort_field the order is by nothing a reader could use, but it is stable."""
    names = [f"contact{number:02d}" for number in range(40)]
    for name in names:
        api.add(name)
    seen = api.emails(count=100)
    assert seen == api.emails(count=100)
    assert seen not in (names, names[::-1])


@pytest.mark.parametrize("field", ["last_changed", "timestamp_opt", "timestamp_signup"])
def test_ties_keep_a_stable_order(api: Any, field: str) -> None:
    """Contacts of one second keep their order across pages, and DESC is the exact reverse of ASC."""
    api.bulk(*({"email_address": f"c{number}@shop.test", "status": "subscribed"} for number in range(30)))
    up = api.emails(sort_field=field, sort_dir="ASC", count=30)
    paged = [name for offset in range(0, 30, 7) for name in api.emails(sort_field=field, count=7, offset=offset)]
    assert paged == up
    assert api.emails(sort_field=field, sort_dir="DESC", count=30) == up[::-1]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"fields": "members.id,total_items"}, {"members": {"id"}, "total_items": None}),
        ({"fields": "id,email_address"}, {}),
        ({"fields": "members.merge_fields.FNAME"}, {"members": {"merge_fields"}}),
        ({"fields": "total_items"}, {"total_items": None}),
        ({"exclude_fields": "members,_links"}, {"list_id": None, "total_items": None}),
        ({"exclude_fields": "no_such_field"}, {"members": None, "list_id": None, "total_items": None, "_links": None}),
    ],
)
def test_fields_are_paths_from_the_top(api: Any, query: dict[str, str], keys: dict[str, Any]) -> None:
    """Fields are dotted paths from the top of the answer; bare member fields name nothing."""
    api.add("ada", merge_fields={"FNAME": "Ada", "LNAME": "King"})
    page = api.get("members", **query)
    assert page.keys() == keys.keys()
    if keys.get("members"):
        assert page["members"][0].keys() == keys["members"]
    if "merge_fields.FNAME" in query.get("fields", ""):
        assert page["members"] == [{"merge_fields": {"FNAME": "Ada"}}]


def test_links_are_there_unless_excluded(api: Any) -> None:
    """_links come with the page and each member, and exclude_fields takes each away."""
    api.add("ada")
    whole = api.get("members")
    assert [link["rel"] for link in whole["_links"]] == ["self", "parent", "create"]
    assert [link["rel"] for link in whole["members"][0]["_links"]][:3] == ["self", "parent", "update"]
    lean = api.get("members", exclude_fields="members._links,_links")
    assert list(whole["members"][0]) == [*lean["members"][0], "_links"]
    assert "_links" not in lean
    some = api.get("members", exclude_fields="members._links,members.stats,_links")["members"][0]
    assert lean["members"][0].keys() - some.keys() == {"stats"}
    assert api.get("members", fields="members") == {"members": whole["members"]}
    assert api.get("members", fields="members._links,members.id")["members"][0].keys() == {"id", "_links"}


def test_fields_and_exclude_fields_exclude_each_other(api: Any) -> None:
    """Both in one request are an error."""
    answer = api.call("GET", "members", params={"fields": "members.id", "exclude_fields": "_links"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"since_last_campaign": "false"}, "Status is required when using since_last_campaign filter."),
        ({"unsubscribed_since": "2026-01-01", "status": "subscribed"}, "The unsubscribed_since filter only works"),
        ({"status": "nobody"}, "The resource submitted could not be validated."),
    ],
)
def test_filters_that_do_not_go_together(api: Any, query: dict[str, str], detail: str) -> None:
    """Some filters need, or refuse, a status."""
    answer = api.call("GET", "members", params=query)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(detail)


def test_unsubscribed_since(api: Any, mailchimp: Any) -> None:
    """unsubscribed_since lists who left after that moment."""
    api.add("early", "unsubscribed")
    mailchimp.clock(advance=10)
    api.add("late", "unsubscribed")
    api.add("stays")
    assert api.emails(unsubscribed_since=DAY + "5Z") == ["late"]


def test_vip_type_and_identity_filters(api: Any) -> None:
    """vip_only, email_type and unique_email_id narrow the list; a false boolean does not."""
    api.add("plain")
    vip = api.add("vip", vip=True, email_type="text")
    assert api.emails(vip_only="TRUE") == ["vip"]
    assert len(api.emails(vip_only="no")) == 2
    assert api.emails(email_type="text") == ["vip"]
    assert api.emails(unique_email_id=vip["unique_email_id"]) == ["vip"]


@pytest.mark.parametrize("key", ["id", "email_address", "contact_id"])
def test_one_member_by_any_identity(api: Any, key: str) -> None:
    """The path takes the hash, the email address or the contact_id."""
    ada = api.add("Ada")
    assert api.get(f"members/{ada[key]}")["id"] == ada["id"]
    assert api.call("GET", f"members/{'0' * 32}").status_code == 404


def test_inline_tags_stop_at_fifty(api: Any) -> None:
    """A member shows at most fifty tags, and tags_count says how many there are."""
    ada = api.add("ada", tags=[f"tag {number}" for number in range(60)])
    assert (len(ada["tags"]), ada["tags_count"]) == (50, 60)
    everything = api.get(f"members/{ada['id']}/tags", count=1000)
    assert (len(everything["tags"]), everything["total_items"]) == (60, 60)
    assert everything["tags"][0].keys() == {"id", "name", "date_added"}
