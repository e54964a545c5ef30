"""Email addresses never leave unmasked, and are the identity of a contact."""

from __future__ import annotations

import hashlib
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.identity import canonical_email, masked, subscriber_hash

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@", "@"),
        ("meet @ noon", "meet @ noon"),
        ("x@ y", "x***@ y"),
        ("@x.org", "***@x.org"),
        ("a@b@x.org", "a***@x.org"),
        ("no address", "no address"),
        ("Zo\u00eb@x.org,next", "Z***@x.org,next"),
    ],
)
def test_what_is_nearly_an_email_address_is_masked_too(text: str, shown: str) -> None:
    """But a lone @, which is a word of a sentence."""
    assert masked(text) == shown


@pytest.mark.parametrize("email", ["Urist.McVankab@freddiesjokes.com", " urist.mcvankab@FREDDIESJOKES.com\t"])
def test_a_contact_has_the_id_of_its_address_however_it_is_typed(email: str) -> None:
    """The example of https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters."""
    assert canonical_email(email) == "urist.mcvankab@freddiesjokes.com"
    assert subscriber_hash(email) == "62eeb292278cc15f5817cb78f7790b08"


def test_the_id_of_a_contact_can_be_had_where_md5_may_protect_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that follow FIPS 140 refuse MD5 unless it is said to be no protection."""
    md5 = hashlib.md5

    def strict(content: bytes, *, usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return md5(content, usedforsecurity=False)

    monkeypatch.setattr(hashlib, "md5", strict)

    assert len(subscriber_hash("a@x.org")) == 32
