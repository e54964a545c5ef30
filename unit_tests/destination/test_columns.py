from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.config import Rule
from destination_mailchimp_unified.intake.columns import ANY_TABLE, Columns
from destination_mailchimp_unified.intake.contact import split_name
from destination_mailchimp_unified.intake.described import described
from destination_mailchimp_unified.intake.fields import field_of
from destination_mailchimp_unified.intake.formats import number, reader_of
from mailchimp_unified.entities.contact_fields import FIELDS, WRITABLE
from mailchimp_unified.entities.merge_field import InvalidValueError

CONTACTS = ["email", "list_id"]


def rules(*described: dict[str, Any]) -> list[Rule]:
    """Rules as the configuration has them."""
    return [Rule.model_validate(one) for one in described]


def labels(columns: Columns, column: str) -> list[str]:
    """What a column fills."""
    return [filler.field.label for filler in columns.fillers(column)]


@given(st.sampled_from(sorted(FIELDS)), st.sampled_from([str.upper, str.lower, str.title, "\ufeff{} ".format]))
def test_names_count_in_any_case(name: str, case: Any) -> None:
    """In a stream of unified contacts every writable name counts, ignoring case; read-only names fill nothing."""
    expected = [name] if name in WRITABLE else []
    assert labels(Columns(known=CONTACTS), case(name)) == expected
    assert labels(Columns(by_hand=True, merge_extras=True), case(name)) == expected
    assert labels(Columns(known=CONTACTS, merge_extras=True), f"_airbyte_{name}") == []


@given(st.sampled_from(sorted(WRITABLE)), st.sampled_from(["email", "list_id"]))
def test_in_any_other_table_few_names_count(name: str, other: str) -> None:
    """Without both email and list_id a column named status, location or is_deleted does nothing."""
    columns = Columns(known=[name] if other == name else [name, other])
    if {name, other} == {"email", "list_id"}:
        return
    assert labels(columns, name) == ([name] if name in ANY_TABLE else [])


def test_records_tell_the_columns_where_no_schema_does() -> None:
    """A stream whose records hold email and list_id is one of unified contacts, from the first such record on."""
    columns = Columns()
    assert columns.contact({"email": "a@x.org", "status": "Open"}).unified == {"email": "a@x.org"}
    assert columns.contact({"email": "a@x.org", "list_id": "a1", "status": "pending"}).unified["status"] == "pending"


def test_a_rule_wins_over_a_name() -> None:
    """A mapped column fills its field; the column that is named like the field gives way, in streams that have the mapped one."""
    mapped = rules({"column": "Mail", "field": "email"}, {"column": "mail", "field": "custom_fields.mail"})
    columns = Columns(mapped)
    assert columns.contact({"EMAIL": "not@this.one", "MAIL": "a@x.org", "other": 1}).unified == {
        "email": "a@x.org",
        "custom_fields": {"MAIL": "a@x.org"},
    }
    assert labels(Columns(mapped, known=["email", "mail"]), "email") == []
    assert labels(Columns(mapped, known=["email"]), "Email") == ["email"]


def test_ignore_leaves_a_column_alone() -> None:
    """A column with the rule ignore does nothing, also under a name that counts."""
    columns = Columns(rules({"column": "Tags", "field": "ignore"}), known=["email", "tags"])
    assert columns.contact({"email": "a@x.org", "tags": "VIP"}).unified == {"email": "a@x.org"}
    assert described("people", columns) == "people: email <- email; ignored: tags"


def test_what_a_rule_can_fill() -> None:
    """Constants, prefixes, separators, paths, full names, tags by name, parts of postal addresses, groups and permissions."""
    columns = Columns(
        rules(
            {"column": "properties.email", "field": "Email"},
            {"column": "Attendee Name", "field": "full_name"},
            {"column": "Deal Stage", "field": "tags", "prefix": "stage:"},
            {"column": "Topics", "field": "tags", "separator": ";"},
            {"value": "event-2026", "field": "tags"},
            {"column": "Customer?", "field": "tag:Customer"},
            {"column": "Trial?", "field": "tag:Trial"},
            {"column": "City", "field": "custom_fields.address.city"},
            {"column": "Zip", "field": "custom_fields.ADDRESS.postal_code"},
            {"column": "News", "field": "interests.Topics/News"},
            {"column": "Consent", "field": "marketing_permissions.Email"},
            {"column": "Amount", "field": "custom_fields.LTV", "format": "number"},
            {"column": "Since", "field": "custom_fields.SINCE", "format": "DD/MM/YYYY"},
            {"value": "web", "field": "custom_fields.ORIGIN", "prefix": "from "},
        )
    )
    row = {
        "properties": '{"Email": "ada@x.org"}', "attendee\u00a0name": "Ada King Lovelace", "DEAL STAGE": "Won", "topics": "a, b; c",
        "customer?": "yes", "trial?": "N", "city": "Reno", "zip": 89501.0, "news": "on", "consent": 0, "amount": "$1,200.50",
        "since": "31/01/2026",
    }  # fmt: skip
    assert columns.contact(row).unified == {
        "email": "ada@x.org",
        "first_name": "Ada King",
        "last_name": "Lovelace",
        "tags": ["stage:Won", "a, b", "c", "Customer", "event-2026"],
        "tags_to_remove": ["Trial"],
        "interests": {"Topics/News": True},
        "marketing_permissions": [{"text": "Email", "enabled": False}],
        "custom_fields": {
            "ADDRESS": {"city": "Reno", "zip": "89501"},
            "LTV": 1200.5,
            "SINCE": "2026-01-31",
            "ORIGIN": "from web",
        },
    }


