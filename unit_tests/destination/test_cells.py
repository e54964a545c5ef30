"""From the cells of a row to a unified contact: which place a cell fills, and what it becomes there."""

from __future__ import annotations

from typing import Any

import pytest

import destination_mailchimp_unified.intake.columns as columns_module
from destination_mailchimp_unified.config import Rule
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.contact import split_name
from destination_mailchimp_unified.intake.fields import Field, field_of, named_with_prefix
from destination_mailchimp_unified.intake.formats import is_date, number, reader_of
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.text import folded

Json = dict[str, Any]

CONTACTS = ["email", "list_id"]


def columns_of(*rules: Json, **more: Any) -> Columns:
    """Return columns with rules."""
    return Columns([Rule.model_validate(rule) for rule in rules], **more)


def unified(row: Json, *rules: Json, **more: Any) -> Json:
    """Return what a row becomes by rules."""
    return columns_of(*rules, **more).contact(row).unified


def labels(columns: Columns, column: str) -> list[str]:
    """Return what a column fills."""
    return [filler.field.label for filler in columns.fillers(column)]


# Which place.


@pytest.mark.parametrize(
    ("column", "unknown", "known", "by_hand"),
    [
        ("email", ["email"], ["email"], ["email"]),
        ("tags", ["tags"], ["tags"], ["tags"]),
        ("vip", [], ["vip"], ["vip"]),
        ("tag:VIP", ["tag:VIP"], ["tag:VIP"], ["tag:VIP"]),
        ("custom_fields.age", ["custom_fields.age"], ["custom_fields.age"], ["custom_fields.AGE"]),
        ("custom_fields.much_too_long", ["custom_fields.much_too_long"], ["custom_fields.much_too_long"], ["custom_fields.much_too_long"]),
        ("AGE", ["AGE"], ["AGE"], ["AGE"]),
        ("member_rating", [], [], []),
        ("_airbyte_raw_id", [], [], []),
        ("_AB_source_file", [], [], []),
        ("_ab_cdc_deleted_at", ["is_deleted"], ["is_deleted"], ["is_deleted"]),
    ],
)
def test_what_a_column_fills_by_its_name(column: str, unknown: list[str], known: list[str], by_hand: list[str]) -> None:
    """In any table, in a stream of contacts, and where columns were named by hand; what is left over may be a merge field."""
    assert labels(Columns(known=[column], merge_extras=True), column) == unknown
    assert labels(Columns(known=[*CONTACTS, column], merge_extras=True), column) == known
    assert labels(Columns(known=[column], merge_extras=True, by_hand=True), column) == by_hand
    kinds = {filler.field.kind for filler in Columns(known=[column], by_hand=True).fillers(column)}
    assert kinds <= {"unified", "deleted at", "tag", "merge field"}


def test_a_column_that_is_named_as_a_rule_would_name_its_field_counts_by_hand_only() -> None:
    """In a table somebody else named it."""
    assert columns_of(merge_extras=True).fillers("tag:VIP")[0].field.kind == "merge tag"
    assert columns_of(by_hand=True).fillers("tag:VIP")[0].field == Field("tag", "VIP")
    assert columns_of().fillers("tag:VIP") == ()


def test_a_name_that_does_nothing_here_is_left_alone() -> None:
    """Also where a merge field is called so."""
    columns = Columns(known=CONTACTS, ignored=frozenset({"list_id"}), merge_extras=True)
    assert (labels(columns, "list_id"), labels(columns, "email")) == ([], ["email"])


@pytest.mark.parametrize(
    ("rule", "tags"),
    [
        ({"value": "all", "field": "tags"}, ["own", "all"]),
        ({"column": "stage", "field": "tags"}, ["Won"]),
        ({"column": "stage", "field": "tags_to_remove"}, ["own"]),
        ({"column": "absent", "field": "tags"}, ["own"]),
        ({"column": "stage.name", "field": "tags"}, []),
    ],
)
def test_a_constant_leaves_the_column_of_tags_its_place(rule: Json, tags: list[str]) -> None:
    """A column that is mapped to tags takes it: then the other is somebody else's."""
    row = {"email": "a@x.org", "tags": "own", "stage": "Won"}
    assert (unified(row, rule, known=list(row)).get("tags") or []) == tags


