"""What the destination makes of values that cannot be used, of required fields, of new email addresses, and of names of groups."""

from __future__ import annotations

from typing import Any

import pytest
import requests

FIELDS = [
    {"tag": "FNAME"},
    {"tag": "AGE", "type": "number"},
    {"tag": "ADDRESS", "type": "address"},
    {"tag": "SITE", "type": "url"},
    {"tag": "BORN", "type": "birthday"},
]
MODES = pytest.mark.parametrize("write_mode", ["bulk", "single"])


@MODES
def test_bad_values_are_left_out_and_counted(make_runner: Any, record: Any, write_mode: str) -> None:
    """With leave_out the contact is written without the bad field, and the summary counts it by field."""
    runner = make_runner(merge_fields=FIELDS)
    bad = {"AGE": "old", "ADDRESS": {"addr1": "x"}, "NOPE": 1, "FNAME": "Ada"}
    rows = [record({"email": f"p{n}@contacts.example", "custom_fields": bad, "vip": "perhaps"}) for n in range(3)]
    rows.append(record({"email": "good@contacts.example", "custom_fields": {"AGE": 5}}))
    result = runner.write(rows, write_mode=write_mode, invalid_values="leave_out")
    assert result.counts()["created"] == 4
    values = {email: member["merge_fields"] for email, member in runner.members().items()}
    assert values == {**{f"p{n}@contacts.example": {"FNAME": "Ada"} for n in range(3)}, "good@contacts.example": {"AGE": 5}}
    for name in ("AGE", "ADDRESS", "NOPE", "vip"):
        assert f"3 written without {name}" in result.text


@MODES
def test_values_that_mailchimp_refuses_are_left_out_too(make_runner: Any, record: Any, write_mode: str) -> None:
    """A field that Mailchimp refuses by name is left out as well, and the rest is written."""
    runner = make_runner(merge_fields=FIELDS)
    row = {"email": "a@contacts.example", "first_name": "Ada", "custom_fields": {"SITE": "no url"}, "ip_signup": "not an ip"}
    result = runner.write([record(row), record({"email": "b@contacts.example"})], write_mode=write_mode, invalid_values="leave_out")
    assert result.counts()["created"] == 2, result.text
    assert runner.members()["a@contacts.example"]["merge_fields"] == {"FNAME": "Ada"}
    for name in ("SITE", "ip_signup"):
        assert f"1 written without {name}" in result.text
    again = runner.write([record(row)], write_mode=write_mode)
    assert again.error is not None or again.counts()["rejected"] == 1


@pytest.mark.parametrize("name", ["email", "list_id", "status", "status_if_new", "is_deleted", "previous_email"])
def test_what_decides_is_never_left_out(runner: Any, record: Any, name: str) -> None:
    """A bad email address, audience, status or deletion mark rejects the record also with leave_out."""
    row = {"email": "a@contacts.example", name: {"no": "way"}}
    result = runner.write([record(row), record({"email": "b@contacts.example"})], invalid_values="leave_out")
    assert result.counts()["rejected"] == 1
    assert list(runner.members()) == ["b@contacts.example"]


