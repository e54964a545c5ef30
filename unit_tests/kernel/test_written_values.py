"""Values as spreadsheets and exports write them, and what a field of Mailchimp takes of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mailchimp_unified.entities.contact import merge_values, refuse, to_mailchimp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, UnknownMergeFieldError, value_schema, value_to_mailchimp
from mailchimp_unified.entities.postal_address import address_part, part_names, whole_address
from mailchimp_unified.text import scalar_text

PLACE = {"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("404 555 0100", "(404) 555-0100"),
        ("+1 (404) 555-0100", "(404) 555-0100"),
        ("4045550100", "(404) 555-0100"),
        ("1045550100", "(104) 555-0100"),
        ("11045550100", "(104) 555-0100"),
        (4045550100.0, "(404) 555-0100"),
        ("555 0100", None),
        ("2 404 555 0100", None),
        ("1 404 555 01000", None),
        ("404 555 010", None),
        ("+49 30 123456789", None),
    ],
)
def test_a_us_phone_number_has_ten_digits(value: Any, sent: str | None) -> None:
    """With or without the country's 1, however it is written; in a field without that format any number is taken as it is."""
    us, international = MergeField("PHONE", "phone", phone_format="US"), MergeField("PHONE", "phone", phone_format="none")

    if sent is None:
        with pytest.raises(InvalidValueError, match="10 digits"):
            value_to_mailchimp(us, value)
    else:
        assert value_to_mailchimp(us, value) == sent
    assert "".join(filter(str.isdigit, value_to_mailchimp(international, value))) == "".join(
        filter(str.isdigit, str(value).removesuffix(".0"))
    )


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("1 Main St  Reno  NV  89501", PLACE),
        ("1 Main St  Reno  NV  89501  US", {**PLACE, "country": "US"}),
        ("1 Main St  Suite 2  Reno  NV  89501  US", {**PLACE, "addr2": "Suite 2", "country": "US"}),
        ('{"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"}', PLACE),
        ("1 Main St  Reno  NV", None),
        ("1 Main St, Reno, NV, 89501", None),
    ],
)
def test_an_address_as_an_export_writes_it_is_read_by_its_parts(text: str, sent: dict[str, str] | None) -> None:
    """Four parts, a country behind them, a second line within; a text of another form is refused."""
    field = MergeField("ADDRESS", "address")
    if sent is None:
        with pytest.raises(InvalidValueError):
            value_to_mailchimp(field, text)
    else:
        assert value_to_mailchimp(field, text) == sent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.0, "12"),
        (-3.0, "-3"),
        (2.5, "2.5"),
        (float(2**53 - 1), "9007199254740991"),
        (float(2**53), str(float(2**53))),
        (1e20, "1e+20"),
        (10**20, "100000000000000000000"),
        (True, "true"),
        ("12.0", "12.0"),
    ],
)
def test_a_whole_number_is_written_as_one_while_it_is_exact(value: Any, text: str) -> None:
    """From 2**53 on a floating-point number no longer says which whole number is meant."""
    assert scalar_text(value) == text


@pytest.mark.parametrize(
    ("value", "sent"), [("9007199254740991", 2**53 - 1), ("9007199254740993", float(2**53)), ("12.0", 12), (2**60, 2**60)]
)
def test_a_number_stays_whole_while_json_carries_it_exactly(value: Any, sent: float) -> None:
    """Beyond, a text becomes the nearest number; a whole number of the record's own is sent as it is."""
    found = value_to_mailchimp(MergeField("N", "number"), value)

    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("latitude", "longitude", "known"),
    [(39.5, -119.8, True), (0, -119.8, True), (39.5, 0, True), (0, 0, False), (None, None, False), (39.5, None, True)],
)
def test_a_place_is_written_unless_it_is_nowhere(latitude: float | None, longitude: float | None, known: bool) -> None:
    """Zeros for both are how Mailchimp writes that no place is known; the equator and the meridian are places."""
    sent = to_mailchimp({"location": {"latitude": latitude, "longitude": longitude}}, {}, clear_empty=False, on_invalid=refuse)

    assert sent.get("location") == ({"latitude": latitude or 0, "longitude": longitude or 0} if known else None)


