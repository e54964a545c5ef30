"""Answers that are almost right, or not right in one place: what rules change in real answers, and what they do meanwhile."""

from __future__ import annotations

import functools
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests

ITEM = {"type": "object", "properties": {"id": {"type": "string"}}}
CAMPAIGNS = {"path": "/campaigns", "item": ITEM, "key": "campaigns", "items": 5}


def collections(api: Any, mailchimp: Any) -> dict[str, str]:
    """Fill one collection of each kind; their paths with the key of their items."""
    api.add("ada", tags=["One", "Two"])
    api.add("ben", tags=["One"])
    mailchimp.describe([CAMPAIGNS])
    return {
        "/lists": "lists",
        f"/lists/{api.list_id}/members": "members",
        f"/lists/{api.list_id}/segments": "segments",
        f"/lists/{api.list_id}/tag-search": "tags",
        f"/lists/{api.list_id}/merge-fields": "merge_fields",
        f"/lists/{api.list_id}/members/ada@shop.test/tags": "tags",
        "/campaigns": "campaigns",
    }


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"kind": "empty_object_200"}, "missing"),
        ({"kind": "no_records_key"}, "missing"),
        ({"kind": "null_records"}, None),
        ({"kind": "no_records"}, []),
    ],
)
def test_records_are_absent(api: Any, mailchimp: Any, rule: dict[str, Any], shown: Any) -> None:
    """Any collection can come without its records, once, and is itself again afterwards."""
    for path, key in collections(api, mailchimp).items():
        whole = api.get(path)
        mailchimp.faults([{**rule, "path": f"{path}$", "times": 1}])
        odd = api.get(path)
        assert odd.get(key, "missing") == shown
        assert odd == {} or odd["total_items"] == whole["total_items"] > 0
        assert api.get(path) == whole
        assert mailchimp.journal()[-2]["fault"] == rule["kind"]


def test_pages_are_clamped(api: Any, mailchimp: Any) -> None:
    """A page has at most so many rows, however many were asked for, and what is behind them is there."""
    for path, key in collections(api, mailchimp).items():
        everything = api.get(path)[key]
        mailchimp.faults([{"kind": "clamp", "rows": 1, "path": f"{path}$"}])
        answers = [api.get(path, count=1000, offset=offset) for offset in range(len(everything))]
        assert [answer[key] for answer in answers] == [[item] for item in everything]
        assert {answer["total_items"] for answer in answers} == {len(everything)}


@pytest.mark.parametrize(("rule", "total"), [({"by": 3}, 5), ({"by": -1}, 1), ({"by": -9}, 0)])
def test_total_items_is_wrong(api: Any, mailchimp: Any, rule: dict[str, Any], total: int) -> None:
    """The count may be too high or too low, while the rows are all there."""
    collections(api, mailchimp)
    mailchimp.faults([{"kind": "total_items", **rule}])
    answer = api.get("members")
    assert (answer["total_items"], len(answer["members"])) == (total, 2)


def test_total_items_is_missing(api: Any, mailchimp: Any) -> None:
    """The count may be missing, and rules add up."""
    collections(api, mailchimp)
    mailchimp.faults([{"kind": "no_total_items"}, {"kind": "clamp", "rows": 1}])
    answer = api.get("members")
    assert ("total_items" in answer, len(answer["members"])) == (False, 1)
    assert mailchimp.journal()[-1]["fault"] == "no_total_items+clamp"


def test_an_error_inside_a_200(api: Any, mailchimp: Any) -> None:
    """An answer of the test's own words stands in for the real one, with status, headers and content type."""
    body = {"campaign_id": "id-1", "error": "Report not available"}
    mailchimp.faults([{"kind": "answer", "body": body, "times": 1}])
    assert api.get("members") == body
    mailchimp.faults([{"kind": "answer", "status": 418, "body": "a pot", "content_type": "text/plain", "headers": {"X-Tea": "yes"}}])
    answer = api.call("GET", "members")
    assert (answer.status_code, answer.text, answer.headers["Content-Type"], answer.headers["X-Tea"]) == (418, "a pot", "text/plain", "yes")


def test_an_offset_has_no_effect(api: Any, mailchimp: Any) -> None:
    """The first page comes for every offset."""
    collections(api, mailchimp)
    mailchimp.faults([{"kind": "ignore_offset"}])
    assert api.get("members", count=1, offset=1) == api.get("members", count=1)


