"""No odd answer of Mailchimp loses a contact, deletes what is there, or ends in COMPLETE without all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from integration_tests.commands import IMPATIENT, STREAMS, Output, Source, catalog
from mailchimp_emulator import Emulator
from mailchimp_unified.clock import moment_of
from mailchimp_unified.schemas import readable_schema

Sources = Callable[..., Source]
Faults = list[dict[str, Any]]

COLLECTIONS = {"contacts": "/members$", "lists": "/merge-fields$", "tags": "/segments$"}
"""The collections that the unified streams read, and their paths; the audiences are a case of their own."""

HALF = replace(IMPATIENT, total=2.0, first_answer=2.0)
"""Gives up soon what never gets better."""

INCOMPLETE = {
    "empty object": {"kind": "empty_object_200"},
    "no list": {"kind": "no_records_key"},
    "null for the list": {"kind": "null_records"},
    "none of what is counted": {"kind": "no_records", "query": {"offset": "^0?$"}},
    "no body": {"kind": "empty_200"},
    "not JSON": {"kind": "not_json_200"},
    "half of it": {"kind": "truncate"},
    "404": {"kind": "404"},
}
"""Ways in which an answer can be no answer."""

SHORT = {
    "clamped for good": {"kind": "clamp", "rows": 500},
    "clamped to an odd number": {"kind": "clamp", "rows": 333},
    "short once": {"kind": "clamp", "rows": 7, "times": 1},
    "too high a count": {"kind": "total_items", "by": 3},
    "too low a count": {"kind": "total_items", "by": -2},
    "no count": {"kind": "no_total_items"},
    "pages of 1000 fail": {"kind": "504_html", "count_over": 500},
}
"""Ways in which pages and counts can disagree without anything being missing."""


def account(mailchimp: Emulator) -> tuple[str, str]:
    """Make two audiences with contacts and tags."""
    one, other = mailchimp.seed(
        {"name": "One", "contacts": 2500, "tags": ["A", "B"], "statuses": {"subscribed": 0.9, "archived": 0.1}},
        {"name": "Other", "contacts": 40, "tags": ["C"], "statuses": {"subscribed": 0.5, "archived": 0.5}},
    )
    return one, other


def everybody(mailchimp: Emulator) -> set[tuple[str, str]]:
    """Return list and id of every contact there is."""
    return {(one["id"], member["id"]) for one in mailchimp.lists() for member in mailchimp.members(one["id"])}


def read(output: Output) -> set[tuple[str, str]]:
    """Return list and id of every contact that was emitted."""
    return {(record["list_id"], record["id"]) for record in output.records("contacts")}


def deleted(output: Output) -> list[dict[str, Any]]:
    """Return the tombstones of lists and tags."""
    return [record for name in ("lists", "tags") for record in output.records(name) if record["is_deleted"]]


@pytest.mark.parametrize("fault", INCOMPLETE.values(), ids=INCOMPLETE.keys())
@pytest.mark.parametrize("path", ["/lists$", *COLLECTIONS.values()])
def test_an_answer_that_is_none_is_asked_for_again(mailchimp: Emulator, source: Sources, path: str, fault: dict[str, Any]) -> None:
    """Once, it costs a request and nothing else: all is emitted, nothing is deleted."""
    account(mailchimp)
    first = source().read(catalog(["lists", "tags"]))
    mailchimp.faults([{**fault, "path": path, "times": 1}])

    output = source().read(catalog(), first.state())

    assert output.errors() == []
    assert read(output) == everybody(mailchimp)
    assert deleted(output) == []


@pytest.mark.parametrize("fault", [INCOMPLETE[name] for name in ("empty object", "null for the list", "404")], ids=["{}", "null", "404"])
@pytest.mark.parametrize("stream", COLLECTIONS)
def test_an_answer_that_stays_none_fails_its_stream(mailchimp: Emulator, source: Sources, stream: str, fault: dict[str, Any]) -> None:
    """For good, the stream is INCOMPLETE, nothing is deleted, no cursor moves, and the other streams are read."""
    account(mailchimp)
    first = source().read(catalog(["lists", "tags"]))
    mailchimp.faults([{**fault, "path": COLLECTIONS[stream]}])

    output = source().read(catalog(), first.state(), patience=HALF)

    assert {name: output.statuses(name)[-1] for name in STREAMS} == {
        **dict.fromkeys(STREAMS, "COMPLETE"),
        stream: "INCOMPLETE",
    }
    assert deleted(output) == []
    assert stream == "contacts" or read(output) == everybody(mailchimp)
    assert all(not state["lists"] for state in output.states("contacts")) or stream != "contacts"


@pytest.mark.parametrize("fault", [{"kind": "empty_object_200"}, {"kind": "null_records"}, {"kind": "404"}], ids=["{}", "null", "404"])
def test_audiences_that_cannot_be_listed_fail_what_needs_them(mailchimp: Emulator, source: Sources, fault: dict[str, Any]) -> None:
    """Nobody is deleted and no state is dropped because the account seems to have no audience."""
    account(mailchimp)
    first = source().read(catalog())
    mailchimp.faults([{**fault, "path": "/lists$"}])

    output = source().read(catalog(), first.state(), patience=HALF)

    assert [output.statuses(name)[-1] for name in ("contacts", "lists", "tags", "users")] == [*["INCOMPLETE"] * 3, "COMPLETE"]
    assert deleted(output) == []
    assert output.states("contacts") == []


@pytest.mark.parametrize("fault", SHORT.values(), ids=SHORT.keys())
def test_short_pages_and_wrong_counts_lose_nothing(mailchimp: Emulator, source: Sources, fault: dict[str, Any]) -> None:
    """The rest of a short page is asked for, smaller pages where big ones fail; a wrong count is not a reason to fail."""
    account(mailchimp)
    mailchimp.faults([{**fault, "path": "/members$"}])

    output = source().read(catalog())

    assert output.errors() == []
    assert read(output) == everybody(mailchimp)
    assert {name: output.statuses(name)[-1] for name in STREAMS} == dict.fromkeys(STREAMS, "COMPLETE")


def test_a_list_that_is_missing_in_one_listing_is_not_deleted(mailchimp: Emulator, source: Sources) -> None:
    """Absent from a whole listing, but not by its own 404: no tombstone for it or its tags, and its state is kept."""
    one, other = account(mailchimp)
    first = source().read(catalog())
    mailchimp.faults(
        [
            {"kind": "drop_items", "path": "/lists$", "where": {"id": other}, "times": 1},
            {"kind": "total_items", "by": -1, "path": "/lists$", "times": 1},
        ]
    )

    output = source().read(catalog(), first.state())

    assert output.errors() == deleted(output) == []
    assert set(output.states("contacts")[-1]["lists"]) == {one, other}


def test_a_tag_that_was_gone_and_comes_back_is_not_hidden(mailchimp: Emulator, source: Sources) -> None:
    """Deduplicated by `updated_at`, a live version after a tombstone wins, regardless of Mailchimp's old time of it."""
    _, other = account(mailchimp)
    first = source().read(catalog(["tags"]))
    mailchimp.faults(
        [{"kind": "answer", "path": f"{other}/segments$", "body": {"segments": [], "total_items": 0}, "times": 1}],
    )
    second = source().read(catalog(["tags"]), first.state())

    third = source().read(catalog(["tags"]), second.state())

    latest: dict[int, dict[str, Any]] = {}
    for record in [*first.records("tags"), *second.records("tags"), *third.records("tags")]:
        if record["id"] not in latest or record["updated_at"] >= latest[record["id"]]["updated_at"]:
            latest[record["id"]] = record
    assert len(deleted(second)) == 1
    assert [record["is_deleted"] for record in latest.values()] == [False] * 3