def test_a_reason_names_twenty_choices_at_most() -> None:
    """And how many there are besides; the value itself is not quoted."""
    field = MergeField("COLOR", "dropdown", choices=tuple(f"choice{number}" for number in range(25)))

    with pytest.raises(InvalidValueError) as refused:
        value_to_mailchimp(field, "violet")

    named = re.findall(r"choice[0-9]+", refused.value.reason)
    assert named == [f"choice{number}" for number in range(20)]
    assert "5 more" in refused.value.reason
    assert "violet" not in refused.value.reason


@pytest.mark.parametrize(("count", "more"), [(1, 0), (19, 0), (20, 0), (21, 1), (30, 10)])
def test_a_reason_says_how_many_choices_it_does_not_name(count: int, more: int) -> None:
    """Nothing where it names all of them."""
    field = MergeField("COLOR", "radio", choices=tuple(f"choice{number}" for number in range(count)))

    with pytest.raises(InvalidValueError) as refused:
        value_to_mailchimp(field, "violet")

    assert re.findall(r"[0-9]+ more", refused.value.reason) == ([f"{more} more"] if more else [])


@pytest.mark.parametrize(
    ("contact", "sent"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, {"FNAME": "Ada", "LNAME": "Lovelace"}),
        ({"first_name": "Ada", "custom_fields": {"FNAME": "Grace"}}, {"FNAME": "Grace"}),
        ({"first_name": None}, {"FNAME": None}),
        ({}, {}),
    ],
)
def test_names_are_merge_fields_like_any_other(contact: dict[str, Any], sent: dict[str, Any]) -> None:
    """A custom field of the same tag wins: it was named as such."""
    assert merge_values(contact) == sent


@pytest.mark.parametrize("type_", ["text", "url", "imageurl", "phone", "nobody knows"])
@pytest.mark.parametrize(
    ("text", "fits"), [("x" * 254, True), ("x" * 255, True), ("x" * 256, False), ("ü" * 127 + "x", True), ("ü" * 128, False)]
)
def test_a_text_has_255_bytes_at_most(type_: str, text: str, fits: bool) -> None:
    """Mailchimp would cut a longer one; a type that is not documented is taken for text."""
    field = MergeField("TAG", type_)
    if fits:
        assert value_to_mailchimp(field, text) == text
    else:
        with pytest.raises(InvalidValueError):
            value_to_mailchimp(field, text)


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("number", "-7", -7),
        ("number", "+.5", 0.5),
        ("number", "1e3", 1000),
        ("number", "5.", 5),
        ("number", "-9007199254740991", -(2**53) + 1),
        ("number", "-9007199254740993", -float(2**53)),
        ("number", 0, 0),
        ("number", 1.5, 1.5),
        ("zip", 89501, "89501"),
        ("zip", 501, "00501"),
        ("zip", "00501", "00501"),
        ("zip", " 89501 ", "89501"),
        ("phone", 4045550100.0, "4045550100"),
        ("phone", " 5 ", "5"),
        ("date", "2026/02/03", "2026-02-03"),
        ("date", "2026-2-3", "2026-02-03"),
        ("date", "03-02-2026", "2026-02-03"),
        ("date", "02/03/2026", "2026-02-03"),
        ("date", "2026-02-03T23:59:59+02:00", "2026-02-03"),
        ("date", "2026-02-03 soon", "2026-02-03"),
        ("date", "February 3, 2026", "2026-02-03"),
        ("date", "3. Feb 2026", "2026-02-03"),
        ("birthday", "2-3", "02/03"),
        ("birthday", "12/31", "12/31"),
        ("birthday", "02/29", "02/29"),
        ("birthday", "2026-02-03", "02/03"),
        ("dropdown", "Blue", "Blue"),
        ("dropdown", "BLUE ", "Blue"),
        ("radio", "None", "None"),
        ("text", "n/a", "n/a"),
        ("url", "NULL", "NULL"),
        ("number", "n/a", ""),
        ("dropdown", "NULL", ""),
    ],
)
def test_what_a_field_takes(type_: str, value: Any, sent: Any) -> None:
    """Each form of a value that is documented, as Mailchimp wants it; a choice that is called None is one."""
    found = value_to_mailchimp(MergeField("TAG", type_, choices=("Blue", "None")), value)

    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("number", True),
        ("number", "true"),
        ("number", "1,000"),
        ("number", "1e999"),
        ("number", "0x10"),
        ("number", "1_000"),
        ("number", float("inf")),
        ("number", [1]),
        ("zip", "2139"),
        ("zip", "089501"),
        ("zip", 895011),
        ("zip", True),
        ("zip", 1.5),
        ("zip", "89501-1234"),
        ("date", "2026-02-30"),
        ("date", "20260203"),
        ("date", "2026-02-03x"),
        ("date", "Feb 2026"),
        ("date", "01/31"),
        ("birthday", "02/30"),
        ("birthday", "13/01"),
        ("birthday", "1/2/3"),
        ("dropdown", "Green"),
        ("radio", 5),
        ("address", 5),
    ],
)
def test_what_a_field_does_not_take(type_: str, value: Any) -> None:
    """It is refused by the name of the field, never guessed."""
    with pytest.raises(InvalidValueError) as refused:
        value_to_mailchimp(MergeField("TAG", type_, choices=("Blue",)), value)
    assert refused.value.tag == "TAG"


