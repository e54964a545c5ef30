"""The same tests on the local account and on a real one, and the questions that only a real one can answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from integration_tests.commands import IMPATIENT, Source, catalog
from integration_tests.real.account import Account, live_account
from mailchimp_emulator import DEFAULT_API_KEY, Emulator
from mailchimp_unified.patience import Patience

Ask = Callable[[Account], Any]


# Everything that is known about Mailchimp.


def test_a_put_that_changes_nothing_is_no_change(account: Account) -> None:
    """The same values again leave last_changed alone; another value moves it."""
    made = account.add("same", merge_fields={"FNAME": "Ada"})
    account.later()
    same = account.send("PUT", f"members/{made['id']}", {"email_address": made["email_address"], "merge_fields": {"FNAME": "Ada"}}).json()
    assert same["last_changed"] == made["last_changed"]
    other = account.send("PUT", f"members/{made['id']}", {"merge_fields": {"FNAME": "Bo"}}).json()
    assert other["last_changed"] > made["last_changed"]


def test_since_excludes_and_before_includes(account: Account) -> None:
    """A second is after itself for nobody, and before itself for everybody; a fraction less lets it through."""
    made = account.add("bounds")
    second = datetime.fromisoformat(account.member(made["email_address"])["last_changed"])
    just_before = (second - timedelta(milliseconds=1)).isoformat(timespec="milliseconds")

    def shown(**bounds: str) -> bool:
        page = account.get("members", unique_email_id=made["unique_email_id"], **bounds)
        return [one["id"] for one in page["members"]] == [made["id"]]

    assert not shown(since_last_changed=second.isoformat())
    assert shown(since_last_changed=just_before)
    assert shown(before_last_changed=second.isoformat())


def test_an_archived_contact_is_in_no_bare_list_and_comes_back(account: Account) -> None:
    """Archived contacts are listed when asked for only; a POST brings one back with its tags."""
    made = account.add("archived")
    assert account.send("DELETE", f"members/{made['id']}").status_code == 204
    only = {"unique_email_id": made["unique_email_id"]}
    assert account.get("members", **only)["members"] == []
    assert [one["status"] for one in account.get("members", status="archived", **only)["members"]] == ["archived"]
    assert account.send("DELETE", f"members/{made['id']}").status_code == 405
    back = account.send("POST", "members", {"email_address": made["email_address"], "status": "subscribed"})
    assert [tag["name"] for tag in back.json()["tags"]] == [account.run]


def test_an_address_that_is_there_is_refused_without_a_type(account: Account) -> None:
    """The one problem without a type key."""
    made = account.add("twice")
    again = account.send("POST", "members", {"email_address": made["email_address"], "status": "subscribed"})
    assert (again.status_code, again.json()["title"], "type" in again.json()) == (400, "Member Exists", False)


def test_what_the_destination_writes_the_source_reads(account: Account, tmp_path: Path) -> None:
    """Contacts and tags go out through one connector and come back through the other; a deletion comes back as archived."""
    emails = [account.address("one"), account.address("two")]
    # With email and list_id the stream is one of unified contacts: its status counts.
    one = {"list_id": account.list_id, "first_name": "Ada", "tags": [account.run], "status": "transactional"}
    rows = [{"email": email, **one} for email in emails]
    write(account, rows)
    # The second in which a sync begins is read by the next one.
    account.later()
    source = Source(tmp_path, {**account.config, "list_ids": [account.list_id]})
    patience = IMPATIENT if account.emulator else Patience()
    first = source.read(catalog(["contacts"]), patience=patience)
    found = {one["email"]: one for one in first.records("contacts") if one["email"] in emails}
    assert {(one["first_name"], one["status"], *(tag["name"] for tag in one["tags"])) for one in found.values()} == {
        ("Ada", "transactional", account.run)
    }
    account.later()
    write(account, [{"email": emails[0], "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"}])
    account.later()
    again = source.read(catalog(["contacts"]), first.state(), patience)
    assert {one["email"]: one["is_deleted"] for one in again.records("contacts")}[emails[0]] is True


def write(account: Account, rows: list[dict[str, Any]]) -> None:
    """Write rows with the destination."""
    messages = [{"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 1, "data": row}} for row in rows]
    text = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    settings = {**account.config, "list_id": account.list_id}
    list(DestinationMailchimpUnified().write_lines(logging.getLogger("live"), settings, catalog(["contacts"]), BytesIO(text).read))


# Everything that is not known. Each question has an answer for the local account under every setting of its flag.


def tags_in_bulk(account: Account) -> str:
    """Does adding a tag in a bulk write move last_changed?"""
    made = account.add("tagged")
    account.later()
    account.bulk({"email_address": made["email_address"], "tags": [account.run, f"{account.run} more"]})
    after = account.member(made["email_address"])
    if after["tags_count"] == made["tags_count"]:
        return "the tag was not added"
    return "yes" if after["last_changed"] > made["last_changed"] else "no"


def tags_of_a_segment(account: Account) -> str:
    """Does adding a contact to a tag through the segment move last_changed?"""
    made = account.add("joined")
    account.later()
    segment = account.send("POST", "segments", {"name": f"{account.run} segment", "static_segment": []}).json()
    account.send("POST", f"segments/{segment['id']}", {"members_to_add": [made["email_address"]]})
    return "yes" if account.member(made["email_address"])["last_changed"] > made["last_changed"] else "no"


def no_status_in_bulk(account: Account) -> str:
    """What does a bulk row without a status make of a contact that is unsubscribed?"""
    made = account.add("quiet", "unsubscribed")
    written = account.bulk({"email_address": made["email_address"], "merge_fields": {"FNAME": "Ada"}})
    return f"error: {written['errors'][0]['error_code']}" if written["errors"] else str(account.member(made["email_address"])["status"])


def no_status_in_bulk_for_a_new_one(account: Account) -> str:
    """What does a bulk row without a status make of a contact that is not there?"""
    email = account.address("new")
    written = account.bulk({"email_address": email})
    return f"error: {written['errors'][0]['error_code']}" if written["errors"] else str(account.member(email)["status"])


def transactional(account: Account) -> str:
    """Are transactional contacts in a list that is asked for no status?"""
    made = account.add("transactional", "transactional")
    return "yes" if account.get("members", unique_email_id=made["unique_email_id"])["members"] else "no"


def count(account: Account) -> str:
    """What does a count above 1000 give?"""
    answer = account.send("GET", "members", count=1001, fields="members.id,total_items")
    if answer.status_code != 200:
        return f"refused with {answer.status_code}"
    page = answer.json()
    if page["total_items"] <= 1000:
        return "accepted; the list is too small to tell more"
    return f"{len(page['members'])} contacts"


def before(account: Account) -> str:
    """Does before_date_created of the lists include its second, and since_date_created exclude it?"""
    created = account.get(fields="date_created")["date_created"]

    def shown(**bounds: str) -> bool:
        page = account.get("/lists", count=1000, fields="lists.id", **bounds)
        return account.list_id in [one["id"] for one in page["lists"]]

    sides = {"before": shown(before_date_created=created), "since": shown(since_date_created=created)}
    return ", ".join(f"{side} {'includes' if inside else 'excludes'}" for side, inside in sides.items())


QUESTIONS: list[tuple[Ask, dict[str, Any], str]] = [
    (tags_in_bulk, {"tag_edit_moves_last_changed": True}, "yes"),
    (tags_in_bulk, {"tag_edit_moves_last_changed": False}, "no"),
    (tags_of_a_segment, {"tag_edit_moves_last_changed": True}, "yes"),
    (tags_of_a_segment, {"tag_edit_moves_last_changed": False}, "no"),
    (no_status_in_bulk, {"bulk_without_status": "keep"}, "unsubscribed"),
    (no_status_in_bulk, {"bulk_without_status": "subscribed"}, "subscribed"),
    (no_status_in_bulk_for_a_new_one, {"bulk_new_without_status": "error"}, "error: ERROR_GENERIC"),
    (no_status_in_bulk_for_a_new_one, {"bulk_new_without_status": "subscribed"}, "subscribed"),
    (transactional, {"transactional_in_bare_list": True}, "yes"),
    (transactional, {"transactional_in_bare_list": False}, "no"),
    (count, {"count_over_max": "clamp"}, "1000 contacts"),
    (count, {"count_over_max": "refuse"}, "refused with 400"),
    (before, {}, "before includes, since excludes"),
]


@pytest.mark.parametrize(("ask", "flags", "answer"), QUESTIONS)
def test_a_question_is_answered(local: Account, ask: Ask, flags: dict[str, Any], answer: str, record_answer: Any) -> None:
    """Each question sees the difference between the behaviors that are possible."""
    assert local.emulator is not None
    local.emulator.behavior(**flags)
    found = ask(local)
    record_answer(local, ask.__doc__, found)
    assert found == answer


@pytest.mark.live
@pytest.mark.parametrize("ask", dict.fromkeys(ask for ask, _, _ in QUESTIONS))
def test_a_question_is_asked(live: Account, ask: Ask, record_answer: Any) -> None:
    """The real Mailchimp's answer is written down, regardless of its content."""
    record_answer(live, ask.__doc__, ask(live))


