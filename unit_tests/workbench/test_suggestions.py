"""Suggestions by name and by values."""

from __future__ import annotations

import pytest

from mailchimp_workbench.send.fields import Target
from mailchimp_workbench.send.rows import Column
from mailchimp_workbench.send.shapes import date_format, number_format
from mailchimp_workbench.send.suggestions import suggest

KNOWN = [
    Target("email", "Email address", "Contact", "text", required=True),
    Target("first_name", "First name", "Contact"),
    Target("last_name", "Last name", "Contact"),
    Target("full_name", "Full name", "Contact"),
    Target("tags", "Tags to add", "Contact"),
    Target("status", "Status", "Contact", "status"),
    Target("phones", "Phone", "Contact", "phone"),
    Target("custom_fields.COMPANY", "Company", "Audience fields"),
    Target("custom_fields.SIZE", "Shirt size", "Audience fields", "dropdown", choices=("S", "M", "L")),
    Target("custom_fields.JOINED", "Customer since", "Audience fields", "date"),
    Target("custom_fields.LTV", "Lifetime value", "Audience fields", "number"),
    Target("custom_fields.ADDRESS.addr1", "Address: Street", "Parts of a postal address"),
    Target("custom_fields.ADDRESS.state", "Address: State", "Parts of a postal address"),
    Target("custom_fields.ADDRESS.city", "Address: City", "Parts of a postal address"),
    Target("custom_fields.ADDRESS.zip", "Address: Zip code", "Parts of a postal address"),
]


def column(name: str, *values: str) -> Column:
    """Return a column with some values."""
    return Column(name, "VARCHAR", values[:3], values)


def fields(*columns: Column) -> dict[str, str]:
    """Return which column is suggested for which field."""
    return {one.rule.column or "": one.rule.field for one in suggest(columns, KNOWN)}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("Attendee Email", "a@guests.example", "email"),
        ("E-mail", "a@guests.example", "email"),
        ("EMAIL_ADDRESS", "a@guests.example", "email"),
        ("customerEmail", "a@guests.example", "email"),
        ("Emial", "a@guests.example", "email"),
        ("First Name", "Ada", "first_name"),
        ("Buyer Last Name", "Abel", "last_name"),
        ("Surname", "Abel", "last_name"),
        ("Name", "Ada Abel", "full_name"),
        ("Ticket Type", "Standard", "tags"),
        ("Cell Phone", "503-555-0101", "phones"),
        ("company", "Fjord Labs", "custom_fields.COMPANY"),
        ("Shirt Size", "M", "custom_fields.SIZE"),
        ("Customer since", "2026-01-02", "custom_fields.JOINED"),
    ],
)
def test_columns_as_people_call_them(name: str, value: str, field: str) -> None:
    """A column that is called like a field, more or less, is suggested for it."""
    assert fields(column(name, value)) == {name: field}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Status", "subscribed"),
        ("Attendee Status", "Attending"),
        ("Email Opt In", "yes"),
        ("Email Marketing", "true"),
        ("Order Date", "2026-01-02"),
        ("Email", "yes"),
        ("Phone", "call the office"),
        ("Shirt size", "XXXL"),
        ("Customer since", "a while"),
        ("Lifetime value", "much"),
        ("Notes", "vegan"),
    ],
)
def test_what_is_left_alone(name: str, value: str) -> None:
    """A status is never suggested, nor a field into which the values cannot go, nor one that is called otherwise."""
    assert fields(column(name, value)) == {}


def test_a_postal_address_is_suggested_whole() -> None:
    """Its parts are found under their usual names, all that Mailchimp needs or none: it would reject the rows."""
    street, city, state = column("Billing Street", "1 Main Street"), column("Billing City", "Reno"), column("Province", "NV")
    postcode = column("Postcode", "97201")

    whole = fields(street, city, state, postcode)

    assert whole == {
        "Billing Street": "custom_fields.ADDRESS.addr1",
        "Billing City": "custom_fields.ADDRESS.city",
        "Province": "custom_fields.ADDRESS.state",
        "Postcode": "custom_fields.ADDRESS.zip",
    }
    assert fields(city, postcode) == {}


def test_values_tell_what_a_name_does_not() -> None:
    """A column of email addresses is the email address under any name, and one of the choices is the choice field."""
    assert fields(column("Kontakt", "a@guests.example", "b@guests.example"), column("Cut", "S", "m", "L")) == {
        "Kontakt": "email",
        "Cut": "custom_fields.SIZE",
    }


def test_a_field_is_filled_once() -> None:
    """Of two columns for one field the better one is suggested, and a full name never together with first and last name."""
    found = fields(
        column("Secondary Email", "b@guests.example"),
        column("Email", "a@guests.example"),
        column("First Name", "Ada"),
        column("Name", "Ada Abel"),
    )

    assert found == {"Email": "email", "First Name": "first_name"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("2026-01-02",), ""),
        (("14/03/2026", "01/02/2026"), "DD/MM/YYYY"),
        (("03/14/2026", "01/02/2026"), "MM/DD/YYYY"),
        (("01/02/2026",), ""),
        (("Jan 5, 2026",), "MMM D, YYYY"),
        ((), ""),
    ],
)
def test_the_format_of_dates(values: tuple[str, ...], expected: str) -> None:
    """A format is named only where the values prove it: 01/02 alone proves nothing."""
    assert date_format(values) == expected


@pytest.mark.parametrize(("values", "expected"), [(("12", "1.5"), ""), (("1,200.50",), "number"), (("$12", "3"), "number"), ((), "")])
def test_the_format_of_numbers(values: tuple[str, ...], expected: str) -> None:
    """Separators and currencies need to be named."""
    assert number_format(values) == expected
