"""Email addresses never leave unmasked."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.identity import masked

WORDS = st.text(string.ascii_letters + string.digits + "._-+", min_size=2, max_size=20)


@given(WORDS, WORDS)
def test_of_an_email_address_one_letter_and_the_domain_are_shown(name: str, domain: str) -> None:
    """That is enough to find a contact in an audience, and too little to write to it."""
    assert masked(f"for {name}@{domain} now") == f"for {name[0]}***@{domain} now"


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.sampled_from([" ", ", ", ";", "|", "\n", " <", '"', "'"]))
def test_every_email_address_in_a_line_is_masked(addresses: list[tuple[str, str]], between: str) -> None:
    """With any characters between them."""
    line = masked(between.join(f"{name}@{domain}" for name, domain in addresses))

    assert not [name for name, domain in addresses if f"{name}@" in line]
