"""Text as people meant it: what is seen, what is blank, what is the same name, and what is nearly one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified.text import did_you_mean, folded, is_blank, nearest, says_nothing, scalar_text, visible, visible_email


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (" a b ", "a b"),
        ("\ta\n", "a"),
        ("\ufeffAda\u200b", "Ada"),
        ("A\u00adda", "Ada"),
        ("\u2714\ufe0e", "\u2714"),
        ("a\u034fb", "ab"),
        ("\u200eVIP\u200f", "VIP"),
        ("a\u00a0b\u202fc", "a b c"),
        ("\u00a0a\u202f", "a"),
        ("a\u200db", "ab"),
        ("\u200da", "a"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\U0001f468\u200d", "\U0001f468"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("Zo\u00eb ", "Zo\u00eb"),
    ],
)
def test_what_nobody_sees_is_left_out(text: str, seen: str) -> None:
    """Invisible characters and spaces at the ends; joiners stay inside the words and emoji that need them."""
    assert visible(text) == seen


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" a@x.org ", "a@x.org"),
        ("a\u00adda@x.org", "ada@x.org"),
        ("a@x\u200d.org", "a@x.org"),
        ("\u00a0a@x.org\u3000", "a@x.org"),
        ("a @x.org", "a @x.org"),
        ("\u00fc@x.org ", "\u00fc@x.org"),
    ],
)
def test_an_email_address_has_no_special_spaces_and_nothing_invisible(text: str, email: str) -> None:
    """Plain ones inside are left for Mailchimp to refuse."""
    assert visible_email(text) == email


@pytest.mark.parametrize("same", ["first  name", " FIRST NAME", "First\u00a0Name", "first\tname\u200b"])
def test_names_that_differ_only_in_how_they_were_typed_are_the_same(same: str) -> None:
    """Case, kinds of spaces, and what nobody sees; also how an accent was typed."""
    assert folded(same) == folded("First Name")
    assert folded("Caf\u00e9") == folded("cafe\u0301")
    assert folded("STRASSE") == folded("stra\u00dfe")
    assert folded("first_name") != folded("first name")


@pytest.mark.parametrize("value", [None, "", " ", "\t", "\u200b", "\u00a0", float("nan"), [], {}, [None, ""], {"a": " ", "b": [None]}])
def test_a_cell_without_anything_is_blank(value: Any) -> None:
    """So it is for a person, at every depth; a blank cell says nothing either."""
    assert is_blank(value)
    assert says_nothing(value)


@pytest.mark.parametrize(
    "value", ["a", "-", "-x", " x", "x ", "x-", "0", 0, 0.0, -1, False, True, [0], [None, "x"], {"a": None, "b": False}]
)
def test_a_cell_with_anything_is_not_blank(value: Any) -> None:
    """Zero, false and a dash are something."""
    assert is_blank(value) is False


@given(st.text(max_size=6))
def test_a_text_is_blank_when_nothing_of_it_is_seen(text: str) -> None:
    """However it begins and ends."""
    assert is_blank(text) == (visible(text) == "")


@pytest.mark.parametrize(
    ("value", "nothing"),
    [
        ("NULL", True),
        ("n/a", True),
        (" N/A ", True),
        ("-", True),
        ("--", False),
        ("Nul", False),
        ("x", False),
        ("nothing at all", False),
        (" \u200b", True),
        (" " * 20, True),
        ("    NULL    ", True),
        ("    NULL     ", False),
        ("    [NULL]  ", True),
        (0, False),
        (False, False),
        ([None], True),
    ],
)
def test_a_cell_may_say_that_it_is_empty(value: Any, nothing: bool) -> None:
    """In a word of twelve characters at most, spaces around it included; what is longer is a text."""
    assert says_nothing(value) is nothing


@pytest.mark.parametrize(("value", "kind"), [({}, "object"), ([], "list"), ({"a": 1}, "object"), ([1], "list")])
def test_what_is_not_a_scalar_is_refused_by_its_kind(value: Any, kind: str) -> None:
    """A text is expected where an object or a list came."""
    with pytest.raises(ValueError, match=kind) as refused:
        scalar_text(value)

    assert {"object": "list", "list": "object"}[kind] not in str(refused.value)


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (0, "0"), ("", ""), (1.5, "1.5")])
def test_a_scalar_is_written_as_people_write_it(value: Any, text: str) -> None:
    """Booleans as in JSON, numbers as they are."""
    assert scalar_text(value) == text


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("abcd", ["abce"], "abce"),
        ("abcdefghijklm", ["abcdefghijwxyz"], None),
        ("dryrun", ["list_id", "dry_run", "apply_status"], "dry_run"),
        ("E-Mail", ["email"], "email"),
        ("airport", ["dry_run", "list_id"], None),
        ("x", [], None),
    ],
)
def test_a_name_is_near_when_three_quarters_of_its_characters_are_in_common(name: str, known: list[str], near: str | None) -> None:
    """Separators and case do not count: eight characters with two that differ are near, twenty-seven with seven are not."""
    assert nearest(name, known) == near
    assert (near or "") in did_you_mean(name, known)
    assert bool(did_you_mean(name, known)) is (near is not None)
