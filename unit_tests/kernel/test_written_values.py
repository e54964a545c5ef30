"""Values as spreadsheets and exports write them, and what a field of Mailchimp takes of them."""

from __future__ import annotations

from typing import Any

import pytest

from mailchimp_unified.entities.contact import merge_values, refuse, to_mailchimp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, value_to_mailchimp
from mailchimp_unified.text import scalar_text

PLACE = {"addr1": "1 Main St", "city": "Reno", "state": "NV", "zip": "89501"}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("404 555 0100", "(404) 555-0100"),
        ("+1 (404) 555-0100", "(404) 555-0100"),
        ("4045550100", "(404) 555-0100"),
        (4045550100.0, "(404) 555-0100"),
        ("555 0100", None),
        ("2 404 555 0100", None),
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

    assert refused.value.reason.count("choice") - refused.value.reason.count("choices") in (20, 21)
    assert "5 more" in refused.value.reason
    assert "violet" not in refused.value.reason


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
