from __future__ import annotations

import random
from typing import Any

import pytest

from mailchimp_unified.entities.contact_fields import WRITABLE

FIELDS = [
    {"tag": "COMPANY"},
    {"tag": "AGE", "type": "number"},
    {"tag": "BORN", "type": "birthday"},
    {"tag": "SINCE", "type": "date"},
    {"tag": "COLOUR", "type": "dropdown", "choices": ["Red", "Green"]},
]
GOOD = {"email": "good@contacts.example", "first_name": "Good"}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "no email address"),
        ({"email": None}, "no email address"),
        ({"email": " \u200b"}, "no email address"),
        ({"email": 5}, "email"),
        ({"email": ["a@contacts.example"]}, "email"),
        ({"email": "a b@contacts.example"}, "spaces"),
        ({"email": "a\x00b@contacts.example"}, "control"),
        ({"email": "a@contacts.example, b@contacts.example"}, "more than one email address"),
        ({"email": "a@contacts.example;b@contacts.example"}, "more than one email address"),
        ({"email": "no-at-sign"}, "@"),
        ({"email": "a" * 320 + "@contacts.example"}, "320"),
        ({"email": "jörg@contacts.exämple"}, "valid email"),
        ({"email": "a@contacts.example", "first_name": "x" * 300}, "FNAME"),
        ({"email": "a@contacts.example", "first_name": {"x": 1}}, "first_name"),
        ({"email": "a@contacts.example", "list_id": {"id": 1}}, "list_id"),
        ({"email": "a@contacts.example", "status": "asleep"}, "status"),
        ({"email": "a@contacts.example", "status_if_new": "cleaned"}, "status_if_new"),
        ({"email": "a@contacts.example", "tags": {"label": "vip"}}, "tags"),
        ({"email": "a@contacts.example", "tags": [True]}, "tags"),
        ({"email": "a@contacts.example", "tags_to_remove": {"a": 1}}, "tags_to_remove"),
        ({"email": "a@contacts.example", "vip": "perhaps"}, "vip"),
        ({"email": "a@contacts.example", "location": {"latitude": "north"}}, "location"),
        ({"email": "a@contacts.example", "interests": [{"a": True}]}, "interests"),
        ({"email": "a@contacts.example", "marketing_permissions": [{"enabled": True}]}, "marketing_permissions"),
        ({"email": "a@contacts.example", "timestamp_opt": "yesterday"}, "timestamp_opt"),
        ({"email": "a@contacts.example", "addresses": [{"street_1": "x"}]}, "ADDRESS"),
        ({"email": "a@contacts.example", "phones": [{"phone": ["1"]}]}, "phones"),
        ({"email": "a@contacts.example", "custom_fields": [1]}, "custom_fields"),
        ({"email": "a@contacts.example", "custom_fields": {"NOPE": 1}}, "NOPE"),
        ({"email": "a@contacts.example", "custom_fields": {"COMPANY": [1]}}, "COMPANY"),
        ({"email": "a@contacts.example", "custom_fields": {"AGE": "old"}}, "AGE"),
        ({"email": "a@contacts.example", "custom_fields": {"AGE": "9" * 400}}, "AGE"),
        ({"email": "a@contacts.example", "custom_fields": {"BORN": "13/40"}}, "BORN"),
        ({"email": "a@contacts.example", "custom_fields": {"SINCE": "2026-02-30"}}, "SINCE"),
        ({"email": "a@contacts.example", "custom_fields": {"COLOUR": "Blue"}}, "COLOUR"),
        ({"email": "a@contacts.example", "custom_fields": {"ADDRESS": {"addr1": "x"}}}, "ADDRESS"),
        ({"email": "a@contacts.example", "ip_signup": "not an ip"}, "ip_signup"),
        ({"email": "a@contacts.example", "is_deleted": "maybe"}, "is_deleted"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_bad_record_is_a_reject_that_names_the_field(
    make_runner: Any, record: Any, state: Any, columns: dict[str, Any], words: str, write_mode: str
) -> None:
    """No matter what is wrong with a record, it is rejected with a reason, and its neighbors land."""
    runner = make_runner(merge_fields=FIELDS)
    result = runner.write([record(GOOD), record(columns), state(1)], write_mode=write_mode)
    assert result.error is None
    assert result.counts() == {"created": 1, "updated": 0, "unchanged": 0, "skipped": 0, "rejected": 1}
    assert result.statistics == [{"recordCount": 1.0, "rejectedRecordCount": 1.0}]
    reject = next(line for line in result.log if line.startswith("Rejected"))
    assert words in reject
    assert list(runner.members()) == ["good@contacts.example"]


def test_values_are_converted_by_type(make_runner: Any, record: Any) -> None:
    """Dates, birthdays, numbers, booleans, choices and addresses arrive as Mailchimp keeps them."""
    runner = make_runner(merge_fields=FIELDS)
    custom = {"COMPANY": True, "AGE": "41.5", "BORN": "1990-02-29T00:00:00".replace("29", "28"), "SINCE": "01/31/2026", "COLOUR": "red"}
    address = {"type": "ADDRESS", "street_1": "1 Way", "city": "Reno", "state": "NV", "postal_code": "89501", "country": None}
    phones = [{"type": "sms", "phone": "1"}, {"type": "phone", "phone": 5035550100}]
    runner.write([record({"email": "a@contacts.example", "custom_fields": custom, "addresses": [address], "phones": phones})])
    values = runner.members()["a@contacts.example"]["merge_fields"]
    assert {tag: values[tag] for tag in custom} == {"COMPANY": "true", "AGE": 41.5, "BORN": "02/28", "SINCE": "2026-01-31", "COLOUR": "Red"}
    assert (values["ADDRESS"]["addr1"], values["PHONE"]) == ("1 Way", "5035550100")


@pytest.mark.parametrize(("empty_values", "expected"), [("keep", "Acme"), ("clear", None)])
@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_null_keeps_or_clears(make_runner: Any, record: Any, empty_values: str, expected: str | None, write_mode: str) -> None:
    """A null leaves what Mailchimp has, or clears it, as configured."""
    runner = make_runner(merge_fields=FIELDS, contacts=1)
    [email] = runner.members()
    runner.write([record({"email": email, "custom_fields": {"COMPANY": "Acme"}})])
    runner.write([record({"email": email, "custom_fields": {"COMPANY": None}})], empty_values=empty_values, write_mode=write_mode)
    assert runner.members()[email]["merge_fields"].get("COMPANY") == expected


def test_merge_fields_are_read_in_full(make_runner: Any, record: Any) -> None:
    """The eleventh merge field is as good as the first."""
    runner = make_runner(merge_fields=[{"tag": f"F{n}"} for n in range(40)])
    result = runner.write([record({"email": "a@contacts.example", "custom_fields": {f"F{n}": str(n) for n in range(40)}})])
    assert result.counts()["created"] == 1
    assert runner.members()["a@contacts.example"]["merge_fields"]["F39"] == "39"


def test_missing_merge_fields_are_created_on_request(make_runner: Any, record: Any, catalog: Any) -> None:
    """What the mapping names is created once, when a record fills it, with the type and the name of its column; the first record has its value."""
    runner = make_runner(merge_fields=[{"tag": f"F{n}"} for n in range(30)])
    properties = {
        "mail": {"type": "string"}, "Company Name": {"type": ["null", "string"]}, "score": {"type": ["null", "number"]},
        "since": {"type": "string", "format": "date"}, "amount": {"type": "string"}, "street": {}, "city": {}, "never": {},
    }  # fmt: skip
    fields = {"mail": "email", "Company Name": "custom_fields.firm", "score": "custom_fields.SCORE", "since": "custom_fields.SINCE"}
    rules = [{"column": column, "field": field} for column, field in fields.items()]
    rules += [{"column": "amount", "field": "custom_fields.LTV", "format": "number"}, {"column": "never", "field": "custom_fields.NEVER"}]
    row = {"mail": "a@contacts.example", "Company Name": "Acme", "score": 4.5, "since": "2026-01-31", "amount": "$5", "never": " "}
    messages = [record(row), record({**row, "mail": "b@contacts.example", "Company Name": "B"})]
    streams = catalog({"name": "people", "json_schema": {"properties": properties}})
    result = runner.write(messages, streams, field_mapping=rules, create_missing_merge_fields=True)
    assert result.counts()["created"] == 2
    assert "merge fields; most plans allow no more" in result.text
    values = runner.members()["a@contacts.example"]["merge_fields"]
    assert {tag: values[tag] for tag in ("FIRM", "SCORE", "SINCE", "LTV")} == {
        "FIRM": "Acme",
        "SCORE": 4.5,
        "SINCE": "2026-01-31",
        "LTV": 5,
    }
    made = [entry["body"] for entry in runner.writes() if entry["path"].endswith("merge-fields")]
    assert {one["tag"]: (one["name"], one["type"]) for one in made} == {
        "FIRM": ("Company Name", "text"), "SCORE": ("score", "number"), "SINCE": ("since", "date"), "LTV": ("amount", "number"),
    }  # fmt: skip
    assert len(made) == 4


def test_a_record_creates_no_merge_fields_by_itself(runner: Any, record: Any) -> None:
    """Names that only a record has are rejected, not created, however many they are."""
    row = {"email": "a@contacts.example", "custom_fields": {f"F{n}": "x" for n in range(120)}}
    result = runner.write([record(row), record(GOOD)], create_missing_merge_fields=True)
    assert result.counts()["rejected"] == 1
    assert [entry for entry in runner.writes() if entry["path"].endswith("merge-fields")] == []


def test_a_sync_creates_at_most_twenty_merge_fields(runner: Any, record: Any, catalog: Any) -> None:
    """What a schema or a mapping names beyond twenty is not created: a mapping fails before anything is sent."""
    custom = {f"F{n}": {"type": "string"} for n in range(120)}
    schema = {"properties": {"email": {}, "list_id": {}, "custom_fields": {"properties": custom}}}
    row = {"email": "a@contacts.example", "custom_fields": dict.fromkeys(custom, "x")}
    streams = catalog({"name": "people", "json_schema": schema})
    result = runner.write([record(row), record(GOOD)], streams, create_missing_merge_fields=True)
    assert len([entry for entry in runner.writes() if entry["path"].endswith("merge-fields")]) == 20
    assert result.counts()["rejected"] == 1
    rules = [{"column": "email", "field": "email"}, *({"value": "x", "field": f"custom_fields.G{n}"} for n in range(21))]
    for words in (runner.check(field_mapping=rules, create_missing_merge_fields=True)[1],):
        assert "21 merge fields" in words


def test_sixty_tags(runner: Any, record: Any) -> None:
    """More tags than an answer shows are added, removed and recognised."""
    tags = [f"Tag {n}" for n in range(60)]
    runner.write([record({"email": "a@contacts.example", "tags": tags})])
    assert len(runner.members()["a@contacts.example"]["tags"]) == 60
    runner.mailchimp.clock(advance=60)
    for write_mode in ("bulk", "single"):
        again = runner.write([record({"email": "a@contacts.example", "tags": [tag.upper() for tag in tags]})], write_mode=write_mode)
        assert again.counts()["unchanged"] == 1
    runner.write([record({"email": "a@contacts.example", "tags_to_remove": ["tag 55"], "first_name": "A"})], write_mode="single")
    assert "Tag 55" not in runner.members()["a@contacts.example"]["tags"]


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_replacing_touches_managed_tags_only(make_runner: Any, record: Any, write_mode: str) -> None:
    """Within managed_tags the record's tags are all that stay; other tags are left alone, and case makes no twin."""
    runner = make_runner(contacts=30, tags=["Hand Made", "wh:Old", "wh:Kept"], tags_per_contact=3)
    messages = [record({"email": email, "tags": ["WH:KEPT", "wh:New", "hand made"]}) for email in runner.members()]
    messages.append(record({"email": "new@contacts.example", "tags": ["wh:new"]}))
    messages[0]["record"]["data"].pop("tags")
    messages[1]["record"]["data"]["tags"] = []
    result = runner.write(messages, tag_mode="replace", managed_tags=["WH:*"], write_mode=write_mode)
    assert result.error is None
    # The new tag may be spelled as either record spells it, but in one way only.
    assert len({tag for member in runner.members().values() for tag in member["tags"]}) == 4
    tags = [sorted(tag.lower() for tag in member["tags"]) for member in runner.members().values()]
    assert tags[0] == ["hand made", "wh:kept", "wh:old"]
    assert tags[1] == ["hand made"]
    assert tags[2:30] == [["hand made", "wh:kept", "wh:new"]] * 28


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_automations_are_suppressed(make_runner: Any, record: Any, write_mode: str) -> None:
    """With suppress_automations every tag travels in a call that says is_syncing."""
    runner = make_runner(contacts=2, tags=["old"], tags_per_contact=1)
    messages = [record({"email": email, "tags": ["new"], "tags_to_remove": ["old"]}) for email in [*runner.members(), "n@contacts.example"]]
    runner.write(messages, suppress_automations=True, write_mode=write_mode)
    assert [member["tags"] for member in runner.members().values()] == [["new"]] * 3
    with_tags = [entry["body"] for entry in runner.writes() if "tags" in str(entry["body"])]
    assert all(body["is_syncing"] is True for body in with_tags)
    assert len(with_tags) == 3


def test_marketing_permissions_go_singly(make_runner: Any, record: Any) -> None:
    """A bulk row knows no marketing permissions: such contacts go by a call of their own."""
    runner = make_runner(contacts=20)
    permission = [{"marketing_permission_id": "abc", "text": "Mail", "enabled": True}]
    runner.write([record({"email": email, "marketing_permissions": permission}) for email in runner.members()], write_mode="bulk")
    assert {entry["method"] for entry in runner.writes()} == {"PATCH"}


def anything(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON, rarely deep."""
    flat = [None, True, False, 0, -1, 1.5, 2**63, "", "x", "\x00", "é" * 200, "true", "[", "{}", "2026-01-01", "a@contacts.example"]
    if depth > 2 or chance.random() < 0.7:
        return chance.choice(flat)
    inner = [anything(chance, depth + 1) for _ in range(chance.randrange(3))]
    keys = ["name", "type", "latitude", "phone", "enabled", "marketing_permission_id", "FNAME", "addr1"]
    return inner if chance.random() < 0.5 else {chance.choice(keys): value for value in inner}


@pytest.mark.parametrize("seed", range(4))
def test_wrong_types_everywhere(make_runner: Any, record: Any, state: Any, seed: int) -> None:
    """Any JSON in any column: each record has exactly one outcome, and the good ones land."""
    runner, chance = make_runner(merge_fields=FIELDS), random.Random(seed)
    names = [*sorted(WRITABLE - {"email", "list_id", "is_deleted"}), "COMPANY", "AGE", "_ab_cdc_deleted_at", "_airbyte_meta"]
    messages: list[Any] = []
    for number in range(150):
        columns = {name: anything(chance) for name in chance.sample(names, chance.randrange(1, 5))}
        messages += [record({"email": f"p{number}@contacts.example", **columns}), record({"email": f"g{number}@contacts.example"})]
    messages += [record({"email": anything(chance), "list_id": anything(chance)}) for _ in range(50)]
    result = runner.write([*messages, state(1)], unmapped_columns="merge_fields", max_rejected_percent=None)
    assert result.error is None
    assert sum(result.counts().values()) == 350
    assert result.counts()["rejected"] > 50
    assert all(f"g{number}@contacts.example" in runner.members() for number in range(150))
    assert result.ids == [1]