def test_a_cursor_repeats(api: Any, mailchimp: Any) -> None:
    """The next cursor is the one that was sent."""
    mailchimp.describe([{**CAMPAIGNS, "paging": "cursor"}])
    mailchimp.faults([{"kind": "repeat_cursor"}])
    first = api.get("/campaigns", count=2)
    second = api.get("/campaigns", count=2, cursor=first["next_cursor"])
    assert second["next_cursor"] == first["next_cursor"]
    assert second["campaigns"] != first["campaigns"]


@pytest.mark.parametrize("status", [400, 403, 404, 408, 409, 410, 422, 423, 425, 429, 500, 503])
def test_any_status(api: Any, mailchimp: Any, status: int) -> None:
    """A status as a kind is a problem document with that status."""
    mailchimp.faults([{"kind": str(status), "times": 1}])
    answer = api.call("GET", "members")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert api.call("GET", "members").status_code == 200


def test_retry_after(api: Any, mailchimp: Any) -> None:
    """Retry-After is a number of seconds, a date by the emulator's clock, or any text."""
    for wanted, header in ((3600, "3600"), ({"date": 90}, "Mon, 04 May 2026 12:01:30 GMT"), ("soon", "soon")):
        mailchimp.faults([{"kind": "503", "retry_after": wanted}])
        assert api.call("GET", "members").headers["Retry-After"] == header


def test_the_firewall(api: Any, mailchimp: Any) -> None:
    """Its page is HTML with a reference number."""
    mailchimp.faults([{"kind": "403_firewall"}])
    answer = api.call("GET", "members")
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html")
    assert "Access Denied" in answer.text
    assert "Reference&#32;&#35;" in answer.text


def test_big_pages_fail(api: Any, mailchimp: Any) -> None:
    """A page of more than so many items fails, a smaller one works."""
    mailchimp.faults([{"kind": "504_html", "path": "/members$", "count_over": 500}])
    assert [api.call("GET", "members", params={"count": count}).status_code for count in (1000, 501, 500, 1)] == [504, 504, 200, 200]
    assert api.call("GET", "members").status_code == 200


def test_a_rule_matches_the_query(api: Any, mailchimp: Any) -> None:
    """Parameters are matched by regular expressions; one that was not sent is empty."""
    mailchimp.faults([{"kind": "500", "query": {"status": "^archived$", "offset": "^(0?)$"}}])
    queries = [{"status": "archived"}, {"status": "archived", "offset": 5}, {}]
    assert [api.call("GET", "members", params=query).status_code for query in queries] == [500, 200, 200]


def test_a_body_drips(api: Any, mailchimp: Any) -> None:
    """A dripping body comes byte by byte, and whole for a client who waits."""
    mailchimp.faults([{"kind": "drip", "seconds": 0.001}])
    answer = api.call("GET", "/ping")
    assert answer.json() == {"health_status": "Everything's Chimpy!"}
    mailchimp.faults([{"kind": "drip", "seconds": 10}])
    begun = time.monotonic()
    with requests.get(f"{api.url}/3.0/ping", auth=api.session.auth, stream=True, timeout=10) as slow:
        assert next(slow.iter_content(1)) == b"{"
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("location", "Berlin"),
        ("tags", None),
        ("merge_fields", ["Ada"]),
        ("stats.avg_open_rate", "often"),
        ("last_changed", "0000-00-00T00:00:00+00:00"),
        ("tags_count", "many"),
        ("email_address", None),
    ],
)
def test_odd_values_of_one_contact(api: Any, mailchimp: Any, path: str, value: Any) -> None:
    """One contact may have any value anywhere, in pages and alone; the others stay as they are."""
    api.add("ada")
    api.add("ben")
    ben = api.get("members/ben@shop.test")
    mailchimp.faults([{"kind": "set_values", "where": {"full_name": "", "id": ben["id"]}, "values": {path: value}}])
    shown = {member["id"]: member for member in api.members()}
    for odd in (shown.pop(ben["id"]), api.get("members/ben@shop.test")):
        assert functools.reduce(lambda holder, name: holder[name], path.split("."), odd) == value
    assert next(iter(shown.values())) == api.get("members/ada@shop.test")


def test_keys_are_missing(api: Any, mailchimp: Any) -> None:
    """Keys are taken out of items; what `fields` leaves out is not put in."""
    api.add("ada")
    mailchimp.faults([{"kind": "set_values", "remove": ["id", "stats.avg_open_rate"], "values": {"vip": "yes"}}])
    [member] = api.members()
    assert ("id" in member, member["stats"], member["vip"]) == (False, {"avg_click_rate": 0}, "yes")
    assert api.members(fields="members.email_address") == [{"email_address": "ada@shop.test"}]