@given(st.sampled_from(["", " ", None, "\u200b", float("nan")]))
def test_blank_cells_fill_nothing(blank: Any) -> None:
    """A blank cell adds no tag, no group, no permission and no part of a postal address, and makes no field of its prefix."""
    columns = Columns(
        rules(
            {"column": "a", "field": "tags", "prefix": "stage:"},
            {"column": "b", "field": "tag:VIP"},
            {"column": "c", "field": "interests.A/B"},
            {"column": "d", "field": "marketing_permissions.Email"},
            {"column": "e", "field": "custom_fields.ADDRESS.city"},
            {"column": "f", "field": "custom_fields.X", "prefix": "x"},
            {"column": "g", "field": "full_name"},
            {"column": "h", "field": "custom_fields.N", "format": "number"},
        )
    )
    unified = columns.contact({"email": "a@x.org", **dict.fromkeys("abcdefgh", blank)}).unified
    assert unified == {
        "email": "a@x.org",
        "tags": None,
        "first_name": None,
        "last_name": None,
        "custom_fields": {"ADDRESS": None, "X": None, "N": None},
    }


def test_a_literal_column_wins_over_a_path() -> None:
    """A column that is called like a path is the one that is meant."""
    path = rules({"column": "properties.email", "field": "email"})
    row = {"properties": {"email": "nested@x.org"}, "properties.email": "literal@x.org"}
    for columns in (Columns(path), Columns(path, known=list(row))):
        assert columns.contact(row).unified == {"email": "literal@x.org"}
    assert Columns(path).contact({"properties": {"email": "nested@x.org"}}).unified == {"email": "nested@x.org"}
    assert Columns(path, known=["properties"]).contact({"properties": None}).unified == {"email": None}


@pytest.mark.parametrize(
    ("mark", "deleted"),
    [
        ("false", False),
        ("", False),
        (None, False),
        (False, False),
        (0, False),
        ("2026-01-31T00:00:00Z", True),
        (True, True),
        ("true", True),
    ],
)
def test_the_mark_of_a_deleted_row(mark: Any, deleted: bool) -> None:
    """A row is gone when the column holds a time or true, in every table; `false` is not a time."""
    assert bool(Columns().contact({"email": "a@x.org", "_ab_cdc_deleted_at": mark}).unified["is_deleted"]) is deleted


@pytest.mark.parametrize("column", ["status", "email", "list_id", "is_deleted", "vip", "first_name"])
def test_values_that_cannot_be_read_are_refused_or_left_out(column: str) -> None:
    """With leave_out a bad value is noted and left out, unless it says who is meant, where to write, or with which consent."""
    row = {"email": "a@x.org", "list_id": "a1", column: {"no": "way"}}
    with pytest.raises(InvalidValueError, match=column):
        Columns().contact(row)
    if column in ("vip", "first_name"):
        contact = Columns(leave_out=True).contact(row)
        assert (contact.left_out, column in contact.unified) == ((column,), False)
    else:
        with pytest.raises(InvalidValueError, match=column):
            Columns(leave_out=True).contact(row)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("emial", "did you mean email"),
        ("frist_name", "did you mean first_name"),
        ("member_rating", "set by Mailchimp"),
        ("COMPANY", "custom_fields.COMPANY"),
        ("custom_fields.MUCH_TOO_LONG", "at most 10 characters"),
        ("custom_fields.A-B", "only letters, digits and underscores"),
        ("custom_fields.ADDRESS.town", "parts of a postal address"),
        ("custom_fields.", "does not exist"),
        ("tag:", "does not exist"),
    ],
)
def test_a_field_that_cannot_be_is_named(field: str, words: str) -> None:
    """A rule for a field that does not exist says what is wrong with it, and what was probably meant."""
    with pytest.raises(ValueError, match=words):
        field_of(field)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("$1,234.56", None, 1234.56), ("1.234,56 €", None, 1234.56), ("1,234", None, 1234), ("1.5", None, 1.5), ("1,5", None, 1.5),
        ("(5.00)", None, -5), ("-$5.20", None, -5.2), ("5-", None, -5), ("1\u202f234,50", None, 1234.5), ("USD 12", None, 12),
        ("12 EUR", None, 12), ("1'234.50", None, 1234.5), (7, None, 7),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(column: Any, value: None, expected: float) -> None:
    """format: number reads thousands separators, currency signs and codes, and signs in their usual places."""
    assert number(column) == expected


