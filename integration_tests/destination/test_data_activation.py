"""Data activation: audiences as objects under names for people, and what each insertion type may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

KNOWN, UNKNOWN = "known@contacts.example", "unknown@contacts.example"
OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected")


def stream(object_name: str, mode: str = "append_dedup", **more: Any) -> dict[str, Any]:
    """A stream of data activation, as the platform configures it: columns renamed, and no column that was not mapped."""
    return {"name": "people", "json_schema": {}, "destination_object_name": object_name, "destination_sync_mode": mode, **more}


@pytest.fixture
def discovered(start: Any) -> Any:
    """Runs discover through the real entry point and returns its operations."""

    def discover(config: dict[str, Any]) -> list[dict[str, Any]]:
        output, _ = start("discover", config).communicate(timeout=60)
        message = next(m for m in map(json.loads, output.splitlines()) if m["type"] == "DESTINATION_CATALOG")
        return list(message["destination_catalog"]["operations"])

    return discover


def test_what_discover_offers_can_be_written(make_runner: Any, record: Any, catalog: Any, discovered: Any) -> None:
    """An object, its columns and its matching key, put into a catalog as they are, fill every field of the contact."""
    fields = [{"tag": "SIZE", "type": "dropdown", "choices": ["S", "M"]}, {"tag": "STATUS"}, {"tag": "AGE", "type": "number"}]
    runner = make_runner(name="Event (Guests)", merge_fields=fields, interests={"Topics": ["News", "Offers"]})
    offered = {one["sync_mode"]: one for one in discovered(runner.config(list_id=""))}
    assert list(offered) == ["append", "append_dedup", "update", "soft_delete"]
    found = offered["append_dedup"]
    assert found["object_name"] == f"Event (Guests) ({runner.list_id})"
    assert found["json_schema"]["properties"]["SIZE"]["enum"] == ["S", "M", None]
    columns = {
        "email": KNOWN,
        "first_name": "Ada",
        "last_name": "Quist",
        "PHONE": "555-0100",
        "ADDRESS": {"addr1": "1 Road", "city": "Town", "state": "CA", "zip": "90210"},
        "SIZE": "M",
        "custom_fields.STATUS": "member",
        "AGE": 41,
        "tags": ["Guest"],
        "interests.Topics/News": True,
        "interests.Topics/Offers": False,
    }
    assert columns.keys() <= found["json_schema"]["properties"].keys()
    configured = stream(found["object_name"], primary_key=found["matching_keys"])
    assert runner.write([record(columns)], catalog(configured), list_id="").counts()["created"] == 1
    member = runner.members()[KNOWN]
    expected = {"FNAME": "Ada", "LNAME": "Quist", "PHONE": "555-0100", "SIZE": "M", "STATUS": "member", "AGE": 41}
    assert {tag: member["merge_fields"][tag] for tag in expected} == expected
    assert member["merge_fields"]["ADDRESS"]["city"] == "Town"
    assert (member["status"], member["tags"]) == ("subscribed", ["Guest"])
    assert sorted(member["interests"].values()) == [False, True]


@pytest.mark.parametrize("shown", ["{id}", "Audience ({id})", "As it was called before ({id})", "An (old) name ({id})"])
def test_the_id_of_an_object_decides(make_runner: Any, record: Any, catalog: Any, shown: str) -> None:
    """The bare id, the name, and the name that an audience had before lead to the same audience, of two that are called alike."""
    runner, other = make_runner(), make_runner()
    runner.write([record({"email": KNOWN})], catalog(stream(shown.format(id=other.list_id))))
    assert (list(runner.members()), list(other.members())) == ([], [KNOWN])


@pytest.mark.parametrize("columns", [{"FNAME": "Ada"}, {"fname": "Ada"}, {"first_name": "Ada"}, {"first_name": "Ada", "FNAME": None}])
def test_a_saved_mapping_still_counts(make_runner: Any, record: Any, catalog: Any, columns: dict[str, Any]) -> None:
    """A column that was mapped under the other name of its field fills the field; with both, the one that has a value."""
    runner = make_runner()
    runner.write([record({"email": KNOWN, **columns})], catalog(stream(f"Audience ({runner.list_id})")))
    assert runner.members()[KNOWN]["merge_fields"]["FNAME"] == "Ada"


@pytest.mark.parametrize("object_name", ["Event Guests", "Event Guests (old)", "0123456789", "Event Guests (0123456789)"])
def test_an_object_that_is_no_audience_ends_the_sync(make_runner: Any, record: Any, state: Any, catalog: Any, object_name: str) -> None:
    """Without an id, or with one that the account does not have, nothing is written, and the error says what to choose from."""
    runner = make_runner(name="Event Guests")
    result = runner.write([record({"email": KNOWN}), state(1)], catalog(stream(object_name)))
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert "choose" in (result.error.message or "").lower()
    assert object_name == "Event Guests" or f"Event Guests ({runner.list_id})" in (result.error.message or "")
    assert (result.ids, runner.writes()) == ([], [])


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize(
    ("policy", "mode", "known", "unknown"),
    [
        ("upsert", "append", "skipped", "created"),
        ("upsert", "append_dedup", "updated", "created"),
        ("upsert", "update", "updated", "skipped"),
        ("upsert", "soft_delete", "updated", "skipped"),
        ("update_only", "append", None, None),
        ("update_only", "append_dedup", "updated", "skipped"),
        ("update_only", "update", "updated", "skipped"),
        ("update_only", "soft_delete", "updated", "skipped"),
        ("create_only", "append", "skipped", "created"),
        ("create_only", "append_dedup", "skipped", "created"),
        ("create_only", "update", None, None),
        ("create_only", "soft_delete", None, None),
    ],
)
def test_policies_and_insertion_types(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any, record: Any, catalog: Any, write_mode: str, policy: str, mode: str, known: str | None, unknown: str | None
) -> None:
    """The stricter of both counts; what they rule out together ends the sync before anything is sent, also in a dry run."""
    runner = make_runner()
    runner.write([record({"email": KNOWN, "first_name": "Old"})])
    before, sent = runner.members(), len(runner.writes())
    messages = [record({"email": email, "first_name": "New"}) for email in (KNOWN, UNKNOWN)]
    for dry_run in (True, False):
        options = {"write_mode": write_mode, "write_policy": policy, "dry_run": dry_run}
        result = runner.write(messages, catalog(stream(f"Audience ({runner.list_id})", mode)), **options)
        if known is None or unknown is None:
            assert result.error is not None
            assert "write_policy" in (result.error.message or "")
            assert len(runner.writes()) == sent
        else:
            assert result.counts() == {kind: [known, unknown].count(kind) for kind in OUTCOMES}
    after = runner.members()
    assert (UNKNOWN in after) == (unknown == "created")
    assert (after[KNOWN] == before[KNOWN]) == (known in (None, "skipped"))
    assert after[KNOWN]["status"] == ("archived" if mode == "soft_delete" and known else "subscribed")


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("first", ["create", "update"])
def test_streams_of_one_audience_keep_their_own_policies(make_runner: Any, record: Any, catalog: Any, write_mode: str, first: str) -> None:
    """What one stream may only create and another may only update is not written together, in either order."""
    runner = make_runner()
    runner.write([record({"email": KNOWN, "first_name": "Old", "last_name": "Old"})])
    object_name = f"Audience ({runner.list_id})"
    streams = {"create": stream(object_name, "append", name="create"), "update": stream(object_name, "update", name="update")}
    messages = {"create": {"first_name": "Created"}, "update": {"last_name": "Updated"}}
    order = [first, *(name for name in streams if name != first)]
    rows = [record({"email": KNOWN, **messages[name]}, stream=name) for name in order]
    result = runner.write(rows, catalog(*streams.values()), write_mode=write_mode)
    fields = runner.members()[KNOWN]["merge_fields"]
    assert (fields["FNAME"], fields["LNAME"]) == ("Old", "Updated")
    assert (result.counts("create")["skipped"], result.counts("update")["updated"]) == (1, 1)


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_nobody_who_is_there_under_a_previous_email_address_is_touched(make_runner: Any, record: Any, write_mode: str) -> None:
    """Under create_only a changed email address changes nobody, and makes no second contact of the same person."""
    runner = make_runner()
    runner.write([record({"email": KNOWN})])
    before = runner.members()
    rows = [
        record({"email": "new@contacts.example", "previous_email": KNOWN}),
        record({"email": UNKNOWN, "previous_email": "gone@contacts.example"}),
    ]
    result = runner.write(rows, write_mode=write_mode, write_policy="create_only")
    after = runner.members()
    assert (result.counts()["skipped"], result.counts()["created"]) == (1, 1)
    assert after.keys() == {KNOWN, UNKNOWN}
    assert after[KNOWN] == before[KNOWN]


def test_a_column_that_no_field_takes_is_said(make_runner: Any, record: Any, catalog: Any) -> None:
    """A name typed by hand that the audience does not have does not disappear in silence; the contact is written without it."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY"}])
    result = runner.write([record({"email": KNOWN, "COMPNAY": "Acme", "company": "Acme"})], catalog(stream(f"Audience ({runner.list_id})")))
    assert result.counts()["created"] == 1
    [warning] = [line for line in result.log if "COMPNAY" in line and "did you mean COMPANY" in line]
    assert "company," not in warning
