from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailchimp_unified.entities import readers
from mailchimp_unified.entities.contact import to_mailchimp
from mailchimp_unified.entities.contact_fields import FIELDS, WRITABLE, is_nothing, read_field
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, value_to_mailchimp
from mailchimp_unified.schemas import load_schema
from mailchimp_unified.text import is_blank

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "phone", "enabled", "latitude"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPES = ["text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip"]

BLANK = st.recursive(
    st.sampled_from([None, "", " ", "\t\n", "\u200b", "\ufeff", "\u00a0", " \u200e ", float("nan")]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type", "phone"]), inner, max_size=2),
    max_leaves=3,
)
"""What a person would call empty."""

SAID = ["NULL", "null", "n/a", "N/A", "NaN", "None", "[]", "{}", "\\N"]


def attempt(convert: Any, *arguments: Any) -> tuple[Any, InvalidValueError | None]:
    """What a conversion gives, or its refusal."""
    try:
        return convert(*arguments), None
    except InvalidValueError as error:
        return None, error


@given(st.sampled_from(sorted(WRITABLE)), JSON)
def test_any_value_is_taken_or_refused_by_name(name: str, value: Any) -> None:
    """Any value in a column becomes a value of its field, or a refusal that names the field and what it expects."""
    taken, refusal = attempt(read_field, name, value)
    if refusal is not None:
        assert refusal.tag == name
        assert refusal.reason
        assert not isinstance(value, str) or len(value) < 5 or value not in refusal.reason
        return
    contact = {"email": "a@x.org", name: taken} if name != "email" else {"email": taken or "a@x.org"}
    attempt(to_mailchimp, contact, {})


@given(st.sampled_from(sorted(WRITABLE)), BLANK)
@example("email", [])
@example("status", "\u200b")
def test_nothing_that_is_empty_is_refused(name: str, value: Any) -> None:
    """A cell that a person would call empty has no value in every column of every type, at every depth."""
    taken, refusal = attempt(read_field, name, value)
    assert refusal is None
    assert is_blank(taken)
    assert to_mailchimp({"email": "a@x.org", name: taken} if name != "email" else {"email": "a@x.org"}, {}) == {"email_address": "a@x.org"}


@pytest.mark.parametrize("name", sorted(WRITABLE - {"first_name", "last_name"}))
@pytest.mark.parametrize("value", SAID)
def test_words_for_nothing_are_nothing(name: str, value: str) -> None:
    """NULL, n/a and the like are no value, except where they may be somebody's name."""
    assert is_blank(read_field(name, value))
    assert read_field("first_name", "Null") == "Null"


@given(st.sampled_from(TYPES), BLANK | st.sampled_from(SAID))
def test_an_empty_merge_value_keeps_or_clears(type_: str, value: Any) -> None:
    """Blank is null for merge fields of every type: it keeps what Mailchimp has, or clears it, and is never refused."""
    fields = {"TAG": MergeField("TAG", type_, choices=("Red",))}
    contact = {"email": "a@x.org", "custom_fields": {"TAG": value}}
    if type_ not in ("text", "url", "imageurl") or not isinstance(value, str) or is_blank(value):
        assert "merge_fields" not in to_mailchimp(contact, fields)
        assert to_mailchimp(contact, fields, clear_empty=True)["merge_fields"] == {"TAG": ""}


@given(st.sampled_from(TYPES), JSON, st.sampled_from(["", "US"]))
def test_any_merge_value_is_converted_or_refused_by_tag(type_: str, value: Any, phone_format: str) -> None:
    """A merge value becomes what JSON and Mailchimp take, and stays the same when it is converted again, or is refused."""
    definition = MergeField("TAG", type_, choices=("Red",), phone_format=phone_format)
    sent, refusal = attempt(value_to_mailchimp, definition, value)
    if refusal is None:
        assert isinstance(sent, (str, int, float, dict))
        assert value_to_mailchimp(definition, sent) == sent
    else:
        assert refusal.tag == "TAG"


def test_every_property_of_the_schema_is_in_the_table() -> None:
    """The table of a contact's fields and the schema have the same names, in the same order."""
    assert list(load_schema("contacts")["properties"]) == list(FIELDS)


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("email", " \ufeffAda@X.org\u200b\u00a0", "Ada@X.org"),
        ("email", "a\u00adda@x.org", "ada@x.org"),
        ("tags", "VIP", ["VIP"]),
        ("tags", 'VIP, "Gold, Silver" ,,News', ["VIP", "Gold, Silver", "News"]),
        ("tags", '"VIP","Gold, Silver"', ["VIP", "Gold, Silver"]),
        ("tags", '["VIP", {"name": "Gold"}, null, ""]', ["VIP", "Gold"]),
        ("tags", {"id": 5, "name": "VIP"}, ["VIP"]),
        ("tags", ["\u200eVIP\u200b", 2026, 2026.0], ["VIP", "2026", "2026"]),
        ("tags", [], []),
        ("tags", "[]", []),
        ("tags", "👨\u200d👩\u200d👧", ["👨\u200d👩\u200d👧"]),
        ("phones", 4045550100.0, [{"phone": "4045550100"}]),
        ("phones", "+1 404 555 0100", [{"phone": "+1 404 555 0100"}]),
        ("phones", ["1", {"phone": 2, "type": "sms"}], [{"phone": "1"}, {"phone": "2", "type": "sms"}]),
        ("addresses", '{"street_1": "1 Way", "city": " ", "postal_code": 89501.0}', [{"street_1": "1 Way", "postal_code": "89501"}]),
        ("addresses", [{"type": "HOME", "street_1": "1 Way"}], [{"type": "HOME", "street_1": "1 Way"}]),
        ("addresses", {"street_1": "", "city": None}, None),
        ("interests", "Topics/News, Topics/Offers", {"Topics/News": True, "Topics/Offers": True}),
        ("interests", '{"a1": "yes", "b2": ""}', {"a1": True}),
        ("marketing_permissions", {"text": "Email", "enabled": "on"}, [{"text": "Email", "enabled": True}]),
        ("status", " Subscribed ", "subscribed"),
        ("language", 7, "7"),
        ("location", '{"latitude": "48.2", "longitude": 16.4}', {"latitude": 48.2, "longitude": 16.4}),
        ("timestamp_opt", "2026-01-31 12:00:00.123", "2026-01-31T12:00:00+00:00"),
        ("timestamp_opt", "2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("first_name", True, True),
        ("list_id", " a1b2 ", "a1b2"),
    ],
)  # fmt: skip
def test_cells_as_people_have_them(name: str, value: Any, taken: Any) -> None:
    """A lone value for a list, text for what is structured, invisible characters, whole floats: all are what they mean."""
    assert read_field(name, value) == taken


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", "1.0", "true", "TRUE", "t", "Yes", "y", "ON", " on "])
def test_true_in_its_usual_spellings(value: Any) -> None:
    """A boolean is read from its usual spellings, and its opposite from theirs."""
    opposites = {"1": "0", "1.0": "0.0", "true": "false", "t": "f", "yes": "no", "y": "n", "on": "off"}
    opposite = opposites[value.strip().lower()] if isinstance(value, str) else type(value)(0)
    for name in ("vip", "is_deleted"):
        assert read_field(name, value) is True
        assert read_field(name, opposite) is False


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("text", 12.0, "12"),
        ("text", "12.0", "12.0"),
        ("number", 12.0, 12),
        ("number", "12.50", 12.5),
        ("number", " 7 ", 7),
        ("zip", 2139.0, "02139"),
        ("zip", "89501.0", "89501"),
        ("phone", "4045550100.0", "4045550100"),
        ("dropdown", " blue", "Blue"),
        ("dropdown", 1.0, "1"),
        ("date", "Jan 5, 2026", "2026-01-05"),
        ("date", "5 January 2026", "2026-01-05"),
        ("date", "05-Jan-2026", "2026-01-05"),
        ("birthday", "Jan 5, 1990", "01/05"),
        ("address", '{"street_1": "1 Way", "city": "Reno", "state": "NV", "postal_code": 89501}', {"addr1": "1 Way", "city": "Reno", "state": "NV", "zip": "89501"}),
        ("address", {"Street_1": "1 Way", "CITY": "Reno", "state": "NV", "zip": "89501"}, {"addr1": "1 Way", "city": "Reno", "state": "NV", "zip": "89501"}),
        ("address", {"addr1": "Ring 1", "city": "Wien", "zip": "1010", "country": "AT"}, {"addr1": "Ring 1", "city": "Wien", "state": "-", "zip": "1010", "country": "AT"}),
        ("address", "1 Way    Reno  NV  89501  US", {"addr1": "1 Way", "addr2": "", "city": "Reno", "state": "NV", "zip": "89501", "country": "US"}),
    ],
)  # fmt: skip
def test_merge_values_as_people_have_them(type_: str, value: Any, sent: Any) -> None:
    """Whole floats, JSON text, our own names of parts, dates with the month as a word, addresses of countries without states."""
    assert value_to_mailchimp(MergeField("TAG", type_, choices=("Blue", "1") if type_ == "dropdown" else ()), value) == sent


