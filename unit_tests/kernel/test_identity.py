"""Email addresses never leave unmasked."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.identity import mask_email, masked

WORDS = st.text(string.ascii_letters + string.digits + "._-+", min_size=2, max_size=20)


@pytest.mark.parametrize(
    "text", ["ada", "ada.contacts.example", " ada ", "a", "", "Ada Lovelace", "ada\N{FULLWIDTH COMMERCIAL AT}contacts.example"]
)
def test_a_text_without_an_at_sign_is_masked_whole(text: str) -> None:
    """It may be a name, or an email address without its @: nothing of it is shown."""
    assert mask_email(text) == "***"


@given(st.text().filter(lambda text: "@" not in text))
def test_nothing_of_a_text_without_an_at_sign_is_shown(text: str) -> None:
    """For any value."""
    assert mask_email(text) == "***"


@given(WORDS, WORDS)
def test_of_an_email_address_one_letter_and_the_domain_are_shown(name: str, domain: str) -> None:
    """That is enough to find a contact in an audience, and too little to write to it."""
    assert mask_email(f" {name}@{domain} ") == f"{name[0]}***@{domain}"


@pytest.mark.parametrize(
    "text", ["a@x.example,bo@y.example", "a@x.example bo@y.example", "a@x.example;bo@y.example", "a@b@x.example", "a@x<bo"]
)
def test_what_may_be_two_email_addresses_is_shown_as_neither(text: str) -> None:
    """The domain of one may be the name of another."""
    assert mask_email(text) == "***"


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.sampled_from([" ", ", ", ";", "|", "\n", " <", '"', "'"]))
def test_every_email_address_in_a_line_is_masked(addresses: list[tuple[str, str]], between: str) -> None:
    """With any characters between them."""
    line = masked(between.join(f"{name}@{domain}" for name, domain in addresses))

    assert not [name for name, domain in addresses if f"{name}@" in line]