def test_a_field_without_choices_takes_any_text() -> None:
    """Nothing is known that it could be compared with."""
    assert value_to_mailchimp(MergeField("TAG", "dropdown"), "Green") == "Green"


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ({**PLACE, "addr2": None}, {**PLACE, "addr2": ""}),
        ({**PLACE, "street_2": " "}, {**PLACE, "addr2": ""}),
        ({**PLACE, "country": None}, PLACE),
        ({**PLACE, "country": ""}, {**PLACE, "country": ""}),
        ({**PLACE, "type": "HOME"}, PLACE),
        ({**PLACE, "zip": "'02139"}, {**PLACE, "zip": "02139"}),
        ({**PLACE, "zip": "'x"}, {**PLACE, "zip": "'x"}),
        ({**PLACE, "Postal_Code": 89501.0, "zip": None}, PLACE),
        ({**PLACE, "county": "Washoe", "more": None}, {**PLACE, "county": "Washoe"}),
        (' {"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"} ', PLACE),
        ({**PLACE, "state": "", "country": "Austria"}, {**PLACE, "state": "-", "country": "Austria"}),
        ({**PLACE, "state": "", "country": "USA"}, None),
        ({**PLACE, "state": None, "country": "United  States"}, None),
        ({**PLACE, "state": None, "country": ""}, None),
        ({**PLACE, "state": "", "zip": "", "country": "AT"}, None),
        ({**PLACE, "addr1": ""}, None),
        ({**PLACE, "city": " "}, None),
        ({**PLACE, "zip": None}, None),
        ({**PLACE, "city": ["Reno"]}, None),
        ('{"addr1": "1 Main St", "city"', None),
        ("1 Main St  Reno  NV  89501  US  x  y", None),
        ("", None),
        ([PLACE], None),
    ],
)
def test_an_address_is_whole_or_refused(address: Any, sent: dict[str, str] | None) -> None:
    """A null second line is cleared and other null parts are left out; only abroad the state may be missing."""
    if sent is None:
        with pytest.raises(ValueError, match="expects"):
            whole_address(address)
    else:
        assert whole_address(address) == sent


def test_the_parts_of_an_address_have_two_names_each() -> None:
    """Mailchimp's and ours, in any case; no other name is a part."""
    ours = ["Street_1", "street_2", "CITY", "state", " postal_code", "country"]

    assert [address_part(name) for name in ours] == list(part_names()) == [address_part(name.upper()) for name in part_names()]
    assert address_part("county") is None