@pytest.mark.parametrize(
    "value", [{"addr1": "1 Way", "city": "Reno", "zip": "1"}, {"addr1": "1 Way", "city": "Reno", "zip": "1", "country": "US"}]
)
def test_an_address_in_a_country_with_states_needs_one(value: Any) -> None:
    """Only abroad is a missing state no reason to refuse a postal address."""
    with pytest.raises(InvalidValueError, match="state"):
        value_to_mailchimp(MergeField("TAG", "address"), value)


LONGEST = f"{'x' * 64}@{'y' * 255}"


@pytest.mark.parametrize("value", ["a@b", "a.b+c@x.org", '"a@b"@x.org', LONGEST, "ä@x.org"])
def test_an_email_address_is_taken_as_it_is(value: str) -> None:
    """Mailchimp decides which of them exist; an @ in quotes belongs to the name."""
    assert read_field("email", value) == read_field("previous_email", value) == value


@pytest.mark.parametrize(
    "value",
    [
        "a", "@", "a@", "@x.org", "a@x.org,b@x.org", "a@x.org b@x.org", "a@b@x.org", '"a@b@x.org', 'a@b"@x.org', "a b@x.org", "a@x .org",
        "a\t@x.org", "a@x.org\x00", "a@x.org\x7fb", f"x{LONGEST}", f"{LONGEST}y", 5, True, ["a@x.org"], {"email": "a@x.org"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_one_email_address_is_refused(value: Any) -> None:
    """No name, no domain, two addresses, blanks within, or more than 320 characters."""
    assert attempt(read_field, "email", value)[1] is not None


@pytest.mark.parametrize(
    ("value", "separator", "parts"),
    [
        ("a, b", ",", ["a", "b"]),
        ("a,b", ";", ["a,b"]),
        ("a ; b;;c ", ";", ["a", "b", "c"]),
        ('"a;b";c', ";", ["a;b", "c"]),
        ("a||b || c", "||", ["a", "b", "c"]),
        ('"a||b"||c', "||", ['"a', 'b"', "c"]),
        ("a'b", "'", ["a", "b"]),
        ('a"b', '"', ["a", "b"]),
        ("a\tb c", "\t", ["a", "b c"]),
        (", ,", ",", []),
    ],
)
def test_a_text_is_split_at_its_separator(value: str, separator: str, parts: list[str]) -> None:
    """A part in quotes may hold it, if it is one character and no quote itself; empty parts are none."""
    assert readers.split(value, separator) == parts
    assert readers.tag_names(value, separator) == parts


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("tags", "VIP\nGold, News", ["VIP Gold", "News"]),
        ("tags", "[broken", ["[broken"]),
        ("tags", ' \u200b["VIP"]', ["VIP"]),
        ("tags", [{"name": "VIP", "id": 1}, "\u200b", 5.5], ["VIP", "5.5"]),
        ("tags_to_remove", 5, ["5"]),
        ("phones", "'+1 404", [{"phone": "+1 404"}]),
        ("phones", ["'(404) 5", "'4", "'x"], [{"phone": "(404) 5"}, {"phone": "4"}, {"phone": "'x"}]),
        ("phones", [{"phone": " ", "type": "sms"}, {"type": "x"}, None], [{"phone": None, "type": "sms"}, {"phone": None, "type": "x"}]),
        ("addresses", [{"city": "Reno", "zip": 5}, None], [{"city": "Reno", "zip": "5"}]),
        ("interests", ["a", "", 5], {"a": True, "5": True}),
        ("interests", "a", {"a": True}),
        ("interests", {"a": "no", "b": None, "c": 1}, {"a": False, "c": True}),
        ("marketing_permissions", '[{"marketing_permission_id": 5, "enabled": "no", "more": 1}]', [{"marketing_permission_id": "5", "enabled": False}]),
        ("marketing_permissions", [{"text": "a", "enabled": ""}, {"marketing_permission_id": "", "text": "b", "enabled": 1}], [{"text": "b", "enabled": True}]),
        ("marketing_permissions", [{"marketing_permission_id": "p", "text": "a", "enabled": True}], [{"marketing_permission_id": "p", "text": "a", "enabled": True}]),
        ("location", {"latitude": "1.5", "longitude": " "}, {"latitude": 1.5}),
        ("location", {"longitude": 0, "more": 1}, {"longitude": 0.0}),
        ("custom_fields", '{"A": 1}', {"A": 1}),
        ("custom_fields", {}, {}),
        ("email_type", "HTML", "html"),
        ("status_if_new", "Pending", "pending"),
        ("timestamp_signup", "2026-01-31T13:00:00.999+01:00", "2026-01-31T12:00:00+00:00"),
        ("ip_opt", " 192.0.2.1\u200b", "192.0.2.1"),
        ("last_name", 5.0, 5.0),
    ],
)  # fmt: skip
def test_a_cell_becomes_the_value_that_its_field_wants(name: str, value: Any, taken: Any) -> None:
    """One value for a list, JSON text for a structure, and blank entries left out."""
    found = read_field(name, value)

    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tags", [True]),
        ("tags", [["VIP"]]),
        ("tags", [{"id": 1}]),
        ("tags", [{"name": {"x": 1}}]),
        ("tags", True),
        ("phones", [[5]]),
        ("phones", {"phone": {"x": 1}}),
        ("addresses", "1 Main St"),
        ("addresses", [{"city": "Reno"}, "1 Main St"]),
        ("addresses", {"city": ["Reno"]}),
        ("interests", 5),
        ("interests", {"a": "maybe"}),
        ("interests", ["a", {"b": 1}]),
        ("marketing_permissions", "yes"),
        ("marketing_permissions", [{"enabled": True}]),
        ("marketing_permissions", [{"marketing_permission_id": "", "text": " ", "enabled": True}]),
        ("marketing_permissions", [{"text": "a", "enabled": "maybe"}]),
        ("marketing_permissions", ["a"]),
        ("location", "here"),
        ("location", [1, 2]),
        ("location", {"latitude": "north"}),
        ("location", {"latitude": "inf"}),
        ("location", {"longitude": "nan"}),
        ("location", {"longitude": [1]}),
        ("custom_fields", "A"),
        ("custom_fields", [1]),
        ("vip", "maybe"),
        ("vip", 2),
        ("status", "gone"),
        ("status_if_new", "cleaned"),
        ("status_if_new", "archived"),
        ("email_type", "rich"),
        ("timestamp_opt", "soon"),
        ("timestamp_opt", "9999-12-31T23:59:59-05:00"),
        ("timestamp_opt", "31.01.2026"),
        ("language", ["en"]),
        ("first_name", {"x": 1}),
        ("list_id", "../a"),
        ("list_id", "a b"),
    ],
)
def test_a_cell_that_its_field_cannot_take_is_refused(name: str, value: Any) -> None:
    """By the name of the field; nothing is guessed."""
    _, refusal = attempt(read_field, name, value)

    assert refusal is not None
    assert refusal.tag == name