def test_text_that_json_may_not_hold(api: Any, mailchimp: Any) -> None:
    """A lone surrogate and NaN stand in the text of an answer as a careless server writes them."""
    api.add("ada")
    values = {"merge_fields.FNAME": "\ud800", "stats.avg_open_rate": float("nan")}
    mailchimp.faults([{"kind": "set_values", "values": values}])
    text = api.call("GET", "members").text
    assert '"FNAME":"\\ud800"' in text
    assert '"avg_open_rate":NaN' in text
    assert json.loads(text)["members"][0]["merge_fields"]["FNAME"] == "\ud800"


def test_items_that_are_none(api: Any, mailchimp: Any) -> None:
    """An item may be a text, null, there twice, or missing though it is counted."""
    mailchimp.describe([CAMPAIGNS])
    whole = api.get("/campaigns")["campaigns"]
    rules = [
        {"kind": "replace_items", "index": 0, "value": "text"},
        {"kind": "replace_items", "index": 1, "value": None},
        {"kind": "repeat_items", "where": whole[2]},
        {"kind": "drop_items", "where": whole[4]},
    ]
    mailchimp.faults(rules)
    answer = api.get("/campaigns")
    assert (answer["campaigns"], answer["total_items"]) == (["text", None, whole[2], whole[2], whole[3]], 5)


def test_the_date_header(api: Any, mailchimp: Any) -> None:
    """It may be off, malformed or missing, once or for good, on every kind of answer."""
    true = "Mon, 04 May 2026 12:00:00 GMT"
    mailchimp.faults([{"kind": "date", "skew": 3600, "times": 1}, {"kind": "500", "after": 1, "times": 1}])
    assert [api.call("GET", "members").headers["Date"] for _ in range(2)] == ["Mon, 04 May 2026 13:00:00 GMT", true]
    mailchimp.faults([{"kind": "date", "text": "yesterday"}, {"kind": "404"}])
    assert api.call("GET", "members").headers["Date"] == "yesterday"
    mailchimp.faults([{"kind": "date", "text": ""}])
    assert "Date" not in api.call("GET", "members").headers


@pytest.mark.parametrize(("when", "status"), [("before", "unsubscribed"), ("after", "subscribed")])
def test_somebody_acts_at_a_request(api: Any, mailchimp: Any, when: str, status: str) -> None:
    """Commands run just before or just after the n-th request that matches, so that a test can hit any gap between two calls."""
    api.add("ada")
    act = {"command": "act", "list_id": api.list_id, "email": "ada@shop.test", "action": "unsubscribe_self"}
    mailchimp.faults([{"kind": "run", "method": "GET", "path": "/members/ada", "after": 1, "times": 1, "when": when, "commands": [act]}])
    assert [api.get("members/ada@shop.test")["status"] for _ in range(2)] == ["subscribed", status]
    assert api.get("members/ada@shop.test")["status"] == "unsubscribed"
    assert mailchimp.fault_counts() == [{"kind": "run", "path": "/members/ada", "matched": 3, "hits": 1, "failure": ""}]
    assert mailchimp.stats()["faults"] == 0


def test_commands_that_fail_are_told(api: Any, mailchimp: Any) -> None:
    """A command that cannot be carried out spoils no answer and stands in the counts; one that does not exist is refused."""
    gone = {"command": "act", "list_id": api.list_id, "email": "nobody@shop.test", "action": "archive"}
    mailchimp.faults([{"kind": "run", "commands": [gone]}])
    assert api.get("members")["members"] == []
    assert "no contact nobody@shop.test" in mailchimp.fault_counts()[0]["failure"]
    with pytest.raises(RuntimeError, match="unknown command 'dance'"):
        mailchimp.faults([{"kind": "run", "commands": [{"command": "dance"}]}])


def test_writes_are_left_alone_unless_named(api: Any, mailchimp: Any) -> None:
    """What changes bodies changes those of reads; those of writes where the rule names the method."""
    mailchimp.faults([{"kind": "set_values", "values": {"status": "odd"}}])
    assert api.add("ada")["status"] == "subscribed"
    mailchimp.faults([{"kind": "set_values", "method": "POST", "values": {"status": "odd"}}])
    assert api.add("ben")["status"] == "odd"


def test_the_examples_of_the_readme(mailchimp: Any) -> None:
    """Every rule that the README shows is a rule."""
    readme = (Path(__file__).resolve().parents[2] / "mailchimp_emulator" / "README.md").read_text()
    rules = re.findall(r'`(\{"kind": .*?\})`', readme)
    assert len(rules) > 12
    for rule in rules:
        mailchimp.faults([eval(rule, {"list_id": "aaaaaaaaaa", "float": float})])