def test_a_deleted_audience_in_list_ids_fails_only_itself(mailchimp: Emulator, source: Sources) -> None:
    """The others are read; the contacts say at the end which one is missing, and its deletion is told."""
    one, other = account(mailchimp)
    first = source(list_ids=[one, other]).read(catalog())
    mailchimp.delete_list(other)

    output = source(list_ids=[one, other]).read(catalog(sync_mode="incremental"), first.state())

    assert {name: output.statuses(name)[-1] for name in STREAMS} == {**dict.fromkeys(STREAMS, "COMPLETE"), "contacts": "INCOMPLETE"}
    assert [record["id"] for record in output.records("lists")] == [other]
    assert other in next(error["message"] for error in output.errors() if error.get("stream_descriptor"))


@pytest.mark.parametrize("skew", [86_400, -86_400, 1800])
def test_a_wrong_clock_hides_no_change(mailchimp: Emulator, source: Sources, skew: int) -> None:
    """A sync under a wrong Date warns; what changes then and afterwards is emitted by the syncs under the right one."""
    (list_id,) = mailchimp.seed(name="Clock", contacts=30, changed_to="2026-01-01T00:00:00+00:00")
    email = mailchimp.members(list_id)[0]["email_address"]
    mailchimp.faults([{"kind": "date", "skew": skew, "path": "/lists$"}])
    first = source().read(catalog(["contacts"]))
    mailchimp.act(list_id, email, "change_merge_field", tag="FNAME", value="New")
    second = source().read(catalog(["contacts"]), first.state())
    mailchimp.faults([])
    mailchimp.clock(advance=5)

    third = source().read(catalog(["contacts"]), second.state())

    assert any("clock" in line for line in first.logs())
    final = next(member for member in mailchimp.members(list_id) if member["email_address"] == email)
    versions = [record for one in (second, third) for record in one.records("contacts") if record["email"] == email]
    assert int(datetime.fromisoformat(versions[-1]["updated_at"]).timestamp()) == final["last_changed"]
    assert len(first.records("contacts")) == 30


