"""What a sync emits, in order, and what the next one adds to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from integration_tests.commands import STREAMS, Output, Source, catalog
from mailchimp_emulator import Emulator
from mailchimp_unified.identity import subscriber_hash

Sources = Callable[..., Source]


def schemas(source: Source) -> dict[str, dict]:
    """Return the discovered schema of each stream."""
    (message,) = [m for m in source.command("discover").messages if m["type"] == "CATALOG"]
    return {stream["name"]: stream["json_schema"] for stream in message["catalog"]["streams"]}


@pytest.mark.parametrize("remote", [False, True])
def test_every_record_of_an_account_validates_against_its_discovered_schema(mailchimp: Emulator, source: Sources, remote: bool) -> None:
    """A whole account, every status and type of merge field in it, fits the schemas that discover announces."""
    mailchimp.seed_demo()
    connector = source(include_remote_data=remote)
    validators = {name: jsonschema.Draft7Validator(schema) for name, schema in schemas(connector).items()}

    output = connector.command("read", catalog())

    assert {name: len(output.records(name)) for name in STREAMS} == {"contacts": 6350, "lists": 3, "tags": 67, "users": 1}
    for name in STREAMS:
        for record in output.records(name):
            assert [error.message for error in validators[name].iter_errors(record)] == []
            assert ("remote_data" in record) == remote
            assert set(record) <= set(validators[name].schema["properties"])


def test_streams_go_from_started_to_complete(mailchimp: Emulator, source: Sources) -> None:
    """Each stream is STARTED, RUNNING from its first record, COMPLETE at its end; the exit code is 0."""
    mailchimp.seed_demo()

    output = source().command("read", catalog())

    assert {name: output.statuses(name) for name in STREAMS} == {name: ["STARTED", "RUNNING", "COMPLETE"] for name in STREAMS}
    assert output.exit_code == 0


def test_the_states_count_every_record(mailchimp: Emulator, source: Sources) -> None:
    """The record counts of a stream's states add up to its records."""
    mailchimp.seed_demo()

    output = source().read(catalog())

    for name in STREAMS:
        states = [m["state"] for m in output.messages if m["type"] == "STATE"]
        counts = [s["sourceStats"]["recordCount"] for s in states if s["stream"]["stream_descriptor"]["name"] == name]
        assert sum(counts) == len(output.records(name))


def cleared_is_null(value: Any) -> Any:
    """Return a merge value with null for what is empty, inside a postal address, too."""
    if isinstance(value, dict):
        return {part: inner or None for part, inner in value.items()}
    return None if value == "" else value


def test_a_contact_carries_everything(mailchimp: Emulator, source: Sources) -> None:
    """Names, tags, merge fields and the identity of a contact are those that Mailchimp holds."""
    mailchimp.seed_demo()
    theirs = {member["email_address"]: member for member in mailchimp.members("7a3c91e0d2")}

    ours = {record["email"]: record for record in source(list_ids=["7a3c91e0d2"]).read(catalog(["contacts"])).records("contacts")}

    assert ours.keys() == theirs.keys()
    for email, record in ours.items():
        assert record["id"] == subscriber_hash(email)
        assert record["status"] == theirs[email]["status"]
        assert record["is_deleted"] == (theirs[email]["status"] == "archived")
        assert {tag["name"] for tag in record["tags"]} == set(theirs[email]["tags"])
        # An empty merge field is null, never absent.
        assert record["custom_fields"] == {tag: cleared_is_null(value) for tag, value in theirs[email]["merge_fields"].items()}


def test_contacts_with_more_tags_than_a_member_shows_get_all(mailchimp: Emulator, source: Sources) -> None:
    """A contact with 64 tags carries 64, and only such contacts cost another request."""
    mailchimp.seed_demo()
    mailchimp.clear_journal()

    records = source(list_ids=["7a3c91e0d2"]).read(catalog(["contacts"])).records("contacts")

    assert sorted(len(record["tags"]) for record in records)[-3:] == [64, 64, 64]
    assert len([entry for entry in mailchimp.journal() if entry["path"].endswith("/tags")]) == 3