def test_a_constant_takes_the_place_of_a_column_of_the_same_name() -> None:
    """Of all fields that hold one value."""
    row = {"email": "a@x.org", "first_name": "Ada", "last_name": "L"}
    assert unified(row, {"value": "B", "field": "custom_fields.FNAME"}) == {
        "email": "a@x.org",
        "last_name": "L",
        "custom_fields": {"FNAME": "B"},
    }
    assert unified(row, {"value": "A B", "field": "full_name"}) == {"email": "a@x.org", "first_name": "A", "last_name": "B"}


def test_one_column_may_fill_several_fields() -> None:
    """And a path in it as well."""
    row = {"who": {"mail": "a@x.org", "tags": ["x", "y"]}}
    rules = [
        {"column": "who.mail", "field": "email"},
        {"column": "Who.Tags", "field": "tags"},
        {"column": "who", "field": "custom_fields.WHO"},
    ]
    assert unified(row, *rules) == {"email": "a@x.org", "tags": ["x", "y"], "custom_fields": {"WHO": row["who"]}}
    assert [filler.origin for filler in columns_of(*rules, known=["who"]).rule_fillers()] == ["who", "who.mail", "Who.Tags"]
    assert columns_of(*rules, known=["other"]).rule_fillers() == []


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("c.a", {"a": "x"}, "x"),
        ("c.A", {"a": "x"}, "x"),
        ("c.a", {"A": "y", "a": "x"}, "x"),
        ("c.a.b", {"a": {"b": "x"}}, "x"),
        ("c.a.b", {"a": '{"b": "x"}'}, "x"),
        ("c.0", ["x", "y"], "x"),
        ("c.1", ["x", "y"], "y"),
        ("c.2", ["x", "y"], None),
        ("c.last", ["x", "y"], None),
        ("c.-1", ["x", "y"], None),
        ("c.0.a", '[{"a": "x"}]', "x"),
        ("c.0", {"0": "x"}, "x"),
        ("c.a", "a", None),
        ("c.a", None, None),
        ("c.a", {"b": "x"}, None),
        ("c.a", {1: "x"}, None),
    ],
)
def test_a_path_leads_into_objects_and_lists(path: str, value: Any, found: str | None) -> None:
    """By names in any case, the exact one first, and by numbers from 0; JSON text is what it holds."""
    assert unified({"c": value}, {"column": path, "field": "language"}) == {"language": found}


def test_columns_are_learned_row_by_row() -> None:
    """The first spelling of a name stays; what was told is told once, when the first row came."""
    told: list[list[str]] = []
    columns = columns_of(announce=lambda found: told.append(list(found.names.values())))
    for row in ({"Email": "a@x.org"}, {"EMAIL": "b@x.org"}, {"Email": "c@x.org", "vip": True}, {"Email": "d@x.org"}):
        assert columns.contact(row).unified == {"email": next(iter(row.values()))}

    assert told == [["Email"]]
    assert list(columns.names.values()) == ["Email", "vip"]
    assert columns_of(known=["A", "a"]).names == {"a": "a"}