def test_a_state_from_the_future_is_not_believed(mailchimp: Emulator, source: Sources) -> None:
    """A cursor beyond both clocks was saved under a wrong one: the audience is read again, with a warning."""
    (list_id,) = mailchimp.seed(name="Future", contacts=20)
    state = {"lists": {list_id: {"updated_at": "2099-01-01T00:00:00+00:00"}}}
    saved = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "contacts"}, "stream_state": state}}]

    output = source().read(catalog(["contacts"]), saved)

    assert len(output.records("contacts")) == 20
    assert output.states("contacts")[-1]["lists"][list_id]["updated_at"] < datetime.now(UTC).isoformat()


@pytest.mark.parametrize("wanted", [["subscribed"], ["subscribed", "pending"]])
def test_a_filter_hides_nobody_who_leaves(mailchimp: Emulator, source: Sources, wanted: list[str]) -> None:
    """Who unsubscribes or is archived after a sync of `subscribed` is emitted by the next one, with the real status."""
    (list_id,) = mailchimp.seed(name="Filter", contacts=60, statuses={"subscribed": 0.8, "unsubscribed": 0.2})
    mailchimp.clock(advance=600)
    first = source(statuses=wanted).read(catalog(["contacts"]))
    subscribed = [member["email_address"] for member in mailchimp.members(list_id) if member["status"] == "subscribed"]
    mailchimp.act(list_id, subscribed[0], "unsubscribe_self")
    mailchimp.act(list_id, subscribed[1], "archive")
    mailchimp.clock(advance=5)

    second = source(statuses=wanted).read(catalog(["contacts"]), first.state())
    third = source(statuses=wanted).read(catalog(["contacts"]), second.state())

    assert {record["status"] for record in first.records("contacts")} == {"subscribed"}
    assert {record["email"]: record["status"] for record in second.records("contacts")} == {
        subscribed[0]: "unsubscribed",
        subscribed[1]: "archived",
    }
    assert third.records("contacts") == []


@pytest.mark.parametrize("ties", [1, 900])
def test_a_second_sync_is_silent_however_many_share_the_last_second(mailchimp: Emulator, source: Sources, ties: int) -> None:
    """The last rows are read again and not emitted again; what became visible late among them is."""
    (list_id,) = mailchimp.seed(name="Ties", contacts=1800, ties={"groups": [ties, ties]})
    mailchimp.clock(advance=30)
    first = source().read(catalog(["contacts"]))

    second = source().read(catalog(["contacts"]), first.state())
    newest = max(member["last_changed"] for member in mailchimp.members(list_id))
    mailchimp.place(list_id, "late@shop.test", last_changed=moment_of(newest - 1))
    third = source().read(catalog(["contacts"]), second.state())

    assert second.records("contacts") == []
    assert "late@shop.test" in {record["email"] for record in third.records("contacts")}