@pytest.mark.parametrize("words", ["about 5 of 10", "2026-01-01", "12%", "3 - 5", "5e3", "five", True])
def test_what_is_no_number_is_refused(words: Any) -> None:
    """Digits within other words are no number."""
    with pytest.raises(ValueError, match="expects a number"):
        number(words)


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        ("DD/MM/YYYY", "31/01/2026", "2026-01-31"),
        ("dd/mm/yyyy", "31/1/2026", "2026-01-31"),
        ("MM/DD/YY", "01/31/26", "2026-01-31"),
        ("MMM D, YYYY", "Jan 5, 2026", "2026-01-05"),
        ("Jan 5, 2026", "Feb 7, 2026", "2026-02-07"),
        ("%d.%m.%Y", "31.01.2026", "2026-01-31"),
        ("YYYYMMDD", 20260131, "2026-01-31"),
        ("DD/MM", "29/02", "02/29"),
        ("dd/MM/yyyy HH:mm", "31/01/2026 10:30", "2026-01-31T10:30:00+00:00"),
        ("M/D/YYYY h:mm A", "1/5/2026 3:04 PM", "2026-01-05T15:04:00+00:00"),
        ("DD/MM/YYYY", "31/01/2026 11:00", "2026-01-31"),
        ("DD/MM/YYYY", "2026-01-31", "2026-01-31"),
        ("epoch_seconds", "1700000000", "2023-11-14T22:13:20+00:00"),
        ("epoch seconds", 1700000000.0, "2023-11-14T22:13:20+00:00"),
        ("epoch_milliseconds", 1700000000000, "2023-11-14T22:13:20+00:00"),
    ],
)
def test_dates_by_their_format(format_: str, value: Any, expected: str) -> None:
    """A date is read as its rule says; one that is ISO already is taken as well."""
    assert reader_of(format_)(value) == expected


@given(
    st.dates(min_value=__import__("datetime").date(1970, 1, 1)),
    st.sampled_from(["DD/MM/YYYY", "MM/DD/YYYY", "D.M.YYYY", "YYYY/MM/DD", "D MMM YYYY", "MMMM D, YYYY"]),
)
def test_every_day_in_every_format_is_read_back(day: Any, format_: str) -> None:
    """Any day written in a format is read as that day."""
    directives = {
        "DD/MM/YYYY": "%d/%m/%Y",
        "MM/DD/YYYY": "%m/%d/%Y",
        "D.M.YYYY": "%-d.%-m.%Y",
        "YYYY/MM/DD": "%Y/%m/%d",
        "D MMM YYYY": "%-d %b %Y",
        "MMMM D, YYYY": "%B %-d, %Y",
    }
    assert reader_of(format_)(day.strftime(directives[format_])) == day.isoformat()


@pytest.mark.parametrize("format_", ["foo", "5/1/2026", "YYYY", "number!", "HH:mm"])
def test_an_unknown_format_is_refused(format_: str) -> None:
    """What is neither number, epoch nor a pattern with a day and a month is not a format."""
    with pytest.raises(ValueError, match="use number"):
        reader_of(format_)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada", "Ada", None), ("Ada Lovelace", "Ada", "Lovelace"), ("Ada King Lovelace", "Ada King", "Lovelace"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"), ("Lovelace, Ada", "Ada", "Lovelace"), ("Lovelace,", None, "Lovelace"),
    ],
)  # fmt: skip
def test_a_full_name_is_split(name: str, first: str | None, last: str | None) -> None:
    """The last word, with the small words before it, is the last name."""
    assert split_name(name) == (first, last)


def test_columns_in_words() -> None:
    """A stream's line says which column fills what, and which are left alone; Airbyte's own columns are not mentioned."""
    mapped = rules(
        {"column": "Attendee Email", "field": "email"}, {"column": "Ticket Type", "field": "tags"}, {"value": "e26", "field": "tags"}
    )
    columns = Columns(mapped, known=["Attendee Email", "Ticket Type", "Status", "Order Date", "_airbyte_raw_id"])
    assert described("people", columns) == (
        'people: email <- Attendee Email, tags <- Ticket Type, tags <- "e26"; ignored: Status, Order Date'
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_columns_does_not_matter(seed: int) -> None:
    """In any order of columns, the contact is the same except for the order of its tags."""
    row = {"email": "x@x.org", "Mail": "a@x.org", "tags": "b", "stage": "Won", "first_name": "X", "Name": "Ada L"}
    mapped = rules({"column": "Mail", "field": "email"}, {"column": "stage", "field": "tags"}, {"column": "Name", "field": "full_name"})
    items = list(row.items())
    random.Random(seed).shuffle(items)
    assert Columns(mapped, known=list(row)).contact(dict(items)).unified == {
        "email": "a@x.org",
        "tags": ["Won"],
        "first_name": "Ada",
        "last_name": "L",
    }