def test_names_of_columns_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few of them a row has: a table may have a million rows."""
    looked_at: list[str] = []

    def looked(name: str) -> str:
        looked_at.append(name)
        return folded(name)

    monkeypatch.setattr(columns_module, "folded", looked)
    names = ["email", "first_name", "last_name", "vip"]
    columns = columns_of(known=names)
    for name in names:
        columns.contact({name: None})
    looked_at.clear()
    for row in ({"email": None}, {"vip": None}, {}, dict.fromkeys(names)):
        columns.contact(row)

    assert looked_at == []


def test_what_stands_in_a_column_is_said_of_a_row_that_cannot_be_used() -> None:
    """Of the email address, whether it is one or not; nothing where there is none."""
    columns = columns_of({"column": "who.mail", "field": "email"}, {"column": "to", "field": "list_id"})
    assert columns.email_text({"who": {"mail": "no address"}}) == "no address"
    assert columns.text_of("list_id", {"to": 5, "who": 1}) == "5"
    assert columns.text_of("list_id", {"to": None}) == columns.text_of("list_id", {}) == columns.email_text({"email": ""}) == ""


# What it becomes.


@pytest.mark.parametrize(
    ("row", "deleted"),
    [
        ({"is_deleted": True}, True),
        ({"is_deleted": "no"}, False),
        ({"is_deleted": None}, False),
        ({"is_deleted": True, "_ab_cdc_deleted_at": None}, True),
        ({"_ab_cdc_deleted_at": "2026-01-31", "is_deleted": False}, True),
        ({"_ab_cdc_deleted_at": None, "is_deleted": None}, False),
        ({}, None),
    ],
)
def test_one_sign_that_a_row_is_gone_is_enough(row: Json, deleted: bool | None) -> None:
    """In any order of its columns."""
    for given in (row, dict(reversed(row.items()))):
        assert unified({"email": "a@x.org", "list_id": "a1", **given}).get("is_deleted") is deleted


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"a": "yes", "b": "yes"}, {"tags": ["A", "B"]}),
        ({"a": "no", "b": "yes"}, {"tags_to_remove": ["A"], "tags": ["B"]}),
        ({"a": None, "b": ""}, {}),
        ({"a": "null", "b": "yes"}, None),
        ({"a": True, "c": True, "d": False}, {"tags": ["A"], "interests": {"C/1": True, "D/2": False}}),
        ({"c": None, "d": 1}, {"interests": {"D/2": True}}),
        ({"e": "on", "f": "off"}, {"marketing_permissions": [{"text": "E", "enabled": True}, {"text": "F", "enabled": False}]}),
        ({"e": None, "f": 1}, {"marketing_permissions": [{"text": "F", "enabled": True}]}),
    ],
)
def test_columns_of_booleans_add_up(cells: Json, expected: Json | None) -> None:
    """Each tag, group and permission for itself; blank says nothing, and a word that is neither is refused by name."""
    names = {
        "a": "tag:A", "b": "tag:B", "c": "interests.C/1", "d": "interests.D/2", "e": "marketing_permissions.E", "f": "marketing_permissions.F",
    }  # fmt: skip
    columns = columns_of(*({"column": column, "field": field} for column, field in names.items()))
    if expected is None:
        with pytest.raises(InvalidValueError) as refused:
            columns.contact(cells)
        assert refused.value.tag == "tag:A"
    else:
        assert columns.contact(cells).unified == expected


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ({"field": "tags"}, "a, b", {"tags": ["a", "b"]}),
        ({"field": "tags", "separator": ";"}, "a, b;c", {"tags": ["a, b", "c"]}),
        ({"field": "tags", "prefix": "s: "}, "a, b", {"tags": ["s: a", "s: b"]}),
        ({"field": "tags", "prefix": "\u200bs:"}, ["a"], {"tags": ["s:a"]}),
        ({"field": "tags_to_remove", "prefix": "s:"}, "a", {"tags_to_remove": ["s:a"]}),
        ({"field": "tags"}, [], {"tags": []}),
        ({"field": "tags"}, None, {"tags": None}),
        ({"field": "first_name", "prefix": "Dr. "}, "Ada", {"first_name": "Dr. Ada"}),
        ({"field": "first_name", "prefix": "No. "}, 5.0, {"first_name": "No. 5"}),
        ({"field": "full_name", "prefix": "Dr. "}, "Ada L", {"first_name": "Dr. Ada", "last_name": "L"}),
        ({"field": "full_name"}, 5.0, {"first_name": "5", "last_name": None}),
        ({"field": "full_name"}, None, {"first_name": None, "last_name": None}),
        ({"field": "custom_fields.A"}, 7, {"custom_fields": {"A": 7}}),
        ({"field": "custom_fields.A", "prefix": "n"}, 7.0, {"custom_fields": {"A": "n7"}}),
        ({"field": "custom_fields.A", "format": "number"}, "1,200", {"custom_fields": {"A": 1200}}),
        ({"field": "custom_fields.A", "format": "number", "prefix": "$"}, "1,200", {"custom_fields": {"A": "$1200"}}),
        ({"field": "timestamp_opt", "format": "DD/MM/YYYY"}, "31/01/2026", {"timestamp_opt": "2026-01-31T00:00:00+00:00"}),
        ({"field": "custom_fields.ADDRESS.city"}, 5.0, {"custom_fields": {"ADDRESS": {"city": "5"}}}),
        ({"field": "custom_fields.ADDRESS.city"}, " ", {"custom_fields": {"ADDRESS": None}}),
        ({"field": "vip"}, "n/a", {"vip": None}),
        ({"field": "first_name"}, "N/A", {"first_name": "N/A"}),
        ({"field": "custom_fields"}, {"A": None}, {"custom_fields": {"A": None}}),
    ],
)
def test_a_cell_becomes_what_its_rule_says(rule: Json, cell: Any, expected: Json) -> None:
    """Read in the rule's format, behind its prefix, split at its separator."""
    assert unified({"c": cell}, {"column": "c", **rule}) == expected