ODD = {
    "a text for a location": ({"location": "Berlin"}, ["location"]),
    "a list for merge fields": ({"merge_fields": ["x"]}, ["custom_fields"]),
    "numbers for texts": ({"language": 5, "email_type": 1.5}, ["language", "email_type"]),
    "text for numbers": ({"web_id": "twelve", "member_rating": "high"}, ["web_id", "member_rating"]),
    "no time": ({"timestamp_opt": "yesterday"}, ["timestamp_opt", "created_at"]),
    "an unknown status": ({"status": "asleep"}, ["status"]),
    "odd tags": ({"tags": [{"id": "x", "name": 5}], "tags_count": 1}, ["tags.0.id", "tags.0.name"]),
    "odd numbers inside": ({"stats": {"avg_open_rate": "high"}}, ["stats.avg_open_rate"]),
}


@pytest.mark.parametrize(("values", "fields"), ODD.values(), ids=ODD.keys())
def test_an_odd_row_harms_itself_only(mailchimp: Emulator, source: Sources, values: dict[str, Any], fields: list[str]) -> None:
    """What cannot be read is null and named; every contact comes, each fits the schema, and the stream is COMPLETE."""
    (list_id,) = mailchimp.seed(name="Odd", contacts=50)
    email = mailchimp.members(list_id)[7]["email_address"]
    mailchimp.faults([{"kind": "set_values", "path": "/members$", "where": {"email_address": email}, "values": values}])

    output = source().read(catalog(["contacts"]))

    (record,) = [m["record"] for m in output.messages if m["type"] == "RECORD" and m["record"]["data"]["email"] == email]
    changes = record["meta"]["changes"]
    assert sorted(change["field"] for change in changes) == sorted(fields)
    assert {(change["change"], change["reason"]) for change in changes} == {("NULLED", "SOURCE_SERIALIZATION_ERROR")}
    validator = jsonschema.Draft7Validator(readable_schema("contacts"))
    assert [error.message for one in output.records("contacts") for error in validator.iter_errors(one)] == []
    assert len(output.records("contacts")) == 50
    assert output.statuses("contacts")[-1] == "COMPLETE"


@pytest.mark.parametrize("value", ["text", None, 5, [], {}], ids=repr)
def test_a_row_that_is_no_contact_fails_its_stream_at_the_end(mailchimp: Emulator, source: Sources, value: Any) -> None:
    """Everything else is read first, of this audience and of the others; the next sync does not fail on it again."""
    one, other = mailchimp.seed({"name": "Odd", "contacts": 50}, {"name": "Even", "contacts": 50})
    mailchimp.faults([{"kind": "replace_items", "path": f"{one}/members$", "index": 3, "value": value, "query": {"status": "^$"}}])

    output = source().read(catalog())

    assert output.statuses("contacts")[-1] == "INCOMPLETE"
    assert len(output.records("contacts")) == 99
    assert set(output.states("contacts")[-1]["lists"]) == {one, other}
    assert output.statuses("tags")[-1] == "COMPLETE"


def test_contacts_without_an_email_address_have_a_key_of_their_own(mailchimp: Emulator, source: Sources) -> None:
    """Mailchimp gives all of them one id, or none: their contact_id takes its place."""
    (list_id,) = mailchimp.seed(name="SMS", contacts=10)
    emails = [member["email_address"] for member in mailchimp.members(list_id)[:3]]
    blank = {"email_address": "", "id": "d41d8cd98f00b204e9800998ecf8427e"}
    mailchimp.faults([{"kind": "set_values", "path": "/members$", "where": {"email_address": email}, "values": blank} for email in emails])

    records = source().read(catalog(["contacts"])).records("contacts")

    assert len({record["id"] for record in records}) == 10
    assert all(record["id"] == record["contact_id"] for record in records if record.get("email") is None)


