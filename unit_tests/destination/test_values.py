from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailchimp_unified.entities.contact import to_mailchimp
from mailchimp_unified.entities.contact_fields import FIELDS, WRITABLE, read_field
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