@pytest.mark.parametrize(
    ("value", "gone"),
    [("2026-01-31", True), (5, True), ("x", True), ("1", True), (True, True), ("false", False), (0, False), ("No", False), (False, False)],
)
def test_the_time_of_a_deletion_says_that_a_row_is_gone(value: Any, gone: bool) -> None:
    """So does any other text that does not say no."""
    assert readers.deletion_mark(value) is gone


@pytest.mark.parametrize("value", [{}, [], {"at": "2026-01-31"}, ["2026-01-31"]])
def test_a_structure_is_no_time_of_a_deletion(value: Any) -> None:
    """Nobody is deleted for a column that holds something else."""
    with pytest.raises(ValueError, match="expects"):
        readers.deletion_mark(value)


@pytest.mark.parametrize(
    ("name", "value", "nothing"),
    [
        ("tags", [], False),
        ("tags", "[]", False),
        ("tags", [None], False),
        ("tags", {}, True),
        ("tags", "", True),
        ("tags", None, True),
        ("tags", "null", True),
        ("tags_to_remove", [], True),
        ("tags_to_remove", "[]", True),
        ("phones", [], True),
        ("custom_fields", {}, False),
        ("custom_fields", {"A": None}, False),
        ("custom_fields", "{}", True),
        ("custom_fields", [], True),
        ("interests", {}, True),
        ("interests", {"a": None}, True),
        ("first_name", "n/a", False),
        ("last_name", "Null", False),
        ("last_name", " ", True),
        ("language", "n/a", True),
        ("language", "x", False),
        ("vip", False, False),
    ],
)
def test_which_cells_have_no_value(name: str, value: Any, nothing: bool) -> None:
    """An empty list of tags says that there are none, and merge fields that are null may be cleared; Null is somebody's name."""
    assert is_nothing(name, value) is nothing