def test_a_second_sync_of_a_quiet_account_emits_nothing(mailchimp: Emulator, source: Sources) -> None:
    """With nothing changed, the next sync has no record and costs one request per list and sweep."""
    mailchimp.seed_demo()
    first = source().read(catalog())
    mailchimp.clock(advance=3600)
    mailchimp.clear_journal()

    second = source().read(catalog(), first.state())

    assert [m for m in second.messages if m["type"] == "RECORD"] == []
    assert len([entry for entry in mailchimp.journal() if entry["path"].endswith("/members")]) == 6


def second_sync(mailchimp: Emulator, source: Sources, first: Output) -> dict[str, list[dict]]:
    """Return the records of the next sync, by stream."""
    mailchimp.clock(advance=3600)
    output = source().read(catalog(), first.state())
    return {name: output.records(name) for name in STREAMS}


def test_a_renamed_list_is_emitted_and_nothing_else(mailchimp: Emulator, source: Sources) -> None:
    """Renaming an audience is one record of lists."""
    mailchimp.seed_demo()
    first = source().read(catalog())
    mailchimp.rename_list("2e6b74a9f8", "Renamed")

    records = second_sync(mailchimp, source, first)

    assert [record["name"] for record in records.pop("lists")] == ["Renamed"]
    assert records == {"contacts": [], "tags": [], "users": []}


def test_a_renamed_account_is_emitted_and_nothing_else(mailchimp: Emulator, source: Sources) -> None:
    """Changing the account's name is one record of users."""
    mailchimp.seed_demo()
    first = source().read(catalog())
    mailchimp.rename_account("New Name")

    records = second_sync(mailchimp, source, first)

    assert [record["account_name"] for record in records.pop("users")] == ["New Name"]
    assert records == {"contacts": [], "tags": [], "lists": []}


def test_a_deleted_tag_is_one_tombstone_and_the_contacts_that_lost_it(mailchimp: Emulator, source: Sources) -> None:
    """A tag that is gone is emitted once more, marked; a third sync is silent about it."""
    mailchimp.seed_demo()
    first = source().read(catalog())
    (tag,) = [record for record in first.records("tags") if record["name"] == "Spring fair"]
    mailchimp.delete_tag("2e6b74a9f8", "Spring fair")
    mailchimp.clock(advance=3600)

    second = source().read(catalog(["tags", "lists", "users"]), first.state())
    third = source().read(catalog(["tags"]), second.state())

    (tombstone,) = second.records("tags")
    assert (tombstone["id"], tombstone["list_id"], tombstone["is_deleted"]) == (tag["id"], "2e6b74a9f8", True)
    # A tag that comes back with its old time must not be hidden by deduplication.
    assert tombstone["updated_at"] == tag["updated_at"]
    assert second.records("lists") == second.records("users") == third.records("tags") == []


def test_a_deleted_list_yields_one_tombstone_and_those_of_its_tags(mailchimp: Emulator, source: Sources) -> None:
    """An audience that is gone is emitted once more, marked, and so are its tags; its contacts cost no request."""
    mailchimp.seed_demo()
    first = source().read(catalog())
    mailchimp.delete_list("2e6b74a9f8")

    records = second_sync(mailchimp, source, first)

    assert [(record["id"], record["is_deleted"]) for record in records["lists"]] == [("2e6b74a9f8", True)]
    assert {(record["list_id"], record["is_deleted"]) for record in records["tags"]} == {("2e6b74a9f8", True)}
    assert records["contacts"] == records["users"] == []


def test_lists_that_are_not_chosen_any_more_are_not_deleted(mailchimp: Emulator, source: Sources) -> None:
    """Narrowing list_ids emits no tombstone, and widening it again emits nothing again."""
    mailchimp.seed_demo()
    first = source().read(catalog(["lists", "tags"]))

    narrow = source(list_ids=["7a3c91e0d2"]).read(catalog(["lists", "tags"]), first.state())
    wide = source().read(catalog(["lists", "tags"]), narrow.state())

    assert narrow.records("lists") == narrow.records("tags") == wide.records("lists") == wide.records("tags") == []