@pytest.mark.parametrize(
    ("addresses", "sent"),
    [
        ([{"street_1": "1 Way", "city": None, "county": "x"}], {"ADDRESS": {"addr1": "1 Way"}}),
        (
            [{"type": "HOME", "street_1": "1 Way"}, {"type": None, "city": "Reno"}],
            {"HOME": {"addr1": "1 Way"}, "ADDRESS": {"city": "Reno"}},
        ),
        ([{"type": "", "Country": "US", "zip": " "}], {"ADDRESS": {"country": "US"}}),
        ([], {}),
    ],
)
def test_an_address_goes_to_the_merge_field_that_it_names(addresses: list[dict[str, Any]], sent: dict[str, Any]) -> None:
    """To the one of every audience where it names none, with the parts that it has."""
    assert merge_values({"addresses": addresses}) == sent


FIELDS = {tag: MergeField(tag, type_) for tag, type_ in {"FNAME": "text", "LTV": "number", "lower": "text"}.items()}


@pytest.mark.parametrize(
    ("contact", "sent"),
    [
        ({"custom_fields": {"ltv ": 5, "lower": "x"}}, {"merge_fields": {"LTV": 5, "lower": "x"}}),
        ({"custom_fields": {"LTV": None, "OTHER": ""}}, {}),
        ({"first_name": None, "custom_fields": {"OTHER": "", "LTV": 5}}, {"merge_fields": {"LTV": 5}}),
        ({"custom_fields": {}}, {}),
        ({"first_name": "", "language": "", "vip": False}, {"vip": False}),
        ({"email": " a@shop.test ", "language": " ", "ip_opt": None}, {"email_address": "a@shop.test"}),
        ({"interests": {}, "marketing_permissions": []}, {}),
        ({"marketing_permissions": [{"marketing_permission_id": "p", "text": "x", "enabled": False}]},
         {"marketing_permissions": [{"marketing_permission_id": "p", "enabled": False}]}),
        ({"id": "i", "status": "subscribed", "tags": ["x"], "web_id": 5, "source": "x", "previous_email": "b@shop.test"}, {}),
    ],
)  # fmt: skip
def test_a_call_carries_what_a_contact_says(contact: dict[str, Any], sent: dict[str, Any]) -> None:
    """A tag in another case is the same; what is blank, read only or decides on the call is not in its body."""
    assert to_mailchimp(contact, FIELDS) == sent


def test_a_blank_clears_a_merge_field_where_that_is_wanted() -> None:
    """And nothing else: a field that the audience does not have needs no clearing."""
    contact = {"email": "a@shop.test", "language": "", "first_name": None, "custom_fields": {"ltv": "n/a", "OTHER": None}}

    assert to_mailchimp(contact, FIELDS, clear_empty=True) == {"email_address": "a@shop.test", "merge_fields": {"FNAME": "", "LTV": ""}}


def test_who_is_told_of_a_value_that_does_not_fit_decides() -> None:
    """Without being told otherwise the record is refused; else the field is left out and the others are sent."""
    contact = {"custom_fields": {"LTV": "many", "OTHER": "x", "FNAME": "Ada"}}
    told: list[InvalidValueError] = []

    assert to_mailchimp(contact, FIELDS, on_invalid=told.append) == {"merge_fields": {"FNAME": "Ada"}}
    assert [(one.tag, type(one)) for one in told] == [("LTV", InvalidValueError), ("OTHER", UnknownMergeFieldError)]
    with pytest.raises(InvalidValueError):
        to_mailchimp(contact, FIELDS)
    with pytest.raises(UnknownMergeFieldError):
        to_mailchimp({"custom_fields": {"OTHER": "x"}}, FIELDS)


def test_the_values_of_each_type_have_a_schema() -> None:
    """Numbers are numbers, dates are days, addresses are objects of texts; everything else is text, and anything may be null."""
    assert value_schema("number") == {"type": ["null", "number"]}
    assert value_schema("date") == {"type": ["null", "string"], "format": "date"}
    assert [value_schema(one) for one in ("text", "birthday", "zip", "new")] == [{"type": ["null", "string"]}] * 4
    address = value_schema("address")
    assert (address["type"], address["additionalProperties"]) == (["null", "object"], True)
    assert address["properties"] == {name: {"type": ["null", "string"]} for name in part_names()}