@MODES
@pytest.mark.parametrize(("required_fields", "created"), [("enforce", 0), ("skip", 2)])
def test_required_merge_fields_may_be_skipped(make_runner: Any, record: Any, write_mode: str, required_fields: str, created: int) -> None:
    """Contacts who lack a required merge field are refused by Mailchimp, or written with skip."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY", "required": True}, {"tag": "FNAME"}])
    rows = [record({"email": f"p{n}@contacts.example", "first_name": "A"}) for n in range(2)]
    rows.append(record({"email": "whole@contacts.example", "custom_fields": {"COMPANY": "Acme"}}))
    result = runner.write(rows, write_mode=write_mode, required_fields=required_fields)
    assert result.counts()["created"] == created + 1
    if required_fields == "enforce":
        assert "COMPANY" in result.text
    rules = [{"column": "mail", "field": "email"}]
    assert runner.check(field_mapping=rules, required_fields=required_fields)[0] == ("SUCCEEDED" if created else "FAILED")


@MODES
@pytest.mark.parametrize("required_fields", ["enforce", "skip"])
def test_an_incomplete_address_in_mailchimp_does_not_refuse_every_update(
    make_runner: Any, record: Any, write_mode: str, required_fields: str
) -> None:
    """A contact whose stored postal address lacks a part is updated with skip, and rejected with words that say so without."""
    runner = make_runner(merge_fields=FIELDS)
    runner.mailchimp.place(runner.list_id, "a@contacts.example", merge_fields={"ADDRESS": {"addr1": "1 Way", "city": "Reno"}})
    rows = [record({"email": "a@contacts.example", "first_name": "Ada"}), record({"email": "b@contacts.example"})]
    result = runner.write(rows, write_mode=write_mode, required_fields=required_fields)
    skips = required_fields == "skip"
    assert (result.counts()["updated"], result.counts()["rejected"]) == ((1, 0) if skips else (0, 1))
    assert ("stored postal address is incomplete" in result.text) is not skips
    assert runner.members()["a@contacts.example"]["merge_fields"].get("FNAME") == ("Ada" if skips else None)


@MODES
def test_a_changed_email_address_moves_the_contact(make_runner: Any, record: Any, write_mode: str) -> None:
    """previous_email finds the contact under the old address and changes it: tags and fields stay; a repetition changes nothing."""
    runner = make_runner(merge_fields=FIELDS, contacts=5, tags=["Old"], tags_per_contact=1)
    old, *others = runner.members()
    row = {"email": "New.Address@contacts.example", "previous_email": old.upper(), "first_name": "Ada", "tags": ["moved"]}
    result = runner.write([record(row)], write_mode=write_mode)
    assert result.counts() == {"created": 0, "updated": 1, "unchanged": 0, "skipped": 0, "rejected": 0}
    members = runner.members()
    assert set(members) == {"new.address@contacts.example", *others}
    moved = members["new.address@contacts.example"]
    assert (sorted(moved["tags"]), moved["merge_fields"]["FNAME"], moved["status"]) == (["Old", "moved"], "Ada", "subscribed")
    runner.mailchimp.clock(advance=60)
    assert runner.write([record(row)], write_mode=write_mode).counts()["unchanged"] == 1
    assert set(runner.members()) == set(members)


@MODES
def test_changes_under_both_email_addresses_come_together(make_runner: Any, record: Any, state: Any, write_mode: str) -> None:
    """Records under the old email address and one that changes it, in one sync, end in one contact that has what they say."""
    runner = make_runner(merge_fields=[*FIELDS, {"tag": "LNAME"}], contacts=1)
    [old] = runner.members()
    rows = [
        record({"email": old, "first_name": "Ada"}),
        record({"email": "new@contacts.example", "previous_email": old, "last_name": "Lovelace"}),
        record({"email": "new@contacts.example", "tags": ["moved"]}),
    ]
    result = runner.write([*rows, state(1)], write_mode=write_mode)
    assert (result.ids, result.counts()["rejected"]) == ([1], 0)
    [member] = runner.members().values()
    values = member["merge_fields"]
    assert (member["email_address"], values["FNAME"], values["LNAME"], member["tags"]) == (
        "new@contacts.example",
        "Ada",
        "Lovelace",
        ["moved"],
    )


@MODES
def test_two_contacts_are_not_made_one(make_runner: Any, record: Any, write_mode: str) -> None:
    """When both email addresses are in the audience the record is rejected with that reason, and both contacts stay."""
    runner = make_runner(contacts=2)
    old, new = runner.members()
    before = runner.members()
    result = runner.write([record({"email": new, "previous_email": old}), record({"email": "c@contacts.example"})], write_mode=write_mode)
    assert result.counts()["rejected"] == 1
    assert "one contact under email and another under previous_email" in result.text
    assert {email: member["status"] for email, member in runner.members().items() if email in before} == {
        email: member["status"] for email, member in before.items()
    }


@MODES
@pytest.mark.parametrize("previous", ["gone@contacts.example", "A@Contacts.example", "", None])
def test_without_anybody_under_the_old_address_the_new_one_counts(runner: Any, record: Any, write_mode: str, previous: Any) -> None:
    """Nobody under previous_email, the same address, or none: the contact is created or updated under its own."""
    row = {"email": "a@contacts.example", "previous_email": previous}
    assert runner.write([record(row)], write_mode=write_mode).counts()["created"] == 1
    runner.mailchimp.clock(advance=60)
    assert runner.write([record(row)], write_mode=write_mode).counts()["unchanged"] == 1
    assert list(runner.members()) == ["a@contacts.example"]


@pytest.mark.parametrize("archived", [404, 405])
@pytest.mark.parametrize("status", ["unsubscribed", "archived", "cleaned", "pending", "transactional"])
def test_a_changed_email_address_subscribes_nobody(make_runner: Any, record: Any, status: str, archived: int) -> None:
    """Who left, or has not confirmed, does not come back by a new email address."""
    runner = make_runner(contacts=1, statuses={status: 1})
    runner.mailchimp.behavior(patch_archived_status=archived)
    [old] = runner.members()
    runner.write([record({"email": "new@contacts.example", "previous_email": old, "status": "subscribed"})])
    assert "subscribed" not in {member["status"] for member in runner.members().values()}


def read(runner: Any, path: str) -> Any:
    """A collection of the audience, as Mailchimp gives it."""
    url = f"{runner.mailchimp.url}/3.0/lists/{runner.list_id}/{path}"
    return requests.get(url, auth=("key", runner.config()["credentials"]["apikey"]), timeout=10).json()


def groups(runner: Any) -> dict[str, str]:
    """The ids of the groups by name."""
    found = {}
    for category in read(runner, "interest-categories")["categories"]:
        for row in read(runner, f"interest-categories/{category['id']}/interests")["interests"]:
            found[f"{category['title']}/{row['name']}"] = row["id"]
    return found


@MODES
def test_groups_and_permissions_by_name(make_runner: Any, record: Any, catalog: Any, write_mode: str) -> None:
    """Groups are named by category and name, permissions by their text; the names are looked up once per audience."""
    runner = make_runner(interests={"Topics": ["News", "Offers"]}, marketing_permissions=True, contacts=1)
    [known] = runner.members()
    text = read(runner, "members")["members"][0]["marketing_permissions"][0]["text"]
    rules = [
        {"column": "mail", "field": "email"},
        {"column": "wants news", "field": "interests.topics/NEWS"},
        {"column": "offers", "field": "interests.Topics/Offers"},
        {"column": "consent", "field": f"marketing_permissions.{text}"},
    ]
    rows = [{"mail": f"p{n}@contacts.example", "wants news": "yes", "offers": "no", "consent": "Y"} for n in range(4)]
    streams = catalog({"name": "people", "json_schema": {"properties": {name: {} for name in rows[0]}}})
    before = len(runner.mailchimp.journal())
    result = runner.write([record(row) for row in rows], streams, field_mapping=rules, write_mode=write_mode)
    assert result.counts()["created"] == 4, result.text
    asked = [entry for entry in runner.mailchimp.journal()[before:] if "/interests" in entry["path"]]
    assert len(asked) == 1
    ids = groups(runner)
    for row in read(runner, "members")["members"]:
        if row["email_address"].lower() != known:
            assert row["interests"] == {ids["Topics/News"]: True, ids["Topics/Offers"]: False}
            assert row["marketing_permissions"][0]["enabled"] is True


@pytest.mark.parametrize(
    ("field", "words"), [("interests.Topics/Nwes", "did you mean Topics/News"), ("marketing_permissions.Emial", "Emial")]
)
def test_an_unknown_group_is_named_at_the_start(make_runner: Any, record: Any, field: str, words: str) -> None:
    """A group or permission that the audience does not have fails the check, and the sync before anything is sent."""
    runner = make_runner(interests={"Topics": ["News", "Offers"]}, marketing_permissions=True, contacts=1)
    rules = [{"column": "email", "field": "email"}, {"column": "first_name", "field": field}]
    assert words in runner.check(field_mapping=rules)[1]
    result = runner.write([record({"email": "a@contacts.example", "first_name": "yes"})], field_mapping=rules)
    assert result.error is not None
    assert words in str(result.error.message)
    assert runner.writes() == []


def test_records_may_name_groups_too(make_runner: Any, record: Any) -> None:
    """A record's interests may be named by category and name; a name that is not there rejects the record, naming it."""
    runner = make_runner(interests={"Topics": ["News", "Offers"]})
    rows = [
        record({"email": "a@contacts.example", "interests": ["Topics/News"]}),
        record({"email": "b@contacts.example", "interests": {"Topics/Nothing": True}}),
    ]
    result = runner.write(rows)
    assert (result.counts()["created"], result.counts()["rejected"]) == (1, 1)
    assert "Topics/Nothing" in result.text
    assert read(runner, "members")["members"][0]["interests"][groups(runner)["Topics/News"]] is True