def test_a_merge_field_wins_over_its_parts_and_both_over_the_object_of_all() -> None:
    """What a rule says of one field is more than what one column says of all."""
    rules = [{"column": "city", "field": "custom_fields.ADDRESS.city"}, {"column": "age", "field": "custom_fields.AGE"}]
    row = {
        "email": "a@x.org",
        "list_id": "a1",
        "custom_fields": {"AGE": 1, "ADDRESS": {"city": "x"}, "SIZE": "S"},
        "city": "Reno",
        "age": 2,
    }
    assert unified(row, *rules)["custom_fields"] == {"AGE": 2, "ADDRESS": {"city": "Reno"}, "SIZE": "S"}
    assert unified({**row, "custom_fields": None}, *rules)["custom_fields"] == {"AGE": 2, "ADDRESS": {"city": "Reno"}}
    parts = columns_of({"column": "a", "field": "custom_fields.ADDRESS.city"}, {"column": "b", "field": "custom_fields.ADDRESS.state"})
    assert parts.contact({"a": None, "b": "NV"}).unified == {"custom_fields": {"ADDRESS": {"city": None, "state": "NV"}}}


@pytest.mark.parametrize(
    ("field", "format_", "named"),
    [
        ("custom_fields.AGE", "number", "AGE"),
        ("custom_fields.ADDRESS.city", None, "ADDRESS"),
        ("full_name", None, "full_name"),
        ("interests.A/B", None, "interests.A/B"),
        ("marketing_permissions.A", None, "marketing_permissions.A"),
        ("vip", None, "vip"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_by_its_field(field: str, format_: str | None, named: str) -> None:
    """By the tag where it is a merge field; left out on request."""
    rule = {"column": "c", "field": field, "format": format_}
    with pytest.raises(InvalidValueError) as refused:
        columns_of(rule).contact({"c": {"no": "way"}})
    assert refused.value.tag == named
    assert columns_of(rule, leave_out=True).contact({"c": {"no": "way"}, "email": "a@x.org"}).left_out == (named,)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("", None, None),
        ("Ada", "Ada", None),
        ("Ada  Lovelace", "Ada", "Lovelace"),
        ("van Gogh", "van", "Gogh"),
        ("Ludwig van der Rohe", "Ludwig", "van der Rohe"),
        ("Ludwig Mies van der Rohe", "Ludwig Mies", "van der Rohe"),
        ("ada king lovelace", "ada", "king lovelace"),
        ("de la Cruz", "de", "la Cruz"),
        ("Lovelace, Ada King", "Ada King", "Lovelace"),
        (", Ada", "Ada", None),
        ("King, Lovelace, Ada", "Lovelace, Ada", "King"),
    ],
)
def test_a_name_has_a_first_and_a_last_part(name: str, first: str | None, last: str | None) -> None:
    """The first word is never part of the last name; what stands before a comma is."""
    assert split_name(name) == (first, last)


# Fields.

FIELDS_OF_ALL_KINDS: list[tuple[str, Field, frozenset[str], str | None, bool]] = [
    ("email", Field("unified", "email"), frozenset({"email"}), None, True),
    ("list_id", Field("unified", "list_id"), frozenset({"list_id"}), None, True),
    ("previous_email", Field("unified", "previous_email"), frozenset({"previous_email"}), None, True),
    ("status", Field("unified", "status"), frozenset({"status"}), None, True),
    ("status_if_new", Field("unified", "status_if_new"), frozenset({"status_if_new"}), None, True),
    ("is_deleted", Field("unified", "is_deleted"), frozenset({"is_deleted"}), None, True),
    ("tags", Field("unified", "tags"), frozenset(), None, False),
    ("tags_to_remove", Field("unified", "tags_to_remove"), frozenset(), None, False),
    ("vip", Field("unified", "vip"), frozenset({"vip"}), None, False),
    ("interests", Field("unified", "interests"), frozenset({"interests"}), None, False),
    ("first_name", Field("unified", "first_name"), frozenset({"FNAME"}), None, False),
    ("last_name", Field("unified", "last_name"), frozenset({"LNAME"}), None, False),
    ("phones", Field("unified", "phones"), frozenset({"PHONE"}), None, False),
    ("full_name", Field("full name", "full_name"), frozenset({"FNAME", "LNAME"}), None, False),
    ("ignore", Field("ignore", "ignore"), frozenset(), None, False),
    ("custom_fields.AGE", Field("merge field", "AGE"), frozenset({"AGE"}), "AGE", False),
    ("custom_fields.FNAME", Field("merge field", "FNAME"), frozenset({"FNAME"}), "FNAME", False),
    ("custom_fields.ADDRESS.city", Field("address part", "ADDRESS", "city"), frozenset({"ADDRESS.city"}), "ADDRESS", False),
    ("tag:VIP", Field("tag", "VIP"), frozenset({"tag:VIP"}), None, False),
    ("interests.A/B", Field("interest", "A/B"), frozenset({"interests.A/B"}), None, False),
    ("marketing_permissions.Mail", Field("permission", "Mail"), frozenset({"marketing_permissions.Mail"}), None, False),
]


@pytest.mark.parametrize(("label", "field", "slots", "merge_tag", "decides"), FIELDS_OF_ALL_KINDS)
def test_a_field_has_a_label_a_place_and_a_weight(
    label: str, field: Field, slots: frozenset[str], merge_tag: str | None, decides: bool
) -> None:
    """What names it, which value no other column may fill, which merge field it belongs to, and whether it may be left out."""
    assert field_of(label) == field
    assert (field.label, field.slots, field.merge_tag, field.decides) == (label, slots, merge_tag, decides)


def test_fields_that_no_rule_names() -> None:
    """The mark of a deleted row decides, a column that may be a merge field does not; several may fill either."""
    deleted, extra = Field("deleted at", "is_deleted"), Field("merge tag", "AGE")
    assert (deleted.slots, deleted.decides, deleted.merge_tag) == (frozenset(), True, None)
    assert (extra.slots, extra.decides, extra.merge_tag) == (frozenset(), False, None)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (" EMAIL ", "email"),
        ("Full_Name", "full_name"),
        ("IGNORE", "ignore"),
        ("TAG: Gold ", "tag:Gold"),
        ("Interests. A/B", "interests.A/B"),
        ("Marketing_Permissions.Direct Mail", "marketing_permissions.Direct Mail"),
        ("CUSTOM_FIELDS. age ", "custom_fields.AGE"),
        ("custom_fields.address.Postal_Code", "custom_fields.ADDRESS.zip"),
        ("custom_fields.A_1", "custom_fields.A_1"),
        ("custom_fields.ABCDEFGHIJ", "custom_fields.ABCDEFGHIJ"),
    ],
)
def test_a_field_is_named_in_any_case(text: str, label: str) -> None:
    """With spaces around its parts; names of tags, groups and permissions keep their own spelling."""
    assert field_of(text).label == label