def test_a_start_date_leaves_no_old_audience_out(mailchimp: Emulator, source: Sources) -> None:
    """A list created in 2020 gives its contacts that changed since 2024, and only those."""
    (list_id,) = mailchimp.seed(
        name="Old", contacts=500, date_created="2020-01-01T00:00:00+00:00",
        changed_from="2021-01-01T00:00:00+00:00", changed_to="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    since = 1_704_067_200  # 2024-01-01

    output = source(start_date="2024-01-01T00:00:00Z").read(catalog())

    expected = {member["email_address"] for member in mailchimp.members(list_id) if member["last_changed"] >= since}
    assert 0 < len(expected) < 500
    assert {record["email"] for record in output.records("contacts")} == expected
    assert [record["id"] for record in output.records("lists")] == [list_id]
    assert not [entry for entry in mailchimp.journal() if entry["path"] == "/3.0/lists" and "since_date_created" in entry["query"]]


@pytest.mark.parametrize("wanted", [["subscribed"], ["archived"], ["unsubscribed", "cleaned"], ["pending", "archived"]])
def test_only_the_wanted_statuses_are_read(mailchimp: Emulator, source: Sources, wanted: list[str]) -> None:
    """`statuses` narrows the contacts to exactly those, archived ones included only when named."""
    mailchimp.seed_demo()
    theirs = {(one["id"], m["id"]) for one in mailchimp.lists() for m in mailchimp.members(one["id"]) if m["status"] in wanted}

    records = source(statuses=wanted).read(catalog(["contacts"])).records("contacts")

    assert {(record["list_id"], record["id"]) for record in records} == theirs
    assert len(records) == len(theirs)


def test_more_statuses_than_the_state_holds_for_read_all_anew(mailchimp: Emulator, source: Sources) -> None:
    """Contacts of a status added to the configuration are not left out because others were read before."""
    mailchimp.seed_demo()
    first = source(statuses=["subscribed"]).read(catalog(["contacts"]))

    second = source(statuses=["subscribed", "archived"]).read(catalog(["contacts"]), first.state())

    assert {record["status"] for record in second.records("contacts")} == {"subscribed", "archived"}


def test_full_refresh_emits_everything_each_time(mailchimp: Emulator, source: Sources) -> None:
    """A full refresh that ended leaves a state from which the next one starts over."""
    mailchimp.seed_demo()
    first = source().read(catalog(sync_mode="full_refresh"))

    second = source().read(catalog(sync_mode="full_refresh"), first.state())

    assert {name: len(second.records(name)) for name in STREAMS} == {"contacts": 6350, "lists": 3, "tags": 67, "users": 1}


def test_a_full_refresh_does_not_take_the_cursors_of_incremental_syncs_for_its_own(mailchimp: Emulator, source: Sources) -> None:
    """Switched from incremental to full refresh, a stream is read in full, regardless of the state a runner passes."""
    mailchimp.seed_demo()
    incremental = source().read(catalog())

    full = source().read(catalog(sync_mode="full_refresh"), incremental.state())

    assert {name: len(full.records(name)) for name in STREAMS} == {"contacts": 6350, "lists": 3, "tags": 67, "users": 1}


def test_an_interrupted_full_refresh_goes_on(mailchimp: Emulator, source: Sources) -> None:
    """The lists that an interrupted full refresh had finished are not read again."""
    mailchimp.seed_demo()
    mailchimp.forbid(["/lists/c5d80f4b16/members"])
    interrupted = source().read(catalog(["contacts"], "full_refresh"))
    mailchimp.forbid([])

    rest = source().read(catalog(["contacts"], "full_refresh"), interrupted.state())

    assert {record["list_id"] for record in rest.records("contacts")} == {"c5d80f4b16"}


def test_a_list_that_fits_a_page_costs_one_request_per_sweep(mailchimp: Emulator, source: Sources) -> None:
    """A small audience is read with one request, and one more for its archived contacts."""
    mailchimp.seed(name="Small", contacts=999)
    mailchimp.clear_journal()

    source().read(catalog(["contacts"]))

    assert [entry["path"].rpartition("/")[2] for entry in mailchimp.journal()] == ["lists", "members", "members"]


def test_discover_types_the_custom_fields(mailchimp: Emulator, source: Sources) -> None:
    """`custom_fields` has a property per merge field of the account, of the type of its values."""
    mailchimp.seed_demo()

    properties = schemas(source())["contacts"]["properties"]["custom_fields"]["properties"]

    assert properties["LTV"]["type"] == ["null", "number"]
    assert properties["JOINED"]["format"] == "date"
    assert set(properties["ADDRESS"]["properties"]) == {"addr1", "addr2", "city", "state", "zip", "country"}
    assert "status_if_new" not in schemas(source())["contacts"]["properties"]