def test_only_contacts_of_the_run_are_left_and_archived(local: Account) -> None:
    """Everything a run makes is archived at its end with its tag gone, and nobody else is touched."""
    assert local.emulator is not None
    before_run = {one["id"]: one for one in local.emulator.members(local.list_id)}
    local.add("a")
    local.add("b", "unsubscribed")
    local.archive_all()
    after = local.emulator.members(local.list_id)
    assert {one["id"]: one for one in after if one["id"] in before_run} == before_run
    assert [one["status"] for one in after if one["id"] not in before_run] == ["archived", "archived"]
    assert local.get("tag-search", name=local.run)["tags"] == []


def test_every_question_can_be_asked_of_a_real_account(mailchimp: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests do with a real account works, shown by a local one that they treat as real and whose clock keeps running."""
    [list_id] = mailchimp.seed(name="Disposable", contacts=3)
    mailchimp.clock(tick_per_request=1)
    monkeypatch.setenv("MAILCHIMP_API_KEY", DEFAULT_API_KEY)
    monkeypatch.setenv("MAILCHIMP_LIST_ID", list_id)
    monkeypatch.setattr(Account, "root", f"{mailchimp.url}/3.0")
    named = live_account()
    assert named is not None
    answers = {ask: ask(named) for ask in dict.fromkeys(ask for ask, _, _ in QUESTIONS)}
    assert answers[tags_in_bulk] == "yes"
    assert answers[count] == "accepted; the list is too small to tell more"
    named.archive_all()
    statuses = [one["status"] for one in mailchimp.members(list_id) if one["email_address"] in named.made]
    assert set(statuses) == {"archived"}
    assert DEFAULT_API_KEY not in repr(named)