@pytest.mark.parametrize(
    "text", ["tag:", "tag: ", "interests.", "marketing_permissions. ", "custom_fields.", "custom_fields.ABCDEFGHIJK", ""]
)
def test_a_prefix_alone_names_no_field(text: str) -> None:
    """Neither does a tag of eleven characters."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are another test's
        field_of(text)
    assert named_with_prefix(text) is None


def test_a_column_says_a_field_by_a_prefix_only() -> None:
    """Its other names are looked up elsewhere."""
    assert named_with_prefix("tag:VIP") == Field("tag", "VIP")
    assert named_with_prefix("custom_fields.age") == Field("merge field", "AGE")
    assert named_with_prefix("email") is None
    assert named_with_prefix("the age of the COMPANY") is None
    assert named_with_prefix("custom_fields.ADDRESS.town") is None


# Formats.


@pytest.mark.parametrize(
    ("format_", "cell", "read"),
    [
        ("D/M/YY", "5/1/26", "2026-01-05"),
        ("DD/MM/YYYY", "31/1/2026", "2026-01-31"),
        ("d-m-y", "5-1-26", None),
        ("d/m/yyyy", "5/1/2026", "2026-01-05"),
        ("dd.mm.yyyy hh:mm A", "05.01.2026 03:04 PM", "2026-01-05T15:04:00+00:00"),
        ("d/m/yyyy H:m", "5/1/2026 5:4", "2026-01-05T05:04:00+00:00"),
        ("DD.MM.YYYY HH:mm:ss", "05.01.2026 15:04:05", "2026-01-05T15:04:05+00:00"),
        ("D.M.YYYY H:m:s", "5.1.2026 5:4:3", "2026-01-05T05:04:03+00:00"),
        ("YYYY-MM-DDTHH:mmZ", "2026-01-05T15:04+0100", "2026-01-05T14:04:00+00:00"),
        ("MMMM D, YYYY h a", "January 5, 2026 3 PM", "2026-01-05T15:00:00+00:00"),
        ("DD/MM", "05/01", "01/05"),
        ("MM-DD", "02-29", "02/29"),
        ("D MMM", "5 Jan", "01/05"),
        ("%j %Y", "005 2026", "2026-01-05"),
        ("%d %b %Y", "5 Jan 2026", "2026-01-05"),
        ("%d %B %y", "5 January 26", "2026-01-05"),
        ("%d/%m/%Y %S", "05/01/2026 07", "2026-01-05T00:00:07+00:00"),
        ("[DD] DD/MM/YYYY", "DD 05/01/2026", "2026-01-05"),
        ("[] DD/MM/YYYY", " 05/01/2026", None),
        ("DD/MM/YYYY", "05/01/2026 and more text", "2026-01-05"),
        ("DD MM YYYY", "05 01 2026 10:00", None),
        ("DD/MM/YYYY", "\u200b05/01/2026 ", "2026-01-05"),
        ("DD/MM/YYYY", "2026-1-5", None),
        ("DD/MM/YYYY", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
        ("DD/MM/YYYY", "2026-13-05", None),
        ("DD/MM/YYYY", "31/02/2026", None),
        ("DD/MM/YYYY", "x2026-01-05", None),
        ("Jan 5, 2026", "5 January 2026", "2026-01-05"),
        ("5 January 2026", "Jan 5, 2026", "2026-01-05"),
        ("Jan 5, 2026", "31/01/2026", None),
        ("unix", 0, "1970-01-01T00:00:00+00:00"),
        ("Unix-Timestamp", "86400", "1970-01-02T00:00:00+00:00"),
        ("epoch_ms", "86400000", "1970-01-02T00:00:00+00:00"),
        ("milliseconds", 1500, "1970-01-01T00:00:01+00:00"),
        ("seconds", "soon", None),
        ("seconds", 1e30, None),
        ("seconds", "1e400", None),
        ("Currency", "5 €", 5),
    ],
)
def test_a_date_is_read_by_its_pattern_or_refused(format_: str, cell: Any, read: object) -> None:
    """Letters as spreadsheets and libraries write them, mm for months or minutes, directives, examples, seconds since 1970."""
    if read is None:
        with pytest.raises(ValueError, match=r"expects|use"):
            reader_of(format_)(cell)
    else:
        assert reader_of(format_)(cell) == read


@pytest.mark.parametrize(("format_", "unit"), [("epoch_seconds", "expects seconds"), ("epoch_milliseconds", "expects milliseconds")])
def test_what_is_expected_names_the_unit(format_: str, unit: str) -> None:
    """Who took one for the other sees which it is."""
    with pytest.raises(ValueError, match=unit):
        reader_of(format_)("soon")


@pytest.mark.parametrize(
    ("format_", "date"),
    [("number", False), ("amount", False), ("DD/MM/YYYY", True), ("epoch_seconds", True), ("Jan 5, 2026", True), ("%d.%m.%Y", True)],
)
def test_a_format_is_of_dates_or_of_numbers(format_: str, date: bool) -> None:
    """A merge field that is created for it has that type."""
    assert is_date(format_) is date


@pytest.mark.parametrize(
    "format_",
    ["", "DD", "MM/YYYY", "DD/YYYY", "HH:mm:ss", "%Y-%m", "%d", "%H:%M", "DD/MM/YYYY Q", "word", "12", "5/1/2026", "Ja 5, 2026", "%"],
)
def test_a_format_without_day_and_month_is_none(format_: str) -> None:
    """Neither is one with letters that stand for nothing, or an example whose month is a number."""
    with pytest.raises(ValueError, match=r"^use number"):
        reader_of(format_)


@pytest.mark.parametrize(
    ("cell", "read", "kind"),
    [
        (7, 7, int), (7.5, 7.5, float), (0, 0, int), ("0", 0, int), ("12", 12, int), ("12.0", 12, int), ("12.50", 12.5, float), ("1,234", 1234, int),
        ("1.234", 1.234, float), ("1.234.567", 1_234_567, int), ("1,234,567.5", 1_234_567.5, float), ("1.234,5", 1234.5, float),
        ("-5", -5, int), ("\u22125", -5, int), ("(5)", -5, int), ("$-5", -5, int), ("-$5", -5, int), ("5\u2212", -5, int), ("($1,000)", -1000, int),
        ("€ 5,00", 5, int), ("+5", 5, int), ("EUR 5", 5, int), ("5 USD", 5, int), ("1\u2019234", 1234, int), ("9007199254740991", 2**53 - 1, int),
        ("-9007199254740991", -(2**53 - 1), int), ("9007199254740992", 2.0**53, float), ("-9007199254740992", -(2.0**53), float),
    ],
)  # fmt: skip
def test_a_number_is_whole_where_it_can_be(cell: Any, read: float, kind: type) -> None:
    """Up to what a floating-point number holds exactly; signs, separators and currencies in their usual places."""
    found = number(cell)
    assert (found, type(found)) == (read, kind)


@pytest.mark.parametrize("cell", [True, False, None, "", "-", "5 apples", "5 + 5", "$5$", "5/6", "1 2 x", "12 34 56 AB", {"a": 5}])
def test_a_cell_with_other_words_is_no_number(cell: Any) -> None:
    """Nor is a boolean."""
    with pytest.raises(ValueError, match="expects"):
        number(cell)