def test_cleared_is_null_at_every_depth(mailchimp: Emulator, source: Sources) -> None:
    """Empty texts inside a postal address are null, one of only empty parts is none, and 0000-00-00 is no day."""
    (list_id,) = mailchimp.seed(name="Blank", contacts=3)
    one, two, three = (member["email_address"] for member in mailchimp.members(list_id))
    blank = dict.fromkeys(("addr1", "addr2", "city", "state", "zip", "country"), "")
    home = {**blank, "addr1": "1 Main St", "city": "Springfield", "zip": 12345}
    odd = {
        one: {"merge_fields.ADDRESS": home, "merge_fields.FNAME": 12},
        two: {"merge_fields.ADDRESS": blank},
        three: {"timestamp_opt": "0000-00-00T00:00:00+00:00", "last_note": {"note_id": 1, "note": ""}},
    }
    mailchimp.faults([{"kind": "set_values", "path": "/members$", "where": {"email_address": e}, "values": v} for e, v in odd.items()])

    output = source().read(catalog(["contacts"]))

    records = {record["email"]: record for record in output.records("contacts")}
    assert records[one]["custom_fields"]["ADDRESS"]["addr2"] is None
    assert (records[one]["addresses"][0]["postal_code"], records[one]["first_name"]) == ("12345", "12")
    assert (records[two]["addresses"], records[two]["custom_fields"]["ADDRESS"]) == ([], None)
    assert (records[three].get("timestamp_opt"), records[three]["last_note"]["note"]) == (None, None)
    assert not any("meta" in m["record"] and m["record"]["meta"] for m in output.messages if m["type"] == "RECORD")


def test_a_page_with_half_a_surrogate_pair_is_read(mailchimp: Emulator, source: Sources) -> None:
    """An invalid character or number costs only itself, not the page."""
    mailchimp.seed(name="Odd", contacts=20)
    values = {"merge_fields.FNAME": "\ud800", "stats.avg_open_rate": float("nan")}
    mailchimp.faults([{"kind": "set_values", "path": "/members$", "index": 0, "values": values}])

    output = source().read(catalog(["contacts"]))

    assert output.errors() == []
    assert len(output.records("contacts")) == 20


def test_the_log_holds_no_email_address_in_clear(mailchimp: Emulator, source: Sources) -> None:
    """An email address in any Mailchimp error is masked in every line except records."""
    mailchimp.seed(name="Odd", contacts=2)
    body = {"type": "x", "title": "Bad Request", "status": 400, "detail": "jane.doe@shop.example is odd"}
    mailchimp.faults([{"kind": "answer", "status": 400, "path": "/segments$", "body": body, "content_type": "application/problem+json"}])

    output = source().command("read", catalog(["tags"]))

    assert output.exit_code == 1
    assert "jane.doe" not in json.dumps(output.messages)
    assert "j***@shop.example" in json.dumps(output.messages)


def test_a_filter_hides_nobody_who_leaves_after_a_kill(mailchimp: Emulator, source: Sources) -> None:
    """Wherever the first sync of `subscribed` is killed, somebody it emitted and who leaves before the next sync is emitted as gone."""
    (list_id,) = mailchimp.seed(name="Filter", contacts=12, statuses={"subscribed": 0.8, "unsubscribed": 0.2})
    leaver = next(member for member in mailchimp.members(list_id) if member["status"] == "subscribed")
    mailchimp.clock(advance=600)
    whole = source(statuses=["subscribed"]).read(catalog(["contacts"]))
    mailchimp.act(list_id, leaver["email_address"], "unsubscribe_self")
    mailchimp.clock(advance=600)

    for kill in range(1, len(whole.messages)):
        killed = Output(whole.messages[:kill])
        resumed = source(statuses=["subscribed"]).read(catalog(["contacts"]), killed.state())

        if leaver["id"] in {record["id"] for record in killed.records("contacts")}:
            assert {r["id"]: r["status"] for r in resumed.records("contacts")}.get(leaver["id"]) == "unsubscribed", kill
